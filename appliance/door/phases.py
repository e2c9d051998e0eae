"""Which pictures of a clip show the door shut, and which opened. Knows no settings and proposes nothing.

The first state that stands still is taken for the shut door; the state unlike it that stands still
longest is the opened one. People who pass by, and the leaf while it swings, stand still nowhere
for long and count for neither. Where nothing unlike the first stands still, the longest time that
is unlike it counts. That the first state is the shut one cannot be seen in a clip.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from appliance.door.snapshot import CHANGE, SIGMA, Snapshot, light, small, some
from appliance.errors import InputError
from appliance.values import FloatArray, Region

Mask = NDArray[np.bool_]

NOBODY = "leave the door shut for some seconds, then open for some seconds, with nobody in the picture"
"""How to record a clip."""
_WIDTH_PX = 160
"""Width at which states are told apart."""
_NOISE_SPAN = 6.0
"""Standard deviations of the camera's noise that a pixel must differ."""
_APART_S = 0.35
"""A picture stands still when it is like the one this long before it."""
_STIRS = 0.003
"""Share of the picture up to which it stands still."""
_RESTLESS = 0.34
"""Pixels that change in more than this share of all pictures (a screen, leaves) are not looked at."""
_STILL_S = 0.45
"""A state lasts at least this long."""
_ALIKE = 0.2
"""States that differ by less than this share of the most that any does from the first are one."""
_LEAST_CHANGED = 0.004
"""Share of the picture that must change for there to be a door in it."""
_UNLIKE = 0.5
"""A restless picture shows the second state when it differs by this share of the most that any does."""
_MOST_AT = 0.97
"""The most that pictures differ, but for the few that differ more."""
_LEAST_PICTURES = 3
"""Of each state."""
_OTHER_PLACE = 0.2
"""Share of the smaller of two changed places that lies in the other one, up to which they are two places."""
_LASTING = 0.5
"""A second place counts when it stays changed for this share of the time of the first, or longer."""


@dataclass(frozen=True, slots=True)
class Phases:
    """Which pictures show what.

    Attributes:
        shut: Numbers of the pictures of the first state, before the second.
        opened: Numbers of those of the second.
        ends_otherwise: The clip ends in a third state.
        restless: The second state never stood still: somebody or something moved all the while.
    """

    shut: list[int]
    opened: list[int]
    ends_otherwise: bool
    restless: bool


@dataclass(slots=True)
class _State:
    """One look of the scene; `numbers` are the pictures that show it, `since_s` is how long in all."""

    picture: FloatArray
    numbers: list[int] = field(default_factory=list)
    lasts_s: float = 0.0


class _Scene:
    """Pictures made small, and what counts as a difference between two."""

    def __init__(self, snapshots: Sequence[Snapshot], within: Region | None) -> None:
        self.at_s = [each.at_s for each in snapshots]
        self.small = [small(each.gray, _WIDTH_PX) for each in snapshots]
        height, width = self.small[0].shape
        self._where: Mask = np.ones((height, width), np.bool_)
        if within is not None:
            left, top, right, bottom = within.pixels(width, height)
            self._where[:] = False
            self._where[top:bottom, left:right] = True
        steps = [float(np.median(np.abs(b - a))) for a, b in zip(self.small, self.small[1:], strict=False)]
        noise = SIGMA * float(np.median(steps)) / float(np.sqrt(2))
        self._allowed = max(CHANGE, _NOISE_SPAN * noise)

    def changed(self, picture: FloatArray, base: FloatArray) -> Mask:
        """Where two pictures differ by more than light and noise."""
        differs: Mask = np.abs(picture / np.float32(light(picture, base)) - base) > self._allowed
        return differs & self._where

    def share(self, picture: FloatArray, base: FloatArray) -> float:
        """How much of what is looked at has changed."""
        return int(np.count_nonzero(self.changed(picture, base))) / max(1, int(np.count_nonzero(self._where)))

    def still(self) -> list[bool]:
        """For each picture whether it stands still; what never does is not looked at from then on."""
        before = [
            max((j for j in range(i) if self.at_s[i] - self.at_s[j] >= _APART_S), default=None)
            for i in range(len(self.small))
        ]
        moved = [
            None if j is None else self.changed(self.small[i], self.small[j]) for i, j in enumerate(before)
        ]
        known = [each for each in moved if each is not None]
        self._where &= np.mean(known, axis=0) <= _RESTLESS if known else self._where
        of = max(1, int(np.count_nonzero(self._where)))
        stirs = [None if each is None else int(np.count_nonzero(each & self._where)) / of for each in moved]
        later = next((each for each in stirs if each is not None), 0.0)
        return [(later if each is None else each) <= _STIRS for each in stirs]


def find_phases(snapshots: Sequence[Snapshot], within: Region | None = None) -> Phases:
    """Tell the two states apart.

    Args:
        snapshots: In order of time, from a camera that stands still.
        within: Look for changes here alone.

    Raises:
        InputError: Nothing changes, nothing stays changed, or two places do.
    """
    scene = _Scene(snapshots, within)
    states, order = _states(scene)
    if not states:
        raise InputError(
            "nothing in this clip stands still",
            hint=f"fix the camera so that it does not move; {NOBODY}",
        )
    first, others = states[0], states[1:]
    others = [each for each in others if scene.share(each.picture, first.picture) >= _LEAST_CHANGED]
    restless = not others
    # The first of equals: `max` keeps it, and states come in the order of time.
    opened = _unlike(scene, first) if restless else max(others, key=lambda each: each.lasts_s)
    _one_place(scene, first, opened, others)
    shut = [i for i in first.numbers if i < opened.numbers[0]]
    if len(shut) < _LEAST_PICTURES or len(opened.numbers) < _LEAST_PICTURES:
        raise InputError("the door is not seen both shut and open for long enough", hint=NOBODY)
    last = order[-1]
    ends_otherwise = any(last is each for each in others) and last is not opened
    return Phases(shut, opened.numbers, ends_otherwise, restless)


def _states(scene: _Scene) -> tuple[list[_State], list[_State]]:
    """States in the order in which they first come, and for every stretch the one it shows."""
    runs: list[list[int]] = [[]]
    for number, still in enumerate(scene.still()):
        if still:
            runs[-1].append(number)
        elif runs[-1]:
            runs.append([])
    stretches = [run for run in runs if run and scene.at_s[run[-1]] - scene.at_s[run[0]] >= _STILL_S]
    pictures = [
        np.asarray(np.median([scene.small[i] for i in some(run)], axis=0), np.float32) for run in stretches
    ]
    most = max((scene.share(each, pictures[0]) for each in pictures), default=0.0)
    alike = max(_LEAST_CHANGED, _ALIKE * most)
    states: list[_State] = []
    order: list[_State] = []
    for run, picture in zip(stretches, pictures, strict=True):
        apart = [scene.share(picture, each.picture) for each in states]
        if not apart or min(apart) >= alike:
            states.append(_State(picture))
            apart.append(0.0)
        state = states[int(np.argmin(apart))]
        state.numbers += run
        state.lasts_s += scene.at_s[run[-1]] - scene.at_s[run[0]]
        order.append(state)
    return states, order


def _unlike(scene: _Scene, first: _State) -> _State:
    """The longest time without a break in which the picture is unlike the first state, still or not."""
    shares = [scene.share(each, first.picture) for each in scene.small]
    most = float(np.quantile(shares, _MOST_AT))
    if most < _LEAST_CHANGED:
        raise InputError(
            "nothing changes in this clip: the door is never opened, or it is not in the picture", hint=NOBODY
        )
    runs: list[list[int]] = [[]]
    for number, share in enumerate(shares):
        if share >= _UNLIKE * most:
            runs[-1].append(number)
        elif runs[-1]:
            runs.append([])
    longest = max(runs, key=len)
    picture = np.median([scene.small[i] for i in some(longest)], axis=0)
    lasts_s = scene.at_s[longest[-1]] - scene.at_s[longest[0]]
    return _State(np.asarray(picture, np.float32), longest, lasts_s)


def _one_place(scene: _Scene, first: _State, opened: _State, others: Sequence[_State]) -> None:
    """Refuse a clip in which two places change, one after the other."""
    place = scene.changed(opened.picture, first.picture)
    for each in others:
        other = scene.changed(each.picture, first.picture)
        common = np.count_nonzero(place & other)
        fewer = min(np.count_nonzero(place), np.count_nonzero(other))
        if common < _OTHER_PLACE * fewer and each.lasts_s >= _LASTING * opened.lasts_s:
            raise InputError(
                "two places change in this clip, one after the other: two doors, or somebody who stood there",
                hint="open one door only, with nobody in the picture, or name its place with --region",
            )
