"""Cutting a face out and turning it upright, as each embedder was trained on.

The dlib chip: YuNet's box becomes the box that dlib's HOG detector would have drawn, dlib's 5-point predictor
finds eye corners and nose in it, dlib cuts the chip. The SFace chip: a similarity transform takes the
detector's five points onto SFace's template. The one is RGB, the other BGR, as their networks want: a chip in
the wrong order of colours raises no error, it only moves the embedding.
"""

from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from appliance.errors import ModelError
from appliance.values import Box, FloatArray, ImageArray

DLIB_CHIP_PX = 150
"""Side of dlib's chip (`face_recognition_model_v1` takes no other)."""
DLIB_CHIP_PADDING = 0.25
"""Margin of the chip (`face_recognition_model_v1::compute_face_descriptor`'s default)."""
SFACE_CHIP_PX = 112
"""Side of SFace's chip."""

BOX_SHIFT = (-0.012, 0.018)
BOX_SIDE = 0.942
"""From a YuNet box to dlib's: the centre moves by BOX_SHIFT * g and the side becomes BOX_SIDE * g, where g is
the square root of the box's area. Fitted on 143 faces found by both detectors, none of them from LFW; on LFW,
embeddings of one photo by either way then differ by a median distance of 0.043."""

_MEAN_POINTS_IN_CHIP = np.array(
    [[45.7, 47.0], [103.9, 46.8], [75.0, 77.7], [50.0, 103.2], [101.1, 103.3]], dtype=np.float64
)
"""Where YuNet's five points lie, on average, in a dlib chip (same 143 faces)."""

_SFACE_TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    dtype=np.float64,
)
"""Right eye, left eye, nose, right and left mouth corner in SFace's chip (OpenCV, face_recognize.cpp)."""

_NEIGHBOURHOOD = 1.5
"""Half the side of what is cut out before dlib sees it, in sides of the dlib box: the chip with
its corners and what its filter reads reach to 1.3 of them."""


def dlib_rectangle(box: Box) -> Any:
    """The box dlib's HOG detector would have drawn, from YuNet's, in whole pixels."""
    size = float(np.sqrt(box.area))
    x, y = box.centre
    side = max(2, round(BOX_SIDE * size))
    left = round(x + BOX_SHIFT[0] * size - side / 2)
    top = round(y + BOX_SHIFT[1] * size - side / 2)
    return dlib.rectangle(left, top, left + side - 1, top + side - 1)


def yunet_box(rectangle: Any) -> Box:
    """The square YuNet box that `dlib_rectangle` takes back to this rectangle."""
    size = rectangle.width() / BOX_SIDE
    x = rectangle.left() + rectangle.width() / 2 - BOX_SHIFT[0] * size
    y = rectangle.top() + rectangle.height() / 2 - BOX_SHIFT[1] * size
    return Box(x - size / 2, y - size / 2, size, size)


class ShapePredictor:
    """dlib's 5-point predictor.

    Args:
        weights: `shape_predictor_5_face_landmarks.dat`.
    """

    def __init__(self, weights: Path) -> None:
        self._weights = weights
        self._predictor: Any = None

    def open(self) -> None:
        """Load the weights.

        Raises:
            ModelError: dlib cannot read them.
        """
        try:
            self._predictor = dlib.shape_predictor(str(self._weights))
        except RuntimeError as error:
            raise ModelError(
                f"{self._weights} cannot be read by dlib", command="check it with: appliance models verify"
            ) from error

    def shape(self, rgb: ImageArray, rectangle: Any) -> Any:
        """The five points of a face in an RGB picture, as dlib's own object."""
        return self._predictor(rgb, rectangle)


def dlib_chip(bgr: ImageArray, box: Box, predictor: ShapePredictor) -> ImageArray:
    """Cut out the chip for dlib's network.

    Args:
        bgr: The frame, uint8, (height, width, 3), blue first.
        box: The face as YuNet draws it, in pixels of the frame.
        predictor: The 5-point predictor, opened.

    Returns:
        uint8, (150, 150, 3), red first. What lies beyond the frame is black.
    """
    height, width = bgr.shape[:2]
    rectangle = dlib_rectangle(box)
    reach = int(_NEIGHBOURHOOD * rectangle.width()) + 1
    x, y = (rectangle.left() + rectangle.right()) // 2, (rectangle.top() + rectangle.bottom()) // 2
    # Only the face's surroundings change colour order: 0.05 instead of 0.2 ms of a 720p frame.
    left, top = min(max(0, x - reach), width - 1), min(max(0, y - reach), height - 1)
    near = bgr[top : max(top + 1, y + reach), left : max(left + 1, x + reach)]
    rgb: ImageArray = cv2.cvtColor(near, cv2.COLOR_BGR2RGB)  # type: ignore[assignment]
    moved = dlib.rectangle(
        rectangle.left() - left, rectangle.top() - top, rectangle.right() - left, rectangle.bottom() - top
    )
    shape = predictor.shape(rgb, moved)
    chip: ImageArray = dlib.get_face_chip(rgb, shape, size=DLIB_CHIP_PX, padding=DLIB_CHIP_PADDING)
    return chip


def chip_points(shape: Any) -> FloatArray:
    """The average face's five points, laid over a face of which dlib's five points are known.

    Args:
        shape: What `ShapePredictor.shape` gave.

    Returns:
        float32, (5, 2), pixels of the picture the shape was found in.
    """
    details = dlib.get_face_chip_details(shape, size=DLIB_CHIP_PX, padding=DLIB_CHIP_PADDING)
    centre = details.rect.dcenter()
    turn = np.array(
        [[np.cos(details.angle), -np.sin(details.angle)], [np.sin(details.angle), np.cos(details.angle)]]
    )
    scale = details.rect.width() / DLIB_CHIP_PX
    offsets = (_MEAN_POINTS_IN_CHIP - (DLIB_CHIP_PX - 1) / 2) * scale
    points: FloatArray = (offsets @ turn.T + [centre.x, centre.y]).astype(np.float32)
    return points


def similarity(points: FloatArray) -> NDArray[np.float64]:
    """The rotation, scale and shift that take five points closest to SFace's template.

    Args:
        points: float32, (5, 2), in the order of `DetectedFace.points`.

    Returns:
        float64, (2, 3), for `cv2.warpAffine`.
    """
    # As complex numbers, turning and scaling is one factor, and least squares has a closed form.
    source = points[:, 0].astype(np.float64) + 1j * points[:, 1]
    target = _SFACE_TEMPLATE[:, 0] + 1j * _SFACE_TEMPLATE[:, 1]
    centred = source - source.mean()
    spread = float((np.abs(centred) ** 2).sum())
    # Five points in one place have no direction; the picture is then only moved.
    factor = (centred.conj() @ (target - target.mean())) / spread if spread > 0 else 1.0 + 0j
    shift = target.mean() - factor * source.mean()
    return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])


def sface_chip(bgr: ImageArray, points: FloatArray) -> ImageArray:
    """Cut out the chip for SFace: the same pixels as `cv2.FaceRecognizerSF.alignCrop`.

    Args:
        bgr: The frame, uint8, (height, width, 3), blue first.
        points: float32, (5, 2), pixels of the frame.

    Returns:
        uint8, (112, 112, 3), blue first. What lies beyond the frame is black.
    """
    chip: ImageArray = cv2.warpAffine(  # type: ignore[assignment]
        bgr, similarity(points), (SFACE_CHIP_PX, SFACE_CHIP_PX), flags=cv2.INTER_LINEAR
    )
    return chip
