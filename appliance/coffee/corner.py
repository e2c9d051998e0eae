"""One coffee corner: from whose cup it is to the countdown, and from there to a coffee.

A countdown begins when somebody who may be counted has a cup that was carried, and goes on while their face
and a cup of theirs are seen. It ends in one coffee; then the camera pauses, and who goes on standing there
with that cup takes no other. Everything by the frames' own time, so that a replay counts alike. Who may be
counted is asked elsewhere.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from appliance.coffee.cups import Cups, FollowedCup
from appliance.coffee.owners import distance, owner
from appliance.coffee.turns import Turns
from appliance.settings import CoffeeSettings
from appliance.values import Box, DetectedObject

_LOST_S: Final = 1.0
"""A face or a cup that is not seen for longer ends the countdown…"""
_LOST_LOOKS: Final = 2
"""…if it was looked for so often meanwhile: a busy box looks seldom, and a network misses a cup at times."""
_GONE_S: Final = 3.0
"""Not seen for so long it is gone, however seldom it was looked for."""
_REFILL_S: Final = 30.0
"""Who had a coffee in this stay must be seen without a cup for so long before the next can begin."""
_STAY_S: Final = 600.0
"""For how long it is remembered of a stay that is not seen."""
_TOLD_S: Final = 4.0
"""For how long it is told that a coffee counted, or why it does not."""

Phase = Literal["counting", "counted", "too_soon"]


@dataclass(frozen=True, slots=True)
class Drinker:
    """Somebody whose face is in the frame.

    Attributes:
        encounter: Their stay.
        face: Where their face is, pixels.
        who: Key of whom a coffee of theirs counts for; None: for nobody, and nothing is told of them.
    """

    encounter: str
    face: Box
    who: str | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A coffee that counts.

    Attributes:
        encounter: Of whoever took it.
        who: As they came in.
        label: What was seen.
        score: The best there was of it, 0 to 1.
    """

    encounter: str
    who: str
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Shown:
    """What is told of somebody at a moment.

    Attributes:
        encounter: Of whom.
        who: As they came in.
        phase: A countdown, a coffee that counted, or one too soon after the last.
        left_s: Seconds of the countdown; until the next coffee counts, if too soon; 0 if counted.
        until_s: Monotonic seconds at which this is over by itself.
    """

    encounter: str
    who: str
    phase: Phase
    left_s: float
    until_s: float


@dataclass(slots=True)
class _Countdown:
    """Somebody with their cup."""

    who: str
    cup: int
    since_s: float
    seen_s: float
    label: str
    score: float
    missed: int = 0

    def is_lost(self, now_s: float) -> bool:
        """Whether face or cup were not seen for too long."""
        away_s = now_s - self.seen_s
        return away_s > _GONE_S or (away_s > _LOST_S and self.missed >= _LOST_LOOKS)


@dataclass(frozen=True, slots=True)
class _Said:
    who: str
    phase: Phase
    at_s: float
    turn_s: float


class Corner:
    """The corner before one camera.

    Args:
        settings: Countdown, cool-down.
        turns: Who may take another; shared by all corners.
    """

    def __init__(self, settings: CoffeeSettings, turns: Turns) -> None:
        self._settings = settings
        self._turns = turns
        self._cups = Cups()
        self._counting: dict[str, _Countdown] = {}
        self._said: dict[str, _Said] = {}
        self._had_s: dict[str, float] = {}
        self._refused_s: dict[str, float] = {}
        self._free_s: float | None = None
        self._last: list[FollowedCup] = []

    @property
    def cups(self) -> Sequence[FollowedCup]:
        """Those of the last frame that was looked at."""
        return self._last

    def look(self, drinkers: Sequence[Drinker], found: Sequence[DetectedObject], now_s: float) -> list[Taken]:
        """Take a frame in: its faces and its cups.

        Args:
            drinkers: Everybody whose face is in it, those included who are not counted: a cup may be theirs.
            found: The cups.
            now_s: Monotonic seconds, not before those of the frame before.

        Returns:
            Coffees that count now: none or one.
        """
        faces = {each.encounter: each.face for each in drinkers}
        self._last = self._cups.follow(found, [owner(faces, cup.box) for cup in found], now_s)
        self._drop_lost(now_s)
        taken: list[Taken] = []
        for each in sorted(drinkers, key=self._rank):
            cup = self._cup_of(each)
            if each.who is None:
                self._counting.pop(each.encounter, None)
            elif cup is not None:
                taken += self._with_cup(each.encounter, each.who, cup, now_s)
        self._miss(now_s)
        return taken

    def interrupted(self) -> None:
        """No frame came for a while: whatever was under way is over."""
        self._counting.clear()
        self._said.clear()
        self._last = []

    def shown(self, now_s: float) -> list[Shown]:
        """What is told now, in a fixed order."""
        told = [
            Shown(
                encounter,
                each.who,
                "counting",
                max(0.0, each.since_s + self._settings.countdown_s - now_s),
                each.seen_s + _GONE_S,
            )
            for encounter, each in self._counting.items()
            if now_s - each.seen_s <= _GONE_S
        ]
        told += [
            Shown(encounter, said.who, said.phase, max(0.0, said.turn_s - now_s), said.at_s + _TOLD_S)
            for encounter, said in self._said.items()
            if now_s - said.at_s < _TOLD_S and encounter not in self._counting
        ]
        return sorted(told, key=lambda each: each.encounter)

    def _rank(self, drinker: Drinker) -> tuple[float, ...]:
        """Who comes first in a look: who began earlier; of two at once the nearer, whatever their ids are."""
        counting = self._counting.get(drinker.encounter)
        since_s = math.inf if counting is None else counting.since_s
        return since_s, -drinker.face.area, *drinker.face.corners

    def _cup_of(self, drinker: Drinker) -> FollowedCup | None:
        """The nearest of somebody's own cups that they carried, or count down with."""
        counting = self._counting.get(drinker.encounter)
        known = None if counting is None else counting.cup
        own = [
            cup
            for cup in self._last
            if cup.owner == drinker.encounter and (cup.carried or cup.number == known)
        ]
        return min(own, key=lambda cup: (distance(drinker.face, cup.box) or 0.0, cup.number), default=None)

    def _miss(self, now_s: float) -> None:
        """Those not seen in this look: once more missed, or lost."""
        for each in self._counting.values():
            each.missed += each.seen_s < now_s
        self._drop_lost(now_s)

    def _drop_lost(self, now_s: float) -> None:
        self._counting = {key: each for key, each in self._counting.items() if not each.is_lost(now_s)}
        self._said = {key: each for key, each in self._said.items() if now_s - each.at_s < _TOLD_S}
        self._had_s = {key: at for key, at in self._had_s.items() if now_s - at < _STAY_S}
        self._refused_s = {key: at for key, at in self._refused_s.items() if now_s - at < _STAY_S}

    def _with_cup(self, encounter: str, who: str, cup: FollowedCup, now_s: float) -> list[Taken]:
        """Somebody has a cup: begin to count down, go on, or have it count."""
        counting = self._counting.get(encounter)
        if counting is None or counting.who != who:
            self._counting.pop(encounter, None)
            had_s = self._had_s.get(encounter)
            if had_s is not None and now_s - had_s < _REFILL_S:
                self._had_s[encounter] = now_s
            else:
                self._begin(encounter, who, cup, now_s)
            return []
        counting.seen_s, counting.cup, counting.missed = now_s, cup.number, 0
        if cup.score > counting.score:
            counting.score, counting.label = cup.score, cup.label
        if now_s - counting.since_s < self._settings.countdown_s:
            return []
        # The first of two counts; the other's countdown ends with the pause that begins.
        self._counting.clear()
        if not self._turns.take(who, now_s):
            self._too_soon(encounter, who, now_s)
            return []
        self._had_s[encounter] = now_s
        self._free_s = now_s + self._settings.cool_down_s
        self._said[encounter] = _Said(who, "counted", now_s, 0.0)
        return [Taken(encounter, who, counting.label, counting.score)]

    def _begin(self, encounter: str, who: str, cup: FollowedCup, now_s: float) -> None:
        if self._turns.left_s(who, now_s) > 0:
            self._too_soon(encounter, who, now_s)
        elif self._free_s is None or now_s >= self._free_s:
            self._said.pop(encounter, None)
            self._counting[encounter] = _Countdown(who, cup.number, now_s, now_s, cup.label, cup.score)

    def _too_soon(self, encounter: str, who: str, now_s: float) -> None:
        """Say so, once in a stay: nobody wants to read it for as long as they drink."""
        if encounter not in self._refused_s:
            self._said[encounter] = _Said(who, "too_soon", now_s, now_s + self._turns.left_s(who, now_s))
        self._refused_s[encounter] = now_s
