"""Finding things in a frame with one of the converted networks.

What is special about each network (its square, its labels, how a frame is brought to it) stands in the
manifest and is handed in; the colours' order and what is subtracted is in the converted files. Knows no
settings, no regions, and nothing of the frame before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from appliance.objects.fitting import Fit, fitted
from appliance.objects.network import open_network
from appliance.objects.picking import pick
from appliance.values import Box, DetectedObject, ImageArray

_NEVER = 2.0
"""No score reaches it."""


class ObjectDetector(Protocol):
    """Finds things in frames."""

    def detect(self, bgr: ImageArray) -> list[DetectedObject]:
        """Things in a full frame, uint8, (h, w, 3), blue first; most certain first, in a fixed order."""


@dataclass(frozen=True, slots=True)
class NetworkKind:
    """What is special about a network.

    Attributes:
        side: Height and width of the picture it takes, pixels.
        fit: How a frame is brought to that.
        labels: What its scores are of, in order; an empty name is not in use.
        first_label: Number that the first goes by.
        overlap: Intersection over union above which two boxes of a label are one thing.
    """

    side: int
    fit: Fit
    labels: tuple[str, ...]
    first_label: int
    overlap: float

    def numbers(self) -> Mapping[str, int]:
        """The labels in use with their numbers."""
        return {name: at + self.first_label for at, name in enumerate(self.labels) if name}


class NetworkDetector:
    """A converted network in onnxruntime. Not for two threads at once.

    Args:
        weights: The converted file.
        kind: What is special about it.
        least: The score from which on a thing is told of, 0 to 1.
    """

    def __init__(self, weights: Path, kind: NetworkKind, least: float) -> None:
        self._weights = weights
        self._kind = kind
        self._least = np.array([least if name else _NEVER for name in kind.labels], np.float32)
        self._session: Any = None

    def open(self) -> None:
        """Load the weights.

        Raises:
            ModelError: They cannot be read, or are of another network.
        """
        kind = self._kind
        self._session = open_network(self._weights, side=kind.side, labels=len(kind.labels))

    def detect(self, bgr: ImageArray) -> list[DetectedObject]:
        """See `ObjectDetector.detect`."""
        kind = self._kind
        frame = fitted(bgr, kind.side, kind.fit)
        boxes, scores = (each[0] for each in self._session.run(None, {"chips": frame.chip[None]}))
        picked = pick(boxes, scores, self._least, kind.overlap)
        places = frame.in_frame(boxes[picked.rows])
        return [
            DetectedObject(
                label=kind.labels[label],
                label_id=int(label) + kind.first_label,
                score=float(score),
                box=Box(float(left), float(top), float(right - left), float(bottom - top)),
            )
            for (left, top, right, bottom), label, score in zip(
                places, picked.labels, picked.scores, strict=True
            )
            if right > left and bottom > top
        ]
