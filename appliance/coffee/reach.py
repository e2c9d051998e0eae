"""Where a person's hands, and a cup in them, can be: measured in their own face, near or far alike.

It finds nothing in pictures.
"""

from typing import Final

from appliance.values import Box

_SIDE: Final = 2.5
"""Side of the square before somebody's chest, in widths of their face: from elbow to elbow."""
_TOP: Final = 0.6
"""Where it begins, in heights of the face below its upper edge: a cup at the mouth is in it."""


def reach(face: Box, size: tuple[int, int] | None = None) -> Box:
    """The square in which somebody's cup is.

    The network is shown this square and not the frame, in which a mug a metre away is a thirteenth of the
    width: of twelve drawn mugs in hands, both networks find none in the frame, and eleven and twelve in the
    square.

    Args:
        face: Theirs, pixels.
        size: Width and height of the frame: the square is moved into it, and cut where it is larger.
    """
    side = _SIDE * face.width
    left, top = face.x + face.width / 2 - side / 2, face.y + _TOP * face.height
    if size is None:
        return Box(left, top, side, side)
    wide, high = min(side, float(size[0])), min(side, float(size[1]))
    return Box(min(max(left, 0.0), size[0] - wide), min(max(top, 0.0), size[1] - high), wide, high)
