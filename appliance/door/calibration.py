"""Where the door is and how to watch it, from pictures of it shut and then opened. Pure arithmetic.

What changes between the two is the door; its upper part and a little of the wall beside it
become the region. Seed and tolerance are those whose fill stays best within what changes;
the proposal is then tried on the same pictures by the rule that will watch the door.
It reads no camera and decides nothing: who calls it shows the proposal to a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.door.fill import fill
from appliance.door.watch import DoorWatch
from appliance.errors import InputError
from appliance.settings import DoorSettings
from appliance.values import CameraId, DoorState, FrameStamp, ImageArray, Region

_WIDTH_PX = 320
"""Width at which the door is looked for."""
_LEAST_FRAMES = 8
_LEAST_S = 2.0
"""A shorter clip cannot show a door shut and open."""
_SETTLED = 0.5
"""Frames that differ from the first by at least this share of the most that any does show the door open."""
_UNCHANGED = 0.15
"""Frames that differ by less than this share of it show it shut."""
_CHANGE = 8.0
"""Gray levels that a pixel must differ between shut and open, at least."""
_NOISE_SPAN = 6.0
"""Times its usual wavering while shut that a pixel must differ."""
_LEAST_CHANGED = 0.004
"""Share of the picture that must change for there to be a door in it."""
_BESIDE = 0.1
"""Wall shown on each side, share of the door's width."""
_ABOVE = 0.12
"""Wall shown above, share of the region's height."""
_UPPER = 0.4
"""How much of the door's height is watched, from the top."""
_LEAST_HEIGHT = 0.08
"""Of the picture, at least."""
_TOLERANCES = (12, 8, 6, 16, 4, 20)
"""In the order in which they are preferred at equal merit."""
_GRID = (0.15, 0.3, 0.42, 0.5, 0.58, 0.7, 0.85)
"""Where in the door seeds are tried, shares of its width and height."""
_WELL, _ENOUGH = 0.6, 0.3
"""Separations from which the two states are told apart well, and well enough to be used."""


@dataclass(frozen=True, slots=True)
class Look:
    """One picture of the door.

    Attributes:
        at_s: When, seconds.
        gray: Luma of the whole frame, uint8, (h, w); may be reduced, all of the same size.
    """

    at_s: float
    gray: ImageArray


@dataclass(frozen=True, slots=True)
class Proposal:
    """How to watch a door.

    Attributes:
        door: The settings to use.
        separation: How far the fills of the shut and of the opened door lie apart, in shares of the shut
            door's: 1 is all of it, 0 and less nothing. The worst twentieth of each counts.
        shut: Share of the region filled in pictures of the shut door: the least, but for a twentieth.
        opened: The same of the opened door: the most, but for a twentieth.
        shut_s: Seconds of the shut door that were seen.
        opened_s: Seconds of the opened door.
        agreed: Share of those pictures of which the watch said what they show.
    """

    door: DoorSettings
    separation: float
    shut: float
    opened: float
    shut_s: float
    opened_s: float
    agreed: float

    @property
    def usable(self) -> bool:
        """Whether the states lie far enough apart for the proposal to be used."""
        return self.separation >= _ENOUGH

    @property
    def words(self) -> str:
        """The same in plain words."""
        if self.separation >= _WELL:
            return "shut and open are told apart well"
        if self.usable:
            return "shut and open are told apart, though not by much: watch it for a day"
        return "do not use this: shut and open look too much alike here"


class _Still:
    """A look as the watch wants it."""

    def __init__(self, look: Look, sequence: int) -> None:

        self._gray = look.gray
        self.stamp = FrameStamp(
            CameraId("calibration"), sequence, look.at_s, datetime(2026, 1, 1, tzinfo=UTC)
        )
        self.height, self.width = look.gray.shape

    def bgr(self) -> ImageArray:
        """Gray in three channels."""
        return np.repeat(self._gray[:, :, None], 3, axis=2)

    def gray(self, region: Region) -> ImageArray:
        """The region, cut out."""
        left, top, right, bottom = region.pixels(self.width, self.height)
        return self._gray[top:bottom, left:right]


def calibrate(looks: Sequence[Look], door: DoorSettings, *, keep_region: bool = False) -> Proposal:
    """Propose how to watch a door that is first shut and then opened.

    Args:
        looks: In order of time, from a camera that stands still; it may be shut again at the end.
        door: Identity, and whatever is not proposed.
        keep_region: Leave the region as it is and propose the rest.

    Raises:
        InputError: Too short, or nothing changes, or all of the picture does.
    """
    lasts_s = looks[-1].at_s - looks[0].at_s if looks else 0.0
    if len(looks) < _LEAST_FRAMES or lasts_s < _LEAST_S:
        raise InputError(
            f"the clip has {len(looks)} frames in {lasts_s:.1f} s: too short",
            hint="show the door shut for some seconds, then open for some seconds",
        )
    shut, opened = _phases(looks)
    region = door.region if keep_region else _region(looks, shut, opened)
    left, top, right, bottom = region
    area = Region(*region)
    calm = np.median([_Still(looks[i], i).gray(area) for i in _some(shut)], axis=0).astype(np.uint8)
    away = np.median([_Still(looks[i], i).gray(area) for i in _some(opened)], axis=0).astype(np.uint8)
    # How the light changed is told by the whole picture; the region is mostly door.
    whole = [np.median([_small(looks[i].gray) for i in _some(each)], axis=0) for each in (opened, shut)]
    changed = np.abs(away / _light(*whole) - calm) > _CHANGE
    seed, tolerance, share = _seed(calm, changed)
    proposed = door.model_copy(
        update={
            "region": region,
            "seed": (
                round(left + seed[0] * (right - left), 4),
                round(top + seed[1] * (bottom - top), 4),
            ),
            "tolerance": tolerance,
            "shut_fraction": round(share, 3),
        }
    )
    return _tried(looks, shut, opened, proposed)


def _phases(looks: Sequence[Look]) -> tuple[list[int], list[int]]:
    """Which looks show the shut door, and which the opened one: the first state, and the most unlike it."""
    small = [_small(look.gray) for look in looks]
    first = np.median(small[: max(3, len(small) // 12)], axis=0).astype(np.float32)
    differs = np.array([float((np.abs(_lit(each, first) - first) > 2 * _CHANGE).mean()) for each in small])
    most = float(np.quantile(differs, 0.97))
    if most < _LEAST_CHANGED:
        raise InputError(
            "nothing changes in this clip: the door is never opened, or it is not in the picture",
            hint="record the door shut for some seconds, then opened",
        )
    opened = [i for i, each in enumerate(differs) if each >= _SETTLED * most]
    before = opened[0]
    shut = [
        i for i, each in enumerate(differs[:before]) if each <= max(_UNCHANGED * most, _LEAST_CHANGED / 2)
    ]
    if len(shut) < 3 or len(opened) < 3:  # noqa: PLR2004
        raise InputError(
            "the door is not seen both shut and open for long enough",
            hint="leave it shut for some seconds first, and then open for some seconds",
        )
    return shut, opened


def _region(
    looks: Sequence[Look], shut: Sequence[int], opened: Sequence[int]
) -> tuple[float, float, float, float]:
    """The upper part of what changes when the door opens, and a little of what is around it."""
    calm = np.array([_small(looks[i].gray) for i in _some(shut)])
    base = np.median(calm, axis=0)
    wavers = np.median(np.abs(calm - base), axis=0) * 1.48
    away = np.median([_small(looks[i].gray) for i in _some(opened)], axis=0).astype(np.float32)
    changed = np.abs(_lit(away, base) - base) > np.maximum(_CHANGE, _NOISE_SPAN * wavers)
    height, width = changed.shape
    mask = cv2.morphologyEx(changed.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    count, labels, facts, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:  # noqa: PLR2004
        raise InputError(
            "what changes in this clip is too small to be a door",
            hint="move the camera nearer, or name the place with --region",
        )
    best = 1 + int(np.argmax(facts[1:, cv2.CC_STAT_AREA]))
    if facts[best, cv2.CC_STAT_AREA] > 0.85 * mask.size:
        raise InputError(
            "all of the picture changes in this clip, not only a door",
            hint="keep the camera still and the light as it is, or name the place with --region",
        )
    door = labels == best
    columns = np.flatnonzero(door.sum(axis=0) >= 0.35 * door.sum(axis=0).max())
    rows = np.flatnonzero(door.sum(axis=1) >= 0.35 * door.sum(axis=1).max())
    left, right, top, bottom = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
    wide, high = right - left, max((bottom - top) * _UPPER, _LEAST_HEIGHT * height)
    box = (
        (left - _BESIDE * wide) / width,
        (top - _ABOVE * high) / height,
        (right + _BESIDE * wide) / width,
        (top + high) / height,
    )
    left_, top_, right_, bottom_ = (round(float(min(1.0, max(0.0, each))), 4) for each in box)
    return left_, top_, right_, bottom_


def _seed(calm: ImageArray, changed: NDArray[np.bool_]) -> tuple[tuple[float, float], int, float]:
    """Seed (fractions of the region), tolerance and share whose fill covers most of the door, little else."""
    height, width = calm.shape
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    if not rows.size:
        raise InputError(
            "nothing changes in this region when the door opens",
            hint="leave --region away, and the place is looked for",
        )
    best: tuple[float, tuple[float, float], int, float] | None = None
    for tolerance in _TOLERANCES:
        for down in _GRID:
            for across in _GRID:
                x = (columns[0] + across * (columns[-1] - columns[0])) / width
                y = (rows[0] + down * (rows[-1] - rows[0])) / height
                at = min(int(y * height), height - 1), min(int(x * width), width - 1)
                if not changed[at]:
                    continue
                filled = fill(calm, (x, y), tolerance)
                inside, outside = float((filled & changed).mean()), float((filled & ~changed).mean())
                merit = round(inside - 0.5 * outside, 2)
                if best is None or merit > best[0]:
                    best = merit, (x, y), tolerance, inside + outside
    if best is None:
        raise InputError(
            "no point of the door changes when it opens",
            hint="leave --region away, and the place is looked for",
        )
    return best[1], best[2], min(1.0, best[3])


def _tried(looks: Sequence[Look], shut: Sequence[int], opened: Sequence[int], door: DoorSettings) -> Proposal:
    """Watch the looks as proposed, and see how far the fills lie apart."""
    watch = DoorWatch(door)
    readings = [watch.observe(_Still(look, number)) for number, look in enumerate(looks)]
    low = float(np.quantile([readings[i].fraction for i in shut], 0.05))
    high = float(np.quantile([readings[i].fraction for i in opened], 0.95))
    share = max(door.shut_fraction, 1e-3)
    pause_s = (looks[-1].at_s - looks[0].at_s) / (len(looks) - 1)
    separation = (low - high) / share
    right = sum(readings[i].state is not DoorState.OPEN for i in shut)
    right += sum(readings[i].state is not DoorState.SHUT for i in opened)
    if separation >= _ENOUGH:
        # Between the two, nearer to the middle than to either.
        below, above = high / share + 0.4 * separation, high / share + 0.7 * separation
        door = door.model_copy(
            update={
                "open_below": round(min(0.7, max(0.3, below)), 2),
                "shut_above": round(min(0.9, max(0.71, above)), 2),
            }
        )
    return Proposal(
        door=DoorSettings.model_validate(door.model_dump()),
        separation=round(separation, 3),
        shut=round(low, 3),
        opened=round(high, 3),
        shut_s=round(len(shut) * pause_s, 2),
        opened_s=round(len(opened) * pause_s, 2),
        agreed=round(right / (len(shut) + len(opened)), 3),
    )


def _small(gray: ImageArray) -> NDArray[np.float32]:
    """A picture of at most `_WIDTH_PX` across, smoothed."""
    height, width = gray.shape
    if width > _WIDTH_PX:
        size = _WIDTH_PX, max(1, round(height * _WIDTH_PX / width))
        gray = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.blur(gray.astype(np.float32), (3, 3)), np.float32)


def _lit(picture: NDArray[np.generic], like: NDArray[np.generic]) -> NDArray[np.float32]:
    """A picture as bright as another: what most of its pixels have in common is the light."""
    return np.asarray(picture.astype(np.float32) / np.float32(_light(picture, like)), np.float32)


def _light(picture: NDArray[np.generic], like: NDArray[np.generic]) -> float:
    """By which factor a picture is brighter than another, where most of its pixels agree."""
    return max(0.2, float(np.median(picture.astype(np.float32) / np.maximum(like.astype(np.float32), 1.0))))


def _some(numbers: Sequence[int], most: int = 15) -> list[int]:
    """At most so many, evenly spread."""
    return [numbers[i] for i in np.unique(np.linspace(0, len(numbers) - 1, most).astype(int))]
