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

_SMALL_PX = 36
"""A face narrower than this in the copy has points that are off by several pixels of the frame, and SFace is
aligned by them: of 120 LFW photographs seen 60 (100) pixels wide in a 1280-pixel frame, 85 % (97 %) scored
above the threshold of FPIR 0.1 % among 60 people, 98 % (98 %) by points found once more from near."""
_CLOSE_PX = 128
"""Longer side of the picture in which a small face is looked at once more."""
_CLOSE_REACH = 1.0
"""How much around a face's middle that picture shows, in lengths of the face."""
_LEAST_PX = 8
_SAME = 0.4
"""What overlaps a face less than this, seen from near, is another."""


class FaceDetector(Protocol):
    """Finds faces in a BGR picture."""

    def detect(self, bgr: ImageArray) -> list[DetectedFace]:
        """Faces in a picture, uint8, (height, width, 3), blue first.

        Returns:
            Largest first, then from left to right and top to bottom; boxes and points in pixels of
            the picture as given.
        """

    def refine(self, bgr: ImageArray, face: DetectedFace) -> DetectedFace:
        """A face of this picture, its points as exact as the picture allows, box and score as they were."""


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

    def refine(self, bgr: ImageArray, face: DetectedFace) -> DetectedFace:
        """Look once more at a face that was small in the copy, as `FaceDetector.refine` says."""
        height, width = bgr.shape[:2]
        if width <= self._width_px or face.box.width * self._width_px / width >= _SMALL_PX:
            return face
        (x, y), reach = face.box.centre, _CLOSE_REACH * max(face.box.width, face.box.height)
        left, top = max(0, int(x - reach)), max(0, int(y - reach))
        near = bgr[top : min(height, int(y + reach)), left : min(width, int(x + reach))]
        if min(near.shape[:2]) < _LEAST_PX:
            return face
        zoom = _CLOSE_PX / max(near.shape[:2])
        size = (round(near.shape[1] * zoom), round(near.shape[0] * zoom))
        close: ImageArray = cv2.resize(near, size, interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
        corner = np.array([left, top], np.float32)
        box = face.box
        before = Box((box.x - left) * zoom, (box.y - top) * zoom, box.width * zoom, box.height * zoom)
        found = max(self.detect(close), key=lambda each: each.box.overlap(before), default=None)
        if found is None or found.box.overlap(before) < _SAME:
            return face
        return DetectedFace(
            face.box, (found.points / np.float32(zoom) + corner).astype(np.float32), face.score
        )


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

    def refine(self, bgr: ImageArray, face: DetectedFace) -> DetectedFace:
        """The face itself: its points were found in the full picture."""
        del bgr
        return face
