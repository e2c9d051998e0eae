"""The layers of MXNet's networks as ONNX: what has weights, windows or a norm.

Each takes the graph, a node and the values it is given, and returns the node's values; `OPERATIONS` has them
by MXNet's names, old and new. Settings that are not supported are refused by name. Arithmetic and changes of
shape are in `mxnet_arithmetic`.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from appliance.errors import ModelError
from appliance.models.artefact import damaged, unsupported
from appliance.models.mxnet_symbol import Node
from appliance.models.shaped_graph import Array, Pair, ShapedGraph, Value, Window

Operation = Callable[[ShapedGraph, Node, Sequence[Value]], list[Value]]

_DEFAULT_SLOPE = 0.25
_SELU = (1.6732632423543772, 1.0507009873554805)
_ACTIVATIONS = {
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "softrelu": "Softplus",
    "softsign": "Softsign",
}


def refused(node: Node, setting: str) -> ModelError:
    """The error for a setting that MXNet has and we have not."""
    return unsupported(f"{node.operation} with {setting} = {node.text(setting)[:40]!r}")


def numbers(value: float) -> Array:
    """A constant of one number."""
    return np.array(value, np.float32)


def _pair(node: Node, setting: str, otherwise: Pair) -> Pair:
    given = node.wholes(setting)
    match given:
        case ():
            return otherwise
        case (rows, columns):
            return rows, columns
        case _:
            raise refused(node, setting)


def _planes_first(node: Node) -> None:
    if node.text("layout", "None") not in {"None", "NCHW"}:
        raise refused(node, "layout")


def _weight(value: Value, what: str) -> Array:
    if value.array is None:
        raise unsupported(f"{what} that are worked out by the network")
    return value.array


def _convolution(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    _planes_first(node)
    window = Window(
        _pair(node, "kernel", (0, 0)),
        _pair(node, "stride", (1, 1)),
        _pair(node, "pad", (0, 0)),
        _pair(node, "dilate", (1, 1)),
    )
    bias = None if node.truth("no_bias") else given[2]
    value, weight = given[0], given[1]
    if weight.shape[0] != node.whole("num_filter"):
        raise damaged(f"{node.name!r} has weights of the shape {weight.shape}")
    return [graph.convolved(value, weight, bias, window, node.whole("num_group", 1))]


def _deconvolution(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    _planes_first(node)
    if node.wholes("target_shape") not in {(), (0, 0)}:
        raise refused(node, "target_shape")
    size, stride = _pair(node, "kernel", (0, 0)), _pair(node, "stride", (1, 1))
    pad, dilation = _pair(node, "pad", (0, 0)), _pair(node, "dilate", (1, 1))
    extra, group = _pair(node, "adj", (0, 0)), node.whole("num_group", 1)
    value, weight = given[0], given[1]
    before, channels = graph.map_size(value), value.shape[1]
    filters = node.whole("num_filter")
    if group < 1 or filters % group or weight.shape != (channels, filters // group, *size):
        raise damaged(f"{node.name!r} has weights of the shape {weight.shape}")
    if min(*stride, *dilation) < 1 or min(*pad, *extra) < 0:
        raise damaged(f"{node.name!r} has a window {size} moved by {stride}")
    after = [
        stride[i] * (before[i] - 1) + dilation[i] * (size[i] - 1) + 1 - 2 * pad[i] + extra[i] for i in (0, 1)
    ]
    return [
        graph.node(
            "ConvTranspose",
            [value, weight] if node.truth("no_bias", otherwise=True) else [value, weight, given[2]],
            (value.shape[0], filters, *after),
            dilations=list(dilation),
            group=group,
            kernel_shape=list(size),
            output_padding=list(extra),
            pads=[*pad, *pad],
            strides=list(stride),
        )
    ]


def _fully_connected(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    value, weight = given[0], given[1]
    if node.truth("flatten", otherwise=True):
        value = flat(graph, value)
    units = node.whole("num_hidden")
    if weight.shape != (units, value.shape[-1]):
        raise damaged(f"{node.name!r} has weights of the shape {weight.shape} for {value.shape[-1]} numbers")
    turned = graph.node("Transpose", [weight], weight.shape[::-1], perm=[1, 0])
    product = graph.node("MatMul", [value, turned], (*value.shape[:-1], units))
    if node.truth("no_bias"):
        return [product]
    if given[2].shape != (units,):
        raise damaged(f"{node.name!r} has offsets of the shape {given[2].shape}")
    return [graph.node("Add", [product, given[2]], product.shape)]


def flat(graph: ShapedGraph, value: Value) -> Value:
    """One row a picture."""
    if not value.shape:
        raise damaged("a single number where rows should be")
    return graph.reshaped(value, (value.shape[0], int(np.prod(value.shape[1:], dtype=np.int64))))


def _batch_norm(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    value = given[0]
    axis = node.whole("axis", 1)
    if axis % max(1, len(value.shape)) != 1:
        raise refused(node, "axis")
    gamma, beta, mean, variance = given[1:5]
    if node.truth("fix_gamma", otherwise=True):
        gamma = Value(gamma.shape, array=np.ones(gamma.shape, np.float32))
    if any(each.shape != (value.shape[1],) for each in (gamma, beta, mean, variance)):
        raise damaged(f"{node.name!r} has factors of the shape {gamma.shape} for {value.shape[1]} channels")
    epsilon = node.real("eps", 1e-3)
    return [
        graph.node(
            "BatchNormalization", [value, gamma, beta, mean, variance], value.shape, epsilon=float(epsilon)
        )
    ]


def _pooling(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    _planes_first(node)
    value = given[0]
    rows, columns = graph.map_size(value)
    kind = node.text("pool_type", "max")
    if node.truth("global_pool"):
        window = Window((rows, columns))
    else:
        if (convention := node.text("pooling_convention", "valid")) not in {"valid", "full"}:
            raise refused(node, "pooling_convention")
        window = Window(
            _pair(node, "kernel", (0, 0)),
            _pair(node, "stride", (1, 1)),
            _pair(node, "pad", (0, 0)),
            ceil=convention == "full",
        )
    counts_pad = node.settings.get("count_include_pad") in {None, "None"} or node.truth("count_include_pad")
    match kind:
        case "max":
            return [graph.pooled(value, "max", window, counts_pad=True)]
        case "avg":
            return [graph.pooled(value, "avg", window, counts_pad=counts_pad)]
        case "sum":
            return [graph.pooled(value, "sum", window, counts_pad=True)]
        case _:
            raise refused(node, "pool_type")


def _adaptive_pooling(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    rows, columns = graph.map_size(given[0])
    wanted = node.wholes("output_size") or (1,)
    high, wide = wanted if len(wanted) == 2 else (wanted[0], wanted[0])  # noqa: PLR2004 - a pair
    if min(high, wide) < 1 or rows % high or columns % wide:
        raise refused(node, "output_size")
    size = rows // high, columns // wide
    return [graph.pooled(given[0], "avg", Window(size, size), counts_pad=True)]


def _activation(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    kind = node.text("act_type")
    if kind not in _ACTIVATIONS:
        raise refused(node, "act_type")
    return [graph.node(_ACTIVATIONS[kind], [given[0]], given[0].shape)]


def _leaky(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    value, slope = given[0], node.real("slope", _DEFAULT_SLOPE)
    shape = value.shape
    match node.text("act_type", "leaky"):
        case "leaky":
            return [graph.node("LeakyRelu", [value], shape, alpha=slope)]
        case "elu":
            return [graph.node("Elu", [value], shape, alpha=slope)]
        case "selu":
            return [graph.node("Selu", [value], shape, alpha=_SELU[0], gamma=_SELU[1])]
        case "rrelu":  # outside training, the middle of its range
            middle = (node.real("lower_bound", 0.125) + node.real("upper_bound", 0.334)) / 2
            return [graph.node("LeakyRelu", [value], shape, alpha=middle)]
        case "prelu":
            slopes = _weight(given[1], "slopes").reshape(-1)
            if slopes.size not in {1, shape[1]}:
                raise damaged(f"{node.name!r} has {slopes.size} slopes for {shape[1]} channels")
            spread = slopes.reshape(-1, *[1] * (len(shape) - 2))
            return [graph.node("PRelu", [value, spread], shape)]
        case "gelu":
            inner = graph.node("Mul", [value, numbers(0.5**0.5)], shape)
            grown = graph.node("Add", [graph.node("Erf", [inner], shape), numbers(1.0)], shape)
            half = graph.node("Mul", [value, numbers(0.5)], shape)
            return [graph.node("Mul", [half, grown], shape)]
        case _:
            raise refused(node, "act_type")


def _softmax_output(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    value = given[0]
    if node.truth("preserve_shape"):
        return [graph.node("Softmax", [value], value.shape, axis=-1)]
    if node.truth("multi_output"):
        return [graph.node("Softmax", [value], value.shape, axis=1)]
    rows = flat(graph, value)
    return [graph.reshaped(graph.node("Softmax", [rows], rows.shape, axis=1), value.shape)]


def _softmax_activation(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    value = given[0]
    if node.text("mode", "instance") == "channel":
        return [graph.node("Softmax", [value], value.shape, axis=1)]
    rows = flat(graph, value)
    return [graph.reshaped(graph.node("Softmax", [rows], rows.shape, axis=1), value.shape)]


def _softmax(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    value, axis = given[0], node.whole("axis", -1)
    if not -len(value.shape) <= axis < len(value.shape) or node.truth("use_length"):
        raise node.wrong("axis")
    if node.settings.get("temperature", "None") not in {"None", "1.0"}:
        heat = node.real("temperature", 1.0)
        value = graph.node("Div", [value, numbers(heat)], value.shape)
    operator = "LogSoftmax" if node.operation == "log_softmax" else "Softmax"
    return [graph.node(operator, [value], value.shape, axis=axis)]


def _l2(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    value, mode = given[0], node.text("mode", "instance")
    axes = {"instance": range(1, len(value.shape)), "channel": [1], "spatial": range(2, len(value.shape))}
    if mode not in axes:
        raise refused(node, "mode")
    over = list(axes[mode])
    shape = [1 if axis in over else size for axis, size in enumerate(value.shape)]
    square = graph.node("Mul", [value, value], value.shape)
    total = graph.node("ReduceSum", [square, np.array(over, np.int64)], shape, keepdims=1)
    total = graph.node("Add", [total, numbers(node.real("eps", 1e-10))], shape)
    return [graph.node("Div", [value, graph.node("Sqrt", [total], shape)], value.shape)]


def _local_norm(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    size = node.whole("nsize")
    if not 0 < size < 1_000 or size % 2 == 0:  # noqa: PLR2004 - far more than channels
        raise node.wrong("nsize")
    settings = {"alpha": node.real("alpha", 1e-4), "beta": node.real("beta", 0.75)}
    graph.map_size(given[0])
    return [
        graph.node("LRN", [given[0]], given[0].shape, bias=node.real("knorm", 2.0), size=size, **settings)
    ]


def _instance_norm(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    value, gamma, beta = given[:3]
    if gamma.shape != (value.shape[1],) or beta.shape != gamma.shape:
        raise damaged(f"{node.name!r} has factors of the shape {gamma.shape}")
    epsilon = node.real("eps", 1e-3)
    return [graph.node("InstanceNormalization", [value, gamma, beta], value.shape, epsilon=epsilon)]


def _up(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    if node.text("sample_type", "nearest") != "nearest" or len(given) != 1:
        raise refused(node, "sample_type")
    factor = node.whole("scale")
    rows, columns = graph.map_size(given[0])
    if not 0 < factor < 1_000:  # noqa: PLR2004 - far more than anybody's
        raise node.wrong("scale")
    shape = (*given[0].shape[:2], rows * factor, columns * factor)
    scales = np.array([1, 1, factor, factor], np.float32)
    settings = {"coordinate_transformation_mode": "asymmetric", "mode": "nearest", "nearest_mode": "floor"}
    return [graph.node("Resize", [given[0], Value(()), scales], shape, **settings)]


def _regression(graph: ShapedGraph, node: Node, given: Sequence[Value]) -> list[Value]:
    if node.operation == "LogisticRegressionOutput":
        return [graph.node("Sigmoid", [given[0]], given[0].shape)]
    return [given[0]]


OPERATIONS: Mapping[str, Operation] = {
    "Activation": _activation,
    "BatchNorm": _batch_norm,
    "BatchNorm_v1": _batch_norm,
    "CuDNNBatchNorm": _batch_norm,
    "Convolution": _convolution,
    "Convolution_v1": _convolution,
    "Deconvolution": _deconvolution,
    "FullyConnected": _fully_connected,
    "InstanceNorm": _instance_norm,
    "L2Normalization": _l2,
    "LRN": _local_norm,
    "LeakyReLU": _leaky,
    "LinearRegressionOutput": _regression,
    "LogisticRegressionOutput": _regression,
    "MAERegressionOutput": _regression,
    "Pooling": _pooling,
    "Pooling_v1": _pooling,
    "Softmax": _softmax_output,
    "SoftmaxActivation": _softmax_activation,
    "SoftmaxOutput": _softmax_output,
    "UpSampling": _up,
    "_contrib_AdaptiveAvgPooling2D": _adaptive_pooling,
    "log_softmax": _softmax,
    "softmax": _softmax,
}
"""By MXNet's names."""

LABELLED = frozenset(
    {
        "LinearRegressionOutput",
        "LogisticRegressionOutput",
        "MAERegressionOutput",
        "Softmax",
        "SoftmaxOutput",
        "make_loss",
    }
)
"""Operations whose further inputs matter in training alone."""
