"""Arithmetic and changes of shape of MXNet's networks as ONNX.

As in `mxnet_layers`: each takes the graph, a node and the values it is given; `OPERATIONS` has them by
MXNet's names, of which many things have several.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from appliance.models.artefact import damaged
from appliance.models.mxnet_layers import Operation, flat, numbers, refused
from appliance.models.mxnet_symbol import Node
from appliance.models.shaped_graph import Array, ShapedGraph, Value

_MOST_AXES = 8


def _same(_graph: ShapedGraph, _node: Node, given: Sequence[Value]) -> list[Value]:
    return [given[0]]


def _cast(_graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    if node.text("dtype") not in {"float16", "float32", "float64"}:
        raise refused(node, "dtype")
    return [given[0]]


def _flatten(graph: ShapedGraph, _node: Node, given: Sequence[Value]) -> list[Value]:
    return [flat(graph, given[0])]


def _single(operator: str, graph: ShapedGraph, _node: Node, given: Sequence[Value]) -> list[Value]:
    return [graph.node(operator, [given[0]], given[0].shape)]


def _square(graph: ShapedGraph, _node: Node, given: Sequence[Value]) -> list[Value]:
    return [graph.node("Mul", [given[0], given[0]], given[0].shape)]


def _reverse_root(graph: ShapedGraph, _node: Node, given: Sequence[Value]) -> list[Value]:
    root = graph.node("Sqrt", [given[0]], given[0].shape)
    return [graph.node("Reciprocal", [root], root.shape)]


def _hard_sigmoid(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    settings = {"alpha": node.real("alpha", 0.2), "beta": node.real("beta", 0.5)}
    return [graph.node("HardSigmoid", [given[0]], given[0].shape, **settings)]


def _double(operator: str, graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    first, second = given[:2]
    try:
        shape = np.broadcast_shapes(first.shape, second.shape)
    except ValueError as error:
        raise damaged(f"{node.name!r} takes shapes {first.shape} and {second.shape}") from error
    return [graph.node(operator, [first, second], shape)]


def _scalar(
    operator: str, graph: ShapedGraph, node: Node, given: Sequence[Value], *, reverse: bool = False
) -> list[Value]:
    operands: list[Value | Array] = [given[0], numbers(node.real("scalar", 0.0))]
    return [graph.node(operator, operands[::-1] if reverse else operands, given[0].shape)]


def _sum_of_all(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    if not given or any(each.shape != given[0].shape for each in given):
        raise damaged(f"{node.name!r} adds values of several shapes")
    return [graph.node("Sum", list(given), given[0].shape)]


def _clip(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    bounds = [numbers(node.real(name, 0.0)) for name in ("a_min", "a_max")]
    return [graph.node("Clip", [given[0], *bounds], given[0].shape)]


def _concat(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    return [graph.joined(given, node.whole("dim", 1))]


def _reduced(operator: str, graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    value = given[0]
    count = len(value.shape)
    axes = {_axis(node, axis, count) for axis in node.wholes("axis")} or set(range(count))
    if node.truth("exclude"):
        axes = set(range(count)) - axes
    over, keep = sorted(axes), node.truth("keepdims")
    shape = [1 if axis in axes else size for axis, size in enumerate(value.shape) if keep or axis not in axes]
    if operator == "ReduceSum":  # whose axes are an input, unlike the others'
        return [graph.node(operator, [value, np.array(over, np.int64)], shape, keepdims=int(keep))]
    return [graph.node(operator, [value], shape, axes=over, keepdims=int(keep))]


def _axis(node: Node, axis: int, count: int) -> int:
    if not -count <= axis < count:
        raise node.wrong("axis")
    return axis % count


def _reshape(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    value = given[0]
    wanted = node.wholes("shape") or node.wholes("target_shape")
    if len(wanted) > 2 * _MOST_AXES:
        raise node.wrong("shape")
    if not node.truth("reverse"):
        return [graph.reshaped(value, _filled(node, wanted, value.shape))]
    shape = _filled(node, wanted[::-1], value.shape[::-1])
    return [graph.reshaped(value, shape[::-1])]


def _filled(node: Node, wanted: Sequence[int], shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape in which 0 is the value's, -1 what is left, -2 all others, -3 two as one, -4 one as two."""
    result: list[int] = []
    at, place = 0, 0
    while place < len(wanted):
        match wanted[place]:
            case 0:
                result.append(shape[at])
                at += 1
            case -1:
                result.append(-1)
                at += 1
            case -2:
                result += shape[at:]
                at = len(shape)
            case -3:
                result.append(shape[at] * shape[at + 1])
                at += 2
            case -4:
                first, second = wanted[place + 1 : place + 3]
                if -1 in {first, second}:
                    known = max(1, first, second)
                    first, second = (shape[at] // known if each == -1 else each for each in (first, second))
                result += [first, second]
                at, place = at + 1, place + 2
            case size:
                result.append(size)
                at += 1
        place += 1
    if result.count(-1) == 1:
        rest = int(np.prod([size for size in result if size != -1], dtype=object))
        if rest < 1:
            raise node.wrong("shape")
        result[result.index(-1)] = int(np.prod(shape, dtype=object)) // rest
    return tuple(result)


def _transpose(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    count = len(given[0].shape)
    axes = [_axis(node, axis, count) for axis in node.wholes("axes")] or list(range(count))[::-1]
    return [graph.transposed(given[0], axes)]


def _swap(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    count = len(given[0].shape)
    axes = list(range(count))
    first, second = (_axis(node, node.whole(name, 0), count) for name in ("dim1", "dim2"))
    axes[first], axes[second] = second, first
    return [graph.transposed(given[0], axes)]


def _expand(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    shape = list(given[0].shape)
    shape.insert(_axis(node, node.whole("axis"), len(shape) + 1), 1)
    return [graph.reshaped(given[0], shape)]


def _squeeze(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    shape = given[0].shape
    gone = {_axis(node, axis, len(shape)) for axis in node.wholes("axis")}
    gone = gone or {axis for axis, size in enumerate(shape) if size == 1}
    if any(shape[axis] != 1 for axis in gone):
        raise node.wrong("axis")
    return [graph.reshaped(given[0], [size for axis, size in enumerate(shape) if axis not in gone] or [1])]


def _slice_axis(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    axis = _axis(node, node.whole("axis"), len(given[0].shape))
    return [_cut(graph, node, given[0], {axis: (node.maybe_whole("begin"), node.maybe_whole("end"), 1)})]


def _slice(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    begins, ends = node.maybe_wholes("begin"), node.maybe_wholes("end")
    steps = [1 if step is None else step for step in node.maybe_wholes("step")] or [1] * len(begins)
    if not len(begins) == len(ends) == len(steps) <= len(given[0].shape):
        raise node.wrong("begin")
    if any(step < 1 for step in steps):
        raise refused(node, "step")
    parts = dict(enumerate(zip(begins, ends, steps, strict=True)))
    return [_cut(graph, node, given[0], parts)]


def _cut(
    graph: ShapedGraph, node: Node, value: Value, parts: Mapping[int, tuple[int | None, int | None, int]]
) -> Value:
    shape = list(value.shape)
    places = []
    for axis, (begin, end, step) in parts.items():
        start, stop, _ = slice(begin, end).indices(shape[axis])
        shape[axis] = len(range(start, stop, step))
        places.append((start, stop, axis, step))
    if not places or 0 in shape:
        raise node.wrong("begin")
    return graph.node("Slice", [value, *np.array(places, np.int64).T.copy()], shape)


def _split(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    value, count = given[0], node.whole("num_outputs")
    axis = _axis(node, node.whole("axis", 1), len(value.shape))
    size = value.shape[axis]
    if not 0 < count <= size or size % count:
        raise node.wrong("num_outputs")
    step = size // count
    parts = [_cut(graph, node, value, {axis: (at, at + step, 1)}) for at in range(0, size, step)]
    if not node.truth("squeeze_axis") or step != 1:
        return parts
    shape = [*value.shape[:axis], *value.shape[axis + 1 :]]
    return [graph.reshaped(part, shape) for part in parts]


def _pad(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    value, widths = given[0], node.wholes("pad_width")
    mode = node.text("mode", "constant")
    if mode not in {"constant", "edge", "reflect"}:
        raise refused(node, "mode")
    if len(widths) != 2 * len(value.shape) or min(widths) < 0:
        raise node.wrong("pad_width")
    before, behind = widths[::2], widths[1::2]
    if mode == "reflect" and any(max(b, e) >= n for b, e, n in zip(before, behind, value.shape, strict=True)):
        raise node.wrong("pad_width")
    shape = [b + e + n for b, e, n in zip(before, behind, value.shape, strict=True)]
    pads = np.array([*before, *behind], np.int64)
    filling = numbers(node.real("constant_value", 0.0))
    return [graph.node("Pad", [value, pads, filling], shape, mode=mode)]


_SINGLE = {
    "Abs": ("abs",),
    "Ceil": ("ceil",),
    "Erf": ("erf",),
    "Exp": ("exp",),
    "Floor": ("floor",),
    "Log": ("log",),
    "Neg": ("negative", "_negative"),
    "Reciprocal": ("reciprocal",),
    "Relu": ("relu",),
    "Sigmoid": ("sigmoid",),
    "Softsign": ("softsign",),
    "Sqrt": ("sqrt",),
    "Tanh": ("tanh",),
}
_DOUBLE = {
    "Add": ("elemwise_add", "_Plus", "_plus", "_add", "_grad_add", "broadcast_add", "broadcast_plus"),
    "Div": ("elemwise_div", "_Div", "_div", "broadcast_div"),
    "Max": ("_Maximum", "_maximum", "broadcast_maximum"),
    "Min": ("_Minimum", "_minimum", "broadcast_minimum"),
    "Mul": ("elemwise_mul", "_Mul", "_mul", "broadcast_mul"),
    "Pow": ("_Power", "_power", "broadcast_power"),
    "Sub": ("elemwise_sub", "_Minus", "_minus", "_sub", "broadcast_sub", "broadcast_minus"),
}
_SCALAR = {
    "Add": ("_PlusScalar", "_plus_scalar"),
    "Div": ("_DivScalar", "_div_scalar"),
    "Max": ("_MaximumScalar", "_maximum_scalar"),
    "Min": ("_MinimumScalar", "_minimum_scalar"),
    "Mul": ("_MulScalar", "_mul_scalar"),
    "Pow": ("_PowerScalar", "_power_scalar"),
    "Sub": ("_MinusScalar", "_minus_scalar"),
}
_REVERSED = {
    "Div": ("_RDivScalar", "_rdiv_scalar"),
    "Pow": ("_RPowerScalar", "_rpower_scalar"),
    "Sub": ("_RMinusScalar", "_rminus_scalar"),
}
_REDUCED = {
    "ReduceMax": ("max", "max_axis"),
    "ReduceMean": ("mean",),
    "ReduceMin": ("min", "min_axis"),
    "ReduceSum": ("sum", "sum_axis"),
}

OPERATIONS: Mapping[str, Operation] = {
    **{name: partial(_single, operator) for operator, names in _SINGLE.items() for name in names},
    **{name: partial(_double, operator) for operator, names in _DOUBLE.items() for name in names},
    **{name: partial(_scalar, operator) for operator, names in _SCALAR.items() for name in names},
    **{
        name: partial(_scalar, operator, reverse=True)
        for operator, names in _REVERSED.items()
        for name in names
    },
    **{name: partial(_reduced, operator) for operator, names in _REDUCED.items() for name in names},
    **dict.fromkeys(("Flatten", "flatten"), _flatten),
    **dict.fromkeys(("Concat", "concat"), _concat),
    **dict.fromkeys(("Reshape", "reshape"), _reshape),
    **dict.fromkeys(("Cast", "cast", "amp_cast"), _cast),
    **dict.fromkeys(("ElementWiseSum", "add_n", "_sum"), _sum_of_all),
    **dict.fromkeys(("SliceChannel", "split"), _split),
    **dict.fromkeys(("Pad", "pad"), _pad),
    **dict.fromkeys(("SwapAxis", "swapaxes"), _swap),
    "clip": _clip,
    "expand_dims": _expand,
    "hard_sigmoid": _hard_sigmoid,
    "rsqrt": _reverse_root,
    "slice": _slice,
    "slice_axis": _slice_axis,
    "square": _square,
    "squeeze": _squeeze,
    "transpose": _transpose,
    **dict.fromkeys(
        ("Dropout", "identity", "_copy", "BlockGrad", "stop_gradient", "MakeLoss", "make_loss"), _same
    ),
}
"""By MXNet's names."""

HANDED_ON = frozenset(name for name, operation in OPERATIONS.items() if operation in {_same, _cast})
"""Operations that leave no node."""
