"""What one comparison with the shut door says of the door: shut, open, or something before it.

An opening starts at an edge of the leaf, spans the door's whole height and leaves the wall
beside it alone. Whoever stands before the door comes from below or from the side and covers
the wall as well. A lamp changes everything smoothly. Pure; history is handed in.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.door.outline import Outline
from appliance.door.reference import Comparison
from appliance.values import DoorState

Mask = NDArray[np.bool_]

_FULL_HEIGHT = 0.75
"""Share of its rows in which a column has to differ to count as opened from top to bottom."""
_AT_EDGE_PX = 3
"""How near to the outline an opening starts."""
_SHUT, _NEARLY_SHUT, _CRACKED = 0.97, 0.92, 0.88
"""Shares of the door that look like the shut one: surely, perhaps, and beside a crack that does not widen."""
_SIDE_SEEN = 0.75
"""Share of a side that must be as it was for nothing to stand before it."""
_SIDE_CLEAR = 0.9
"""Of a side where something came over the surroundings before."""
_SIDE_BARE = 0.95
"""Of both sides where nobody who covers all of the door can be."""
_ALL = 0.85
"""Share of the door's width that nobody before it covers without covering a side as well."""
_GAP = 0.025
"""Share of the door's width from which a gap counts: the leaf stands about eight degrees ajar."""
_MOVED = 0.06
"""Share of the door's width from which a gap at the leaf's edge is a leaf that has moved."""
THIN = 0.13
"""Share of the door's width up to which a gap may be no more than a crack in another light."""
_MOST = 0.65
"""The same for who came from below and covers no side."""
_SPANS = 0.5
"""Of what differs in the door's lower quarter, the part that differs in its upper one when it opens."""
_WIDE = 0.5
"""Share of the door's width whose opening leaves no doubt."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What can be read off one comparison.

    Attributes:
        door: Share of the door that looks like the shut door.
        left: The same of the surroundings on the left; None where the region shows none.
        right: On the right.
        opened: Columns that differ from top to bottom, between the surroundings, by the door's: above 1 where
            the outline found is less than the door.
        across: Share of the door's own columns that do.
        at_left: Such columns begin at the door's left edge.
        at_right: Or end at its right edge.
        high: Share of the door's upper quarter that differs.
        low: Share of its lower quarter that differs.
    """

    door: float
    left: float | None
    right: float | None
    opened: float
    across: float
    at_left: bool
    at_right: bool
    high: float
    low: float

    @property
    def sides(self) -> float:
        """The share of the side of which less is seen; 1 where there is none."""
        return min((each for each in (self.left, self.right) if each is not None), default=1.0)

    @property
    def clean(self) -> bool:
        """An opening begins at an edge beside which the wall is seen; who stands there hides it."""
        return self.clean_left or self.clean_right

    @property
    def clean_left(self) -> bool:
        """It begins at the left one."""
        return self.at_left and (self.left or 0) >= _SIDE_SEEN

    @property
    def clean_right(self) -> bool:
        """It begins at the right one."""
        return self.at_right and (self.right or 0) >= _SIDE_SEEN

    @property
    def clear_left(self) -> bool:
        """The same, with nearly all of that wall."""
        return self.at_left and (self.left or 0) >= _SIDE_CLEAR

    @property
    def clear_right(self) -> bool:
        """Likewise on the right."""
        return self.at_right and (self.right or 0) >= _SIDE_CLEAR

    @property
    def sides_mean(self) -> float:
        """Mean share of both sides."""
        seen = [each for each in (self.left, self.right) if each is not None]
        return sum(seen) / len(seen) if seen else 1.0


@dataclass(frozen=True, slots=True)
class Look:
    """What a frame says.

    Attributes:
        state: Of the door.
        strong: Believed with the next frame that says the same; else only after the debounce time.
        awaited: Believed with this frame: it was to be seen before, and only stillness was waited for.
    """

    state: DoorState
    strong: bool
    awaited: bool = False


SHUT = Look(DoorState.SHUT, strong=True)
STOOD_SHUT = Look(DoorState.SHUT, strong=True, awaited=True)
NEARLY_SHUT = Look(DoorState.SHUT, strong=False)
OPEN = Look(DoorState.OPEN, strong=True)
PERHAPS_OPEN = Look(DoorState.OPEN, strong=False)
COVERED = Look(DoorState.UNSURE, strong=False)


def read_signs(comparison: Comparison, outline: Outline) -> Signs:
    """Measure what differs, and where."""
    alike = comparison.alike[outline.top :]
    first, last = outline.left_side.size, alike.shape[1] - outline.right_side.size
    unlike = ~alike[:, first:last]
    spread = unlike.copy()
    spread[:, 1:] |= unlike[:, :-1]
    spread[:, :-1] |= unlike[:, 1:]
    full = np.flatnonzero((spread.mean(axis=0) >= _FULL_HEIGHT) & (unlike.mean(axis=0) >= _FULL_HEIGHT / 2))
    quarter = max(1, unlike.shape[0] // 4)
    wide = max(1, outline.right - outline.left)
    own = (first + full >= outline.left) & (first + full < outline.right)
    return Signs(
        door=1 - float(unlike.mean()),
        left=float(alike[:, :first].mean()) if first else None,
        right=float(alike[:, last:].mean()) if last < alike.shape[1] else None,
        opened=full.size / wide,
        across=float(np.count_nonzero(own)) / wide,
        at_left=bool(full.size and first + full[0] < outline.left + _AT_EDGE_PX),
        at_right=bool(full.size and first + full[-1] >= outline.right - _AT_EDGE_PX),
        high=float(unlike[:quarter].mean()),
        low=float(unlike[-quarter:].mean()),
    )


def judge(
    signs: Signs, outline: Outline, *, from_outside: bool, from_below: bool, idle: bool, open_below: float
) -> Look:
    """What the signs say.

    Args:
        signs: Of the comparison that explains the frame best.
        outline: Of the door.
        from_outside: What differs came over the surroundings, as people do.
        from_below: Or from below.
        idle: The light has just changed, or what differs has not grown for a while.
        open_below: Share of the door below which it is not shut.
    """
    if signs.opened < _GAP and signs.door >= _SHUT:
        return SHUT if signs.sides >= _SIDE_SEEN else NEARLY_SHUT
    if signs.sides_mean >= _SIDE_SEEN and (
        (signs.opened < _GAP and signs.door >= _NEARLY_SHUT)
        # A gap that does not widen: the crack beside the leaf, in another light.
        or (idle and signs.opened <= THIN and signs.door >= _CRACKED)
    ):
        return NEARLY_SHUT
    if from_outside or from_below:
        everything = signs.across >= (_ALL if from_outside else _MOST) and (
            # A leaf that opens towards the camera hides the wall on its own side, and stands still there.
            (signs.sides >= _SIDE_SEEN and signs.sides_mean >= _SIDE_CLEAR)
            or (idle and signs.across >= _ALL and (signs.clear_left or signs.clear_right))
        )
        beyond_doubt = signs.across >= _ALL and signs.high >= _ALL * signs.low and signs.sides >= _SIDE_BARE
        return OPEN if everything and beyond_doubt else PERHAPS_OPEN if everything else COVERED
    if signs.opened and signs.sides >= _SIDE_SEEN:
        at_edge = outline.certain and (signs.at_left or signs.at_right)
        clear = signs.opened >= (_MOVED if at_edge else _WIDE) and signs.high >= _SPANS * signs.low
        return OPEN if clear else PERHAPS_OPEN
    small = signs.door < open_below and signs.sides_mean >= _SIDE_SEEN
    return PERHAPS_OPEN if small or (signs.clean and signs.opened) else COVERED
