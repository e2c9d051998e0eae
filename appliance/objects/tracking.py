"""Which thing is which thing of the frames before, so that one dog is one dog.

Things are looked for a few times a second and boxes jitter, so a thing is known by its place and size: its
box shares enough with the last one, or its middle is still near. A label may change for a frame; the thing is
called what it was called most of late. No clock, no frames, no settings.
"""

import math
from collections import defaultdict
from dataclasses import dataclass, field

from appliance.values import DetectedObject

_SHARED = 0.1
"""Boxes that share as much as this of their union can be one thing's."""
_REACH = 0.6
"""So can boxes whose middles are nearer than this many of the thing's own sizes, for a frame in between."""
_REACH_PER_S = 1.0
"""Sizes more for each second since it was seen."""
_MAX_REACH = 1.5
_GROWTH = 2.0
"""Factor by which its size may differ."""
_OTHER_NAME = 0.5
"""A thing of another label must share this much with it: a cup before a face is not the face."""
_FORGETS = 0.8
"""What an earlier name counts after each sighting: a cup where a bottle stood is one within a second."""
_OTHER_NAME_COST = 1.0
"""Dearer than any pair of one label."""


@dataclass(slots=True)
class Track:
    """One thing over time.

    Attributes:
        number: Counts from 1.
        thing: As it was last found.
        first_s: Monotonic seconds of the first sighting.
        last_s: Of the last one.
        best: The best score it had.
    """

    number: int
    thing: DetectedObject
    first_s: float
    last_s: float
    best: float
    _names: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def __post_init__(self) -> None:
        """Count the name it begins with."""
        self._names[self.thing.label] += self.thing.score

    @property
    def label(self) -> str:
        """What it was called most of late, by sightings' scores; of two names alike the first by alphabet."""
        return min(self._names, key=lambda name: (-self._names[name], name))

    def sighted(self, thing: DetectedObject, now_s: float) -> None:
        """It was found again."""
        self.thing, self.last_s, self.best = thing, now_s, max(self.best, thing.score)
        for name in self._names:
            self._names[name] *= _FORGETS
        self._names[thing.label] += thing.score


class ObjectTracker:
    """The things of one camera.

    Args:
        lost_after_s: Seconds without a sighting after which a thing is gone.
    """

    def __init__(self, lost_after_s: float) -> None:
        self._lost_after_s = lost_after_s
        self._tracks: list[Track] = []
        self._count = 0

    def update(self, things: list[DetectedObject], now_s: float) -> list[Track]:
        """Assign each thing of a frame to a track; the answer is parallel to `things`.

        The likeliest pairs go first; ties go to the older track and the earlier thing. Tracks that have not
        been seen for too long are gone first.
        """
        self._tracks = [track for track in self._tracks if now_s - track.last_s < self._lost_after_s]
        pairs = sorted(
            (cost, track.number, at, track)
            for track in self._tracks
            for at, thing in enumerate(things)
            if (cost := _cost(track, thing, now_s)) is not None
        )
        assigned: dict[int, Track] = {}
        taken: set[int] = set()
        for _, number, at, track in pairs:
            if at not in assigned and number not in taken:
                assigned[at] = track
                taken.add(number)
        return [self._sighted(assigned.get(at), thing, now_s) for at, thing in enumerate(things)]

    def forget(self) -> None:
        """Whatever is seen next is something else: the camera was lost, or saw nothing."""
        self._tracks = []

    def current(self) -> frozenset[int]:
        """Numbers of the things that are not gone."""
        return frozenset(track.number for track in self._tracks)

    def _sighted(self, track: Track | None, thing: DetectedObject, now_s: float) -> Track:
        if track is None:
            self._count += 1
            track = Track(self._count, thing, now_s, now_s, thing.score)
            self._tracks.append(track)
            return track
        track.sighted(thing, now_s)
        return track


def _cost(track: Track, thing: DetectedObject, now_s: float) -> float | None:
    """How unlike what was last seen of it, lower is likelier; None when it cannot be the same."""
    before, box = track.thing.box, thing.box
    shared = before.overlap(box)
    same_name = thing.label in {track.thing.label, track.label}
    if not same_name:
        return None if shared < _OTHER_NAME else _OTHER_NAME_COST + 1 - shared
    size, size_before = math.sqrt(box.area), math.sqrt(before.area)
    if not 1 / _GROWTH <= size / size_before <= _GROWTH:
        return None
    if shared >= _SHARED:
        return 1 - shared
    (x0, y0), (x1, y1) = before.centre, box.centre
    away = math.hypot(x1 - x0, y1 - y0) / max(size, size_before)
    reach = min(_MAX_REACH, _REACH + _REACH_PER_S * (now_s - track.last_s))
    return None if away > reach else 1 - _SHARED * (1 - away / _MAX_REACH)
