"""What the converted object models have in common: from the maps of a network to boxes and scores.

Every converted one takes `chips`, uint8, (N, side, side, 3), BGR. It gives `boxes`, float32, (N, n, 4): left,
top, right, bottom in fractions of the side, not cut at the edge; and `scores`, float32, (N, n, labels), 0 to
1, without a label for nothing at all. So one reader serves all of them (`appliance.objects.detector`).
Picks no boxes: that overlapping ones are one object is decided there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from appliance.models.onnx_graph import GraphWriter

Array = NDArray[Any]

VARIANCES = (0.1, 0.1, 0.2, 0.2)
"""What an SSD's answers are multiplied with: the first two, of the centre, are in sizes of the anchor; the
others, of the size, are logarithms."""


class Anchors(Protocol):
    """Anchors of a map, however they are made."""

    def boxes(self) -> Array:
        """Centre x, centre y, width, height of every anchor in fractions of the side, float64, (n, 4)."""


@dataclass(frozen=True, slots=True)
class AnchorMap:
    """The anchors of one map of an SSD.

    Attributes:
        cells: Rows and columns of the map.
        sizes: Width and height of each anchor, fractions of the side.
    """

    cells: int
    sizes: tuple[tuple[float, float], ...]

    def boxes(self) -> Array:
        """Centre x, centre y, width, height of every anchor, row by row, float64, (cells² · sizes, 4)."""
        rows, columns, kinds = np.meshgrid(
            np.arange(self.cells), np.arange(self.cells), np.arange(len(self.sizes)), indexing="ij"
        )
        centres = (np.stack([columns, rows], axis=-1).reshape(-1, 2) + 0.5) / self.cells
        return np.concatenate([centres, np.asarray(self.sizes)[kinds.reshape(-1)]], axis=1)


def rows_of_map(graph: GraphWriter, value: str, width: int) -> str:
    """A map, (N, anchors · width, h, w), as one row per anchor, (N, h · w · anchors, width)."""
    last = graph.node("Transpose", [value], perm=[0, 2, 3, 1])
    return graph.node("Reshape", [last, graph.weight(np.array([0, -1, width], np.int64))])


def joined_rows(graph: GraphWriter, maps: Sequence[str]) -> str:
    """The rows of several maps, one after the other."""
    return graph.node("Concat", list(maps), axis=1)


def ssd_boxes(
    graph: GraphWriter,
    answers: str,
    anchors: Sequence[Anchors],
    factors: Sequence[float] = VARIANCES,
) -> str:
    """Boxes from an SSD's answers, (N, n, 4): centre x and y, logarithm of width and height, by anchor."""
    places = np.concatenate([each.boxes() for each in anchors])
    centres, sizes = places[:, :2], places[:, 2:]
    variances = np.asarray(factors)
    moved, grown = _halves(graph, answers)
    centre = _scaled(graph, moved, sizes * variances[:2], centres)
    half = graph.node("Exp", [_scaled(graph, grown, variances[2:], np.log(sizes / 2))])
    return corners(graph, centre, half)


def corners(graph: GraphWriter, centre: str, half: str) -> str:
    """Left, top, right, bottom from centres and half sizes, (N, n, 2) each."""
    return graph.node(
        "Concat", [graph.node("Sub", [centre, half]), graph.node("Add", [centre, half])], axis=2
    )


def part(graph: GraphWriter, value: str, start: int, stop: int) -> str:
    """Some of the last of three axes."""
    ends = [graph.weight(np.array([each], np.int64)) for each in (start, stop, 2)]
    return graph.node("Slice", [value, *ends])


def _halves(graph: GraphWriter, value: str) -> tuple[str, str]:
    return part(graph, value, 0, 2), part(graph, value, 2, 4)


def _scaled(graph: GraphWriter, value: str, factor: Array, offset: Array) -> str:
    product = graph.node("Mul", [value, graph.weight(factor.astype(np.float32))])
    return graph.node("Add", [product, graph.weight(offset.astype(np.float32))])
