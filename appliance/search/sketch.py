"""A view made so small that one can be had of every frame, and how much of two of them is the same.

What is compared are places, each by its colour: a thing put before a window changes the places where it is,
however much brighter the window is, and a blue book in place of a red one changes them all. How bright the
whole is counts for nothing, nor does what moves by less than a place, as in a hand that is never quite still.
Knows nothing of things, nor of what is done with the answer.
"""

from typing import Final

import cv2
import numpy as np

from appliance.values import FloatArray, ImageArray

SAME: Final = 0.95
"""From this likeness on it is the same view. A plain thing of a tenth of the view that comes or goes
takes 0.05 and more away from a plain ground if the two differ by a third of the ground's brightness; one
that is nearer to it, such as a white mug before a white wall, takes less and is not noticed. A hand that
moves a thing by 4 pixels of 336 takes 0.03 and less. What changes all the time counts like anything else:
where it is a tenth of the view, nothing rests."""

_SIDE: Final = 32
_MEAN: Final = 128.0
_DARKEST: Final = 64.0
"""Views darker than this are not made as bright as others: noise would be made large."""
_NOISE: Final = 8.0
_WHOLLY: Final = 60.0
"""A place whose colour differs by so much, of 255, is another one."""
_AROUND: Final = np.ones((3, 3), np.uint8)


def sketch(bgr: ImageArray) -> FloatArray:
    """A view made small.

    Args:
        bgr: uint8, (h, w, 3), at least one pixel.

    Returns:
        float32, (32, 32, 3): the colour of each place.
    """
    small = cv2.resize(bgr, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def likeness(one: FloatArray, other: FloatArray) -> float:
    """How much of two sketches is the same, 0 to 1; a place that differs a little counts a little."""
    light = [max(float(each.mean()), 1.0) for each in (one, other)]
    level = min(light)
    # The brighter one is made as dark as the other, and then both as bright as is good for noise.
    level *= _MEAN / max(level, _DARKEST)
    one, other = (
        np.asarray(each * np.float32(level / of), np.float32)
        for each, of in zip((one, other), light, strict=True)
    )
    differs = np.maximum(_beyond(one, other), _beyond(other, one)).max(axis=2)
    return 1.0 - float(((differs - _NOISE) / (_WHOLLY - _NOISE)).clip(0.0, 1.0).mean())


def _beyond(one: FloatArray, other: FloatArray) -> FloatArray:
    """By how much each place is brighter or darker than all that are around it in the other."""
    brighter, darker = one - cv2.dilate(other, _AROUND), cv2.erode(other, _AROUND) - one
    return np.asarray(np.maximum(brighter, darker), np.float32)
