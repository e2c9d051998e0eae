"""Frames, and places in them: in pixels of the full frame, or in fractions where its size may change."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from appliance.values.ids import CameraId

ImageArray = NDArray[np.uint8]
"""Picture, uint8, shape (height, width, 3) or (height, width) as stated."""
FloatArray = NDArray[np.float32]

UNIT_WITHIN = 1e-3
"""How far from 1 the length of features may be; half precision takes half of it."""

MAX_PIXELS = 40_000_000
"""Larger pictures are refused everywhere: 40 MP take 120 MB once decoded, and no door camera has them."""
MAX_PHOTO_BYTES = 30_000_000
"""Size of a picture file above which it is neither read nor looked at."""


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
