"""The default rule: a flood fill over likeness to the shut door, whose look is followed.

Learns the shut door where a plain fill agrees with the settings, then judges each frame by
what no light explains, how that came about (over the wall, as people come, or from an edge
of the leaf, as openings do), and what was believed before.
"""

from dataclasses import dataclass

import numpy as np

from appliance.door.evidence import COVERED, NEARLY_SHUT, PERHAPS_OPEN, Look, Signs, judge
from appliance.door.fill import fill_fraction, fill_mask
from appliance.door.likeness import Likeness
from appliance.door.reference import Comparison, shrink
from appliance.settings import DoorSettings
from appliance.values import DoorState, FloatArray, ImageArray

_DRIFT_S = 20.0
"""Time constant with which the shut door's look is followed, seconds: slower than a person, faster than
dusk."""
_CRACK_S = 2.0
"""The same for a crack beside the shut leaf that has come to look otherwise."""
_LEAK_S = 0.4
"""A first picture that fills more than it should (door and wall are alike) is taken for the shut door's after
this, seconds."""
_NEARLY, _DOUBT_S = 0.12, 6.0
"""A first picture whose fill is off by more than the first is not called shut for so many seconds: a door
that stands open at the start is likely to be shut by then."""
_UNSEEN_START_S = 10.0
"""A first picture that fills less than it should, but not so little as an open door, after this."""
_SURELY = 0.08
"""A first picture whose fill is off by more than this share may have been an open door."""
_IDLE_S = 0.5
"""A gap that has become neither wider nor narrower for so long is no moving door,"""
_GROWTH = 0.02
"""by more than this share of the door's width."""
_SIDE_KEPT = 0.8
"""Share of a side that is as it was while the door opens."""
_LOW_DOWN, _HIGH_UP = 0.25, 0.3
"""Who comes from below covers more than the first of the door's lower quarter, and of its upper one less than
the second of that; an opening spans both."""
_SWING = 4.0
"""Share of the door's width that a leaf uncovers in a second, at most."""
_RELIT = 0.05
"""Relative change of the light, from one frame to the next, that lamps make."""
_LAMP = 0.08
"""Relative change of both door and surroundings, in one frame, that is a lamp."""
_RELEARN_S = 3.0
"""A lamp that changed door and wall differently: what stands still in its light for so long is the shut
door."""
_STILL = 4.0
"""Mean gray levels between frames up to which a scene stands still."""
_LIT_SIDES = 0.9
"""Share of the surroundings that must be seen for the light to be taken from them."""
_PAIR_NOISE = 1.05
"""Standard deviation of one picture's noise per median difference of two: 1.48 / sqrt 2."""


@dataclass(slots=True)
class _Episode:
    """What happened since the door last looked shut.

    Attributes:
        began_s: When it began.
        lamp: It began with door and surroundings getting brighter, or darker, at once. An opening leaves the
            surroundings alone, and a camera that turns itself up or down for it does the opposite to them.
        sudden: It began with more of the door differing than a leaf uncovers in that time, as shadows do.
        from_outside: Something came over the surroundings.
        from_below: Something came from below.
        relit: The light is not what it was in the frame before.
        width: Share of the door's width that differs from top to bottom.
        changed_s: When that was another.
        still_since_s: Since when nothing has moved.
    """

    began_s: float
    lamp: bool
    sudden: bool
    from_outside: bool = False
    from_below: bool = False
    relit: bool = False
    width: float = 0.0
    changed_s: float = 0.0
    still_since_s: float | None = None


class FollowedRule:
    """A fill over what looks like the shut door.

    Args:
        settings: Tolerance and fractions.
        seed: (x, y) in fractions of the region.
    """

    def __init__(self, settings: DoorSettings, seed: tuple[float, float]) -> None:
        self._settings = settings
        self._seed = seed
        self._known: Likeness | None = None
        self._episode: _Episode | None = None
        self._before: FloatArray | None = None
        self._seen_s = 0.0
        self._first_since_s: float | None = None
        self._learned_off = 0.0
        self._doubted_until_s = 0.0

    def look(self, gray: ImageArray, now: float, believed: DoorState) -> tuple[Look, float]:
        """What this frame says, and the share of the region that the fill covers."""
        small = shrink(gray)
        if self._known is not None and self._known.reference.picture.shape != small.shape:
            # Another resolution: the camera was changed.
            self._known = self._before = None
        if self._known is None:
            look, fraction = self._first(gray, small, now)
        else:
            look, fraction = self._compared(self._known, small, now, believed)
            if look.state is not DoorState.SHUT and self._learn_better(gray, small, now):
                look = NEARLY_SHUT
        self._before, self._seen_s = small, now
        if look.state is DoorState.SHUT and now < self._doubted_until_s:
            look = COVERED
        return look, fraction

    # ------------------------------------------------------------ without history

    def _first(self, gray: ImageArray, small: FloatArray, now: float) -> tuple[Look, float]:
        """Nothing is known of the shut door yet: a plain fill decides."""
        fraction = fill_fraction(gray, self._seed, self._settings.tolerance)
        share = self._share(fraction)
        # The first frame shows neither what moves nor how much noise there is.
        moving = not self._is_still(small)
        if share < self._settings.open_below or moving:
            self._first_since_s = None
            return PERHAPS_OPEN if share < self._settings.open_below else COVERED, fraction
        if self._first_since_s is None:
            self._first_since_s = now
        off, lasted = abs(share - 1), now - self._first_since_s
        if off < 1 - self._settings.shut_above or lasted >= (_LEAK_S if share > 1 else _UNSEEN_START_S):
            self._learn(small, now)
            self._learned_off, self._doubted_until_s = off, now + (_DOUBT_S if off > _NEARLY else 0.0)
            return NEARLY_SHUT, fraction
        return COVERED, fraction

    def _learn_better(self, gray: ImageArray, small: FloatArray, now: float) -> bool:
        """Take this frame for the shut door if the first one taken fitted the settings worse."""
        if self._learned_off < _SURELY or not self._is_still(small):
            return False
        off = abs(self._share(fill_fraction(gray, self._seed, self._settings.tolerance)) - 1)
        if off >= self._learned_off / 2:
            return False
        self._learn(small, now)
        self._learned_off, self._doubted_until_s = off, 0.0
        return True

    def _share(self, fraction: float) -> float:
        """A fill's share of the shut door's."""
        return fraction / max(self._settings.shut_fraction, 1e-3)

    def _learn(self, small: FloatArray, now: float) -> None:
        """Take this frame for the shut door."""
        noise = 0.0 if self._before is None else float(np.median(np.abs(small - self._before)))
        self._known = Likeness(small, noise * _PAIR_NOISE, self._settings, self._seed, now)
        self._episode = None

    # ------------------------------------------------------------ with a reference

    def _compared(
        self, known: Likeness, small: FloatArray, now: float, believed: DoorState
    ) -> tuple[Look, float]:
        """What this frame says beside what is known of the shut door."""
        found = known.quick(small) if self._episode is None else None
        comparison, signs = found or known.best(small, free=self._episode is None)
        if found is not None and not signs.opened:
            look = self._judged(signs, known, None, now)
        else:
            episode = self._noted(known, comparison, signs, small, now=now, believed=believed)
            look = self._judged(signs, known, episode, now)
            look = self._in_context(look, signs, episode, believed)
            if look is COVERED and episode.lamp and self._has_stood(episode, now):
                self._learn(small, now)
        if look.state is DoorState.SHUT:
            if look.strong or not signs.opened:
                self._episode = None
            known.follow(small, comparison, now - self._seen_s, _CRACK_S if signs.opened else _DRIFT_S)
            known.settle(now, sure=look.strong)
        else:
            known.unsettle()
            if signs.sides >= _LIT_SIDES and believed is DoorState.OPEN:
                known.reference.light(small, known.outline.sides)
        filled = fill_mask(comparison.alike & known.outline.door, self._seed)
        return look, float(np.count_nonzero(filled)) / filled.size

    def _judged(self, signs: Signs, known: Likeness, episode: _Episode | None, now: float) -> Look:
        return judge(
            signs,
            known.outline,
            from_outside=episode is not None and episode.from_outside,
            from_below=episode is not None and episode.from_below,
            idle=episode is not None and (episode.relit or now - episode.changed_s >= _IDLE_S),
            open_below=self._settings.open_below,
        )

    def _in_context(self, look: Look, signs: Signs, episode: _Episode, believed: DoorState) -> Look:
        """What a frame says, given what was believed and how it came about."""
        if look.state is DoorState.SHUT:
            return look
        if believed is DoorState.OPEN:
            # Whoever stands in an open door, or the leaf that has swung before the wall, does not shut it.
            return PERHAPS_OPEN if look.state is DoorState.UNSURE and signs.opened else look
        if episode.lamp:
            return COVERED
        return PERHAPS_OPEN if look.state is DoorState.OPEN and episode.sudden else look

    def _has_stood(self, episode: _Episode, now: float) -> bool:
        return episode.still_since_s is not None and now - episode.still_since_s >= _RELEARN_S

    def _noted(
        self,
        known: Likeness,
        comparison: Comparison,
        signs: Signs,
        small: FloatArray,
        *,
        now: float,
        believed: DoorState,
    ) -> _Episode:
        """Remember how the door came to look otherwise than shut."""
        if self._episode is None:
            door, beside = known.changes(small)
            lamp = min(beside, door) > 1 + _LAMP or max(beside, door) < 1 - _LAMP
            sudden = signs.opened > _SWING * (now - self._seen_s)
            self._episode = _Episode(now, lamp, sudden, changed_s=now)
        episode = self._episode
        if abs(signs.opened - episode.width) > _GROWTH:
            # A lamp does all it does at once; a leaf moves on.
            episode.lamp &= now == episode.began_s
            episode.width, episode.changed_s = signs.opened, now
        light = float(comparison.expected.mean()) / max(1.0, float(known.reference.picture.mean()))
        episode.relit = abs(light - 1) > _RELIT
        over_side = signs.sides < _SIDE_KEPT and not signs.clean
        from_below = signs.low > _LOW_DOWN and signs.high < _HIGH_UP * signs.low
        if believed is DoorState.OPEN:
            episode.from_outside = episode.from_below = False
        else:
            episode.from_outside |= over_side
            episode.from_below |= from_below
        if not self._is_still(small):
            episode.still_since_s = None
        elif episode.still_since_s is None:
            episode.still_since_s = now
        return episode

    def _is_still(self, small: FloatArray) -> bool:
        """Whether nothing moves between the last frame and this one; a light that flickers does not move."""
        if self._before is None or self._before.shape != small.shape:
            return False
        light = float(small.mean()) / max(1.0, float(self._before.mean()))
        return float(np.abs(small - self._before * np.float32(light)).mean()) < _STILL
