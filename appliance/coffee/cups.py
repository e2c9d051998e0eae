"""Cups from frame to frame: which is which, which are carried, and which only stand there.

A cup that stands on a table is nobody's, whoever stands before it: it has to have been moved lately, and by
whoever has it. Who puts a mug down before somebody else moved it there, and not they. One that stood in its
place for long is furniture, and is left out there, even if the network loses it and finds it
again. Time comes with the frames.
"""

import math
import statistics
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from appliance.values import Box, DetectedObject

_KEPT_S: Final = 2.0
"""A cup that was not found for so long is another when it is found again."""
_CARRIED_S: Final = 10.0
"""How long ago a cup may have been moved."""
_SETTLED_S: Final = 2.0
"""What was somebody else's before is moved by its new owner only after so long: until then it may still be in
the other's hand, who puts it down."""
_MOVED: Final = 0.5
"""How far it must have been, in its own width. What a network says of a cup that stands varies by a fifth."""
_FURNITURE_S: Final = 15.0
"""A cup that has stood for so long is furniture."""
_FURNITURE_KEPT_S: Final = 1800.0
"""For how long its place is remembered after it was seen there last."""
_SAME_PLACE: Final = 0.45
"""Intersection over union from which on a cup is in a place."""
_SPEED: Final = 8.0
"""A cup moves so many of its widths a second, at most, and is still the same cup."""
_STEP: Final = 0.75
"""…and so many between two looks in any case."""
_GROWTH: Final = 1.8
"""By what factor its width may change from one look to the next."""
_SMOOTHED: Final = 3
"""Looks whose median is a place: one odd box moves nothing."""


@dataclass(frozen=True, slots=True)
class FollowedCup:
    """A cup in a frame.

    Attributes:
        number: The same for as long as it is followed; from 1.
        box: Where, pixels.
        label: As the network calls it.
        score: 0 to 1.
        owner: Whose it is in this frame; None: nobody's, or it is unclear.
        carried: It was moved lately, and by this owner.
    """

    number: int
    box: Box
    label: str
    score: float
    owner: str | None
    carried: bool


@dataclass(frozen=True, slots=True)
class _Place:
    at_s: float
    x: float
    y: float
    width: float
    mover: str | None


@dataclass(slots=True)
class _Path:
    """Where one cup was, and whose: its owner is the latest who was clear, from `own_from_s` on its mover."""

    number: int
    seen_s: float
    rests_since_s: float
    owner: str | None = None
    own_from_s: float = -math.inf
    places: deque[_Place] = field(default_factory=deque)


@dataclass(slots=True)
class _Furniture:
    box: Box
    seen_s: float


class Cups:
    """The cups before one camera."""

    def __init__(self) -> None:
        self._paths: list[_Path] = []
        self._furniture: list[_Furniture] = []
        self._last = 0

    def follow(
        self, found: Sequence[DetectedObject], owners: Sequence[str | None], now_s: float
    ) -> list[FollowedCup]:
        """Take in what was found in a frame.

        Args:
            found: Cups, in a fixed order; one that two squares both showed is there once.
            owners: Whose each is in this frame; None: nobody's, or it is unclear.
            now_s: Monotonic seconds, not before those of the frame before.

        Returns:
            Those that are not furniture.
        """
        self._furniture = [each for each in self._furniture if now_s - each.seen_s <= _FURNITURE_KEPT_S]
        self._paths = [path for path in self._paths if now_s - path.seen_s <= _KEPT_S]
        seen = zip(found, owners, strict=True)
        loose = [(cup, owner) for cup, owner in seen if not self._is_furniture(cup.box, now_s)]
        told = []
        for path, (cup, owner) in zip(self._paths_of([cup for cup, _ in loose], now_s), loose, strict=True):
            _extend(path, cup.box, owner, now_s)
            if _extent(path.places) >= _MOVED:
                path.rests_since_s = now_s
            elif now_s - path.rests_since_s >= _FURNITURE_S:
                self._furniture.append(_Furniture(cup.box, now_s))
                self._paths.remove(path)
                continue
            carried = owner is not None and _extent([p for p in path.places if p.mover == owner]) >= _MOVED
            told.append(FollowedCup(path.number, cup.box, cup.label, cup.score, owner, carried))
        return told

    def _is_furniture(self, box: Box, now_s: float) -> bool:
        for each in self._furniture:
            if each.box.overlap(box) >= _SAME_PLACE:
                each.seen_s = now_s
                return True
        return False

    def _paths_of(self, found: Sequence[DetectedObject], now_s: float) -> list[_Path]:
        """Each cup's path, given to the nearest first; the others begin one."""
        pairs = sorted(
            (away, path.number, i)
            for path in self._paths
            for i, cup in enumerate(found)
            if (away := _away(path, cup.box, now_s)) is not None
        )
        by_number = {path.number: path for path in self._paths}
        taken: dict[int, _Path] = {}
        for _, number, i in pairs:
            if i not in taken and number in by_number:
                taken[i] = by_number.pop(number)
        for i in range(len(found)):
            if i not in taken:
                self._last += 1
                taken[i] = _Path(self._last, now_s, now_s)
                self._paths.append(taken[i])
        return [taken[i] for i in range(len(found))]


def _extend(path: _Path, box: Box, owner: str | None, now_s: float) -> None:
    """Note where a cup is now, and who moved it there, if that is clear."""
    if owner is not None and owner != path.owner:
        path.own_from_s = -math.inf if path.owner is None else now_s + _SETTLED_S
        path.owner = owner
    path.seen_s = now_s
    path.places.append(_Place(now_s, *box.centre, box.width, owner if now_s >= path.own_from_s else None))
    while now_s - path.places[0].at_s > _CARRIED_S:
        path.places.popleft()


def _away(path: _Path, box: Box, now_s: float) -> float | None:
    """How far a cup is from where a path ended, in widths; None: it is another."""
    latest = path.places[-1]
    growth = box.width / latest.width
    if not 1 / _GROWTH <= growth <= _GROWTH:
        return None
    away = math.dist((latest.x, latest.y), box.centre) / max(latest.width, box.width)
    return away if away <= max(_STEP, _SPEED * (now_s - latest.at_s)) else None


def _extent(kept: Iterable[_Place]) -> float:
    """How far apart places of a cup are, in its own width."""
    places = list(kept)
    if len(places) < _SMOOTHED:
        return 0.0
    smooth = [
        (statistics.median(p.x for p in part), statistics.median(p.y for p in part))
        for part in (places[i : i + _SMOOTHED] for i in range(len(places) - _SMOOTHED + 1))
    ]
    across = max(x for x, _ in smooth) - min(x for x, _ in smooth)
    down = max(y for _, y in smooth) - min(y for _, y in smooth)
    return math.hypot(across, down) / statistics.median(p.width for p in places)
