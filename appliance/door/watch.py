"""One door over time: frames in, a believed state out.

Keeps the reference picture of the shut door, asks `evidence` what each frame says, and
believes it: clear evidence with the second frame that says so, weak evidence after the
debounce time. Knows nothing of cameras or faces; frames bring their own time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np

from appliance.door import evidence
from appliance.door.evidence import Look, Signs, judge, read_signs
from appliance.door.fill import fill, fill_fraction, fill_mask
from appliance.door.outline import Outline, find_outline
from appliance.door.reference import Comparison, ReferencePicture, shrink
from appliance.settings import DoorSettings
from appliance.values import DoorReading, DoorState, FloatArray, Frame, ImageArray, Region

_DRIFT_S = 20.0
"""Time constant with which the shut door's look is followed, seconds: slower than a person, faster than
dusk."""
_CRACK_S = 2.0
"""The same for a crack beside the shut leaf that has come to look otherwise."""
_CLEAR_S = 0.09
"""Clear evidence has to last at least this long, and two frames: a single broken frame changes nothing."""
_OUTLINE_S = 5.0
"""How often the door's outline is looked for anew in the followed picture."""
_LAMP = 0.08
"""Relative change of both door and surroundings, in one frame, that is a lamp."""
_RELEARN_S = 3.0
"""A lamp that changed door and wall differently: its still light is taken for the shut door's after this."""
_GROWS_S = 0.5
"""A gap that has become neither wider nor narrower for so long is no moving door."""
_GROWTH = 0.02
"""By this share of the door's width."""
_RELIT = 0.05
"""Relative change of the light, from one frame to the next, that lamps make."""
_STILL = 4.0
"""Mean gray levels between frames up to which a scene stands still."""
_LIGHT_JUMP = 1.4
"""Factor by which the light may have changed unseen while the door was not shut."""
_LEAK_S = 0.4
"""A first picture that fills more than it should (door and wall are alike) is taken for the shut door's after
this, seconds."""
_SURELY = 0.08
"""A first picture whose fill is off by more than this share may have been an open door."""
_UNSEEN_START_S = 10.0
"""A first picture that fills less than it should, but not so little as an open door, after this."""


class _Rule(Protocol):
    """Looks at frames and says what each of them says."""

    def look(self, gray: ImageArray, now: float, believed: DoorState) -> tuple[Look, float]:
        """The frame's look, and the fraction filled."""


class DoorWatch:
    """State of one door.

    Args:
        settings: Region, seed, fractions, rule, debounce.
    """

    def __init__(self, settings: DoorSettings) -> None:
        left, top, right, bottom = settings.region
        self._region = Region(left, top, right, bottom)
        seed = (settings.seed[0] - left) / (right - left), (settings.seed[1] - top) / (bottom - top)
        self._rule: _Rule = (
            PlainRule(settings, seed) if settings.rule == "plain" else FollowedRule(settings, seed)
        )
        self._belief = _Belief(settings.debounce_s)

    @property
    def state(self) -> DoorState:
        """The debounced state; unsure before the first frame."""
        return self._belief.state

    def observe(self, frame: Frame) -> DoorReading:
        """Look at the door in one frame; frames come in order of their monotonic time."""
        look, fraction = self._rule.look(
            frame.gray(self._region), frame.stamp.monotonic_s, self._belief.state
        )
        changed = self._belief.hear(look, frame.stamp.monotonic_s)
        return DoorReading(self._belief.state, fraction, changed)


class _Belief:
    """Believes what lasts; what is clear sooner than what is weak."""

    def __init__(self, debounce_s: float) -> None:
        self.state = DoorState.UNSURE
        self._debounce_s = debounce_s
        self._candidate = DoorState.UNSURE
        self._since_s = 0.0
        self._clear_since_s: float | None = None

    def hear(self, look: Look, now: float) -> bool:
        """Take in what a frame says; true when the believed state changed just now."""
        if look.state is not self._candidate:
            self._candidate, self._since_s, self._clear_since_s = look.state, now, None
        before = self._clear_since_s
        if not look.strong:
            self._clear_since_s = None
        elif before is None:
            self._clear_since_s = now
        if self._candidate is self.state:
            return False
        clear = before is not None and look.strong and now - before >= min(_CLEAR_S, self._debounce_s)
        if not clear and now - self._since_s < self._debounce_s:
            return False
        self.state = self._candidate
        return True


class PlainRule:
    """The rule of the original: one fill from the seed pixel's own brightness; a small area is an open door."""

    def __init__(self, settings: DoorSettings, seed: tuple[float, float]) -> None:
        self._settings = settings
        self._seed = seed

    def look(self, gray: ImageArray, now: float, believed: DoorState) -> tuple[Look, float]:
        """Open below the share `open_below` of `shut_fraction`, else shut."""
        del now, believed
        fraction = fill_fraction(gray, self._seed, self._settings.tolerance)
        small = fraction < self._settings.open_below * self._settings.shut_fraction
        return Look(DoorState.OPEN if small else DoorState.SHUT, strong=False), fraction


@dataclass(slots=True)
class _Episode:
    """What happened since the door last looked shut.

    Attributes:
        from_outside: Something came over the surroundings or from below.
        relit: The light is not what it was when the door was last seen shut.
        lamp: It began with door and surroundings getting brighter, or darker, at once. An opening leaves the
            surroundings alone, and a camera that turns itself up or down for it does the opposite to them.
        width: Share of the door's width that differs from top to bottom.
        grew_s: When that was another.
        still_since_s: Since when nothing has moved.
    """

    from_outside: bool = False
    relit: bool = False
    lamp: bool = False
    width: float = 0.0
    grew_s: float = 0.0
    still_since_s: float | None = None


class FollowedRule:
    """A fill over likeness to the shut door, whose picture is followed."""

    def __init__(self, settings: DoorSettings, seed: tuple[float, float]) -> None:
        self._settings = settings
        self._seed = seed
        self._reference: ReferencePicture | None = None
        self._outline: Outline | None = None
        self._outlined_s = 0.0
        self._seen_s = 0.0
        self._before: FloatArray | None = None
        self._episode: _Episode | None = None
        self._first_since_s: float | None = None
        self._learned_off = 0.0
        self.note = ""

    def look(self, gray: ImageArray, now: float, believed: DoorState) -> tuple[Look, float]:
        """What this frame says, and the share of the region that the fill covers."""
        small = shrink(gray)
        if self._reference is not None and self._reference.picture.shape != small.shape:
            self._reference = None  # Another resolution: the camera was changed.
        if self._reference is None or self._outline is None:
            look, fraction = self._first(gray, small, now)
        else:
            look, fraction = self._compared(small, now, believed)
            if look.state is not DoorState.SHUT and self._learn_better(gray, small, now):
                look = evidence.NEARLY_SHUT
        self._before, self._seen_s = small, now
        return look, fraction

    # ------------------------------------------------------------ without history

    def _first(self, gray: ImageArray, small: FloatArray, now: float) -> tuple[Look, float]:
        """Nothing is known of the shut door yet: a plain fill decides."""
        filled = fill(gray, self._seed, self._settings.tolerance)
        fraction = float(np.count_nonzero(filled)) / gray.size
        share = fraction / self._settings.shut_fraction
        if share < self._settings.open_below or (self._before is not None and not self._is_still(small)):
            self._first_since_s = None
            state = DoorState.OPEN if share < self._settings.open_below else DoorState.UNSURE
            return Look(state, strong=False), fraction
        if self._first_since_s is None:
            self._first_since_s = now
        off = abs(share - 1)
        lasted = now - self._first_since_s
        if off < 1 - self._settings.shut_above or lasted >= (_LEAK_S if share > 1 else _UNSEEN_START_S):
            self._learn(small, now)
            self._learned_off = off
            return evidence.NEARLY_SHUT, fraction
        return evidence.COVERED, fraction

    def _learn_better(self, gray: ImageArray, small: FloatArray, now: float) -> bool:
        """Take this frame for the shut door if the first one taken fitted the settings worse."""
        if self._learned_off < _SURELY or not self._is_still(small):
            return False
        share = fill_fraction(gray, self._seed, self._settings.tolerance) / self._settings.shut_fraction
        if abs(share - 1) >= self._learned_off / 2:
            return False
        self._learn(small, now)
        self._learned_off = abs(share - 1)
        return True

    def _learn(self, small: FloatArray, now: float) -> None:
        """Take this frame for the shut door."""
        self._reference = ReferencePicture(small, self._settings.tolerance)
        self._outline = None
        self._episode = None
        self._refresh_outline(now)

    def _refresh_outline(self, now: float) -> None:
        if self._reference is None:
            return
        self._outline = find_outline(
            self._reference.picture, self._seed, self._settings.tolerance, self._settings.shut_fraction
        )
        self._outlined_s = now

    # ------------------------------------------------------------ with a reference

    def _compared(self, small: FloatArray, now: float, believed: DoorState) -> tuple[Look, float]:
        comparison, signs = self._best(small)
        if self._outline is None:
            self._refresh_outline(now)
        outline, reference = self._outline, self._reference
        assert outline is not None  # noqa: S101
        assert reference is not None  # noqa: S101
        episode = self._note_episode(comparison, signs, small, now)
        look = judge(
            signs,
            outline,
            from_outside=episode.from_outside,
            idle=episode.relit or now - episode.grew_s >= _GROWS_S,
            open_below=self._settings.open_below,
        )
        if look.state is DoorState.UNSURE and believed is DoorState.OPEN and signs.opened:
            # Whoever stands in an open door, or the leaf that has swung before the wall, does not shut it.
            look = evidence.PERHAPS_OPEN
        if episode.lamp and look.state is not DoorState.SHUT and believed is not DoorState.OPEN:
            look = evidence.COVERED
            if episode.still_since_s is not None and now - episode.still_since_s >= _RELEARN_S:
                self._learn(small, now)
        if look.state is DoorState.SHUT:
            if look.strong or not signs.opened:
                self._episode = None
            pace = _CRACK_S if signs.opened else _DRIFT_S
            share = min(1.0, max(0.0, now - self._seen_s) / pace)
            reference.follow(small, comparison, share)
            early = reference.young and now - self._outlined_s >= 0.3
            if early or now - self._outlined_s >= _OUTLINE_S:
                self._refresh_outline(now)
        elif signs.sides >= 0.9 and believed is DoorState.OPEN and not episode.from_outside:
            reference.light(small, outline.sides)
        filled = fill_mask(comparison.alike & outline.door, self._seed)
        self.note = (
            f"{look.state.value[:5]}{'!' if look.strong else '?'} door {signs.door:.2f} l {signs.left} r {signs.right} "
            f"op {signs.opened:.2f} {int(signs.at_left)}{int(signs.at_right)} cert {outline.certain} "
            f"out {episode and episode.from_outside} gain {comparison.expected.mean() / reference.picture.mean():.2f} tol {reference.tolerance:.1f}"
        )
        return look, float(np.count_nonzero(filled)) / filled.size

    def _best(self, small: FloatArray) -> tuple[Comparison, Signs]:
        """The assumption about the light that explains the frame best, and what it leaves unexplained."""
        reference, outline = self._reference, self._outline
        assert reference is not None  # noqa: S101
        assert outline is not None  # noqa: S101
        tried: list[tuple[Comparison, Signs]] = []

        def explained(comparisons: Iterable[Comparison]) -> tuple[Comparison, Signs] | None:
            """The first that leaves nothing to explain."""
            for comparison in comparisons:
                signs = read_signs(comparison, outline)
                tried.append((comparison, signs))
                if self._explains(comparison, signs):
                    return tried[-1]
            return None

        found = explained((reference.same_light(small),)) or explained((reference.one_factor(small),))
        # While the surroundings are as they were, so is the light, and the first fit is enough.
        lit_alike = outline.certain and max(signs.sides for _, signs in tried) >= 0.9
        found = found or explained(islice(reference.fits(small, rows=outline.certain), 1 if lit_alike else 4))
        if found is None and (moved := reference.shifted(small)) is not None:
            found = explained((moved.same_light(small), *islice(moved.fits(small, rows=outline.certain), 2)))
            if found is not None:
                # The camera was nudged: the reference moves along.
                self._reference = moved
                self._outline = None
        if found is not None:
            return found
        explained((reference.lit_like(small, outline.sides),))
        return max(tried, key=lambda each: (round(each[1].sides_mean, 1), each[1].door))

    def _explains(self, comparison: Comparison, signs: Signs) -> bool:
        """Whether nothing is left to explain: the door is shut."""
        if signs.opened >= 0.015 or signs.door < 0.97 or signs.sides < 0.85:
            return False
        if self._episode is None or (self._outline is not None and self._outline.certain):
            return True
        # With nothing but door in sight, an evenly lit room behind it looks like the door in another light.
        jump = float(comparison.expected.mean()) / float(self._reference.picture.mean())
        return 1 / _LIGHT_JUMP < jump < _LIGHT_JUMP

    def _note_episode(self, comparison: Comparison, signs: Signs, small: FloatArray, now: float) -> _Episode:
        """Remember how the door came to look otherwise than shut."""
        assert self._reference is not None  # noqa: S101
        if self._episode is None:
            self._episode = _Episode(grew_s=now, lamp=self._is_lamp(small))
        episode = self._episode
        if abs(signs.opened - episode.width) > _GROWTH:
            episode.width, episode.grew_s = signs.opened, now
        change = float(comparison.expected.mean()) / max(1.0, float(self._reference.picture.mean()))
        episode.relit = abs(change - 1) > _RELIT
        beside = signs.sides < 0.8 and not signs.clean
        if beside or (signs.low - signs.high > 0.3 and signs.high < 0.2):
            episode.from_outside = True
        if self._before is not None and not self._is_still(small):
            episode.still_since_s = None
        elif episode.still_since_s is None:
            episode.still_since_s = now
        return episode

    def _is_lamp(self, small: FloatArray) -> bool:
        """Whether door and surroundings have become brighter together, or darker together."""
        assert self._reference is not None  # noqa: S101
        assert self._outline is not None  # noqa: S101
        ratio = small / np.maximum(self._reference.picture, 1.0)
        beside = float(np.median(ratio[:, self._outline.sides]))
        door = float(np.median(ratio[self._outline.top :, self._outline.left : self._outline.right]))
        return min(beside, door) > 1 + _LAMP or max(beside, door) < 1 - _LAMP

    def _is_still(self, small: FloatArray) -> bool:
        """Whether nothing moves between the last frame and this one."""
        if self._before is None or self._before.shape != small.shape:
            return False
        return float(np.abs(small - self._before).mean()) < _STILL
