"""When something is held still before a camera: it is looked up once, not in each frame.

What is compared are unit vectors: features, or `gray_signature` of a small gray frame where features of every
frame cost too much. Times are arguments. Does not know what is looked up, nor what came of it.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from appliance.values import FloatArray, ImageArray

_SIDE: Final = 16


@dataclass(frozen=True, slots=True)
class StillRules:
    """When something counts as held still, and when as taken away.

    Attributes:
        same: Similarity (cosine) to the first frame of a rest from which on a frame belongs to it, -1 to 1.
        away: Similarity to what was looked up below which it is gone, at most `same`.
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
            ValueError: A similarity or a time is out of range.
        """
        if not -1 <= self.away <= self.same <= 1:
            raise ValueError("-1 <= away <= same <= 1 has to hold")
        if min(self.still_s, self.away_s) < 0 or self.gap_s <= 0:
            raise ValueError("times are not below 0, and a gap is above")


class HeldStill:
    """Of the frames of one camera, those to look up. Not for two threads at once.

    Args:
        rules: See `StillRules`.
    """

    def __init__(self, rules: StillRules | None = None) -> None:
        self._rules = rules or StillRules()
        self._rest: tuple[FloatArray, float] | None = None
        self._looked_up: FloatArray | None = None
        self._gone_since_s: float | None = None
        self._last_s: float | None = None

    def look(self, features: FloatArray, at_s: float) -> bool:
        """Look at a frame.

        Args:
            features: float32, (n,), of length 1.
            at_s: When it was taken, monotonic seconds; one before the last begins anew.

        Returns:
            Whether to look it up: what it shows has rested for `still_s`, and is not what was looked up last,
            or that was gone for `away_s` in between.
        """
        rules = self._rules
        if self._last_s is None or not 0 <= at_s - self._last_s <= rules.gap_s:
            self._rest = self._gone_since_s = None
        self._last_s = at_s
        if self._looked_up is not None and float(features @ self._looked_up) < rules.away:
            self._gone_since_s = at_s if self._gone_since_s is None else self._gone_since_s
            if at_s - self._gone_since_s >= rules.away_s:
                self._looked_up = self._gone_since_s = None
        else:
            self._gone_since_s = None
        if self._rest is None or float(features @ self._rest[0]) < rules.same:
            self._rest = (features.copy(), at_s)
        if self._looked_up is not None or at_s - self._rest[1] < rules.still_s:
            return False
        self._looked_up = features.copy()
        return True

    def forget(self) -> None:
        """Begin anew: what is there now may be looked up again."""
        self._rest = self._looked_up = self._gone_since_s = self._last_s = None


def gray_signature(gray: ImageArray) -> FloatArray:
    """A small description of a gray frame that does not depend on how bright it is.

    Args:
        gray: uint8, (h, w), at least one pixel.

    Returns:
        float32, (256,), of length 1; the same for every frame of one gray.
    """
    small = cv2.resize(gray, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    small -= small.mean()
    length = float(np.linalg.norm(small))
    # A lens cap has noise and nothing else, which must not be made large.
    if length < _SIDE:
        return np.full(_SIDE * _SIDE, 1 / _SIDE, np.float32)
    return np.asarray(small / np.float32(length), np.float32)
