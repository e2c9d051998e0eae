"""The default rule: a flood fill over likeness to the shut door, whose look is followed.

Learns the shut door where a plain fill agrees with the settings, then judges each frame by
what no light explains, how that came about (over the wall, as people come, or from an edge
of the leaf, as openings do), and what was believed before.
"""

import math
from dataclasses import replace

import numpy as np

from appliance.door.beginning import Beginning
from appliance.door.episode import REMEMBERED_S, Episode
from appliance.door.evidence import (
    COVERED,
    OPEN,
    PERHAPS_OPEN,
    STOOD_SHUT,
    THIN,
    Look,
    Signs,
    judge,
)
from appliance.door.fill import fill_mask
from appliance.door.likeness import EDGE_REACH, Likeness
from appliance.door.line_evidence import DoorLines, weigh_lines
from appliance.door.reference import Comparison, shrink
from appliance.door.shut_picture import ShutPicture
from appliance.settings import DoorSettings
from appliance.values import DoorState, FloatArray, ImageArray

_DRIFT_S = 20.0
"""Time constant with which the shut door's look is followed, seconds: slower than a person, faster than
dusk."""
_CRACK_S = 2.0
"""The same for a crack beside the shut leaf that has come to look otherwise."""
_IDLE_S = 0.5
"""A gap that has become neither wider nor narrower for so long is no moving door."""
_SWING = 4.0
"""Share of the door's width that a leaf uncovers in a second, at most."""
_LAMP = 0.08
"""Relative change of both door and surroundings, in one frame, that is a lamp."""
_RELEARN_S = 3.0
"""A lamp that changed door and wall differently: what stands still in its light for so long is the shut
door."""
_ELSEWHERE_S, _DOOR_KEPT, _CRACK_KEPT = 3.0, 0.92, 0.05
"""Where the door is as it was, but for a crack, and its surroundings are not (a nudged camera, a new poster),
what stands still for so long is taken for how it is now."""
_GAP_S = 2.0
"""A pause between frames from which nothing that was noted before counts as watched through."""
_MOST_HELD_S = 1.2
"""A leaf that looks shut but moves is held for open no longer than this: something else may be moving."""
_STILL = 4.0
"""Mean gray levels between frames up to which a scene stands still."""
_LIT_SIDES = 0.9
"""Share of the surroundings that must be seen for the light to be taken from them."""
_PAIR_NOISE = 1.05
"""Standard deviation of one picture's noise per median difference of two: 1.48 / sqrt 2."""


class FollowedRule:
    """A fill over what looks like the shut door.

    Args:
        settings: Tolerance and fractions.
        seed: (x, y) in fractions of the region.
        vouched: A picture of the shut door; None: the first that fits the settings is taken.
    """

    def __init__(
        self, settings: DoorSettings, seed: tuple[float, float], vouched: ShutPicture | None = None
    ) -> None:
        self._settings = settings
        self._seed = seed
        self._beginning = Beginning(settings, seed, vouched)
        self._known: Likeness | None = None
        self._episode: Episode | None = None
        self._before: FloatArray | None = None
        self._seen_s = 0.0
        self._held_since_s: float | None = None
        self._hidden_s = -math.inf

    def look(self, gray: ImageArray, now: float, believed: DoorState) -> tuple[Look, float]:
        """What this frame says, and the share of the region that the fill covers."""
        small = shrink(gray)
        if self._before is not None and self._before.shape != small.shape:
            self._forget()  # Another resolution: the camera was changed.
        elif now - self._seen_s > _GAP_S:
            # What happened meanwhile was not seen: nothing has stood, grown or been still through it.
            self._before, self._episode = None, None
            self._beginning.pause()
        if self._known is None and self._before is not None:
            given = self._beginning.given(small.shape)
            if given is not None:
                self._learn(given, small, now)
        if self._known is None:
            # The first frame shows neither what moves nor how much noise there is.
            look, fraction, learn = self._beginning.look(gray, now, moving=not self._is_still(small))
            if learn:
                self._learn(small, small, now)
        else:
            look, fraction = self._compared(self._known, small, now, believed)
            if look.state is not DoorState.SHUT and self._fits_better(gray, small, now):
                look = STOOD_SHUT
        self._before, self._seen_s = small, now
        if look.state is DoorState.SHUT and self._beginning.doubts(now):
            look = COVERED
        return look, fraction

    def _fits_better(self, gray: ImageArray, small: FloatArray, now: float) -> bool:
        """Whether this frame took the place of a first picture that may have been no shut door."""
        better = self._beginning.fits_better(gray, now, moving=self._moves(small, reach=0.5))
        if better:
            self._learn(small, small, now)
        return better

    def _forget(self) -> None:
        """Begin anew."""
        self._known = self._before = self._episode = None
        self._beginning.forget()

    def _learn(self, picture: FloatArray, small: FloatArray, now: float) -> None:
        """Take a picture for the shut door's.

        Args:
            picture: Small picture.
            small: Of this frame, which shows how much noise there is.
            now: Seconds.
        """
        noise = 0.0 if self._before is None else float(np.median(np.abs(small - self._before)))
        self._known = Likeness(picture, noise * _PAIR_NOISE, self._settings, self._seed, now)
        self._episode = None

    # ------------------------------------------------------------ with a reference

    def _compared(
        self, known: Likeness, small: FloatArray, now: float, believed: DoorState
    ) -> tuple[Look, float]:
        """What this frame says beside what is known of the shut door."""
        found = known.quick(small) if self._episode is None else None
        comparison, signs = found or known.best(small, free=self._episode is None)
        lines = DoorLines(known.reference.picture, small, known.outline)
        if found is not None and not signs.opened:
            look = self._judged(signs, known, None, now)
        else:
            episode = self._noted(known, comparison, signs, lines, small, now=now, believed=believed)
            look = self._judged(signs, known, episode, now)
            if look is OPEN and believed is not DoorState.OPEN and not lines.show_edge(signs):
                look = PERHAPS_OPEN
            if look is OPEN and not episode.is_light:
                episode.clear_looks += 1
            # What came all at once may be a shadow; a second look is none's.
            episode.opening |= episode.clear_looks >= 1 + episode.sudden
            look = self._in_context(look, signs, episode, believed)
            # Who came once it was opening goes through.
            hidden = episode.lamp or ((episode.crossed or episode.from_below) and not episode.opening)
            look = weigh_lines(look, signs, lines, believed=believed, hidden=hidden)
            if look is COVERED and self._is_shut_anew(signs, episode, small, now, believed):
                self._learn(small, small, now)
        if self._still_closes(look, lines, small, now, believed):
            look = PERHAPS_OPEN
        elif look.state is DoorState.SHUT:
            look = self._taken_for_shut(look, known, comparison, signs, small, now=now, believed=believed)
        else:
            known.unsettle()
            if signs.sides >= _LIT_SIDES and believed is DoorState.OPEN:
                known.reference.light(small, known.outline.sides)
        filled = fill_mask(comparison.alike & known.outline.door, self._seed)
        return look, float(np.count_nonzero(filled)) / filled.size

    def _taken_for_shut(
        self,
        look: Look,
        known: Likeness,
        comparison: Comparison,
        signs: Signs,
        small: FloatArray,
        *,
        now: float,
        believed: DoorState,
    ) -> Look:
        """Follow what looks shut; awaited when it had looked so before and has come to rest."""
        if look.strong or not signs.opened:
            self._episode = None
        if look.strong and (believed is DoorState.OPEN or self._beginning.unconfirmed):
            self._beginning.confirm()
        if look.strong or believed is not DoorState.OPEN:
            # Else a leaf that rests ajar for a moment would be learnt as the shut one.
            known.follow(
                small, comparison, now - self._seen_s, _CRACK_S if 0 < signs.opened <= THIN else _DRIFT_S
            )
        known.settle(now, sure=look.strong)
        if self._held_since_s is not None and now > self._held_since_s and look.strong:
            return replace(look, awaited=True)
        return look

    def _still_closes(
        self, look: Look, lines: DoorLines, small: FloatArray, now: float, believed: DoorState
    ) -> bool:
        """Whether a leaf that looks shut is still on its way: the last degrees are hardly to be seen."""
        if look.state is not DoorState.SHUT or believed is not DoorState.OPEN:
            self._held_since_s = None
            return False
        if self._held_since_s is None:
            self._held_since_s = now
        if now - self._held_since_s > _MOST_HELD_S or not self._moves(small):
            return False
        return not lines.are_home

    def _judged(self, signs: Signs, known: Likeness, episode: Episode | None, now: float) -> Look:
        return judge(
            signs,
            known.outline,
            from_outside=episode is not None and episode.from_outside and not episode.behind_light,
            from_below=episode is not None and episode.from_below,
            idle=episode is not None and (episode.relit or now - episode.changed_s >= _IDLE_S),
            open_below=self._settings.open_below,
        )

    def _in_context(self, look: Look, signs: Signs, episode: Episode, believed: DoorState) -> Look:
        """What a frame says, given what was believed and how it came about."""
        if look.state is DoorState.SHUT:
            return look
        if believed is DoorState.OPEN:
            # Whoever stands in an open door, or the leaf that has swung before the wall, does not shut it.
            return PERHAPS_OPEN if look.state is DoorState.UNSURE and signs.opened else look
        if episode.lamp:
            return COVERED
        if episode.opening and look is COVERED:
            # Who comes through covers the wall, and so does the leaf itself; who stands before it came first.
            return PERHAPS_OPEN
        return PERHAPS_OPEN if look.state is DoorState.OPEN and episode.sudden else look

    def _is_shut_anew(
        self, signs: Signs, episode: Episode, small: FloatArray, now: float, believed: DoorState
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
        lines: DoorLines,
        small: FloatArray,
        *,
        now: float,
        believed: DoorState,
    ) -> Episode:
        """Remember how the door came to look otherwise than shut."""
        if self._episode is None:
            door, beside = known.changes(small)
            lamp = min(beside, door) > 1 + _LAMP or max(beside, door) < 1 - _LAMP
            # In what light a picture was taken that somebody vouched for, nobody knows: no lamp was seen.
            lamp = lamp and not self._beginning.unconfirmed
            sudden = signs.opened > _SWING * (now - self._seen_s)
            self._episode = Episode(now, lamp, sudden, changed_s=now)
        episode = self._episode
        light = float(comparison.expected.mean()) / max(1.0, float(known.reference.picture.mean()))
        episode.note_width(signs, light, now, believed)
        if episode.note_people(signs, lines, believed, lately=now - self._hidden_s < REMEMBERED_S):
            self._hidden_s = now
        episode.note_stillness(now, still=self._is_still(small))
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
