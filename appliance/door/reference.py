"""What the shut door looks like, and how a frame compares with it whatever the light.

A `ReferencePicture` is a small picture of the region with the door shut. `compare` answers
with candidates: ways the light may have changed since (a smooth gain, a smooth offset, rows
that flicker, a camera moved by a few pixels), and under each what still looks like the shut
door. Which of them is to be believed, and what follows for the door, is `evidence`'s matter.
Pure but for `follow`: no time is read, the caller says how much of a frame to take over.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.values import FloatArray, ImageArray

Mask = NDArray[np.bool_]

WIDTH_PX = 96
"""Width of the small picture: a crack of one hundredth of the region is still a pixel; smaller regions stay
as they are."""
_MOST_PX = 96 * 72
"""Pixels of the small picture, at most."""
_LEAST_PX = 8
"""A region is not shrunk below this many pixels a side."""

_LEAST_TOLERANCE = 3.0
"""Gray levels that every comparison allows, for rounding and what the averages of many pixels still shake."""
_NOISE_SPAN = 4.0
"""Standard deviations of the noise that a pixel may be off."""
_LIGHT_SPAN = 0.05
"""Of a change of light, the part by which it may be uneven or the camera's curve not straight."""
_EDGE_SPAN = 0.15
"""Of the brightest less the darkest neighbour, the part by which a pixel may be off: a tenth of a pixel's
shift, and thin dark gaps that another light fills otherwise than the door beside them."""
_REACH_PX = 8
"""How far the camera may have been nudged, pixels of the small picture."""
_LEAST_SHIFT = 0.2
"""A smaller shift is none, pixels of the small picture."""
_LEAST_CONTRAST = 2.0
"""Standard deviation below which a reference has no structure to find a shift by, gray levels."""
_ROUNDS = 3
"""Rounds of the robust fit; each halves the say of pixels that disagree."""
_ROW_SWING = 0.2
"""Most that a mains-driven lamp brightens or darkens a row."""
_MOST_GAIN = 3.5
"""Factor by which the light may change between two looks at the shut door."""
_LIGHT_JUMP = 0.1
"""Relative change of the light from one frame to the next that unsettles the picture,"""
_SETTLE_S = 3.0
"""for so many seconds,"""
_HASTE_S = 1.0
"""in which it is followed with this time constant."""
_LIGHT_STEP = 0.01
"""Relative change of the surroundings' brightness below which the light is the same."""
_LIGHT_PACE = 0.3
"""How much of such a change is taken over per frame."""
_MOST_NOISIER = 1.5
"""Factor by which the noise may come to be more than it was at first."""
_BLOWN = 250.0
"""Gray level from which a pixel counts as blown out."""
_YOUNG = 10
"""Frames up to which a reference is simply their mean."""


def shrink(gray: ImageArray) -> FloatArray:
    """The small picture of a region: averaged down, float32, (h, w), 0 to 255."""
    height, width = gray.shape
    scale = min(1.0, WIDTH_PX / width, (_MOST_PX / (width * height)) ** 0.5)
    size = (
        max(min(width, _LEAST_PX), round(width * scale)),
        max(min(height, _LEAST_PX), round(height * scale)),
    )
    small = gray if size == (width, height) else cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.blur(small.astype(np.float32), (3, 3)), np.float32)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A frame beside the reference under one assumption about the light.

    Attributes:
        alike: Pixels that look like the shut door, bool, (h, w).
        expected: What the shut door would look like in this light, float32, (h, w); may exceed 255.
    """

    alike: Mask
    expected: FloatArray


class ReferencePicture:
    """The shut door's look in the light it was last seen in, slowly followed.

    Args:
        picture: Small picture of the shut door; see `shrink`.
        tolerance: Gray levels by which a pixel may differ at most.
        noise: Standard deviation of the noise, gray levels, as far as it is known.
    """

    def __init__(self, picture: FloatArray, tolerance: int, noise: float = 0.5) -> None:
        self.picture = picture.astype(np.float32)
        self._most = max(float(tolerance), _LEAST_TOLERANCE)
        self._noise = self._first_noise = max(0.5, noise)
        self._seen = 1
        self._unsettled_s = 0.0
        height, width = picture.shape
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
        one = np.ones_like(x)
        self._plane = np.stack([one, x, y, x * y, x * x, y * y])
        self._slopes = _slopes(self.picture)
        self._unknown: Mask | None = None
        """What came into view when the camera was nudged, until it is followed."""

    @property
    def tolerance(self) -> float:
        """Gray levels by which a pixel may differ in unchanged light."""
        return min(max(_LEAST_TOLERANCE, 1.5 + _NOISE_SPAN * self._noise), self._most)

    @property
    def young(self) -> bool:
        """Made of only a few frames yet."""
        return self._seen < _YOUNG

    def same_light(self, small: FloatArray) -> Comparison:
        """Is everything as it was when the door was last seen shut?"""
        return self._comparison(small, self.picture)

    def one_factor(self, small: FloatArray) -> Comparison:
        """Is everything as it was, but for one factor?"""
        factor = float(small.mean()) / max(1.0, float(self.picture.mean()))
        return self._comparison(
            small, self.picture * np.float32(min(max(factor, 1 / _MOST_GAIN), _MOST_GAIN))
        )

    def fits(self, small: FloatArray, *, rows: bool) -> Iterator[Comparison]:
        """Smooth changes of light that explain as much of the frame as they can, the likeliest first.

        Args:
            small: The frame's small picture.
            rows: Whether each row may be brighter or darker by itself. Only where the region shows
                something beside the door in every row; else a dark opening would pass for dark rows.
        """
        for known in (True, False):
            for additive in (False, True):
                expected = self._fitted(small, None, 6, known=known, additive=additive)
                if rows:
                    expected = _with_rows(small, expected, slice(None))
                yield self._comparison(small, expected)

    def lit_like(self, small: FloatArray, columns: NDArray[np.intp]) -> Comparison:
        """As some columns show it: all of it brighter or darker by the factor that they are, row by row."""
        part, known = small[:, columns], np.maximum(self.picture[:, columns], 1.0)
        factor = np.float32(np.median(part / known))
        factor = np.float32(min(max(float(factor), 1 / _MOST_GAIN), _MOST_GAIN))
        return self._comparison(small, _with_rows(small, self.picture * factor, columns))

    def shifted(self, small: FloatArray) -> "ReferencePicture | None":
        """The reference as seen by a camera nudged so that it fits this frame best; None if it was not."""
        height, width = small.shape
        reach = min(_REACH_PX, (min(height, width) - _LEAST_PX) // 2)
        if reach < 1 or float(self.picture.std()) < _LEAST_CONTRAST:
            return None
        inner = np.ascontiguousarray(self.picture[reach : height - reach, reach : width - reach])
        found = cv2.matchTemplate(small, inner, cv2.TM_CCOEFF_NORMED)
        _, _, _, (x, y) = cv2.minMaxLoc(found)
        shift = x - reach + _peak(found[y], x), y - reach + _peak(found[:, x], y)
        if max(abs(shift[0]), abs(shift[1])) < _LEAST_SHIFT:
            return None
        return self.moved(self._refined(small, shift, reach))

    def _refined(self, small: FloatArray, shift: tuple[float, float], reach: int) -> tuple[float, float]:
        """A shift to a small fraction of a pixel, by Gauss and Newton on the edges."""
        inside = slice(reach, -reach), slice(reach, -reach)
        for _ in range(_ROUNDS):
            guess = self.moved(shift).picture
            across, down = (np.asarray(np.gradient(guess, axis=axis), np.float32) for axis in (1, 0))
            slopes = np.stack([across[inside].ravel(), down[inside].ravel()])
            factor = float(small[inside].mean()) / max(1.0, float(guess[inside].mean()))
            off = (guess - small / max(factor, 1e-3))[inside].ravel()
            system = np.asarray(slopes @ slopes.T + np.eye(2, dtype=np.float32), np.float64)
            step = np.linalg.solve(system, np.asarray(slopes @ off, np.float64))
            x, y = (float(min(1.0, max(-1.0, each))) for each in step)
            shift = shift[0] + x, shift[1] + y
        return shift

    def copy(self) -> "ReferencePicture":
        """The same once more, to be followed apart from it."""
        other = ReferencePicture(self.picture.copy(), round(self._most))
        other._noise, other._first_noise = self._noise, self._first_noise
        other._seen, other._unknown = self._seen, self._unknown
        return other

    def moved(self, shift: tuple[float, float]) -> "ReferencePicture":
        """A copy moved by (x, y) pixels; what comes into view repeats the edge."""
        height, width = self.picture.shape
        warp = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
        picture = cv2.warpAffine(self.picture, warp, (width, height), borderMode=cv2.BORDER_REPLICATE)
        other = ReferencePicture(np.asarray(picture, np.float32), round(self._most))
        other._noise, other._first_noise, other._seen = self._noise, self._first_noise, self._seen
        unknown = np.ones((height, width), np.bool_)
        x, y = (int(np.ceil(abs(each))) * (1 if each > 0 else -1) for each in shift)
        unknown[max(0, y) : height + min(0, y), max(0, x) : width + min(0, x)] = False
        other._unknown = unknown
        return other

    def follow(self, small: FloatArray, comparison: Comparison, elapsed_s: float, pace_s: float) -> None:
        """Take over the light of a frame in which the door is shut, and slowly what it shows.

        Args:
            small: The frame.
            comparison: As which it was recognised.
            elapsed_s: Seconds since the frame before.
            pace_s: Time constant, seconds; shorter for a while after the light has changed, for a lamp is
                never quite even.
        """
        self._seen += 1
        change = abs(float(comparison.expected.mean()) / max(1.0, float(self.picture.mean())) - 1)
        self._unsettled_s = _SETTLE_S if change > _LIGHT_JUMP else max(0.0, self._unsettled_s - elapsed_s)
        pace_s = min(pace_s, _HASTE_S) if self._unsettled_s else pace_s
        share = min(1.0, max(0.0, elapsed_s) / pace_s)
        off = np.abs(small - comparison.expected)
        # What no light explains is not noise, though it looks like it: a noise that grows would swallow an
        # opening.
        noise = min(float(np.median(off[::2, ::2])) * 1.48, _MOST_NOISIER * self._first_noise)
        self._noise += (noise - self._noise) * max(
            min(share, elapsed_s / 20), 1 / self._seen if self.young else 0.0
        )
        share = max(share, 1 / self._seen if self.young else 0.0)
        target = np.where(small < _BLOWN, small, comparison.expected)
        self.picture = comparison.expected + (target - comparison.expected) * np.float32(share)
        if self._unknown is not None:
            self.picture[self._unknown] = small[self._unknown]
            self._unknown = None
        if self.young or self._unsettled_s or self._seen % 10 == 0:
            self._slopes = _slopes(self.picture)

    def light(self, small: FloatArray, columns: NDArray[np.intp]) -> None:
        """Take over the light only, from columns where the door is not."""
        factor = float(np.mean(small[:, columns])) / max(1.0, float(np.mean(self.picture[:, columns])))
        if abs(factor - 1) > _LIGHT_STEP:
            self.picture = self.picture * np.float32(factor**_LIGHT_PACE)

    def _comparison(self, small: FloatArray, expected: FloatArray) -> Comparison:
        shown = np.minimum(expected, 255.0)
        allowed = np.abs(expected - self.picture)
        allowed *= _LIGHT_SPAN
        allowed += self._slopes
        allowed += self.tolerance * min(1.0, float(expected.mean()) / max(1.0, float(self.picture.mean())))
        alike = np.asarray(np.abs(small - shown) <= allowed)
        # How bright a blown-out pixel really was, nobody knows: in less light it may be anything above.
        alike |= (self.picture >= _BLOWN) & (small >= shown - allowed)
        if self._unknown is not None:
            alike |= self._unknown
        return Comparison(alike, expected)

    def _fitted(
        self,
        small: FloatArray,
        columns: NDArray[np.intp] | None,
        terms: int,
        *,
        known: bool,
        additive: bool,
    ) -> FloatArray:
        """Robust least squares of a smooth gain or offset; returns what the shut door would look like.

        Args:
            small: The frame.
            columns: Where to fit; None: everywhere.
            terms: Of the polynomial: 3 a plane, 6 a paraboloid.
            known: Begin with the light last seen, so that what agrees with it has its say first.
            additive: An offset instead of a gain.
        """
        rows, across = slice(None, None, 2), slice(None, None, 2) if columns is None else columns
        basis = self._plane[:terms]
        lit = basis if additive else basis * self.picture
        part = np.ascontiguousarray(lit[:, rows][:, :, across]).reshape(terms, -1)
        picture = self.picture[rows][:, across].ravel()
        seen = small[rows][:, across].ravel()
        base = picture if additive else np.float32(0)
        goal = seen - base
        # Blown-out pixels say nothing about how much light there is.
        usable = (seen < _BLOWN).astype(np.float32)
        expected = picture if known else None
        span = 4 * self.tolerance
        ridge = np.eye(terms, dtype=np.float32) * np.float32(1e-3 * float((part[0] ** 2).sum()) + 1.0)
        prior = np.zeros(terms, np.float32)
        prior[0] = 0 if additive else 1
        found = prior
        for _ in range(_ROUNDS):
            say = usable
            if expected is not None:
                off = (seen - expected) / np.float32(span)
                say = usable / (1 + off * off) ** 2
            weighed = part * say
            found = np.linalg.solve(weighed @ part.T + ridge, weighed @ goal + ridge @ prior).astype(
                np.float32
            )
            expected = found @ part + base
            span = max(self.tolerance, span / 2)
        whole = np.tensordot(found, lit, 1)
        if additive:
            return np.maximum(self.picture + whole, 0).astype(np.float32)
        return np.clip(whole, self.picture / _MOST_GAIN, self.picture * _MOST_GAIN).astype(np.float32)


def _with_rows(small: FloatArray, expected: FloatArray, columns: NDArray[np.intp] | slice) -> FloatArray:
    """Brightness of each row adjusted, as lamps on alternating current make bands of it."""
    found = np.median(small[:, columns] / np.maximum(expected[:, columns], 1.0), axis=1)
    ratio = np.clip(cv2.blur(found.astype(np.float32)[:, None], (1, 3)), 1 - _ROW_SWING, 1 + _ROW_SWING)
    return np.asarray(expected * ratio, np.float32)


def _slopes(picture: FloatArray) -> FloatArray:
    """What a pixel may be off because an edge runs through it, and edges are never quite where they were."""
    spread = cv2.morphologyEx(picture, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return np.asarray(spread, np.float32) * np.float32(_EDGE_SPAN)


def _peak(values: NDArray[np.generic], at: int) -> float:
    """Where between its neighbours a peak really is, -0.5 to 0.5: the top of a parabola."""
    if not 0 < at < len(values) - 1:
        return 0.0
    before, here, after = (float(v) for v in values[at - 1 : at + 2])
    bend = before - 2 * here + after
    return 0.0 if bend >= 0 else min(0.5, max(-0.5, 0.5 * (before - after) / bend))
