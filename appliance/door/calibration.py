"""How to watch a door, proposed from pictures of it shut and then opened. Pure arithmetic.

Brings together when the door was shut and opened (`phases`), where it is and how it is filled
(`placing`), and then tries the proposal on the same pictures by the rule that will watch the door.
It reads no camera and decides nothing: who calls it shows the proposal to a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from appliance.door.phases import Phases, find_phases
from appliance.door.placing import Start, evenness, find_place, find_starts, views
from appliance.door.shut_picture import ShutPicture, shut_picture
from appliance.door.snapshot import Snapshot
from appliance.door.watch import DoorWatch
from appliance.errors import InputError
from appliance.settings import DoorSettings
from appliance.values import CameraId, DoorState, FrameStamp, ImageArray, Region

LEAST_REGION_PX = 16
"""A region that is narrower or lower than this holds neither door nor wall; pixels of the kept pictures."""
_LEAST_FRAMES = 8
_LEAST_S = 2.0
"""A shorter clip cannot show a door shut and open."""
_WELL, _ENOUGH = 0.6, 0.3
"""Separations from which the two states are told apart well, and well enough to be used."""
_TOO_MUCH = 1.1
"""A larger separation is none: rule and fill see different doors, and the proposal is not to be trusted."""
_AGREED = 0.9
"""Share of the pictures of which the watch must say what they show."""
_AS_CLEAR, _AS_FULL = 0.05, 0.1
"""Separations, and merits of the fill, that differ by no more than this are equal: another day's pictures
differ more."""
_SETTLES_S = 1.2
"""So long after the beginning, and after the door was opened, the watch need not be sure yet."""
_WORST = 0.05
"""Share of the pictures of each state that may be worse than the separation says."""
_OPEN_AT, _SHUT_AT = 0.4, 0.7
"""Where between the fills of the opened and of the shut door the two fractions are set: apart from each
other, and the opened door's the nearer to it, for an opening missed is worse than one seen late."""
_OPEN_RANGE, _SHUT_RANGE = (0.3, 0.7), (0.71, 0.9)
"""Within which they stay, so that `open_below` is the smaller and light alone reaches neither."""
_SEEN_WELL_S = 1.5
"""An open door that stands still for less is remarked on: it may have been somebody passing by."""
_EVENER = 0.2
"""By so much must the later state fill better than the first for the clip to be doubted."""
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""When clips are taken to have been recorded: nothing here depends on it."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """How to watch a door.

    Attributes:
        door: The settings to use.
        separation: How far the fills of the shut and of the opened door lie apart, in shares of the shut
            door's: 1 is all of it, 0 and less nothing. The worst twentieth of each is left out.
        shut: Share of the region filled in pictures of the shut door: the least, but for a twentieth.
        opened: The same of the opened door: the most, but for a twentieth.
        shut_s: Seconds of the shut door that were seen.
        opened_s: Seconds of the opened door.
        agreed: Share of those pictures of which the watch said what they show.
        notes: What the clip leaves open, in plain words; a person should look at the door's picture.
        picture: The shut door, for the watch to begin with.
    """

    door: DoorSettings
    separation: float
    shut: float
    opened: float
    shut_s: float
    opened_s: float
    agreed: float
    notes: tuple[str, ...] = ()
    picture: ShutPicture | None = None

    @property
    def usable(self) -> bool:
        """Whether the states lie far enough apart, and rule and clip agree, for it to be used."""
        return _ENOUGH <= self.separation <= _TOO_MUCH and self.agreed >= _AGREED

    @property
    def words(self) -> str:
        """The same in plain words."""
        if self.separation < _ENOUGH:
            return "do not use this: shut and open look too much alike here"
        if self.separation > _TOO_MUCH:
            return "do not use this: the point lies on something else than the door that is watched"
        if self.agreed < _AGREED:
            return f"do not use this: only {self.agreed:.0%} of the pictures were told rightly"
        how = " well" if self.separation >= _WELL else ", though not by much: watch it for a day"
        doubt = "; but something is left open, see the notes" if self.notes else ""
        return f"shut and open are told apart{how}{doubt}"


class _Picture:
    """A snapshot as the watch wants it."""

    def __init__(self, snapshot: Snapshot, sequence: int) -> None:
        self._gray = snapshot.gray
        self.stamp = FrameStamp(CameraId("calibration"), sequence, snapshot.at_s, _EPOCH)
        self.height, self.width = snapshot.gray.shape

    def bgr(self) -> ImageArray:
        """Gray in three channels."""
        return np.repeat(self._gray[:, :, None], 3, axis=2)

    def gray(self, region: Region) -> ImageArray:
        """The region, cut out."""
        left, top, right, bottom = region.pixels(self.width, self.height)
        return self._gray[top:bottom, left:right]


def check_region(door: DoorSettings, width: int, height: int) -> None:
    """Refuse a door whose region is too small in pictures of that many pixels.

    Raises:
        InputError: It is narrower or lower than `LEAST_REGION_PX`.
    """
    left, top, right, bottom = Region(*door.region).pixels(width, height)
    if min(right - left, bottom - top) < LEAST_REGION_PX:
        raise InputError(
            f"the region of door {door.id} is {right - left} by {bottom - top} pixels of {width} by "
            f"{height}, {LEAST_REGION_PX} by {LEAST_REGION_PX} are needed",
            hint="draw it larger, around the upper part of the door and some wall on both sides",
        )


def calibrate(
    snapshots: Sequence[Snapshot], door: DoorSettings, *, keep_region: bool = False, vouched: bool = False
) -> Proposal:
    """Propose how to watch a door that is first shut and then opened.

    Args:
        snapshots: In order of time, from a camera that stands still; it may be shut again at the end.
        door: Identity, and whatever is not proposed.
        keep_region: Leave the region as it is, look for changes in it alone, and propose the rest.
        vouched: The proposal's picture is going to be kept: try it as it will then be watched.

    Raises:
        InputError: Too short, or nothing changes, or all of the picture does, or more than one place.
    """
    lasts_s = snapshots[-1].at_s - snapshots[0].at_s if snapshots else 0.0
    if len(snapshots) < _LEAST_FRAMES or lasts_s < _LEAST_S:
        raise InputError(
            f"the clip has {len(snapshots)} frames in {lasts_s:.1f} s: too short",
            hint="show the door shut for some seconds, then open for some seconds",
        )
    height, width = snapshots[0].gray.shape
    if keep_region:
        check_region(door, width, height)
    phases = find_phases(snapshots, Region(*door.region) if keep_region else None)
    notes = []
    if not keep_region:
        place = find_place(snapshots, phases.shut, phases.opened)
        door = _in_region(door, place.region)
        check_region(door, width, height)
        if place.others:
            notes.append(
                "more than one place changes with the door: the largest is proposed; --region names another"
            )
    seen = views(snapshots, phases.shut, phases.opened, Region(*door.region))
    if phases.restless:
        notes.append(
            "somebody or something moved all the while the door was open: nobody should be in the picture"
        )
    opened_s = _lasts_s(snapshots, phases.opened)
    if opened_s < _SEEN_WELL_S:
        notes.append(
            f"the open door stood still for {opened_s:.1f} s only: leave it open longer, and nobody in it"
        )
    if phases.ends_otherwise or (
        evenness(seen.opened, seen.changed) > evenness(seen.shut, seen.changed) + _EVENER
    ):
        notes.append(
            "was the door shut at the beginning? It does not look so: the first state is taken for shut"
        )
    starts = find_starts(seen)
    fullest = max(each.merit for each in starts)
    picture = shut_picture([snapshots[i] for i in phases.shut], door.region)
    tried: list[tuple[Proposal, float]] = []
    for start in starts:
        proposal = _tried(snapshots, phases, _filled(door, start), picture if vouched else None)
        if proposal.usable and proposal.separation >= 1 - _AS_CLEAR and start.merit >= fullest - _AS_FULL:
            # As good as any can be, and preferred to those that follow.
            return replace(proposal, notes=tuple(notes), picture=picture)
        tried.append((proposal, start.merit))
    return replace(_best(tried), notes=tuple(notes), picture=picture)


def _in_region(door: DoorSettings, region: Region) -> DoorSettings:
    """The door with another region, and the seed in the middle of it for the time being."""
    middle = (region.left + region.right) / 2, (region.top + region.bottom) / 2
    box = region.left, region.top, region.right, region.bottom
    return door.model_copy(update={"region": box, "seed": middle})


def _filled(door: DoorSettings, start: Start) -> DoorSettings:
    """The door, filled from there."""
    left, top, right, bottom = door.region
    seed = round(left + start.seed[0] * (right - left), 4), round(top + start.seed[1] * (bottom - top), 4)
    share = round(start.share, 3)
    return door.model_copy(update={"seed": seed, "tolerance": start.tolerance, "shut_fraction": share})


def _tried(
    snapshots: Sequence[Snapshot], phases: Phases, door: DoorSettings, vouched: ShutPicture | None
) -> Proposal:
    """Watch the pictures as proposed, and see how far the fills lie apart."""
    watch = DoorWatch(door, vouched)
    readings = [watch.observe(_Picture(each, number)) for number, each in enumerate(snapshots)]
    low = float(np.quantile([readings[i].fraction for i in phases.shut], _WORST))
    high = float(np.quantile([readings[i].fraction for i in phases.opened], 1 - _WORST))
    share = max(door.shut_fraction, 1e-3)
    separation = (low - high) / share
    if separation >= _ENOUGH:
        below, above = high / share + _OPEN_AT * separation, high / share + _SHUT_AT * separation
        door = door.model_copy(
            update={
                "open_below": round(min(_OPEN_RANGE[1], max(_OPEN_RANGE[0], below)), 2),
                "shut_above": round(min(_SHUT_RANGE[1], max(_SHUT_RANGE[0], above)), 2),
            }
        )
    right = [
        readings[i].state is state
        for state, numbers in ((DoorState.SHUT, phases.shut), (DoorState.OPEN, phases.opened))
        for i in _settled(snapshots, numbers)
    ]
    return Proposal(
        door=DoorSettings.model_validate(door.model_dump()),
        separation=round(separation, 3),
        shut=round(low, 3),
        opened=round(high, 3),
        shut_s=_lasts_s(snapshots, phases.shut),
        opened_s=_lasts_s(snapshots, phases.opened),
        agreed=round(sum(right) / len(right), 3),
    )


def _best(tried: Sequence[tuple[Proposal, float]]) -> Proposal:
    """The best fill of those under which the watch tells the states apart best; the first of equals.

    How well they are told apart decides before how much of the door is filled: a large tolerance
    fills the door well, and what shows when it opens, too.
    """
    pool = [each for each in tried if each[0].usable]
    if not pool:
        return max(tried, key=lambda each: (each[0].agreed, min(1.0, each[0].separation)))[0]
    clearest = max(min(1.0, proposal.separation) for proposal, _ in pool)
    clear = [each for each in pool if each[0].separation >= clearest - _AS_CLEAR]
    fullest = max(merit for _, merit in clear)
    return next(proposal for proposal, merit in clear if merit >= fullest - _AS_FULL)


def _lasts_s(snapshots: Sequence[Snapshot], numbers: Sequence[int]) -> float:
    """How long so many pictures of the clip last, seconds."""
    pause_s = (snapshots[-1].at_s - snapshots[0].at_s) / (len(snapshots) - 1)
    return round(len(numbers) * pause_s, 2)


def _settled(snapshots: Sequence[Snapshot], numbers: Sequence[int]) -> list[int]:
    """Those of a state's pictures by which the watch has had time to see it; the later half at least."""
    since = snapshots[numbers[0]].at_s + _SETTLES_S
    late = [i for i in numbers if snapshots[i].at_s >= since]
    return max(late, list(numbers[len(numbers) // 2 :]), key=len)
