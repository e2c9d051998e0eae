"""Working out the part of a frozen TensorFlow graph that depends on nothing but constants: an SSD's anchors.

The object detection API leaves in its graphs, as hundreds of small operations, how the anchors are made;
what they come to is what a converter wants. The operations that take part in that, no others; every result
is bounded, and a graph that goes round in circles is refused.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from appliance.errors import ModelError
from appliance.models.artefact import damaged
from appliance.models.tensorflow_graph import Array, FrozenGraph, Node

_LARGEST = 1 << 20
"""Numbers in a value; a large SSD has 50,000 anchors of 4."""
_MOST_STEPS = 200_000
_TOTAL = 1 << 25
_CASTS = {1: np.float32, 3: np.int32, 9: np.int64, 10: np.bool_}

_Inputs = Sequence[Array]


def worked_out(graph: FrozenGraph, name: str) -> Array:
    """The value of a node.

    Raises:
        ModelError: It depends on more than constants, on an operation that is not supported, or on itself.
    """
    values: dict[str, list[Array]] = {}
    pending = [_split(name)[0]]
    total = 0
    for _ in range(_MOST_STEPS):
        if not pending:
            return _output(values, name)
        node = graph[pending[-1]]
        sources = [each for each in node.inputs if not each.startswith("^")]
        missing = [_split(each)[0] for each in sources if _split(each)[0] not in values]
        if missing:
            pending += missing
            if len(pending) > _MOST_STEPS:
                break
            continue
        if pending.pop() not in values:
            values[node.name] = _computed(node, [_output(values, each) for each in sources])
            total += sum(each.size for each in values[node.name])
            if total > _TOTAL:
                break
    raise damaged(f"the graph's {name[:100]!r} goes round in circles, or makes too many numbers")


def _split(name: str) -> tuple[str, int]:
    node, _, output = name.partition(":")
    return node, int(output or 0)


def _output(values: Mapping[str, list[Array]], name: str) -> Array:
    node, output = _split(name)
    return values[node][output]


def _computed(node: Node, given: _Inputs) -> list[Array]:
    if node.operation == "Const":
        return [node.tensor()]
    if node.operation == "Unpack":
        return list(np.moveaxis(given[0], node.whole("axis"), 0))
    if node.operation not in _OPERATIONS:
        raise damaged(f"the graph's {node.name[:100]!r} ({node.operation[:40]}) is no constant")
    return [_OPERATIONS[node.operation](node, given)]


def _bounded(shape: Sequence[int]) -> None:
    if any(size < 0 for size in shape) or math.prod(shape) > _LARGEST:
        raise _too_large(shape)


def _too_large(shape: Sequence[int]) -> ModelError:
    return damaged(f"the graph makes a value of the shape {tuple(shape)[:8]}")


def _elementwise(function: Callable[..., Any]) -> Callable[[Node, _Inputs], Array]:
    def apply(_node: Node, given: _Inputs) -> Array:
        _bounded(np.broadcast_shapes(*(each.shape for each in given)))
        result: Array = np.asarray(function(*given))
        return result

    return apply


def _whole(array: Array) -> int:
    return int(array.reshape(-1)[0])


def _fill(_node: Node, given: _Inputs) -> Array:
    shape = [int(size) for size in given[0]]
    _bounded(shape)
    return np.full(shape, given[1].reshape(()))


def _tile(_node: Node, given: _Inputs) -> Array:
    times = [int(each) for each in given[1]]
    _bounded([size * each for size, each in zip(given[0].shape, times, strict=True)])
    return np.tile(given[0], times)


def _range(_node: Node, given: _Inputs) -> Array:
    start, stop, step = (each.reshape(()) for each in given)
    _bounded([max(0, math.ceil((float(stop) - float(start)) / float(step)))])
    return np.arange(start.item(), stop.item(), step.item(), dtype=start.dtype)


def _concat(_node: Node, given: _Inputs) -> Array:
    _bounded([sum(each.size for each in given[:-1])])
    return np.concatenate(given[:-1], _whole(given[-1]))


def _pack(node: Node, given: _Inputs) -> Array:
    _bounded([sum(each.size for each in given)])
    return np.stack(given, node.whole("axis"))


def _strided(node: Node, given: _Inputs) -> Array:
    value, begin, end, step = given
    if node.whole("ellipsis_mask") or node.whole("new_axis_mask"):
        raise damaged(f"the graph's {node.name[:100]!r} takes parts in a way that is not supported")
    masks = [node.whole(f"{name}_mask") for name in ("begin", "end", "shrink_axis")]
    parts: list[int | slice] = []
    for axis, (first, last, each) in enumerate(zip(begin, end, step, strict=True)):
        open_first, open_last, shrinks = (mask >> axis & 1 for mask in masks)
        start = None if open_first else int(first)
        parts.append(int(first) if shrinks else slice(start, None if open_last else int(last), int(each)))
    return np.asarray(value[tuple(parts)])


def _slice(_node: Node, given: _Inputs) -> Array:
    value, begin, size = given
    parts = [
        slice(int(first), None if count < 0 else int(first) + int(count))
        for first, count in zip(begin, size, strict=True)
    ]
    return value[tuple(parts)]


def _squeeze(node: Node, given: _Inputs) -> Array:
    axes = node.wholes("squeeze_dims")
    return np.squeeze(given[0], tuple(axes) or None)


def _cast(node: Node, given: _Inputs) -> Array:
    return given[0].astype(_CASTS[node.kind("DstT")])


_OPERATIONS: Mapping[str, Callable[[Node, _Inputs], Array]] = {
    "Add": _elementwise(np.add),
    "AddV2": _elementwise(np.add),
    "Cast": _cast,
    "ConcatV2": _concat,
    "Exp": _elementwise(np.exp),
    "ExpandDims": lambda _node, given: np.expand_dims(given[0], _whole(given[1])),
    "Fill": _fill,
    "Identity": lambda _node, given: given[0],
    "Maximum": _elementwise(np.maximum),
    "Minimum": _elementwise(np.minimum),
    "Mul": _elementwise(np.multiply),
    "Pack": _pack,
    "Range": _range,
    "Rank": lambda _node, given: np.asarray(given[0].ndim, np.int32),
    "RealDiv": _elementwise(np.divide),
    "Reshape": lambda _node, given: given[0].reshape([int(size) for size in given[1]]),
    "Shape": lambda _node, given: np.asarray(given[0].shape, np.int32),
    "Slice": _slice,
    "Sqrt": _elementwise(np.sqrt),
    "Squeeze": _squeeze,
    "StridedSlice": _strided,
    "Sub": _elementwise(np.subtract),
    "Tile": _tile,
    "Transpose": lambda _node, given: np.transpose(given[0], [int(axis) for axis in given[1]]),
}
