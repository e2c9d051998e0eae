"""The detection error trade-off: every threshold's FPIR and FNIR, as a curve.

Draws nothing; `plots` does. After A. Martin et al., "The DET curve in assessment of detection task
performance", Eurospeech 1997, with the identification rates of ISO/IEC 19795-1 on the axes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.evaluation.identification import Scores, Searches


@dataclass(frozen=True, slots=True)
class Curve:
    """One composition's trade-off, threshold rising.

    Attributes:
        thresholds: Where the FPIR changes, float64, (k,).
        fpir: Share of strangers' searches at or above each, never rising, (k,).
        fnir: Share of searches by the enrolled that fail at each, never falling, (k,).
    """

    thresholds: Scores
    fpir: NDArray[np.float64]
    fnir: NDArray[np.float64]


def curve(searches: Searches) -> Curve:
    """The trade-off of all searches.

    It has a point at each score that a stranger reached, and one just above the highest.

    Raises:
        ValueError: No search by a stranger, or none by somebody enrolled.
    """
    strange, mated = searches.nonmated, searches.mated
    if not len(strange) or not len(mated):
        raise ValueError("a trade-off needs searches by strangers and by people enrolled")
    reached = np.unique(strange)
    thresholds = np.append(reached, np.nextafter(reached[-1], np.inf))
    # Whoever is not first is missed at every threshold.
    found = np.sort(np.where(searches.first, mated, -np.inf))
    return Curve(
        thresholds,
        1 - np.searchsorted(np.sort(strange), thresholds, "left") / len(strange),
        np.searchsorted(found, thresholds, "left") / len(found),
    )


def thinned(whole: Curve, points: int) -> Curve:
    """The curve with at most so many points, evenly over log FPIR, its ends kept.

    For drawing: ten thousand points make a picture large and no clearer.

    Raises:
        ValueError: Fewer than two points are asked for.
    """
    if points < 2:  # noqa: PLR2004 - two ends
        raise ValueError("a curve has two ends")
    if len(whole.thresholds) <= points:
        return whole
    logs = np.log(np.maximum(whole.fpir, 0.5 / len(whole.fpir)))
    wanted = np.linspace(logs[0], logs[-1], points)
    kept = np.unique(np.abs(logs[None, :] - wanted[:, None]).argmin(axis=1))
    kept = np.unique(np.concatenate([kept, [0, len(logs) - 1]]))
    return Curve(whole.thresholds[kept], whole.fpir[kept], whole.fnir[kept])
