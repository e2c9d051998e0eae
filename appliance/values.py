"""The values that rooms hand to each other: frozen, typed, checked when made.

No behaviour beyond checking and small geometry; no I/O; no library but numpy. Pixel
coordinates are those of the full frame, x to the right, y down. A score is a similarity:
higher is more alike, everywhere.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, NewType, Protocol

import numpy as np
from numpy.typing import NDArray

SubjectId = NewType("SubjectId", str)
"""An enrolled person, by opaque id (UUIDv7 text)."""
ReferenceId = NewType("ReferenceId", str)
EventId = NewType("EventId", str)
CameraId = NewType("CameraId", str)
ModelId = NewType("ModelId", str)
"""What a template was made by: `dlib`, `dlib-mirror`, `sface`."""

ImageArray = NDArray[np.uint8]
"""Picture, uint8, shape (height, width, 3) or (height, width) as stated."""
FloatArray = NDArray[np.float32]

MAX_PIXELS = 40_000_000
"""Larger pictures are refused everywhere: 40 MP take 120 MB once decoded, and no door camera has them."""
MAX_PHOTO_BYTES = 30_000_000
"""Size of a picture file above which it is neither read nor looked at."""

DLIB = ModelId("dlib")
"""dlib ResNet v1 on one chip: interchangeable with `face_recognition`'s encodings."""
DLIB_MIRROR = ModelId("dlib-mirror")
"""The mean of the dlib vectors of a chip and its mirror image."""
SFACE = ModelId("sface")
"""SFace 2021dec, scaled to unit length."""

EMBEDDING_SIZE = 128
"""Length of every embedding we use (dlib ResNet v1 and SFace alike)."""


@dataclass(frozen=True, slots=True)
class FrameStamp:
    """When and where a frame was taken.

    Attributes:
        camera: The camera's id from the settings.
        sequence: Frames of this camera since its source was first opened, from 0; gaps are drops.
        monotonic_s: Monotonic seconds at which the frame arrived (for intervals).
        wall: Aware UTC time at which it arrived (for the log).
        media_s: Position in the recording, seconds, or None for a live source without one.
    """

    camera: CameraId
    sequence: int
    monotonic_s: float
    wall: datetime
    media_s: float | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle in fractions of the frame, 0 to 1, so that it survives another resolution."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        """Check that it is a rectangle inside the frame.

        Raises:
            ValueError: An edge lies outside 0..1 or the rectangle is empty.
        """
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise ValueError(
                f"{self} is not inside the frame: need 0 <= left < right <= 1, likewise top, bottom"
            )

    def pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in whole pixels of a frame of that size; never empty."""
        left = min(int(self.left * width), width - 1)
        top = min(int(self.top * height), height - 1)
        return left, top, max(left + 1, round(self.right * width)), max(top + 1, round(self.bottom * height))


WHOLE_FRAME = Region(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the full frame; may reach over its edge."""

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        """Check the size.

        Raises:
            ValueError: Width or height is not positive, or a number is not finite.
        """
        if not all(math.isfinite(v) for v in (self.x, self.y, self.width, self.height)):
            raise ValueError(f"box {self} is not finite")
        if self.width <= 0 or self.height <= 0:
            raise ValueError(f"box {self} is empty")

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the box, (x, y) in pixels."""
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in pixels."""
        return self.x, self.y, self.x + self.width, self.y + self.height

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height

    def overlap(self, other: "Box") -> float:
        """Intersection over union with another box, 0 to 1."""
        wide = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        high = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        if wide <= 0 or high <= 0:
            return 0.0
        shared = wide * high
        return shared / (self.area + other.area - shared)


class Frame(Protocol):
    """A frame as rooms see it: decoded no further than somebody asks for.

    Arrays handed out are read-only views that live as long as the frame; copy what you keep
    beyond it only if you change it.
    """

    @property
    def stamp(self) -> FrameStamp:
        """When and where it was taken."""

    @property
    def width(self) -> int:
        """Width of the full frame in pixels."""

    @property
    def height(self) -> int:
        """Height of the full frame in pixels."""

    def bgr(self) -> ImageArray:
        """The full picture, uint8, (height, width, 3), blue first; decoded once and kept."""

    def gray(self, region: Region) -> ImageArray:
        """Luma of a region, uint8, (h, w); may be at reduced resolution, the same every time."""


class DoorState(StrEnum):
    """What the flood fill says of the door."""

    OPEN = "open"
    SHUT = "shut"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class DoorReading:
    """The door in one frame.

    Attributes:
        state: Debounced state.
        fraction: Share of the region that the fill covered in this frame, 0 to 1.
        changed: The state is another than in the reading before.
    """

    state: DoorState
    fraction: float
    changed: bool


class Disturbance(StrEnum):
    """What keeps a camera that sends pictures from seeing what it used to."""

    MOVED = "moved"
    COVERED = "covered"
    DARK = "dark"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class CameraReading:
    """The condition of a camera at one frame.

    Attributes:
        begun: A disturbance that is said now, for the first time.
        lasted_s: Set when the camera sees again just now: how long it did not, seconds.
        blind: Dark, covered or frozen has been said, and the picture is still like that.
    """

    begun: Disturbance | None = None
    lasted_s: float | None = None
    blind: bool = False


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


class Likeness(NamedTuple):
    """Somebody enrolled whom a face looks like, the score, and the threshold that it reaches."""

    subject: SubjectId
    score: float
    threshold: float


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


@dataclass(frozen=True, slots=True)
class SubjectScores:
    """One probe against every subject of a gallery.

    Attributes:
        subjects: Who, in the gallery's order, length n.
        references: How many references each has, int64, shape (n,).
        by_model: Mean comparison score over each subject's references, per model, float32, shape (n,).
        gallery_version: Which gallery was searched.
        strictness: By what the wanted false-match rate is divided for each, at least 1, float64, shape (n,).
    """

    subjects: tuple[SubjectId, ...]
    references: NDArray[np.int64]
    by_model: Mapping[ModelId, FloatArray]
    gallery_version: int
    strictness: NDArray[np.float64]


class Verdict(StrEnum):
    """What a decision says of a person."""

    IDENTIFIED = "identified"
    STRANGER = "stranger"
    UNDECIDED = "undecided"


class Grade(StrEnum):
    """How much was seen before deciding; each is its own event, and an action names the one it needs."""

    GREETING = "greeting"
    CONFIRMED = "confirmed"
    FINAL = "final"


class CopyState(StrEnum):
    """How far a copy is."""

    BEGUN = "begun"
    """Parts of it are there; `upload` says of which."""
    VERIFIED = "verified"
    """The bucket has it, and said or showed the same checksum."""
    REFUSED = "refused"
    """It is not sent, and `reason` says why."""


@dataclass(frozen=True, slots=True)
class RemoteCopy:
    """A copy of one capture.

    Attributes:
        capture: Id.
        state: How far it is.
        sha256: Of the sealed bytes, hex; empty: it was not read.
        size_bytes: Of the sealed file.
        changed_at: When this became so, aware UTC; of a verified one, when that was.
        etag: What the service calls this content.
        version: What the service calls this version; None: it keeps none.
        upload: Id of an upload in parts that is under way.
        reason: Why it is refused: a `SinkReason`.
    """

    capture: str
    state: CopyState
    sha256: str
    size_bytes: int
    changed_at: datetime
    etag: str | None = None
    version: str | None = None
    upload: str | None = None
    reason: str | None = None


PARTS: Final[Mapping[str, str]] = {
    "loop": "the part that watches the door",
    "models": "the part that looks at photos",
    "dispatch": "the part that carries out actions",
    "desk": "the part that keeps people and log",
    "web": "the part that shows these pages",
}
"""The processes of an appliance, in words for whoever runs an office."""
