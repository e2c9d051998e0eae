"""The default rule: a flood fill over likeness to the shut door, whose look is followed.

Learns the shut door where a plain fill agrees with the settings, then judges each frame by
what no light explains, how that came about (over the wall, as people come, or from an edge
of the leaf, as openings do), and what was believed before.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from appliance.door.evidence import COVERED, NEARLY_SHUT, PERHAPS_OPEN, STOOD_SHUT, Look, Signs, judge
from appliance.door.fill import fill_fraction, fill_mask
from appliance.door.likeness import EDGE_REACH, Likeness
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
_SURELY, _BADLY = 0.03, 0.06
"""Share by which a fill may be off and is surely the shut door's; and from which on a first picture may have
been an open door."""
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
_ELSEWHERE_S, _DOOR_KEPT, _CRACK_KEPT = 3.0, 0.92, 0.05
"""Where the door is as it was, but for a crack, and its surroundings are not (a nudged camera, a new poster),
what stands still for so long is taken for how it is now."""
_SIDE_HIDDEN = 0.5
"""Share of a side that somebody leaves to be seen, at most; a shadow leaves more."""
_STOOD_S = 0.5
"""A first picture whose fill is not quite as it should be has to stand for so long; a leaf swings on."""
_GAP_S = 2.0
"""A pause between frames from which nothing that was noted before counts as watched through."""
_BETTER_S = 1.0
"""What fits the settings better than the first picture has to stand still for so long."""
_MOST_HELD_S = 1.2
"""A leaf that looks shut but moves is held for open no longer than this: something else may be moving."""
_REMEMBERED_S = 1.5
"""Whoever came over the surroundings is thought to be there for so long after they were last seen there."""
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
        self._better_since_s: float | None = None
        self._held_since_s: float | None = None
        self._from_outside_s = -math.inf

    def look(self, gray: ImageArray, now: float, believed: DoorState) -> tuple[Look, float]:
        """What this frame says, and the share of the region that the fill covers."""
        small = shrink(gray)
        if self._before is not None and self._before.shape != small.shape:
            self._forget()  # Another resolution: the camera was changed.
        elif now - self._seen_s > _GAP_S:
            # What happened meanwhile was not seen: nothing has stood, grown or been still through it.
            self._before, self._episode, self._first_since_s, self._better_since_s = None, None, None, None
        if self._known is None:
            look, fraction = self._first(gray, small, now)
        else:
            look, fraction = self._compared(self._known, small, now, believed)
            if look.state is not DoorState.SHUT and self._learn_better(gray, small, now):
                look = STOOD_SHUT
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
        near = off < 1 - self._settings.shut_above and (off < _SURELY or lasted >= _STOOD_S)
        if near or lasted >= (_LEAK_S if share > 1 else _UNSEEN_START_S):
            self._learn(small, now)
            self._learned_off, self._doubted_until_s = off, now + (_DOUBT_S if off > _NEARLY else 0.0)
            return NEARLY_SHUT, fraction
        return COVERED, fraction

    def _forget(self) -> None:
        """Begin anew."""
        self._known = self._before = self._episode = None
        self._first_since_s = self._better_since_s = None
        self._learned_off = self._doubted_until_s = 0.0

    def _learn_better(self, gray: ImageArray, small: FloatArray, now: float) -> bool:
        """Take what stands still for the shut door if the first picture taken fitted the settings worse."""
        if self._learned_off < _BADLY:
            return False
        off = abs(self._share(fill_fraction(gray, self._seed, self._settings.tolerance)) - 1)
        if self._moves(small, reach=0.5) or off >= min(_SURELY, self._learned_off / 2):
            self._better_since_s = None
            return False
        if self._better_since_s is None:
            self._better_since_s = now
        if now - self._better_since_s < _BETTER_S:
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
            if look is COVERED and self._is_shut_anew(signs, episode, small, now, believed):
                self._learn(small, now)
        if self._still_closes(look, small, now, believed):
            look = PERHAPS_OPEN
        elif look.state is DoorState.SHUT:
            if look.strong or not signs.opened:
                self._episode = None
            if look.strong and believed is DoorState.OPEN:
                # It came back to what was taken for shut: that it was.
                self._learned_off = 0.0
            if look.strong or believed is not DoorState.OPEN:
                # Else a leaf that rests ajar for a moment would be learnt as the shut one.
                known.follow(small, comparison, now - self._seen_s, _CRACK_S if signs.opened else _DRIFT_S)
            known.settle(now, sure=look.strong)
            if self._held_since_s is not None and now > self._held_since_s and look.strong:
                look = replace(look, awaited=True)
        else:
            known.unsettle()
            if signs.sides >= _LIT_SIDES and believed is DoorState.OPEN:
                known.reference.light(small, known.outline.sides)
        filled = fill_mask(comparison.alike & known.outline.door, self._seed)
        return look, float(np.count_nonzero(filled)) / filled.size

    def _still_closes(self, look: Look, small: FloatArray, now: float, believed: DoorState) -> bool:
        """Whether a leaf that looks shut is still on its way: the last degrees are hardly to be seen."""
        if look.state is not DoorState.SHUT or believed is not DoorState.OPEN:
            self._held_since_s = None
            return False
        if self._held_since_s is None:
            self._held_since_s = now
        return now - self._held_since_s <= _MOST_HELD_S and self._moves(small)

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

    def _is_shut_anew(
        self, signs: Signs, episode: _Episode, small: FloatArray, now: float, believed: DoorState
    ) -> bool:
        """Whether what stands still is the shut door in another light, or beside other surroundings."""
        still_s = 0.0 if episode.still_since_s is None else now - episode.still_since_s
        if episode.lamp:
            return still_s >= _RELEARN_S and self._known is not None and self._known.resembles(small)
        kept = signs.door >= _DOOR_KEPT and signs.opened < _CRACK_KEPT
        return kept and still_s >= _ELSEWHERE_S and believed is not DoorState.OPEN

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
            if over_side and signs.sides < _SIDE_HIDDEN:
                self._from_outside_s = now
            episode.from_outside |= over_side or now - self._from_outside_s < _REMEMBERED_S
            episode.from_below |= from_below
        if not self._is_still(small):
            episode.still_since_s = None
        elif episode.still_since_s is None:
            episode.still_since_s = now
        return episode

    def _moves(self, small: FloatArray, *, reach: float = EDGE_REACH) -> bool:
        """Whether a leaf moves between the last frame and this one, however slowly; see `Likeness.moves`."""
        if self._known is None or self._before is None:
            return False
        return self._known.moves(self._before, small, reach=reach)

    def _is_still(self, small: FloatArray) -> bool:
        """Whether nothing moves between the last frame and this one; a light that flickers does not move."""
        if self._before is None or self._before.shape != small.shape:
            return False
        light = float(small.mean()) / max(1.0, float(self._before.mean()))
        return float(np.abs(small - self._before * np.float32(light)).mean()) < _STILL
