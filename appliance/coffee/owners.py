"""Whose cup it is, of several people in one frame: the nearest's, and nobody's where it is unclear.

Looks at one frame and one cup; what was before is for `cups` and `corner`.
"""

import math
from collections.abc import Mapping
from typing import Final

from appliance.coffee.reach import reach
from appliance.values import Box

_HANDS: Final = 1.9
"""How far below the upper edge of a face its hands hold a cup, in heights of the face."""
_SMALLEST, _LARGEST = 0.2, 1.6
"""Width of a cup, in widths of its owner's face. A larger one is nearer to the camera than this face is."""
_CLEAR: Final = 0.6
"""By how much nearer a cup must be to its owner than to everybody else in reach, in widths of a face.

Whether the others have a cup is not asked: of two cups in one pair of hands, the second is not the
neighbour's who has none.
"""


def owner(faces: Mapping[str, Box], cup: Box) -> str | None:
    """Whose cup it is; None: it is out of everybody's reach, or might as well be somebody else's.

    Args:
        faces: By any key; which has no bearing on the answer.
        cup: In the same frame.
    """
    reached = sorted((away, key) for key, face in faces.items() if (away := distance(face, cup)) is not None)
    if not reached or (len(reached) > 1 and reached[1][0] - reached[0][0] < _CLEAR):
        return None
    return reached[0][1]


def distance(face: Box, cup: Box) -> float | None:
    """How far a cup is from where somebody's hands hold one, in widths of their face; None: out of reach."""
    x, y = cup.centre
    left, top, right, bottom = reach(face).corners
    if not (left <= x <= right and top <= y <= bottom):
        return None
    if not _SMALLEST <= cup.width / face.width <= _LARGEST:
        return None
    across = (x - face.centre[0]) / face.width
    # Up and down matters less: a cup goes from the table to the mouth.
    down = 0.5 * (y - (face.y + _HANDS * face.height)) / face.height
    return math.hypot(across, down)
