"""The edges of a small gray picture, and how two sets of them compare, tile by tile.

Pure arithmetic on arrays; what follows from it is said in `condition`.
"""

import cv2
import numpy as np

from appliance.values import FloatArray, ImageArray

GRID = (8, 6)
"""Tiles across and down."""
QUORUM = 4
"""Tiles with structure without which nothing is compared."""
LEAST_EDGES = 0.8
"""Gradient (root mean square, gray levels a pixel) above which a tile of the small copy shows something."""
_STRONG = 2.0
_STRONGEST = 0.9
"""Strong edges: at least so many gray levels a pixel, and among the strongest tenth."""
_ALONG = 0.7
_FADED = 0.2
"""An edge is still there if its direction is (cosine), and a fifth of its contrast, light allowed for."""
_AWAY_PX = 1.5
"""Shift that is one: about a hundredth of the picture's width."""
_FITS_ELSEWHERE = 0.5
_BETTER = 1.2
"""A shift is believed if the edges match there, and so much better than where they were."""

_COARSE_PX = 7
"""What is blurred over so many pixels of the small copy is no longer sharp."""
_TINY = 1e-6


def edges_of(small: ImageArray) -> FloatArray:
    """Gradient of a picture, gray levels a pixel: uint8 (h, w) to float32 (2, h, w), across and down."""
    smooth = cv2.blur(small.astype(np.float32), (3, 3))
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=1, scale=0.5)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=1, scale=0.5)
    return np.asarray(np.stack([across, down]), np.float32)


def fine(edges: FloatArray) -> FloatArray:
    """The sharp part of a gradient, (2, h, w): what a picture out of focus has lost."""
    return np.asarray(
        np.stack([field - cv2.blur(field, (_COARSE_PX, _COARSE_PX)) for field in edges]), np.float32
    )


def tile_means(values: FloatArray | ImageArray) -> FloatArray:
    """Mean of each tile, (h, w) to (6, 8)."""
    return np.asarray(
        cv2.resize(np.asarray(values, np.float32), GRID, interpolation=cv2.INTER_AREA), np.float32
    )


def tile_power(edges: FloatArray) -> FloatArray:
    """Mean square of the gradient in each tile, (2, h, w) to (6, 8)."""
    return tile_means(_dot(edges, edges))


def strength(edges: FloatArray, noise: float) -> FloatArray:
    """How much each tile shows beyond noise, gray levels a pixel, (6, 8).

    Args:
        edges: Gradient, (2, h, w).
        noise: Mean square of the gradient that is noise.
    """
    return np.asarray(np.sqrt(np.maximum(tile_power(edges) - np.float32(noise), 0)), np.float32)


def survival(remembered: FloatArray, edges: FloatArray, noise: float, light: float = 1.0) -> float:
    """Share of the strongest remembered edges that are still where they were, 0 to 1.

    Edges that came in addition do not count against them: an open door leaves its frame, a lamp the corners.

    Args:
        remembered: Gradient, (2, h, w).
        edges: Gradient now, (2, h, w).
        noise: Mean square of the gradient that is noise.
        light: How bright it is, compared with then.
    """
    was, now = np.hypot(*remembered), np.hypot(*edges)
    strong = was >= max(_STRONG, 3 * float(np.sqrt(noise)), float(np.quantile(was, _STRONGEST)))
    along = _dot(remembered, edges) >= _ALONG * was * now
    there = along & (now >= _FADED * light * was)
    return float(np.count_nonzero(there & strong)) / max(1, int(np.count_nonzero(strong)))


def is_shifted(remembered: FloatArray, edges: FloatArray, noise: float) -> bool:
    """Whether the remembered edges are all there, but elsewhere.

    By cross-correlation of the two gradient fields (Fourier), at most a quarter of the picture away.
    """
    high, wide = edges.shape[1:]
    spectra = [np.fft.rfft2(field) for field in (remembered, edges)]
    match = np.fft.irfft2((spectra[0].conj() * spectra[1]).sum(axis=0), s=(high, wide))
    match = np.roll(match, (high // 4, wide // 4), axis=(0, 1))[: high // 2, : wide // 2]
    down, across = np.unravel_index(int(match.argmax()), match.shape)
    best, here = float(match[down, across]), float(match[high // 4, wide // 4])
    power = float(np.mean(np.square(edges))) * 2 - noise
    scale = high * wide * np.sqrt(max(_TINY, 2 * float(np.mean(np.square(remembered))) * power))
    away = float(np.hypot(int(down) - high // 4, int(across) - wide // 4))
    return bool(away >= _AWAY_PX and best >= _FITS_ELSEWHERE * scale and best >= _BETTER * here)


def _dot(one: FloatArray, other: FloatArray) -> FloatArray:
    """Scalar product of two gradient fields, pixel by pixel."""
    return np.asarray(one[0] * other[0] + one[1] * other[1], np.float32)


def is_noisy(before: ImageArray, small: ImageArray) -> bool:
    """Whether two pictures differ as two pictures of a sensor do: up and down, nearly everywhere.

    Motion changes some tiles only, and a change of light goes one way.
    """
    up = tile_means(np.asarray(small > before, np.uint8))
    down = tile_means(np.asarray(small < before, np.uint8))
    return bool(np.count_nonzero((up > 0) & (down > 0)) >= 0.8 * up.size)
