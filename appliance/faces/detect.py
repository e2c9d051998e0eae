"""Finding faces in a frame: YuNet on a small copy, or dlib's HOG detector.

Does not judge or cut out faces and keeps no memory of earlier frames. A box is always as YuNet
draws it, also from the HOG detector, so that `align` needs one rule for both.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import dlib
import numpy as np

from appliance.errors import ModelError
from appliance.faces.align import ShapePredictor, chip_points, yunet_box
from appliance.values import Box, DetectedFace, FloatArray, ImageArray

_KEPT_SIZES = 4
"""Input sizes for which a network is kept ready; a box has few cameras."""
_OVERLAP = 0.3
"""Boxes that overlap more than this are the same face (the value OpenCV's samples use)."""


class FaceDetector(Protocol):
    """Finds faces in a BGR picture."""

    def detect(self, bgr: ImageArray) -> list[DetectedFace]:
        """Faces in a picture, uint8, (height, width, 3), blue first.

        Returns:
            Largest first, then from left to right and top to bottom; boxes and points in pixels of
            the picture as given.
        """


def in_order(faces: Sequence[DetectedFace]) -> list[DetectedFace]:
    """Largest first; ties from left to right, then from top to bottom."""
    return sorted(faces, key=lambda face: (-face.box.area, face.box.x, face.box.y))


class YuNetDetector:
    """OpenCV's YuNet, on a copy of the picture.

    Args:
        weights: The ONNX file.
        width_px: Width of the copy. A face is found from about 6 % of the width up; 320 found all 7,701
            faces of LFW.
        min_score: Least certainty, 0 to 1.

    Not safe for use by two threads at once.
    """

    def __init__(self, weights: Path, *, width_px: int = 320, min_score: float = 0.7) -> None:
        self._weights = weights
        self._width_px = width_px
        self._min_score = min_score
        # The network is prepared for one input size, and preparing costs more than running it.
        self._networks: OrderedDict[tuple[int, int], Any] = OrderedDict()

    def open(self) -> None:
        """Load the network for 16:9 pictures, so that the first frame is not late.

        Raises:
            ModelError: OpenCV cannot read the file.
        """
        self._network((self._width_px, self._width_px * 9 // 16))

    def detect(self, bgr: ImageArray) -> list[DetectedFace]:
        """Faces in a BGR picture, as `FaceDetector.detect` says."""
        height, width = bgr.shape[:2]
        if width > self._width_px:
            size = (self._width_px, max(1, round(height * self._width_px / width)))
            copy = cv2.resize(bgr, size, interpolation=cv2.INTER_LINEAR)
        else:
            size, copy = (width, height), bgr
        _, rows = self._network(size).detect(copy)
        if rows is None:
            return []
        # Each row: x, y, width, height, five points, score.
        scale = np.array([width / size[0], height / size[1]] * 7, dtype=np.float32)
        found: list[DetectedFace] = []
        for row in rows:
            numbers = row[:14] * scale
            if np.isfinite(numbers).all() and numbers[2] > 0 and numbers[3] > 0:
                box = Box(*(float(n) for n in numbers[:4]))
                found.append(DetectedFace(box, numbers[4:].reshape(5, 2), min(1.0, float(row[14]))))
        return in_order(found)

    def _network(self, size: tuple[int, int]) -> Any:
        """The network for an input of (width, height), made on first use."""
        network = self._networks.get(size)
        if network is None:
            try:
                network = cv2.FaceDetectorYN.create(
                    str(self._weights), "", size, self._min_score, _OVERLAP, 100
                )
            except cv2.error as error:
                raise ModelError(
                    f"{self._weights} cannot be read by OpenCV {cv2.__version__}",
                    hint="check it with: appliance models verify",
                ) from error
            self._networks[size] = network
            if len(self._networks) > _KEPT_SIZES:
                self._networks.popitem(last=False)
        self._networks.move_to_end(size)
        return network


class HogDetector:
    """dlib's HOG detector, as `face_recognition` uses it; 100 times slower than YuNet.

    It gives neither mouth corners nor a pose: the five points are those of the average face, laid over
    the eyes and nose that the 5-point predictor finds. Its score, unbounded, is squashed so that
    dlib's own cut-off (0) becomes 0.73.

    Args:
        predictor: The 5-point predictor.
        upsample: How often the picture is doubled; 1 finds faces from about 32 pixels up.
        min_score: Least certainty, 0 to 1, after squashing.
    """

    def __init__(self, predictor: ShapePredictor, *, upsample: int = 1, min_score: float = 0.7) -> None:
        self._predictor = predictor
        self._upsample = upsample
        self._min_score = min_score
        self._detector: Any = None

    def open(self) -> None:
        """Load the detector, which is part of dlib."""
        self._detector = dlib.get_frontal_face_detector()

    def detect(self, bgr: ImageArray) -> list[DetectedFace]:
        """Faces in a BGR picture, as `FaceDetector.detect` says."""
        rgb: ImageArray = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)  # type: ignore[assignment]
        boxes, scores, _ = self._detector.run(rgb, self._upsample, 0.0)
        found: list[DetectedFace] = []
        for rectangle, margin in zip(boxes, scores, strict=True):
            score = 1 / (1 + math.exp(-(margin + 1)))
            if score >= self._min_score:
                shape = self._predictor.shape(rgb, rectangle)
                points: FloatArray = chip_points(shape)
                found.append(DetectedFace(yunet_box(rectangle), points, score))
        return in_order(found)
