"""The anchors of a Caffe SSD: what its `PriorBox` layers make of a map, in Caffe's order.

For every cell, row by row: a box of the smallest size, one between it and the largest, then a wide and a
tall one for each ratio. Writes no graph.
"""

import math
from dataclasses import dataclass

import numpy as np

from appliance.models.artefact import LARGEST_VALUE, damaged
from appliance.models.caffe_net import Layer, Settings
from appliance.models.detector_graph import VARIANCES, Array
from appliance.models.shaped_graph import Pair

_SAME_RATIO = 1e-6
_MOST_SIZES = 100
_VARIANCE_DIGITS = 6
"""A binary file has 0.1 as the 32-bit number beside it."""


@dataclass(frozen=True, slots=True, eq=False)
class Priors:
    """The anchors of a map.

    Attributes:
        places: Centre x, centre y, width, height of every anchor, fractions of the picture, float64, (n, 4).
        variances: What the network's answers are multiplied with.
    """

    places: Array
    variances: tuple[float, ...] = VARIANCES

    def boxes(self) -> Array:
        """As `places`."""
        return self.places


def priors(layer: Layer, cells: Pair, picture: Pair) -> Priors:
    """The anchors of a layer.

    Args:
        layer: A `PriorBox`.
        cells: Rows and columns of its map.
        picture: Height and width, in pixels.

    Raises:
        ModelError: Its settings make no boxes.
    """
    given = layer.settings.part("prior_box_param")
    sizes = np.asarray(_sizes(layer, given)) / (picture[1], picture[0])
    if cells[0] * cells[1] * len(sizes) > LARGEST_VALUE // 1024:
        raise damaged(f"{layer.name!r} makes {cells[0] * cells[1] * len(sizes)} boxes")
    rows, columns, kinds = np.meshgrid(*(np.arange(each) for each in (*cells, len(sizes))), indexing="ij")
    offset = given.real("offset", 0.5)
    step = given.real("step", 0.0)
    x = _centres(columns.reshape(-1) + offset, given.real("step_w", step), cells[1], picture[1])
    y = _centres(rows.reshape(-1) + offset, given.real("step_h", step), cells[0], picture[0])
    places = np.concatenate([np.stack([x, y], axis=1), sizes[kinds.reshape(-1)]], axis=1)
    if given.truth("clip", otherwise=False):
        low = np.clip(places[:, :2] - places[:, 2:] / 2, 0, 1)
        high = np.clip(places[:, :2] + places[:, 2:] / 2, 0, 1)
        places = np.concatenate([(low + high) / 2, high - low], axis=1)
    if not (np.isfinite(places).all() and (places[:, 2:] > 0).all()):
        raise damaged(f"{layer.name!r} makes boxes without a size")
    return Priors(places, _variances(layer, given))


def _centres(cells: Array, step: float, count: int, side: int) -> Array:
    """Places of cells as fractions of a side; a step of 0 pixels: as many as fit."""
    if step < 0:
        raise damaged(f"anchors {step} pixels apart")
    return cells * step / side if step else cells / count


def _sizes(layer: Layer, given: Settings) -> list[tuple[float, float]]:
    """Width and height of each box of a cell, in pixels."""
    smallest, largest = given.reals("min_size"), given.reals("max_size")
    ratios: list[float] = []
    flips = given.truth("flip", otherwise=True)
    for ratio in given.reals("aspect_ratio"):
        if ratio <= 0:
            raise damaged(f"{layer.name!r} has the ratio {ratio}")
        known = (1.0, *ratios, *(1 / each for each in ratios if flips))
        if all(abs(ratio - each) >= _SAME_RATIO for each in known):
            ratios.append(ratio)
    sizes: list[tuple[float, float]] = []
    for at, small in enumerate(smallest):
        if small <= 0 or (largest and (len(largest) != len(smallest) or largest[at] < small)):
            raise damaged(f"{layer.name!r} has the sizes {smallest[:4]} and {largest[:4]}")
        sizes.append((small, small))
        if largest:
            sizes.append((math.sqrt(small * largest[at]),) * 2)
        for ratio in ratios:
            wide = math.sqrt(ratio)
            sizes.append((small * wide, small / wide))
            if flips:
                sizes.append((small / wide, small * wide))
    if not 0 < len(sizes) <= _MOST_SIZES:
        raise damaged(f"{layer.name!r} has {len(sizes)} boxes a cell")
    return sizes


def _variances(layer: Layer, given: Settings) -> tuple[float, ...]:
    found = given.reals("variance") or [0.1]
    if len(found) not in {1, 4} or min(found) <= 0:
        raise damaged(f"{layer.name!r} has the variances {found[:4]}")
    meant = [round(each, _VARIANCE_DIGITS) for each in found]
    return tuple(meant * 4) if len(meant) == 1 else tuple(meant)
