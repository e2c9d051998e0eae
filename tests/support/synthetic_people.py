"""People whose faces are directions in space, so that error rates of searching them are known exactly.

Each person has two photos. The first is a direction drawn evenly over the sphere; the second lies at an
angle to it whose cosine is drawn from a beta distribution, in an even direction. So each photo on its
own is even over the sphere, the cosine of photos of different people has a known distribution,
independent of everything else, and so has that of the two photos of one person.
"""

import numpy as np
from numpy.typing import NDArray

from appliance.values import EMBEDDING_SIZE, FloatArray

_STEPS = 20_001


def photographs(
    people: int, *, dimensions: int, alike: tuple[float, float], seed: int
) -> tuple[FloatArray, list[NDArray[np.int64]]]:
    """Unit vectors of two photos each, float32 (2 x people, 128), and the photo numbers of each person.

    Args:
        people: How many.
        dimensions: Of the sphere, 4 to 128; the other numbers are zero.
        alike: Of the beta distribution of the cosine between the photos of a person.
        seed: Of the drawing.
    """
    rng = np.random.default_rng(seed)
    first = _even(rng.normal(size=(people, dimensions)))
    across = rng.normal(size=(people, dimensions))
    across = _even(across - (across * first).sum(axis=1, keepdims=True) * first)
    cosine = rng.beta(*alike, size=people)[:, None]
    second = cosine * first + np.sqrt(1 - cosine**2) * across
    vectors = np.zeros((2 * people, EMBEDDING_SIZE), np.float32)
    vectors[0::2, :dimensions] = first
    vectors[1::2, :dimensions] = second
    return vectors, [np.array([2 * person, 2 * person + 1]) for person in range(people)]


def true_fpir(threshold: float, *, dimensions: int, enrolled: int) -> float:
    """Share of strangers whose cosine with at least one of so many people reaches a threshold."""
    return float(1 - _below(np.array([threshold]), dimensions)[0] ** enrolled)


def true_fnir(threshold: float, *, dimensions: int, enrolled: int, alike: tuple[float, float]) -> float:
    """Share of searches with one reference and one probe that miss the person or rank another first."""
    cosines = np.linspace(0, 1, _STEPS)
    # The beta density, up to its factor; ends where it may be infinite carry no weight.
    inner = np.clip(cosines, 1e-12, 1 - 1e-12)
    density = inner ** (alike[0] - 1) * (1 - inner) ** (alike[1] - 1)
    first = _below(cosines, dimensions) ** (enrolled - 1)
    found = np.trapezoid(density * first * (cosines >= threshold), cosines)
    return float(1 - found / np.trapezoid(density, cosines))


def _below(cosines: NDArray[np.float64], dimensions: int) -> NDArray[np.float64]:
    """Share of directions whose cosine with a given one lies below: density (1 - t^2)^((d - 3) / 2)."""
    grid = np.linspace(-1, 1, 2 * _STEPS - 1)
    density = (1 - grid**2) ** ((dimensions - 3) / 2)
    area = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return np.interp(cosines, grid, area / area[-1])


def _even(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
