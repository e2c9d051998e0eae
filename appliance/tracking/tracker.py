"""Greedy frame-to-frame association of face boxes: where each face should be by now, and how large.

A face is expected where its own recent movement takes it, for half a second at most; the
prediction stops there, so that it does not drift away while frames are dropped or a head is
turned. Without it, people who follow each other through a door, or cross, are taken for one
another. The constants were set on made-up encounters of two to four people
(`tests/benchmarks/measure_encounters.py`); boxes alone cannot tell a follower who steps exactly into
somebody's place; faces do (`appliance/decision/continuity.py`).
"""

import math
from dataclasses import dataclass

from appliance.values import Box, DetectedFace

_REACH = 0.9
"""A face may be this many of its own widths away from where it was expected a frame ago."""
_FIRST_REACH = 1.5
"""The same for a face of which no movement is known yet."""
_REACH_PER_S = 1.0
"""Widths more for each second since it was last seen: it may have turned or stopped."""
_MAX_REACH = 2.0
"""Beyond this many widths it is taken for another face however long the gap was."""
_GROWTH = 0.35
_GROWTH_PER_S = 0.3
_MAX_GROWTH = 0.5
"""Natural logarithm of the factor by which the width may differ from the one expected: at once (half a
face behind somebody is drawn wider and narrower by the detector by a third),
for each second since, and at most (1.65)."""
_DOUBT_PER_S = 1.0
"""Widths that a second without a sighting counts for: where two tracks expect a face in one place, it is
that of whom was seen last."""
_FORESIGHT_S = 0.5
"""Seconds for which movement is taken to go on as before."""
_MEMORY_S = 0.1
"""Time constant of the smoothing of movement."""
_TOLD_S = 0.03
"""Movement seen for less time than this is not known yet: frames that come in a burst after a stall are a few
milliseconds apart, and a box that jitters by pixels would seem to fly."""
_FASTEST_GROWTH = 1.0
"""Of the logarithm of the width, per second: walking up at 1.4 m/s, 1.4 m away."""


@dataclass(slots=True)
class Track:
    """One face over time.

    Attributes:
        number: Counts tracks of this tracker from 1.
        face: Where it was last.
        first_s: Monotonic seconds of the first sighting.
        last_s: Monotonic seconds of the last one.
        sightings: In how many frames it was found.
        moved_s: Seconds over which its movement is known.
        velocity: Of the middle of its box, pixels a second.
        growth: Of the logarithm of its width, per second.
    """

    number: int
    face: DetectedFace
    first_s: float
    last_s: float
    sightings: int = 1
    moved_s: float = 0.0
    velocity: tuple[float, float] = (0.0, 0.0)
    growth: float = 0.0


class FaceTracker:
    """The tracks of one camera.

    Args:
        end_after_s: Seconds without a sighting after which a track has ended. Shorter
            splits a person who looks away; longer joins people who follow each other.
    """

    def __init__(self, end_after_s: float) -> None:
        self._end_after_s = end_after_s
        self._tracks: list[Track] = []
        self._count = 0

    def update(self, faces: list[DetectedFace], now_s: float) -> list[Track]:
        """Assign each face of a frame to a track that has not ended; the answer is parallel to `faces`.

        The likeliest pairs go first; ties go to the older track and the earlier face.
        """
        pairs = sorted(
            (cost, track.number, at, track)
            for track in self._tracks
            if now_s - track.last_s < self._end_after_s
            for at, face in enumerate(faces)
            if (cost := _cost(track, face.box, now_s)) is not None
        )
        assigned: dict[int, Track] = {}
        taken: set[int] = set()
        for _, number, at, track in pairs:
            if at not in assigned and number not in taken:
                assigned[at] = track
                taken.add(number)
        return [self._sighted(assigned.get(at), face, now_s) for at, face in enumerate(faces)]

    def ended(self, now_s: float) -> list[Track]:
        """Take out the tracks that nobody has seen for long enough, oldest first."""
        over = [track for track in self._tracks if now_s - track.last_s >= self._end_after_s]
        self._tracks = [track for track in self._tracks if track not in over]
        return over

    def end_all(self) -> list[Track]:
        """Take out every track: the recording is over, or the camera gone."""
        over, self._tracks = self._tracks, []
        return over

    def _sighted(self, track: Track | None, face: DetectedFace, now_s: float) -> Track:
        if track is None:
            self._count += 1
            track = Track(self._count, face, now_s, now_s)
            self._tracks.append(track)
            return track
        _follow(track, face.box, now_s - track.last_s)
        track.face = face
        track.last_s = now_s
        track.sightings += 1
        return track


def _cost(track: Track, box: Box, now_s: float) -> float | None:
    """How unlike the face a track expects, lower is likelier; None when it cannot be the same."""
    gap_s = max(0.0, now_s - track.last_s)
    ahead_s = min(gap_s, _FORESIGHT_S)
    before = track.face.box
    expected_width = before.width * math.exp(track.growth * ahead_s)
    growth = abs(math.log(box.width / expected_width))
    if growth > min(_MAX_GROWTH, _GROWTH + _GROWTH_PER_S * gap_s):
        return None
    (x0, y0), (x1, y1) = before.centre, box.centre
    (dx, dy) = track.velocity
    away = math.hypot(x1 - x0 - dx * ahead_s, y1 - y0 - dy * ahead_s) / max(box.width, expected_width)
    reach = (_REACH if track.moved_s >= _TOLD_S else _FIRST_REACH) + _REACH_PER_S * gap_s
    if away > min(_MAX_REACH, reach):
        return None
    return away + growth + _DOUBT_PER_S * (now_s - track.last_s)


def _follow(track: Track, box: Box, gap_s: float) -> None:
    """Learn from how a face moved since it was last seen."""
    if gap_s <= 0:
        return
    (x0, y0), (x1, y1) = track.face.box.centre, box.centre
    growth = math.log(box.width / track.face.box.width) / gap_s
    # The first movement is all that is known; later ones are smoothed, for boxes jitter.
    first = track.moved_s < _TOLD_S
    share = min(1.0, gap_s / _TOLD_S) if first else -math.expm1(-gap_s / _MEMORY_S)
    track.moved_s += gap_s
    vx, vy = track.velocity
    track.velocity = (vx + share * ((x1 - x0) / gap_s - vx), vy + share * ((y1 - y0) / gap_s - vy))
    # A width jitters more than a place: its trend is believed half.
    track.growth += share / 2 * (max(-_FASTEST_GROWTH, min(_FASTEST_GROWTH, growth)) - track.growth)
