"""One look at a camera's picture after another: what is wrong with it, by what the looks before remember.

Pure: no clock, no thread, no file. It does not say what is believed, nor since when (`condition` does): each
look is what it is.

What is remembered is the direction of edges, averaged over minutes: a lamp changes their strength and not
where they are, and people and doors do not stay.
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
from appliance.values import Disturbance, FloatArray, ImageArray

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
_AT_REST_SHARE = 0.8
"""A new view rests if so much of its edges is where it was a look ago, in so many looks: people pass."""

_LEARN_LOOKS = 10
_REMEMBER_LOOKS = 120
"""Looks before anything is called covered or moved, and over how many the memory averages: two minutes."""

_ALIVE_LOOKS = 20
_STILL_TIMES = 4.0
"""Frozen: after so many looks at a picture full of noise, still for so many times as long as it ever was."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look says.

    Attributes:
        wrong: What is wrong with the picture, if anything.
        since_s: Since when it has been: this look's time, or an earlier one for a frozen picture.
        at_rest: For `moved`: whether the new view has stood still, but for moments.
    """

    wrong: Disturbance | None
    since_s: float
    at_rest: bool = False


class _View:
    """What is remembered of a view: its edges and how bright it is, averaged over looks at it."""

    def __init__(self, edges: FloatArray, level: float) -> None:
        self.edges = edges.copy()
        self.level = level
        self.looks = 1

    def learn(self, edges: FloatArray, level: float) -> None:
        """Another look at it."""
        self.looks += 1
        weight = 1 / min(self.looks, _REMEMBER_LOOKS)
        self.edges += (edges - self.edges) * np.float32(weight)
        self.level += (level - self.level) * weight


class _NewView:
    """What is seen instead of what is remembered, and whether it stands still."""

    def __init__(self, edges: FloatArray, level: float) -> None:
        self.view = _View(edges, level)
        self._last = edges
        self._alike = 0

    def look(self, edges: FloatArray, level: float, noise: float) -> None:
        """Another look at it."""
        self._alike += survival(self._last, edges, noise) >= _AT_REST
        self._last = edges
        self.view.learn(edges, level)

    @property
    def at_rest(self) -> bool:
        """Whether nearly every look has been like the one before; of a single look nothing is known."""
        compared = self.view.looks - 1
        return compared > 0 and self._alike >= _AT_REST_SHARE * compared


class Sight:
    """One look after another, at pictures of one size, and what is remembered of them.

    Args:
        carried: What was wrong when an earlier watch ended: it still is until a look shows otherwise.
    """

    def __init__(self, carried: Disturbance | None = None) -> None:
        self._memory: _View | None = None
        self._other: _NewView | None = None
        self._before: ImageArray | None = None
        self._edges: FloatArray | None = None
        self._noise = 0.0
        self._fine_noise = 0.0
        self._compared = 0
        self._stillness = _Stillness()
        self._carried = carried

    def accept(self) -> None:
        """The new view is the remembered one from now on."""
        if self._other is not None:
            self._memory, self._other = self._other.view, None

    def look(self, small: ImageArray, now: float, gap_s: float) -> Seen:
        """Judge one small picture.

        Args:
            small: Gray, (h, w) uint8, from `small_copy`, of the same size every time.
            now: Its monotonic time, seconds.
            gap_s: Seconds since the last look.
        """
        if int(np.count_nonzero(small > _DARK_LEVEL)) <= (1 - _DARK_SHARE) * small.size:
            self._before = self._edges = None
            return Seen(Disturbance.DARK, now)
        still_since = self._stillness.look(self._before, small, now, gap_s)
        changed = self._before is not None and not np.array_equal(self._before, small)
        self._before = small
        if still_since is not None:
            return Seen(Disturbance.FROZEN, still_since)
        edges = edges_of(small)
        self._follow_noise(edges)
        self._edges = edges
        if (carried := self._still_carried(edges, changed=changed)) is not None:
            return Seen(carried, now)
        seen = self._compare(edges, small, now)
        if seen.wrong is not Disturbance.MOVED:
            self._other = None
        return seen

    def _still_carried(self, edges: FloatArray, *, changed: bool) -> Disturbance | None:
        """What was wrong before this watch began, unless this look, which is not dark, shows its end."""
        if self._carried is Disturbance.COVERED:
            # How much of what is seen is noise has to be known first.
            self._compared += 1
            structured = np.count_nonzero(strength(edges, self._noise) >= LEAST_EDGES) >= QUORUM
            if self._compared < _LEARN_LOOKS or not structured:
                return self._carried
        if self._carried is Disturbance.FROZEN and not changed:
            return self._carried
        self._carried = None
        return None

    def _follow_noise(self, edges: FloatArray) -> None:
        """What of the edges differs from look to look: the noise, by the quieter half of the picture."""
        if self._edges is None:
            return
        apart = edges - self._edges
        self._noise += (float(np.median(tile_power(apart))) / 2 - self._noise) * 0.2
        self._fine_noise += (float(np.median(tile_power(fine(apart)))) / 2 - self._fine_noise) * 0.2

    def _compare(self, edges: FloatArray, small: ImageArray, now: float) -> Seen:
        """Hold the picture against the remembered one."""
        # By the median: a bright doorway turns the exposure down, and the room with it.
        level = float(np.median(small))
        memory = self._memory
        if memory is None:
            self._memory = _View(edges, level)
            return Seen(None, now)
        voting = strength(memory.edges, 0.0) >= LEAST_EDGES
        if memory.looks < _LEARN_LOOKS or np.count_nonzero(voting) < QUORUM:
            # Too new, or a blank wall: nothing to hold on to. Go on learning.
            memory.learn(edges, level)
            return Seen(None, now)
        light = min(1.0, (level + 4) / (memory.level + 4))
        lit = tile_means(small) > _DARK_LEVEL
        sharp_was = strength(fine(memory.edges), 0.0)
        sharp = strength(fine(edges), self._fine_noise)
        blank = voting & lit & (sharp < _BLANK * light * sharp_was)
        if np.count_nonzero(blank) >= _BLANK_SHARE * np.count_nonzero(voting):
            return Seen(Disturbance.COVERED, now)
        if self._is_strange(memory.edges, edges, light):
            if self._other is None:
                self._other = _NewView(edges, level)
            else:
                self._other.look(edges, level, self._noise)
            return Seen(Disturbance.MOVED, now, at_rest=self._other.at_rest)
        memory.learn(edges, level)
        return Seen(None, now)

    def _is_strange(self, memory: FloatArray, edges: FloatArray, light: float) -> bool:
        """Whether what is to be seen is not what is remembered, or is, but elsewhere."""
        shown = float(np.median(np.sort(strength(edges, self._noise).ravel())[-2 * QUORUM :]))
        if shown < LEAST_EDGES * light:
            return False
        there = survival(memory, edges, self._noise, light)
        return there < _STRANGE or (there < _MISPLACED and is_shifted(memory, edges, self._noise))


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


def small_copy(gray: ImageArray) -> ImageArray:
    """A copy 160 pixels wide, averaged, (h, w) uint8."""
    high, wide = gray.shape
    size = _WIDTH, max(8, round(_WIDTH * high / wide))
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
