"""When something is held still before a camera: it is looked up once, not in each frame.

What is compared are features, or sketches of the view where features of every frame cost too much. Times are
arguments. Does not know what is looked up, nor what came of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from appliance.search import sketch
from appliance.values import FloatArray

Likeness = Callable[[FloatArray, FloatArray], float]


@dataclass(frozen=True, slots=True)
class StillRules:
    """When something counts as held still, and when as taken away.

    Attributes:
        same: Likeness to the first frame of a rest from which on a frame belongs to it, -1 to 1.
        away: Likeness to what was looked up below which it is gone, at most `same`.
        still_s: How long a rest has to last.
        away_s: How long it has to be gone: a hand before the lens for a frame is not enough.
        gap_s: Frames farther apart than this say nothing of the time between.
    """

    same: float = 0.85
    away: float = 0.7
    still_s: float = 0.5
    away_s: float = 0.3
    gap_s: float = 2.0

    def __post_init__(self) -> None:
        """Check them.

        Raises:
            ValueError: A likeness or a time is out of range.
        """
        if not -1 <= self.away <= self.same <= 1:
            raise ValueError("-1 <= away <= same <= 1 has to hold")
        if min(self.still_s, self.away_s) < 0 or self.gap_s <= 0:
            raise ValueError("times are not below 0, and a gap is above")


class HeldStill:
    """Of the frames of one camera, those to look up. Not for two threads at once.

    Args:
        rules: See `StillRules`; by default those for features.
        likeness: How alike two frames are; by default the cosine of their features.
    """

    def __init__(
        self,
        rules: StillRules | None = None,
        likeness: Callable[[FloatArray, FloatArray], float] | None = None,
    ) -> None:
        self._rules = rules or StillRules()
        self._likeness = likeness or _cosine
        self._rest: tuple[FloatArray, float] | None = None
        self._looked_up: FloatArray | None = None
        self._gone_since_s: float | None = None
        self._last_s: float | None = None

    @classmethod
    def of_sketches(cls, still_s: float, away_s: float = 0.25) -> Self:
        """For sketches of the view; see `StillRules` for the times."""
        rules = StillRules(same=sketch.SAME, away=sketch.SAME, still_s=still_s, away_s=away_s)
        return cls(rules, sketch.likeness)

    def look(self, frame: FloatArray, at_s: float) -> bool:
        """Look at a frame.

        Args:
            frame: float32: its features, (n,) and of length 1, or its sketch.
            at_s: When it was taken, monotonic seconds; one before the last begins anew.

        Returns:
            Whether to look it up: what it shows has rested for `still_s`, and is not what was looked up last,
            or that was gone for `away_s` in between.
        """
        rules = self._rules
        if self._last_s is None or not 0 <= at_s - self._last_s <= rules.gap_s:
            self._rest = self._gone_since_s = None
        self._last_s = at_s
        if self._looked_up is not None and self._likeness(frame, self._looked_up) < rules.away:
            self._gone_since_s = at_s if self._gone_since_s is None else self._gone_since_s
            if at_s - self._gone_since_s >= rules.away_s:
                self._looked_up = self._gone_since_s = None
        else:
            self._gone_since_s = None
        if self._rest is None or self._likeness(frame, self._rest[0]) < rules.same:
            self._rest = (frame.copy(), at_s)
        if self._looked_up is not None or at_s - self._rest[1] < rules.still_s:
            return False
        self._looked_up = frame.copy()
        return True

    def forget(self) -> None:
        """Begin anew: what is there now may be looked up again."""
        self._rest = self._looked_up = self._gone_since_s = self._last_s = None


def _cosine(one: FloatArray, other: FloatArray) -> float:
    return float(one @ other)
