"""Pictures that a calibration keeps: small copies of whole frames; and how the light changed between two.

Knows nothing of doors; what it keeps is gray and at most 640 pixels wide.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.values import FloatArray, ImageArray

KEPT_WIDTH_PX = 640
"""Width of the copies that are kept, at most."""
CHANGE = 8.0
"""Gray levels that a pixel must differ to have changed, at least."""
SIGMA = 1.48
"""Standard deviation of normally distributed values per median of their absolute deviations."""
_DARK, _BRIGHT = 8, 250
"""Gray levels outside which a pixel says nothing about the light: crushed, or cut off."""
_RELATIVE = 0.1
"""A pixel has changed, too, only if it differs by this share of its brightness: less may be the light's."""
_TELLING = 0.1
"""Share of the pixels that must agree on the light for it to be taken from them alone."""
_LEAST_LIGHT, _MOST_LIGHT = 0.2, 5.0
"""A camera that turns itself up or down stays between these factors."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One picture of what the camera sees.

    Attributes:
        at_s: When, seconds.
        gray: Luma of the whole frame, uint8, (h, w); all of one clip of the same size.
    """

    at_s: float
    gray: ImageArray


def snapshot(at_s: float, gray: ImageArray) -> Snapshot:
    """A frame as it is kept: a copy, at most `KEPT_WIDTH_PX` wide."""
    return Snapshot(at_s, narrowed(gray, KEPT_WIDTH_PX).copy())


def narrowed(gray: ImageArray, width_px: int) -> ImageArray:
    """A picture averaged down to a width; one that is no wider stays as it is."""
    height, width = gray.shape
    if width <= width_px:
        return gray
    size = width_px, max(1, round(height * width_px / width))
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)


def small(gray: ImageArray, width_px: int) -> FloatArray:
    """The same, smoothed, float32, 0 to 255."""
    return np.asarray(cv2.blur(narrowed(gray, width_px).astype(np.float32), (3, 3)), np.float32)


def light(picture: NDArray[np.generic], like: NDArray[np.generic]) -> float:
    """By which factor a picture is brighter than another, told by what did not change otherwise.

    The median over everything first, or no change where more agrees with that; then, twice, the median
    over what agrees. Whole frames are wanted: in a cutting that is mostly door it would be the door's own
    change.
    """
    bright, base = picture.astype(np.float32), like.astype(np.float32)
    telling = (base > _DARK) & (base < _BRIGHT) & (bright < _BRIGHT)
    if telling.mean() < _TELLING:
        telling = np.ones_like(telling)
    ratio = bright / np.maximum(base, 1.0)
    allowed = np.maximum(CHANGE, _RELATIVE * base)

    def agrees(gain: float) -> NDArray[np.bool_]:
        return np.asarray(telling & (np.abs(bright / np.float32(gain) - base) <= allowed))

    # The first of equals: `max` keeps it.
    gain = max((1.0, _bounded(np.median(ratio[telling]))), key=lambda each: float(agrees(each).mean()))
    for _ in range(2):
        agreeing = agrees(gain)
        if agreeing.mean() < _TELLING:
            break
        gain = _bounded(np.median(ratio[agreeing]))
    return gain


def _bounded(gain: np.generic) -> float:
    return float(min(_MOST_LIGHT, max(_LEAST_LIGHT, float(gain))))


def some(numbers: Sequence[int], most: int = 15) -> list[int]:
    """At most so many of them, evenly spread."""
    return [numbers[i] for i in np.unique(np.linspace(0, len(numbers) - 1, most).astype(int))]
