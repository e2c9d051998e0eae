"""What happened since the door last looked shut. `followed` notes it, and says what the door is by it."""

from dataclasses import dataclass

from appliance.door.evidence import Signs
from appliance.door.line_evidence import DoorLines
from appliance.values import DoorState

REMEMBERED_S = 1.5
"""Whoever came over the surroundings is thought to be there for so long after they were last seen there."""
_GROWTH = 0.02
"""Share of the door's width by which a gap has to get wider or narrower to have changed."""
_RELIT = 0.05
"""Relative change of the light since the door last looked shut that lamps make."""
_SIDE_KEPT = 0.8
"""Share of a side that is as it was while the door opens."""
_SIDE_HIDDEN = 0.5
"""Share of a side that somebody leaves to be seen, at most; a shadow leaves more."""
_LOW_DOWN, _HIGH_UP = 0.25, 0.3
"""Who comes from below covers more than the first of the door's lower quarter, and of its upper one less than
the second of that; an opening spans both."""


@dataclass(slots=True)
class Episode:
    """What happened since the door last looked shut.

    Attributes:
        began_s: When it began.
        lamp: It began with door and surroundings getting brighter, or darker, at once. An opening leaves the
            surroundings alone, and a camera that turns itself up or down for it does the opposite to them.
        sudden: It began with more of the door differing than a leaf uncovers in that time, as shadows do.
        from_outside: Something came over the surroundings.
        crossed: It had an outline of its own, as people have and light has not.
        behind_light: The door's lines have gone, and what came over the surroundings is light.
        from_below: Something came from below.
        relit: The light is not what it was when the door last looked shut.
        width: Share of the door's width that differs from top to bottom.
        changed_s: When that was another; while the door is not believed open, less.
        still_since_s: Since when nothing has moved.
        clear_looks: Frames in which the door was clearly opening, before anything came over the surroundings.
        opening: There were enough of them.
    """

    began_s: float
    lamp: bool
    sudden: bool
    from_outside: bool = False
    crossed: bool = False
    behind_light: bool = False
    from_below: bool = False
    relit: bool = False
    width: float = 0.0
    changed_s: float = 0.0
    still_since_s: float | None = None
    clear_looks: int = 0
    opening: bool = False

    @property
    def is_light(self) -> bool:
        """What looks like an opening may be a change of light, or is known to have come from outside."""
        return self.from_outside or self.lamp or self.relit

    def note_width(self, signs: Signs, light: float, now: float, believed: DoorState) -> None:
        """Take in how much differs in a frame, and in what light.

        Args:
            signs: Of the frame.
            light: Factor by which it is brighter than when the door last looked shut.
            now: Seconds.
            believed: What the door is thought to be.
        """
        if abs(signs.opened - self.width) > _GROWTH:
            # A lamp does all it does at once; a leaf moves on.
            self.lamp &= now == self.began_s
            # While the door is not believed open, what gets narrower is no opening.
            if signs.opened > self.width or believed is DoorState.OPEN:
                self.changed_s = now
            self.width = signs.opened
        self.relit = abs(light - 1) > _RELIT

    def note_people(self, signs: Signs, lines: DoorLines, believed: DoorState, *, lately: bool) -> bool:
        """Take in who or what came over the surroundings, or from below.

        Args:
            signs: Of the frame.
            lines: Of the frame.
            believed: What the door is thought to be; nobody hides an open one.
            lately: Somebody hid a side less than `REMEMBERED_S` ago.

        Returns:
            Whether somebody hides one now.
        """
        if believed is DoorState.OPEN:
            self.from_outside = self.crossed = self.behind_light = self.from_below = False
            return False
        over_side = signs.sides < _SIDE_KEPT and (not signs.clean or lines.belie(signs))
        hides = over_side and signs.sides < _SIDE_HIDDEN
        self.from_outside |= over_side or lately
        self.crossed |= over_side and not lines.are_lit
        self.behind_light = self.from_outside and not self.crossed and lines.have_gone and lines.are_lit
        self.from_below |= signs.low > _LOW_DOWN and signs.high < _HIGH_UP * signs.low
        return hides

    def note_stillness(self, now: float, *, still: bool) -> None:
        """Take in whether anything moved since the frame before."""
        if not still:
            self.still_since_s = None
        elif self.still_since_s is None:
            self.still_since_s = now
