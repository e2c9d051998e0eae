"""What is known of the shut door, and under which light a frame looks most like it.

Keeps two pictures: one that follows the shut door from frame to frame, and one of when it had
looked shut for long, to come back to when the first was led astray by whoever stood before
the door. The outline is found in the second. It does not say what the door is: `followed` does.
"""

import math
from collections.abc import Iterable
from itertools import islice

import numpy as np

from appliance.door.evidence import Signs, read_signs
from appliance.door.lines import compare_lines
from appliance.door.outline import Outline, find_outline
from appliance.door.reference import Comparison, ReferencePicture
from appliance.settings import DoorSettings
from appliance.values import FloatArray

_EXPLAINED_DOOR, _EXPLAINED_SIDES, _EXPLAINED_GAP = 0.97, 0.85, 0.015
"""Shares of door and surroundings that must be alike, and share of the door's width that may not be from top
to bottom, for a light to explain a frame."""
_SAME_SIDES = 0.9
"""Share of the surroundings that is as it was where the light is as it was."""
_MOST_JUMP = 1.4
"""Factor by which the light may have changed unseen where nothing but door is in sight: an evenly lit room
behind it looks like the door in another light."""
_LIGHTS = 4
"""Fits tried where the light has changed; one where it has not, two after a nudge."""
_WORSE = 0.02
"""A nudge that explains less of the surroundings than none is no nudge."""
_NUDGED_DOOR = 0.92
"""Share of the door that must be alike for a nudge that leaves something to explain to be one;"""
_LINES_FOUND, _LINES_LOST = 0.9, 0.6
"""and shares of the shut door's lines, in the band with the fewest, that are there with it and without it."""
_SETTLED_S = 8.0
"""What has looked shut for so long without a doubt is the picture to come back to."""
EDGE_REACH = 0.2
"""How far from its edges a leaf that is about to shut moves, share of the door's width."""
_LEAST_MOVE = 1.2
"""Change of a column's mean, gray levels, that is a movement."""
_LEAST_STRUCTURE, _RESEMBLES = 4.0, 0.5
"""Standard deviation of a picture, gray levels, and correlation with another that shows the same."""
_LEAST_REACH_PX = 3
_SHAKE_SPAN = 9.0
"""Median differences of pixels per error of a column's mean: six standard deviations, for the noise of
neighbouring pixels is not independent after shrinking."""
_YOUNG_OUTLINE_S = 0.3
"""How often the outline is looked for in a picture that is still being averaged, seconds."""

Found = tuple[Comparison, Signs]


class Likeness:
    """Likeness to the shut door.

    Args:
        picture: Small picture of it.
        noise: Standard deviation of the noise, gray levels, as far as it is known.
        settings: Tolerance and shut fraction.
        seed: (x, y) in fractions of the region.
        now: Seconds.
    """

    def __init__(
        self, picture: FloatArray, noise: float, settings: DoorSettings, seed: tuple[float, float], now: float
    ) -> None:
        self._settings = settings
        self._seed = seed
        self.reference = ReferencePicture(picture, settings.tolerance, noise)
        self._kept = self.reference
        self._shut_since_s: float | None = None
        self._outlined_s = now
        self.outline = self._find_outline()

    def quick(self, small: FloatArray) -> Found | None:
        """The cheap questions of every idle frame: is everything as it was, but perhaps for one factor?"""
        for ask in (self.reference.same_light, self.reference.one_factor):
            found = self._explained((ask(small),), [], free=True)
            if found is not None:
                return found
        return None

    def best(self, small: FloatArray, *, free: bool) -> Found:
        """The light that explains the frame best, and what it leaves unexplained.

        Args:
            small: The frame.
            free: Any light will do; otherwise, where the surroundings are not seen, a great jump will not.
        """
        tried: list[Found] = []
        rows, reference = self.outline.certain, self.reference
        found = self._explained((reference.same_light(small), reference.one_factor(small)), tried, free=free)
        # While the surroundings are as they were, so is the light, and the first fit is enough.
        same = rows and max(signs.sides for _, signs in tried) >= _SAME_SIDES
        if found is None:
            found = self._explained(
                islice(reference.fits(small, rows=rows), 1 if same else _LIGHTS), tried, free=free
            )
        if found is None:
            found = self._nudged(small, tried, free=free)
        if found is None and not same and self._kept is not reference:
            kept = self._kept
            found = self._explained((kept.one_factor(small), *kept.fits(small, rows=rows)), tried, free=free)
            if found is not None:
                self.reference = kept.copy()
        if found is not None:
            return found
        self._explained((reference.lit_like(small, self.outline.sides),), tried, free=free)
        return max(tried, key=lambda each: (round(each[1].sides_mean, 1), each[1].door))

    def follow(self, small: FloatArray, comparison: Comparison, elapsed_s: float, pace_s: float) -> None:
        """Take over light, and slowly looks, of a frame in which the door is shut."""
        self.reference.follow(small, comparison, elapsed_s, pace_s)

    def settle(self, now: float, *, sure: bool) -> None:
        """Note that the door looks shut, surely or not; what has for long is kept."""
        if self._kept is self.reference:
            if now - self._outlined_s >= _YOUNG_OUTLINE_S or not self.reference.young:
                self._outline_again(now)
            if not self.reference.young:
                self._kept = self.reference.copy()
        elif not sure:
            self._shut_since_s = None
        elif self._shut_since_s is None:
            self._shut_since_s = now
        elif now - self._shut_since_s >= _SETTLED_S:
            self._kept, self._shut_since_s = self.reference.copy(), now
            self._outline_again(now)

    def unsettle(self) -> None:
        """Note that it does not look shut."""
        self._shut_since_s = None

    def moves(self, before: FloatArray, small: FloatArray, *, reach: float = EDGE_REACH) -> bool:
        """Whether something upright, such as the edge of a leaf, moves near an edge of the door.

        Means over whole columns are compared, in which a tenth of a pixel's movement shows and noise does
        not; what changes all columns alike is light.

        Args:
            before: Small picture of the frame before.
            small: Of this frame.
            reach: How far from its edges to look, share of the door's width; from a half on all of it.
        """
        outline = self.outline
        first, last = outline.left, outline.right
        light = float(small[:, first:last].mean()) / max(1.0, float(before[:, first:last].mean()))
        change = (small - before * np.float32(light))[outline.top :]
        columns = change.mean(axis=0)
        columns -= np.median(columns[first:last])
        near = np.zeros(columns.size, np.bool_)
        most = max(_LEAST_REACH_PX, round(reach * (last - first)))
        near[max(0, first - 1) : first + most] = near[max(0, last - most) : last + 1] = True
        shaking = float(np.median(np.abs(change[:, first:last]))) * _SHAKE_SPAN / math.sqrt(len(change))
        return bool(np.abs(columns[near]).max(initial=0.0) > max(_LEAST_MOVE, shaking))

    def resembles(self, small: FloatArray) -> bool:
        """Whether light and dark lie where they did: a lamp leaves the frame in sight, a hand does not."""
        known = self.reference.picture
        if float(known.std()) < _LEAST_STRUCTURE:
            return True
        if float(small.std()) < _LEAST_STRUCTURE:
            return False
        return float(np.corrcoef(known.ravel(), small.ravel())[0, 1]) >= _RESEMBLES

    def changes(self, small: FloatArray) -> tuple[float, float]:
        """By which factors door and surroundings are brighter than when the door was last seen shut."""
        ratio = small / np.maximum(self.reference.picture, 1.0)
        outline = self.outline
        door = float(np.median(ratio[outline.top :, outline.left : outline.right]))
        return door, float(np.median(ratio[:, outline.sides]))

    def _nudged(self, small: FloatArray, tried: list[Found], *, free: bool) -> Found | None:
        """Whether the camera has moved a little; if so, all that is known moves along."""
        moved = self.reference.shifted(small)
        if moved is None:
            return None
        beside = max(signs.sides for _, signs in tried)
        fits = islice(moved.fits(small, rows=self.outline.certain), 2)
        before = len(tried)
        found = self._explained((moved.same_light(small), *fits), tried, free=free)
        if found is None:
            nearest = max(tried[before:], key=lambda each: each[1].door)
            found = nearest if nearest[1].door >= _NUDGED_DOOR and self._lines_moved(moved, small) else None
        if found is not None and found[1].sides < beside - _WORSE:
            # The leaf moves, not the camera: the wall is where it was.
            return None
        if found is not None:
            self.reference, self._kept = moved, moved.copy()
            self.outline = self._find_outline()
        return found

    def _lines_moved(self, moved: ReferencePicture, small: FloatArray) -> bool:
        """Whether all lines are where a nudge puts them, and not where they were; light moves none."""
        if compare_lines(self.reference.picture, small).kept > _LINES_LOST:
            return False
        return compare_lines(moved.picture, small).all_kept(_LINES_FOUND)

    def _explained(
        self, comparisons: Iterable[Comparison], tried: list[Found], *, free: bool
    ) -> Found | None:
        """The first comparison that leaves nothing to explain; all that were looked at go to `tried`."""
        for comparison in comparisons:
            signs = read_signs(comparison, self.outline)
            tried.append((comparison, signs))
            whole = (
                signs.opened < _EXPLAINED_GAP
                and signs.door >= _EXPLAINED_DOOR
                and signs.sides >= _EXPLAINED_SIDES
            )
            if whole and (free or self.outline.certain or self._is_small_jump(comparison)):
                return comparison, signs
        return None

    def _is_small_jump(self, comparison: Comparison) -> bool:
        jump = float(comparison.expected.mean()) / max(1.0, float(self.reference.picture.mean()))
        return 1 / _MOST_JUMP < jump < _MOST_JUMP

    def _outline_again(self, now: float) -> None:
        self.outline = self._find_outline()
        self._outlined_s = now

    def _find_outline(self) -> Outline:
        return find_outline(
            self._kept.picture, self._seed, self._settings.tolerance, self._settings.shut_fraction
        )
