"""Whether a camera still sees what it used to: not dark, covered, frozen or moved.

Looks at a small gray copy of a frame once a second (five times while something is wrong). Pure: no clock, no
thread, no file; frames bring their time. It does not say that a source sends nothing (`capture` does), nor
what stands before the door.

dark     Next to nothing in the picture is brighter than black.
frozen   The pictures are the same to the last bit, from a source whose pictures never were. A file without
         noise, a still picture or a rendered scene repeats itself by nature and is never called frozen.
covered  There is light, but of what used to be visible nearly nothing is: a hand, tape, fog, no focus.
moved    There is as much to see as ever, but it is shifted, or something else. Said once; from then on
         the new view is the remembered one, so there is no end to it, and moving it back is moving it again.

What is remembered is the direction of edges, averaged over minutes: a lamp changes their strength and not
where they are, and people and doors do not stay. Nothing is remembered across a restart.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from appliance.camera.structure import (
    LEAST_EDGES,
    QUORUM,
    edges_of,
    fine,
    is_noisy,
    is_shifted,
    strength,
    survival,
    tile_means,
    tile_power,
)
from appliance.settings import CameraSettings
from appliance.values import WHOLE_FRAME, CameraReading, Disturbance, FloatArray, Frame, ImageArray

_LOOK_S = 1.0
_LOOK_BLIND_S = 0.2
"""Seconds between two looks, and while the camera sees nothing: a light switched on counts at once."""
_WIDTH = 160
"""Width of the small copy, pixels."""

_DARK_LEVEL = 24
_DARK_SHARE = 0.98
"""Dark: so much of the picture is below this gray level (8-bit video black is 16)."""

_BLANK = 0.2
_BLANK_SHARE = 0.8
"""Covered: of this share of the picture less than a fifth of the contrast is left, light allowed for."""

_STRANGE = 0.25
_MISPLACED = 0.75
"""Moved: less than the first share of the remembered edges is where it was; or less than the second, and all
of it is there, shifted. Open doors and people leave 0.28 at least and mostly 0.5; another view has 0.2."""
_AT_REST = 0.7
_MOVED_TIMES = 3.0
"""A move is believed after so many times `disturbed_after_s`: people may stand before half the picture."""
_RESTLESS_TIMES = 12.0
"""And if the new view never comes to rest, after so many."""

_CLEAR_S = 2.0
"""Seconds of sight after which a disturbance is over."""
_LEARN_LOOKS = 10
_REMEMBER_LOOKS = 120
"""Looks before anything is called covered or moved, and over how many the memory averages: two minutes."""

_ALIVE_LOOKS = 20
_STILL_TIMES = 4.0
"""Frozen: after so many looks at a picture full of noise, still for so many times as long as it ever was."""


class ConditionWatch:
    """The condition of one camera.

    Args:
        settings: `disturbed_after_s` is how long something must be wrong before it is said; 0: never looked.
    """

    def __init__(self, settings: CameraSettings) -> None:
        self._after_s = settings.disturbed_after_s
        self._looked_s: float | None = None
        self._said: Disturbance | None = None
        self._since_s = 0.0
        self._suspect: Disturbance | None = None
        self._suspect_s = 0.0
        self._clear_s: float | None = None
        self._blind = False
        self._sight = _Sight()

    def observe(self, frame: Frame) -> CameraReading:
        """Look, if it is time to; frames come in order of their monotonic time.

        Raises:
            CameraLostError: The frame cannot be decoded after all.
        """
        now = frame.stamp.monotonic_s
        pause = _LOOK_BLIND_S if self._blind else _LOOK_S
        if not self._after_s or (self._looked_s is not None and now - self._looked_s < pause - 1e-6):
            return CameraReading(blind=self._blind)
        small = _small(frame.gray(WHOLE_FRAME))
        gap_s = 0.0 if self._looked_s is None else now - self._looked_s
        self._looked_s = now
        seen = self._sight.look(small, now, gap_s)
        return self._judge(seen, now)

    def _judge(self, seen: "_Seen", now: float) -> CameraReading:
        """Believe what has lasted."""
        if seen.wrong is not self._suspect:
            self._suspect, self._suspect_s = seen.wrong, seen.since_s
        begun, lasted = None, None
        if seen.wrong is None:
            if self._clear_s is None:
                self._clear_s = now
            if self._said is not None and now - self._clear_s >= _CLEAR_S:
                lasted = self._clear_s - self._since_s
                self._said = None
        else:
            self._clear_s = None
            if seen.wrong is not self._said and now - self._suspect_s >= self._patience(seen):
                begun = seen.wrong
                self._begin(begun)
        self._blind = self._said is not None and seen.wrong not in {None, Disturbance.MOVED}
        return CameraReading(begun=begun, lasted_s=lasted, blind=self._blind)

    def _begin(self, wrong: Disturbance) -> None:
        if wrong is Disturbance.MOVED:
            self._sight.accept()
            self._suspect = None
            return
        if self._said is None:
            self._since_s = self._suspect_s
        self._said = wrong

    def _patience(self, seen: "_Seen") -> float:
        """Seconds for which it has to last."""
        if seen.wrong is not Disturbance.MOVED:
            return self._after_s
        return self._after_s * (_MOVED_TIMES if seen.at_rest else _RESTLESS_TIMES)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look says: what is wrong, since when, and whether a new view stands still."""

    wrong: Disturbance | None
    since_s: float
    at_rest: bool = True


class _Sight:
    """One look after another, and what is remembered of them."""

    def __init__(self) -> None:
        self._memory: FloatArray | None = None
        self._level = 0.0
        self._looks = 0
        self._before: ImageArray | None = None
        self._edges: FloatArray | None = None
        self._noise = 0.0
        self._fine_noise = 0.0
        self._stillness = _Stillness()
        self._other: FloatArray | None = None
        self._other_looks = 0

    def accept(self) -> None:
        """Remember the new view from now on."""
        self._memory, self._looks = self._other, max(1, self._other_looks)
        self._other, self._other_looks = None, 0

    def look(self, small: ImageArray, now: float, gap_s: float) -> _Seen:
        """Judge one small picture, (h, w) uint8."""
        if self._memory is not None and self._memory.shape[1:] != small.shape:
            # Another format is another view; nothing of it is known.
            self.__init__()  # type: ignore[misc]
        if int(np.count_nonzero(small > _DARK_LEVEL)) <= (1 - _DARK_SHARE) * small.size:
            self._before = self._edges = None
            return _Seen(Disturbance.DARK, now)
        still_since = self._stillness.look(self._before, small, now, gap_s)
        self._before = small
        if still_since is not None:
            return _Seen(Disturbance.FROZEN, still_since)
        edges = edges_of(small)
        self._follow_noise(edges)
        self._edges = edges
        seen = self._compare(edges, small, now)
        if seen.wrong is not Disturbance.MOVED:
            self._other, self._other_looks = None, 0
        return seen

    def _follow_noise(self, edges: FloatArray) -> None:
        """What of the edges differs from look to look: the noise, by the quieter half of the picture."""
        if self._edges is None:
            return
        apart = edges - self._edges
        self._noise += (float(np.median(tile_power(apart))) / 2 - self._noise) * 0.2
        self._fine_noise += (float(np.median(tile_power(fine(apart)))) / 2 - self._fine_noise) * 0.2

    def _compare(self, edges: FloatArray, small: ImageArray, now: float) -> _Seen:
        """Hold the picture against the remembered one."""
        if self._memory is None or self._looks < _LEARN_LOOKS:
            self._learn(edges, small)
            return _Seen(None, now)
        # By the median: a bright doorway turns the exposure down, and the room with it.
        light = min(1.0, (float(np.median(small)) + 4) / (self._level + 4))
        was = strength(self._memory, 0.0)
        voting = was >= LEAST_EDGES
        if np.count_nonzero(voting) < QUORUM:
            # A blank wall: nothing to hold on to. Go on learning.
            self._learn(edges, small)
            return _Seen(None, now)
        lit = tile_means(small) > _DARK_LEVEL
        sharp_was = strength(fine(self._memory), 0.0)
        sharp = strength(fine(edges), self._fine_noise)
        blank = voting & lit & (sharp < _BLANK * light * sharp_was)
        if np.count_nonzero(blank) >= _BLANK_SHARE * np.count_nonzero(voting):
            return _Seen(Disturbance.COVERED, now)
        if self._is_strange(self._memory, edges, light):
            return _Seen(Disturbance.MOVED, now, at_rest=self._rests(edges))
        self._learn(edges, small)
        return _Seen(None, now)

    def _is_strange(self, memory: FloatArray, edges: FloatArray, light: float) -> bool:
        """Whether what is to be seen is not what is remembered, or is, but elsewhere."""
        shown = float(np.median(np.sort(strength(edges, self._noise).ravel())[-2 * QUORUM :]))
        if shown < LEAST_EDGES * light:
            return False
        there = survival(memory, edges, self._noise, light)
        return there < _STRANGE or (there < _MISPLACED and is_shifted(memory, edges, self._noise))

    def _rests(self, edges: FloatArray) -> bool:
        """Whether the new view has been the same since it came; it is averaged meanwhile."""
        if self._other is None:
            self._other, self._other_looks = edges.copy(), 1
            return True
        same = survival(self._other, edges, self._noise)
        self._other_looks += 1
        self._other += (edges - self._other) / self._other_looks
        return same >= _AT_REST

    def _learn(self, edges: FloatArray, small: ImageArray) -> None:
        self._looks += 1
        weight = 1 / min(self._looks, _REMEMBER_LOOKS)
        if self._memory is None:
            self._memory, self._level = edges.copy(), float(np.median(small))
        else:
            self._memory += (edges - self._memory) * np.float32(weight)
            self._level += (float(np.median(small)) - self._level) * weight


class _Stillness:
    """How long the pictures have been the same to the last bit, and how long they usually are.

    Compression that leaves out noise repeats a quiet picture for a while, too, until its next key frame.
    """

    def __init__(self) -> None:
        self._alive = 0
        self._alive_s: float | None = None
        self._usual_s = 0.0
        self._same_since_s: float | None = None

    def look(self, before: ImageArray | None, small: ImageArray, now: float, gap_s: float) -> float | None:
        """Since when the source has been frozen, or None."""
        if before is None or before.shape != small.shape or self._alive_s is None:
            self._alive_s, self._same_since_s = now, None
            return None
        if np.array_equal(before, small):
            if self._same_since_s is None:
                self._same_since_s = now - gap_s
            proven = self._alive >= _ALIVE_LOOKS and now - self._alive_s > _STILL_TIMES * self._usual_s
            return self._same_since_s if proven else None
        stood_s = 0.0 if self._same_since_s is None else now - self._same_since_s
        self._same_since_s = None
        if is_noisy(before, small):
            frozen = self._alive >= _ALIVE_LOOKS and stood_s > _STILL_TIMES * self._usual_s
            if not frozen:
                self._usual_s = max(self._usual_s, now - gap_s - self._alive_s)
            self._alive += 1
            self._alive_s = now
        return None


def _small(gray: ImageArray) -> ImageArray:
    """A copy 160 pixels wide, averaged."""
    high, wide = gray.shape
    size = _WIDTH, max(8, round(_WIDTH * high / wide))
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
