"""Which of a network's boxes are things: certain enough, and not the same thing twice.

Pure arithmetic on arrays; knows neither labels' names nor frames.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.values import FloatArray

_MOST_OF_A_LABEL = 100
"""Boxes of one label that are compared with each other; a network gives thousands for nothing at all."""
_MOST = 100
"""Things in a frame."""


@dataclass(frozen=True, slots=True)
class Picked:
    """Boxes that are things, most certain first.

    Attributes:
        rows: Which of the network's boxes, int64, (n,).
        labels: Which column of its scores, int64, (n,).
        scores: float32, (n,).
    """

    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    scores: FloatArray


def pick(boxes: FloatArray, scores: FloatArray, least: FloatArray, overlap: float) -> Picked:
    """Pick things from what a network gave for one picture.

    Of the boxes of one label the most certain is taken, and those that overlap it are dropped; and so on.
    Equally certain ones go by their place in the network's answer, so that the same frame gives the same.

    Args:
        boxes: float32, (n, 4), left, top, right, bottom.
        scores: float32, (n, labels), 0 to 1.
        least: Scores from which on a label counts, float32, (labels,); above 1: it does not.
        overlap: Intersection over union above which two boxes of a label are one thing.
    """
    rows, labels = np.nonzero(scores >= least)
    found: list[tuple[float, int, int]] = []
    for label in np.unique(labels):
        of_label = rows[labels == label]
        order = of_label[np.argsort(-scores[of_label, label], kind="stable")][:_MOST_OF_A_LABEL]
        kept = _apart(boxes[order], overlap)
        found += [(float(scores[row, label]), int(row), int(label)) for row in order[kept]]
    found.sort(key=lambda each: (-each[0], each[2], each[1]))
    del found[_MOST:]
    return Picked(
        np.array([row for _, row, _ in found], np.int64),
        np.array([label for _, _, label in found], np.int64),
        np.array([score for score, _, _ in found], np.float32),
    )


def _apart(boxes: FloatArray, overlap: float) -> list[int]:
    """Places of the boxes that overlap none of those kept before them."""
    kept: list[int] = []
    left = np.arange(len(boxes))
    while left.size:
        first, left = int(left[0]), left[1:]
        kept.append(first)
        left = left[_shared(boxes[first], boxes[left]) <= overlap]
    return kept


def _shared(box: FloatArray, others: FloatArray) -> FloatArray:
    """Intersection over union of a box with others, float32, (n,)."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.prod(np.maximum(sides, 0), axis=1)
    own = np.prod(np.maximum(box[2:] - box[:2], 0))
    theirs = np.prod(np.maximum(others[:, 2:] - others[:, :2], 0), axis=1)
    union = own + theirs - shared
    ratio: FloatArray = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ratio
