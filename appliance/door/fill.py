"""How much of the door's region a flood fill from the seed covers, in one picture.

Pure: no state, no time, no thresholds. A shut door is one evenly coloured surface and
fills; an open one has moved out from under the seed, and the fill stays small or runs
into something of another size.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.values import ImageArray

_BLUR_PX = 5
"""Side of the box blur that takes sensor noise off before filling; odd, in pixels of the region."""


def fill_fraction(
    gray: ImageArray, seed: tuple[float, float], tolerance: int, reference: int | None = None
) -> float:
    """Share of the region that a fill covers, 0 to 1; see `fill`."""
    return float(np.count_nonzero(fill(gray, seed, tolerance, reference))) / gray.size


def fill(
    gray: ImageArray,
    seed: tuple[float, float],
    tolerance: int,
    reference: int | None = None,
    *,
    blur: int = _BLUR_PX,
) -> NDArray[np.bool_]:
    """What of the region is connected to the seed and alike in brightness.

    Args:
        gray: Luma of the region, uint8, (h, w).
        seed: Where the fill starts, (x, y) in fractions of the region, 0 to 1.
        tolerance: Gray levels by which a pixel may differ from the reference.
        reference: Brightness of the shut door, 0 to 255; None takes the seed pixel's own. With a
            reference, a seed that no longer shows the door's colour fills nothing, even if
            what stands there instead is evenly coloured.
        blur: Side of the box blur before filling, odd, pixels.

    Returns:
        bool, (h, w).

    Raises:
        ValueError: `gray` is not a single-channel uint8 picture.
    """
    if gray.dtype != np.uint8 or gray.ndim != 2 or gray.size == 0:  # noqa: PLR2004
        raise ValueError(f"expected uint8 (h, w), got {gray.dtype} {gray.shape}")
    height, width = gray.shape
    smooth = cv2.blur(gray, (blur, blur))
    at = min(int(seed[0] * width), width - 1), min(int(seed[1] * height), height - 1)
    value = int(smooth[at[1], at[0]])
    if reference is None:
        reference = value
    mask = np.zeros((height + 2, width + 2), np.uint8)
    if abs(value - reference) <= tolerance:
        # With a fixed range the allowance is counted from the seed pixel's own value; shifting
        # it makes it count from the reference instead.
        low, high = tolerance + value - reference, tolerance + reference - value
        flags = 4 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY
        cv2.floodFill(smooth, mask, at, 0, low, high, flags)
    return mask[1:-1, 1:-1].astype(np.bool_)


def fill_mask(mask: NDArray[np.bool_], seed: tuple[float, float]) -> NDArray[np.bool_]:
    """What of a mask is connected with the seed; nothing when the seed itself is not in it.

    Args:
        mask: bool, (h, w).
        seed: (x, y) in fractions of the mask, 0 to 1.
    """
    height, width = mask.shape
    levels = mask.view(np.uint8)
    at = min(int(seed[0] * width), width - 1), min(int(seed[1] * height), height - 1)
    if not mask[at[1], at[0]]:
        return np.zeros_like(mask)
    filled = np.zeros((height + 2, width + 2), np.uint8)
    cv2.floodFill(np.ascontiguousarray(levels), filled, at, 0, 0, 0, 4 | cv2.FLOODFILL_MASK_ONLY)
    return filled[1:-1, 1:-1].astype(np.bool_)
