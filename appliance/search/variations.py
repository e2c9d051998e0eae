"""What a picture of an item could look like before a camera: turned, nearer, darker, on another ground.

For the calibration of the threshold: what is shown to a camera is less like its own picture than pictures of
one shop are like each other. Always the same ones, nothing drawn by chance.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from appliance.values import FloatArray, ImageArray

SIDE: Final = 320
_EVEN: Final = 12.0
"""How much the colour along a picture's edge may differ, as a standard deviation, for a plain ground."""
_TOLERANCE: Final = 14
_LEAST_SHARE: Final = 0.01


@dataclass(frozen=True, slots=True)
class _Way:
    """One variation: degrees, share of the frame that is filled, light, and the ground's colour and grain."""

    degrees: float
    filled: float
    light: float
    ground: tuple[int, int, int]
    grain: float


_WAYS: Final = (
    _Way(18, 0.7, 0.9, (110, 120, 125), 40.0),
    _Way(-15, 0.85, 0.6, (70, 95, 130), 25.0),
    _Way(8, 1.15, 0.75, (150, 140, 120), 35.0),
    _Way(-24, 0.8, 0.7, (60, 90, 60), 50.0),
)


def varied(bgr: ImageArray) -> list[ImageArray]:
    """Variations of a picture.

    Where it has a plain ground, as pictures of shops have, another one is put in its place; otherwise the
    picture is shown like a card.

    Args:
        bgr: uint8, (h, w, 3).

    Returns:
        Four pictures, uint8, (320, 320, 3).
    """
    height, width = bgr.shape[:2]
    scale = SIDE / max(height, width)
    size = (max(3, round(width * scale)), max(3, round(height * scale)))
    small = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    shape = _shape(small)
    made: list[ImageArray] = []
    for at, way in enumerate(_WAYS):
        turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), way.degrees, way.filled)
        turn[:, 2] = turn[:, 2] + ((SIDE - size[0]) / 2, (SIDE - size[1]) / 2)
        shown = cv2.warpAffine(small, turn, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
        mask = cv2.warpAffine(shape, turn, (SIDE, SIDE), flags=cv2.INTER_LINEAR)[..., None]
        lit = (_ground(way, at) * (1 - mask) + shown * mask) * np.float32(way.light)
        soft = cv2.GaussianBlur(lit, (0, 0), 1.0)  # a camera's picture is never as sharp as a shop's
        made.append(np.clip(soft, 0, 255).astype(np.uint8))
    return made


def _shape(bgr: ImageArray) -> FloatArray:
    """Where the item is, float32 (h, w), 0 or 1: all that does not hang together with a plain edge."""
    height, width = bgr.shape[:2]
    everything = np.ones((height, width), np.float32)
    edge = np.concatenate([bgr[0], bgr[-1], bgr[:, 0], bgr[:, -1]]).astype(np.float32)
    if edge.std(axis=0).max() > _EVEN:
        return everything
    mask = np.zeros((height + 2, width + 2), np.uint8)
    flags = 4 | (1 << 8) | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE
    around = (_TOLERANCE,) * 3
    for corner in ((0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)):
        cv2.floodFill(bgr.copy(), mask, corner, 0, around, around, flags)
    found = 1 - mask[1:-1, 1:-1].astype(np.float32)
    # A picture that is all ground shows nothing to be cut out.
    return found if found.mean() > _LEAST_SHARE else everything


def _ground(way: _Way, seed: int) -> FloatArray:
    """A surface, float32 (320, 320, 3): its colour with a coarse grain and a fine one."""
    random = np.random.default_rng(seed)
    rough = np.zeros((SIDE, SIDE), np.float32)
    for cell, share in ((10, 1.0), (2, 0.7)):
        grain = random.standard_normal((SIDE // cell, SIDE // cell)).astype(np.float32)
        rough += cv2.resize(grain, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) * np.float32(share)
    colour = np.asarray(way.ground, np.float32)
    return np.asarray(colour + rough[..., None] * np.float32(way.grain), np.float32)
