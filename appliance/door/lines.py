"""Whether the fine lines of the shut door are still where they were, in whatever light.

Shadows, lamps and clouds change the picture smoothly, and a line keeps its contrast; a leaf that moves
takes its lines along and shows others. Pure: two small pictures in, one measure out; what follows from it
is for `line_evidence`.
"""

from collections.abc import Iterator, Sequence
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
_BAND_PX, _MARGIN_PX = 4, 2
"""Width of the bands of what lies beside the door, and how far from its edge they begin."""
_STRIPS = 6
"""Strips of the picture's height whose mean is taken for upright lines."""
_TELLING = 0.25
"""Mean energy of the shut door's lines, in floors, from which they tell anything."""
_CHANGED = 0.12
"""Change of the light, natural logarithm, from which it is one."""
_BESIDE_PX = 1, 4
"""How far from an edge brightness is compared on both sides: averaging mixes what is nearer."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The shut door's lines in another picture.

    Attributes:
        agreed: By column, the lines' energy that both pictures have in common, twice.
        whole: By column, the energy of both.
        telling: The shut door has lines enough to go by.
    """

    agreed: FloatArray
    whole: FloatArray
    telling: bool

    @property
    def kept(self) -> float:
        """In the worst band, the share that both have in common, about 0 (none, or others) to 1."""
        return self._worst(0, self.agreed.size, min(_BANDS, self.agreed.size))

    def all_kept(self, least: float) -> bool:
        """Whether so much is left of the lines in every band."""
        return self.telling and self.kept >= least

    def kept_beside(self, left: int, right: int) -> tuple[float, float]:
        """The same left and right of a door, given by its edges' columns; 1 where the region shows nothing.

        A wall without lines keeps them all until something with an outline comes before it.
        """
        return self._kept_in(0, left - _MARGIN_PX), self._kept_in(right + _MARGIN_PX, self.agreed.size)

    def _kept_in(self, first: int, last: int) -> float:
        bands = (last - first) // _BAND_PX
        return self._worst(first, last, bands) if bands > 0 else 1.0

    def _worst(self, first: int, last: int, bands: int) -> float:
        edges = np.linspace(first, last, bands + 1).astype(np.intp)[:-1]
        shares = np.add.reduceat(self.agreed[:last], edges) / np.add.reduceat(self.whole[:last], edges)
        return float(shares.min())


def compare_lines(shut: FloatArray, small: FloatArray) -> Lines:
    """Compare two small pictures by their fine lines.

    The measure is the contrast and structure term of SSIM (Wang, Bovik, Sheikh and Simoncelli 2004,
    equation 13) on logarithms less their local mean, which makes a change of the light an offset.

    Args:
        shut: Small picture of the shut door, float32, (h, w), 0 to 255.
        small: Another, of the same size.
    """
    return _compared(_logarithm(shut), _logarithm(small), upright=False)


def compare_upright_lines(shut: FloatArray, small: FloatArray) -> Lines:
    """The same of upright lines alone, averaged over strips: what blinds cast draws none.

    Args:
        shut: As for `compare_lines`.
        small: Likewise.
    """
    one, other = (
        np.asarray(
            cv2.resize(_logarithm(each), (each.shape[1], _STRIPS), interpolation=cv2.INTER_AREA), np.float32
        )
        for each in (shut, small)
    )
    return _compared(one, other, upright=True)


def _compared(shut: FloatArray, small: FloatArray, *, upright: bool) -> Lines:
    """Lines of two logarithms of brightness."""
    smooth, window = (_SMOOTH_PX, 1 if upright else _SMOOTH_PX), (_WINDOW_PX, 1 if upright else _WINDOW_PX)
    floor = _FLOOR / 4 if upright else _FLOOR  # means of many rows have less noise
    one, other = shut - cv2.blur(shut, smooth), small - cv2.blur(small, smooth)
    energy, others, common = (cv2.blur(each, window) for each in (one * one, other * other, one * other))
    agreed = np.asarray((2 * common + floor).sum(axis=0))
    whole = np.asarray((energy + others + floor).sum(axis=0))
    return Lines(agreed, whole, float(np.mean(energy)) >= _TELLING * floor)


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
    return max((abs(left - right) for left, right in _changes_at(shut, small, edges)), default=0.0)


def lit_apart(shut: FloatArray, small: FloatArray, edges: Sequence[int]) -> float:
    """By how much the light changed on one side of an edge alone: the most at any of some upright edges.

    Args:
        shut: Small picture of the shut door.
        small: Another, of the same size.
        edges: Columns at which the door begins or ends.

    Returns:
        Difference of the changes by the larger of them: 0 where both sides changed alike, 1 where one did not
        change at all, up to 2 where one got brighter and the other darker; 0 where neither changed.
    """
    found = 0.0
    for one, other in _changes_at(shut, small, edges):
        most = max(abs(one), abs(other))
        if most >= _CHANGED:
            found = max(found, abs(one - other) / most)
    return found


def _changes_at(shut: FloatArray, small: FloatArray, edges: Sequence[int]) -> Iterator[tuple[float, float]]:
    """Left and right of each edge, by how much it is brighter, natural logarithm; none at the border."""
    change = np.mean(_logarithm(small) - _logarithm(shut), axis=0)
    nearest, farthest = _BESIDE_PX
    for edge in edges:
        left = change[max(0, edge - farthest) : max(0, edge - nearest)]
        right = change[edge + nearest : edge + farthest]
        if left.size and right.size:
            yield float(left.mean()), float(right.mean())


def _logarithm(picture: FloatArray) -> FloatArray:
    """Of brightness: a change of the light becomes an offset."""
    return np.asarray(np.log(picture + np.float32(_DARK)), np.float32)
