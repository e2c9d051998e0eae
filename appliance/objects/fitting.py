"""Bringing a frame to the square that a network takes, and boxes back to the frame.

Each network was trained with one way of it and finds less with the other. Resizes; looks for nothing.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from appliance.values import FloatArray, ImageArray

Fit = Literal["stretched", "letterboxed"]
"""Stretched: the whole square, out of proportion. Letterboxed: in proportion, in the upper left corner."""

_GRAY = 114
"""What fills the rest of a letterbox; YOLOX was trained with it."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A frame in the square.

    Attributes:
        chip: BGR, uint8, (side, side, 3).
        across: Pixels of the frame in one side of the square, in x and y.
        size: Width and height of the frame.
    """

    chip: ImageArray
    across: tuple[float, float]
    size: tuple[int, int]

    def in_frame(self, boxes: FloatArray) -> FloatArray:
        """Boxes in fractions of the square, (n, 4), as pixels of the frame, cut at its edge.

        Returns:
            float32, left, top, right, bottom; empty ones stay, with no width or no height.
        """
        scaled = boxes * np.asarray(self.across * 2, np.float32)
        return np.clip(scaled, 0, np.asarray(self.size * 2, np.float32)).astype(np.float32)


def fitted(bgr: ImageArray, side: int, fit: Fit) -> Fitted:
    """Bring a frame, uint8, (h, w, 3), to a square of `side` pixels."""
    height, width = bgr.shape[:2]
    if fit == "stretched":
        return Fitted(_resized(bgr, side, side), (float(width), float(height)), (width, height))
    longer = max(width, height)
    inner_width = max(1, round(width * side / longer))
    inner_height = max(1, round(height * side / longer))
    chip = np.full((side, side, 3), _GRAY, np.uint8)
    chip[:inner_height, :inner_width] = _resized(bgr, inner_width, inner_height)
    # By each side's own rounding, so that the frame's edge is where the picture's edge is.
    return Fitted(chip, (width * side / inner_width, height * side / inner_height), (width, height))


def _resized(bgr: ImageArray, width: int, height: int) -> ImageArray:
    resized: ImageArray = cv2.resize(bgr, (width, height), interpolation=cv2.INTER_LINEAR).astype(
        np.uint8, copy=False
    )
    return resized
