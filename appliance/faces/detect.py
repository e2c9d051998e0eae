"""Finding faces in a frame: YuNet on a small copy, or dlib's HOG detector.

Does not judge or cut out faces and keeps no memory of earlier frames. A box is always as YuNet
draws it, also from the HOG detector, so that `align` needs one rule for both.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import dlib
import numpy as np

from appliance.faces.align import ShapePredictor, chip_points, yunet_box
from appliance.faces.network import open_session
from appliance.values import Box, DetectedFace, FloatArray, ImageArray

_STRIDES = (8, 16, 32)
"""Pixels between the cells of YuNet's maps."""
_CELL_SIZE = 16
"""Numbers a cell: class, object, box (4), points (10)."""
_OVERLAP = 0.3
"""Boxes that overlap more than this are the same face (the value OpenCV's samples use)."""
_MOST_FACES = 5000
"""Candidates looked at, best first (OpenCV's default)."""


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
    """YuNet in onnxruntime, on a copy of the picture: `cv2.FaceDetectorYN`'s faces in half its time.

    Args:
        weights: The converted ONNX file.
        width_px: Width of the copy. A face is found from about 5 % of the width up; 320 found all 7,701
            faces of LFW.
        min_score: Least certainty, 0 to 1.
    """

    def __init__(self, weights: Path, *, width_px: int = 320, min_score: float = 0.7) -> None:
        self._weights = weights
        self._width_px = width_px
        self._min_score = min_score
        self._session: Any = None

    def open(self) -> None:
        """Load the network.

        Raises:
            ModelError: The file is no network, or another.
        """
        self._session = open_session(self._weights, side=None, last_axes=[_CELL_SIZE] * len(_STRIDES))

    def detect(self, bgr: ImageArray) -> list[DetectedFace]:
        """Faces in a BGR picture, as `FaceDetector.detect` says."""
        height, width = bgr.shape[:2]
        small_width = min(width, self._width_px)
        small_height = max(1, round(height * small_width / width))
        # Filled up with black at the right and bottom, as OpenCV does, to whole cells of the coarsest map.
        canvas = np.zeros((1, _whole(small_height), _whole(small_width), 3), np.uint8)
        place = canvas[0, :small_height, :small_width]
        if (small_height, small_width) == (height, width):
            place[:] = bgr
        else:
            cv2.resize(bgr, (small_width, small_height), dst=place, interpolation=cv2.INTER_LINEAR)
        maps = self._session.run(None, {"chips": canvas})
        scale = np.array([width / small_width, height / small_height], dtype=np.float32)
        return in_order(_decoded(maps, self._min_score, scale))


def _whole(length: int) -> int:
    """Rounded up to whole cells of the coarsest map."""
    return -(-length // _STRIDES[-1]) * _STRIDES[-1]


def _decoded(maps: Sequence[FloatArray], min_score: float, scale: FloatArray) -> list[DetectedFace]:
    """Faces from YuNet's three maps (OpenCV, face_detect.cpp), overlapping ones merged into the best.

    Args:
        maps: For each stride float32, (1, rows, columns, 16): class, object, box and points.
        min_score: Least certainty, 0 to 1.
        scale: From pixels of the copy to those of the frame, (x, y).
    """
    boxes: list[FloatArray] = []
    points: list[FloatArray] = []
    scores: list[FloatArray] = []
    # The score is the root of two certainties, so both must exceed its square: most cells go by this alone.
    least = math.log(min_score**2 / (1 - min_score**2)) if 0 < min_score < 1 else -math.inf
    for stride, cells in zip(_STRIDES, maps, strict=True):
        rows, columns = np.nonzero((cells[0, :, :, 0] > least) & (cells[0, :, :, 1] > least))
        if not rows.size:
            continue
        found = cells[0, rows, columns].astype(np.float64)
        score = np.sqrt(1 / (1 + np.exp(-found[:, 0])) / (1 + np.exp(-found[:, 1])))
        corner = np.stack([columns, rows], axis=1)
        centre = (corner + found[:, 2:4]) * stride
        # e^10 cells are wider than any picture; a network gone wrong must not overflow.
        size = np.exp(np.minimum(found[:, 4:6], 10)) * stride
        boxes.append(np.concatenate([centre - size / 2, size], axis=1))
        points.append((found[:, 6:].reshape(-1, 5, 2) + corner[:, None]) * stride)
        scores.append(score)
    if not boxes:
        return []
    all_boxes, all_points, all_scores = (np.concatenate(part) for part in (boxes, points, scores))
    kept = cv2.dnn.NMSBoxes(
        all_boxes.astype(int).tolist(), all_scores.tolist(), min_score, _OVERLAP, top_k=_MOST_FACES
    )
    return [
        DetectedFace(
            Box(*(float(n) for n in all_boxes[index] * np.tile(scale, 2))),
            (all_points[index] * scale).astype(np.float32),
            float(all_scores[index]),
        )
        for index in np.asarray(kept, dtype=int).reshape(-1)
    ]


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
