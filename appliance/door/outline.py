"""Where in the small picture the door is and what lies around it, by a flood fill on the reference.

The averages of many frames are so calm that a fill with a small tolerance stops at a door
frame that is only three gray levels darker. Geometry only: it compares nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.door.fill import fill
from appliance.values import FloatArray, ImageArray

Mask = NDArray[np.bool_]

_FINE = 4
"""Levels are multiplied by this before filling, so that the tolerance can be smaller than one."""
_TOLERANCES = (2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0)
"""Tried one after the other, gray levels."""
_WHOLE = 0.965
"""A fill of more than this share of the region has no outline."""
_LEAST = 0.08
"""A fill of less than this has got stuck in a detail."""
_FULL_COLUMN = 0.5
"""Share of its rows that a column of the door shows as door."""
_WIDEST_SIDE = 0.06
"""Width of the strips at both sides that count as surroundings, share of the region, at most."""
_ASSUMED_SIDE = 0.05
"""Width of the strips at both sides that count as surroundings where no outline was found."""


@dataclass(frozen=True, slots=True)
class Outline:
    """The door within the small picture.

    Attributes:
        door: What belongs to the door, bool, (h, w).
        left: Its first column.
        right: The column behind its last.
        top: Its first row.
        left_side: Columns of the surroundings on the left; may be empty.
        right_side: Those on the right.
        certain: The outline was found; otherwise the door may be the whole region, and the sides are guesses.
    """

    door: Mask
    left: int
    right: int
    top: int
    left_side: NDArray[np.intp]
    right_side: NDArray[np.intp]
    certain: bool

    @property
    def sides(self) -> NDArray[np.intp]:
        """Columns of both sides."""
        return np.concatenate([self.left_side, self.right_side])


def find_outline(
    picture: FloatArray, seed: tuple[float, float], tolerance: int, shut_fraction: float
) -> Outline:
    """The door's outline in the reference picture.

    Args:
        picture: Small picture of the shut door, float32, (h, w).
        seed: Where the fill starts, (x, y) in fractions of the region.
        tolerance: The largest tolerance tried, gray levels.
        shut_fraction: Share of the region that the fill is known to cover; of several tolerances the one
            that comes nearest decides.
    """
    best: Mask | None = None
    for each in sorted({*(t for t in _TOLERANCES if t < tolerance), float(tolerance)}):
        filled = _fill(picture, seed, each)
        share = float(filled.mean())
        if not _LEAST <= share <= _WHOLE:
            continue
        if best is None or abs(share - shut_fraction) < abs(float(best.mean()) - shut_fraction):
            best = filled
    return _outlined(best) if best is not None else _assumed(picture.shape)


def _fill(picture: FloatArray, seed: tuple[float, float], tolerance: float) -> Mask:
    """A fill with a tolerance of a fraction of a gray level."""
    height, width = picture.shape
    at = min(int(seed[1] * height), height - 1), min(int(seed[0] * width), width - 1)
    fine = (picture - picture[at]) * _FINE + 128
    levels: ImageArray = np.clip(fine, 0, 255).astype(np.uint8)
    return fill(levels, seed, round(tolerance * _FINE), blur=1)


def _outlined(door: Mask) -> Outline:
    height, width = door.shape
    rows = np.flatnonzero(door.mean(axis=1) > 0.25 * door.mean())
    top = int(rows[0]) if rows.size else 0
    columns = np.flatnonzero(door[top:].mean(axis=0) >= _FULL_COLUMN)
    if columns.size < 3:  # noqa: PLR2004
        return _assumed((height, width))
    left, right = int(columns[0]), int(columns[-1]) + 1
    # Two columns beside the edge are left out: averaging and blur mix door and wall there.
    # Of wide surroundings the outermost part counts: what is nearer may be a stile of the leaf itself.
    most = max(2, round(_WIDEST_SIDE * width))
    wide_left, wide_right = (
        min(most, max(left - 2, min(left, 1))),
        min(most, max(width - right - 2, min(width - right, 1))),
    )
    left_side, right_side = np.arange(0, wide_left), np.arange(width - wide_right, width)
    certain = bool(left_side.size or right_side.size)
    return (
        Outline(door, left, right, top, left_side, right_side, certain)
        if certain
        else _assumed((height, width))
    )


def _assumed(shape: tuple[int, int]) -> Outline:
    height, width = shape
    side = max(1, round(_ASSUMED_SIDE * width))
    return Outline(
        np.ones((height, width), np.bool_),
        0,
        width,
        0,
        np.arange(0, side),
        np.arange(width - side, width),
        certain=False,
    )
