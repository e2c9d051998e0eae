"""Greedy frame-to-frame association of face boxes by overlap and nearness.

At 5 to 10 frames a second a face moves less than its own width between frames, so the
plainest method holds; it has no motion model to drift away when frames are dropped.
"""

import math
from dataclasses import dataclass

from appliance.values import Box, DetectedFace

_REACH = 1.5
"""A face may have moved by this many of its own widths per `_STEP_S` and still be the same."""
_STEP_S = 0.25
_MAX_REACH = 2.5
"""Beyond this many widths it is taken for another face however long the gap was."""
_MAX_GROWTH = 1.8
"""Widths may differ by this factor between two sightings of one face."""


@dataclass(slots=True)
class Track:
    """One face over time.

    Attributes:
        number: Counts tracks of this tracker from 1.
        face: Where it was last.
        first_s: Monotonic seconds of the first sighting.
        last_s: Monotonic seconds of the last one.
        sightings: In how many frames it was found.
    """

    number: int
    face: DetectedFace
    first_s: float
    last_s: float
    sightings: int = 1


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

        The nearest pairs go first; ties go to the older track and the earlier face.
        """
        pairs = sorted(
            (cost, track.number, at, track)
            for track in self._tracks
            if now_s - track.last_s < self._end_after_s
            for at, face in enumerate(faces)
            if (cost := _cost(track.face.box, face.box, now_s - track.last_s)) is not None
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
        track.face = face
        track.last_s = now_s
        track.sightings += 1
        return track


def _cost(before: Box, after: Box, gap_s: float) -> float | None:
    """How unlike the same face two boxes are, lower is likelier; None when it cannot be."""
    small, large = sorted((before.width, after.width))
    if large / small > _MAX_GROWTH:
        return None
    (x0, y0), (x1, y1) = before.centre, after.centre
    distance = math.hypot(x1 - x0, y1 - y0) / large
    reach = min(_MAX_REACH, _REACH * max(1.0, gap_s / _STEP_S))
    if distance > reach:
        return None
    return distance - before.overlap(after)
