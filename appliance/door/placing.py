"""Where in the picture the door is, and from where with which tolerance it is filled best.

The place is what looks different when the door is open; its upper part and some wall on both
sides are watched. Pure arithmetic on one picture of each state; tries nothing out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.door.fill import fill, fill_fraction
from appliance.door.snapshot import CHANGE, SIGMA, Snapshot, light, small, some
from appliance.errors import InputError
from appliance.values import FloatArray, ImageArray, Region

Mask = NDArray[np.bool_]

_WIDTH_PX = 320
"""Width at which the door is looked for."""
_NOISE_SPAN = 6.0
"""Standard deviations that a pixel must differ; of the difference of two medians, not of single pictures."""
_OPENING_PX, _CLOSING_PX = 3, 9
"""Specks smaller than the first are no change; gaps smaller than the second are none in it."""
_ALL = 0.85
"""Share of the picture that no door takes."""
_FULL = 0.35
"""Columns and rows belong to the door from this share of its fullest one."""
_BESIDE = 0.22
"""Wall shown on each side, share of the door's width: enough columns to take the light from."""
_ABOVE = 0.12
"""Wall shown above, share of the region's height."""
_UPPER = 0.4
"""How much of the door's height is watched, from the top."""
_LEAST_HEIGHT = 0.08
"""Of the picture, at least."""
_SECOND = 0.5
"""A second place of at least this share of the largest one's area is worth a remark."""

_TOLERANCES = (12, 10, 8, 16, 6, 4, 20)
"""In the order in which they are preferred when they are equally good: the settings' own first."""
_GRID = (0.15, 0.3, 0.42, 0.5, 0.58, 0.7, 0.85)
"""Where in the door seeds are tried, shares of its width and height."""
_SPILT = 0.5
"""What a filled pixel of the wall takes from the merit, in pixels of the door."""
_HEADROOM = 1.5
"""An opening must differ by this many tolerances: light and camera will not always be as in the clip."""
_SAMPLES = 7
"""Single pictures of the shut door that are filled to see how steady a fill is."""
_EVEN_TOLERANCE = 12
"""With which two states are compared for evenness."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the door was found.

    Attributes:
        region: What is to be watched.
        others: How many other places of comparable size changed at the same time.
    """

    region: Region
    others: int


@dataclass(frozen=True, slots=True)
class Start:
    """From where the fill starts, and how far it goes.

    Attributes:
        seed: (x, y) in fractions of the region.
        tolerance: Gray levels.
        share: Share of the region that it fills while the door is shut, 0 to 1.
        merit: How good the fill is, 1 for all of the door and nothing else; may be negative.
    """

    seed: tuple[float, float]
    tolerance: int
    share: float
    merit: float


@dataclass(frozen=True, slots=True)
class Views:
    """The region in both states.

    Attributes:
        shut: The shut door, uint8, (h, w).
        opened: The opened one in the same light, float32, (h, w).
        changed: Where they differ, bool, (h, w).
        samples: Single pictures of the shut door, noise and all, uint8, (h, w) each.
    """

    shut: ImageArray
    opened: FloatArray
    changed: Mask
    samples: list[ImageArray]


def find_place(snapshots: Sequence[Snapshot], shut: Sequence[int], opened: Sequence[int]) -> Place:
    """The upper part of what changes when the door opens, and some of what is around it.

    Raises:
        InputError: Nothing large enough changes, or all of the picture does.
    """
    calm = np.array([small(snapshots[i].gray, _WIDTH_PX) for i in some(shut)])
    base = np.median(calm, axis=0).astype(np.float32)
    wavers = np.median(np.abs(calm - base), axis=0) * SIGMA
    away = _median([small(snapshots[i].gray, _WIDTH_PX) for i in some(opened)])
    # The median of n normally distributed values varies by sqrt(pi / 2n) of theirs.
    unsure = wavers * np.sqrt(np.pi / 2 * (1 / len(calm) + 1 / len(some(opened))))
    changed = np.abs(away / np.float32(light(away, base)) - base) > np.maximum(CHANGE, _NOISE_SPAN * unsure)
    height, width = changed.shape
    levels = changed.astype(np.uint8)
    mask = cv2.morphologyEx(levels, cv2.MORPH_OPEN, np.ones((_OPENING_PX, _OPENING_PX), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((_CLOSING_PX, _CLOSING_PX), np.uint8))
    count, labels, facts, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = facts[1:, cv2.CC_STAT_AREA]
    if count == 1:
        raise InputError(
            "what changes in this clip is too small to be a door",
            hint="move the camera nearer, or name the place with --region",
        )
    best = int(np.argmax(areas))
    if areas[best] > _ALL * mask.size:
        raise InputError(
            "all of the picture changes in this clip, not only a door",
            hint="keep the camera still and the light as it is, or name the place with --region",
        )
    door = labels == 1 + best
    columns, rows = (
        np.flatnonzero(sums >= _FULL * sums.max()) for sums in (door.sum(axis=0), door.sum(axis=1))
    )
    left, right, top, bottom = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
    wide, high = right - left, max((bottom - top) * _UPPER, _LEAST_HEIGHT * height)
    box = (
        (left - _BESIDE * wide) / width,
        (top - _ABOVE * high) / height,
        (right + _BESIDE * wide) / width,
        (top + high) / height,
    )
    region = Region(*(round(float(min(1.0, max(0.0, each))), 4) for each in box))
    return Place(region, int(np.count_nonzero(areas >= _SECOND * areas[best])) - 1)


def views(snapshots: Sequence[Snapshot], shut: Sequence[int], opened: Sequence[int], region: Region) -> Views:
    """The region in both states; how the light changed is told by the whole picture."""
    calm = _median([_cut(snapshots[i], region) for i in some(shut)])
    away = _median([_cut(snapshots[i], region) for i in some(opened)])
    whole = [_median([small(snapshots[i].gray, _WIDTH_PX) for i in some(each)]) for each in (opened, shut)]
    away /= np.float32(light(*whole))
    samples = [_cut(snapshots[i], region) for i in some(shut, _SAMPLES)]
    return Views(calm.astype(np.uint8), away, np.abs(away - calm) > CHANGE, samples)


def find_starts(seen: Views) -> list[Start]:
    """Where to fill from: for each tolerance the best seed, in the order in which they are preferred.

    A fill is good when it covers the door and little else, when what it covers differs by more than
    the tolerance once the door is open, and when single noisy pictures fill like the calm one.

    Raises:
        InputError: Nothing changes in the region.
    """
    if not seen.changed.any():
        raise InputError(
            "nothing changes in this region when the door opens",
            hint="leave --region away, and the place is looked for",
        )
    found: list[Start] = []
    for tolerance in _TOLERANCES:
        tried = [(_merit(seen, seed, tolerance), seed) for seed in _seeds(seen.changed)]
        if not tried:
            continue
        # The first of equals: `max` keeps it, and the grid's order is fixed.
        merit, seed = max(tried, key=lambda each: each[0])
        shares = [fill_fraction(each, seed, tolerance) for each in seen.samples]
        usual = float(np.median(shares))
        steady = min(1.0, min(shares) / usual) if usual else 0.0
        found.append(Start(seed, tolerance, min(1.0, usual), merit * steady))
    if not found:
        raise InputError(
            "no point of the door changes when it opens",
            hint="leave --region away, and the place is looked for",
        )
    return found


def evenness(picture: NDArray[np.generic], within: Mask) -> float:
    """The largest share of what changes that one fill covers in a picture: a door's leaf is even."""
    levels = np.clip(picture, 0, 255).astype(np.uint8)
    covered = [float(fill(levels, seed, _EVEN_TOLERANCE)[within].mean()) for seed in _seeds(within)]
    return max(covered, default=0.0)


def _merit(seen: Views, seed: tuple[float, float], tolerance: int) -> float:
    """How much of the door a fill covers that the opening takes away, less what it spills; 1 is all."""
    filled = fill(seen.shut, seed, tolerance)
    unlike = np.abs(seen.opened - seen.shut) > _HEADROOM * tolerance
    of = int(np.count_nonzero(seen.changed))
    inside = int(np.count_nonzero(filled & seen.changed)) / of
    outside = int(np.count_nonzero(filled & ~seen.changed)) / of
    told = int(np.count_nonzero(filled & unlike)) / max(1, int(np.count_nonzero(filled)))
    return float(inside * told - _SPILT * outside)


def _seeds(changed: Mask) -> list[tuple[float, float]]:
    """Points of the door, in fractions of the region."""
    height, width = changed.shape
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    found = []
    for down in _GRID:
        for across in _GRID:
            x = (columns[0] + across * (columns[-1] - columns[0])) / width
            y = (rows[0] + down * (rows[-1] - rows[0])) / height
            if changed[min(int(y * height), height - 1), min(int(x * width), width - 1)]:
                found.append((float(x), float(y)))
    return found


def _cut(picture: Snapshot, region: Region) -> ImageArray:
    height, width = picture.gray.shape
    left, top, right, bottom = region.pixels(width, height)
    return picture.gray[top:bottom, left:right]


def _median(pictures: Sequence[NDArray[np.generic]]) -> FloatArray:
    return np.asarray(np.median(np.asarray(pictures), axis=0), np.float32)
