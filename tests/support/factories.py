"""Plain values in, typed values out: what tests build frames, faces and scores from."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np

from appliance.decision import FrameEvidence
from appliance.values import (
    DLIB_MIRROR,
    SFACE,
    Box,
    CameraId,
    DetectedFace,
    FaceSample,
    FaceTemplate,
    FrameStamp,
    ImageArray,
    ModelId,
    Quality,
    Region,
    SubjectId,
    SubjectScores,
    Templates,
)

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def stamp(sequence: int = 0, at_s: float | None = None, camera: str = "entrance") -> FrameStamp:
    """The stamp of frame `sequence` at ten frames a second, or at a given second."""
    seconds = sequence / 10 if at_s is None else at_s
    return FrameStamp(CameraId(camera), sequence, seconds, START + timedelta(seconds=seconds), seconds)


class PictureFrame:
    """A frame that is a picture: implements the `Frame` protocol over a BGR array."""

    def __init__(self, bgr: ImageArray, at: FrameStamp | None = None) -> None:
        self._bgr = bgr
        self.stamp = at or stamp()

    @property
    def width(self) -> int:
        """Pixels."""
        return self._bgr.shape[1]

    @property
    def height(self) -> int:
        """Pixels."""
        return self._bgr.shape[0]

    def bgr(self) -> ImageArray:
        """The picture."""
        return self._bgr

    def gray(self, region: Region) -> ImageArray:
        """Mean of the channels of a region."""
        left, top, right, bottom = region.pixels(self.width, self.height)
        return self._bgr[top:bottom, left:right].mean(axis=2).astype(np.uint8)


def frame(sequence: int = 0, *, level: int = 128, size: tuple[int, int] = (320, 180)) -> PictureFrame:
    """An evenly gray frame."""
    return PictureFrame(np.full((size[1], size[0], 3), level, np.uint8), stamp(sequence))


def face(x: float = 100, y: float = 50, width: float = 80, score: float = 0.9) -> DetectedFace:
    """A detected face with its five points where a face has them."""
    height = width * 1.3
    points = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)
    placed = (points * np.array([width, height]) + np.array([x, y])).astype(np.float32)
    return DetectedFace(Box(x, y, width, height), placed, score)


def sample(of: DetectedFace, quality: float = 80.0) -> FaceSample:
    """A face sample whose chips are black."""
    return FaceSample(
        of,
        np.zeros((150, 150, 3), np.uint8),
        np.zeros((112, 112, 3), np.uint8),
        Quality(quality, {"size": quality}),
    )


def direction(*parts: float) -> np.ndarray:
    """A unit vector of 128 numbers whose first ones are as given."""
    vector = np.zeros(128, np.float32)
    vector[: len(parts)] = parts
    return vector / np.float32(np.linalg.norm(vector))


def templates(*parts: float) -> Templates:
    """Templates of the fused composition that point into the direction given."""
    return {model: FaceTemplate(model, direction(*parts)) for model in (DLIB_MIRROR, SFACE)}


def scores(
    by_subject: Mapping[str, float],
    *,
    references: int = 1,
    version: int = 1,
    strictness: Mapping[str, float] | None = None,
) -> SubjectScores:
    """Scores that fuse to exactly the numbers given: all of it from SFace."""
    subjects = tuple(SubjectId(name) for name in sorted(by_subject))
    fused = np.array([by_subject[name] for name in subjects], np.float32)
    by_model: dict[ModelId, np.ndarray] = {SFACE: fused, DLIB_MIRROR: np.zeros(len(fused), np.float32)}
    strict = np.array([(strictness or {}).get(name, 1.0) for name in subjects], np.float64)
    return SubjectScores(subjects, np.full(len(subjects), references, np.int64), by_model, version, strict)


def evidence(
    sequence: int,
    by_subject: Mapping[str, float],
    *,
    quality: float = 80.0,
    references: int = 1,
    strictness: Mapping[str, float] | None = None,
) -> FrameEvidence:
    """A good frame with its scores, ten frames a second."""
    compared = scores(by_subject, references=references, strictness=strictness)
    return FrameEvidence(sequence, sequence / 10, sequence / 10, quality, face().box, compared)
