"""Faces: found, cut out, embedded; in a frame or in a picture from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from appliance.values.frames import Box, FloatArray, ImageArray
from appliance.values.ids import ModelId

EMBEDDING_SIZE = 128
"""Length of every embedding we use (dlib ResNet v1 and SFace alike)."""


@dataclass(frozen=True, slots=True)
class DetectedFace:
    """A face found in a frame, not yet looked at closely.

    Attributes:
        box: Where, in full-frame pixels.
        points: Right eye, left eye, nose tip, right and left mouth corner (the person's own
            right), float32, shape (5, 2), full-frame pixels.
        score: The detector's certainty that it is a face, 0 to 1. Not a comparison score.
    """

    box: Box
    points: FloatArray
    score: float


@dataclass(frozen=True, slots=True)
class Quality:
    """How usable a face sample is. Each measure and the total run from 0 (useless) to 100.

    Attributes:
        total: The least of the measures: a face is as usable as its worst property.
        measures: By name: `size`, `sharpness`, `light`, `pose`, `detection`.
    """

    total: float
    measures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class FaceSample:
    """A face cut out and aligned, ready for the embedders.

    Attributes:
        face: What the detector found.
        dlib_chip: uint8, (150, 150, 3), RGB, aligned by dlib's 5-point predictor.
        sface_chip: uint8, (112, 112, 3), BGR, aligned on the detector's five points.
        quality: How usable it is.
    """

    face: DetectedFace
    dlib_chip: ImageArray
    sface_chip: ImageArray
    quality: Quality


@dataclass(frozen=True, slots=True)
class FaceTemplate:
    """One embedding with what made it.

    Attributes:
        model: What made it.
        embedding: float32, shape (128,). Unit length for `sface`, not for the dlib models.
    """

    model: ModelId
    embedding: FloatArray

    def __post_init__(self) -> None:
        """Check dtype, shape and that every number is finite.

        Raises:
            ValueError: One of them is wrong; the message gives both shapes.
        """
        if self.embedding.dtype != np.float32 or self.embedding.shape != (EMBEDDING_SIZE,):
            raise ValueError(
                f"template of {self.model}: expected float32 ({EMBEDDING_SIZE},), "
                f"got {self.embedding.dtype} {self.embedding.shape}"
            )
        if not np.isfinite(self.embedding).all():
            raise ValueError(f"template of {self.model}: holds a number that is not finite")


Templates = Mapping[ModelId, FaceTemplate]
"""The templates of one face sample, by model."""


@dataclass(frozen=True, slots=True)
class PhotoFace:
    """A face in a picture that came from outside.

    Attributes:
        box: Where, in pixels of the picture as it is seen (turned by its EXIF).
        reasons: What is wrong with it, by code; empty if it may be enrolled.
        quality: 0 to 100.
        templates: One of every model.
    """

    box: Box
    reasons: tuple[str, ...]
    quality: float
    templates: Templates


@dataclass(frozen=True, slots=True)
class EmbeddedPhoto:
    """What the models made of a picture that came from outside.

    Attributes:
        faces: How many faces it shows.
        reasons: What is wrong with the largest, by code; empty if it may be enrolled.
        quality: Of the largest, 0 to 100; 0 without one.
        templates: Of the largest; empty without one.
        found: The faces that were embedded, largest first; in a crowd not all of them.
        size: Width and height in pixels of the picture as it is seen; 0, 0 where nobody asked.
    """

    faces: int
    reasons: tuple[str, ...]
    quality: float
    templates: Templates
    found: tuple[PhotoFace, ...] = ()
    size: tuple[int, int] = (0, 0)

    @classmethod
    def of(
        cls, found: Sequence[PhotoFace], *, faces: int | None = None, size: tuple[int, int] = (0, 0)
    ) -> "EmbeddedPhoto":
        """A picture of this size with these faces, largest first, of `faces` that it shows."""
        largest = found[0] if found else None
        return cls(
            faces=len(found) if faces is None else faces,
            reasons=largest.reasons if largest is not None else (),
            quality=largest.quality if largest is not None else 0.0,
            templates=largest.templates if largest is not None else {},
            found=tuple(found),
            size=size,
        )
