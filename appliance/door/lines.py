"""Whether the fine lines of the shut door are still where they were, in whatever light.

Shadows, lamps and clouds change the picture smoothly, and a line keeps its contrast; a leaf that moves
takes its lines along and shows others. Pure: two small pictures in, one measure out; what follows from it
is for `followed`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from appliance.values import FloatArray

_SMOOTH_PX = 7
"""What is wider than this is light, not a line; pixels of the small picture."""
_WINDOW_PX = 5
"""Side of the window in which lines are compared."""
_FLOOR = 0.004
"""Energy that noise and compression have, squared differences of the logarithm of brightness."""
_DARK = 8.0
"""Gray levels added before the logarithm, so that the noise of dark pixels weighs no more than theirs."""
_BANDS = 12
"""Upright bands into which the picture is divided; the worst of them counts."""
_TELLING = 0.25
"""Mean energy of the shut door's lines, in floors, from which they tell anything."""
_BESIDE_PX = 1, 4
"""How far from an edge brightness is compared on both sides: averaging mixes what is nearer."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The shut door's lines in another picture.

    Attributes:
        kept: In the worst band, share of the lines' energy that both pictures have in common, about 0 (none,
            or others) to 1.
        telling: The shut door has lines enough to go by.
    """

    kept: float
    telling: bool

    def all_kept(self, least: float) -> bool:
        """Whether so much is left of the lines in every band."""
        return self.telling and self.kept >= least


def compare_lines(shut: FloatArray, small: FloatArray) -> Lines:
    """Compare two small pictures by their fine lines.

    The measure is the contrast and structure term of SSIM (Wang, Bovik, Sheikh and Simoncelli 2004,
    equation 13) on logarithms less their local mean, which makes a change of the light an offset.

    Args:
        shut: Small picture of the shut door, float32, (h, w), 0 to 255.
        small: Another, of the same size.
    """
    one, other = _fine(shut), _fine(small)
    energy, others, common = (
        cv2.blur(each, (_WINDOW_PX, _WINDOW_PX)) for each in (one * one, other * other, one * other)
    )
    agreed = np.asarray((2 * common + _FLOOR).sum(axis=0))
    whole = np.asarray((energy + others + _FLOOR).sum(axis=0))
    edges = np.linspace(0, agreed.size, min(_BANDS, agreed.size) + 1).astype(np.intp)[:-1]
    bands = np.add.reduceat(agreed, edges) / np.add.reduceat(whole, edges)
    return Lines(float(bands.min()), float(np.mean(energy)) >= _TELLING * _FLOOR)


def steps_at(shut: FloatArray, small: FloatArray, edges: Sequence[int]) -> float:
    """The largest jump, at some upright edges, of by how much the picture is brighter or darker.

    A shadow darkens what lies on both sides of an edge alike; what stands behind an opened door has a
    brightness of its own up to the very edge.

    Args:
        shut: Small picture of the shut door.
        small: Another, of the same size.
        edges: Columns at which the door begins or ends.

    Returns:
        Difference of natural logarithms, 0 or more.
    """
    change = np.mean(np.log((small + np.float32(_DARK)) / (shut + np.float32(_DARK))), axis=0)
    found = 0.0
    for edge in edges:
        before = change[max(0, edge - _BESIDE_PX[1]) : max(0, edge - _BESIDE_PX[0])]
        behind = change[edge + _BESIDE_PX[0] : edge + _BESIDE_PX[1]]
        if before.size and behind.size:
            found = max(found, abs(float(behind.mean()) - float(before.mean())))
    return found


def _fine(picture: FloatArray) -> FloatArray:
    """What is left of the logarithm of brightness without what is wide."""
    logarithm = np.log(picture + np.float32(_DARK))
    return np.asarray(logarithm - cv2.blur(logarithm, (_SMOOTH_PX, _SMOOTH_PX)), np.float32)
