"""What happened since the door last looked shut. `followed` notes it, and says what the door is by it."""

from dataclasses import dataclass


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
