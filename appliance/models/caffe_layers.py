"""The ordinary layers of Caffe's networks as ONNX; `convert_caffe_ssd` does those that make an SSD of them.

Each takes the graph, a layer and the values it is given, and returns the layer's value; `LAYERS` has them by
Caffe's names. Settings that are not supported are refused by name.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from appliance.errors import ModelError
from appliance.models.artefact import damaged, unsupported
from appliance.models.caffe_net import Layer, Settings
from appliance.models.shaped_graph import Array, Pair, ShapedGraph, Value, Window

Work = Callable[[ShapedGraph, Layer, Sequence[Value]], Value]

_POOLS = ("MAX", "AVE", "STOCHASTIC")
_ELTWISE = {"PROD": "Mul", "SUM": "Sum", "MAX": "Max"}


def _refused(layer: Layer, what: str) -> ModelError:
    return unsupported(f"{layer.kind} {layer.name!r} with {what}")


def _float32(array: Array) -> Value:
    return Value(array.shape, array=np.ascontiguousarray(array, np.float32))


def _spread(array: Array) -> Array:
    """One number a channel, for a map."""
    return array.reshape(1, -1, 1, 1).astype(np.float32)


def _blobs(layer: Layer, count: int) -> tuple[Array, ...]:
    if len(layer.blobs) < count:
        raise damaged(f"the .caffemodel has {len(layer.blobs)} of {count} weights of {layer.name!r}")
    return layer.blobs


def _pair(given: Settings, name: str, otherwise: int, short: str = "") -> Pair:
    """A setting for both directions, or one for each."""
    short = short or name
    high, wide = given.wholes(f"{short}_h"), given.wholes(f"{short}_w")
    if high or wide:
        return (high or [otherwise])[-1], (wide or [otherwise])[-1]
    found = given.wholes(name) or [otherwise]
    return found[0], found[-1]


def convolution(graph: ShapedGraph, layer: Layer, given: Sequence[Value], factor: float = 1.0) -> Value:
    """A convolution, its weights times a factor."""
    settings = layer.settings.part("convolution_param")
    window = Window(
        _pair(settings, "kernel_size", 0, "kernel"),
        _pair(settings, "stride", 1),
        _pair(settings, "pad", 0),
        _pair(settings, "dilation", 1),
    )
    outputs, has_bias = settings.whole("num_output", 0), settings.truth("bias_term", otherwise=True)
    blobs = _blobs(layer, 2 if has_bias else 1)
    group = outputs if "epthwise" in layer.kind else settings.whole("group", 1)
    if blobs[0].shape[:1] != (outputs,):
        raise damaged(f"weights of {layer.name!r} in the shape {blobs[0].shape}")
    bias = _float32(blobs[1].reshape(-1)) if has_bias else None
    weight = blobs[0] if factor == 1 else blobs[0].astype(np.float64) * factor
    return graph.convolved(given[0], _float32(weight), bias, window, group)


def _batch_norm(graph: ShapedGraph, layer: Layer, given: Sequence[Value]) -> Value:
    value, channels = given[0], given[0].shape[1:2]
    mean, variance, count = (each.reshape(-1) for each in _blobs(layer, 3)[:3])
    if not mean.shape == variance.shape == channels or count.size != 1:
        raise damaged(f"weights of {layer.name!r} in the shape {mean.shape}")
    share = 0.0 if count[0] == 0 else 1 / float(count[0])
    plain = [np.ones(channels, np.float32), np.zeros(channels, np.float32)]
    gathered = [(each.astype(np.float64) * share).astype(np.float32) for each in (mean, variance)]
    epsilon = layer.settings.part("batch_norm_param").real("eps", 1e-5)
    return graph.node("BatchNormalization", [value, *plain, *gathered], value.shape, epsilon=epsilon)


def _scale(graph: ShapedGraph, layer: Layer, given: Sequence[Value]) -> Value:
    settings = layer.settings.part("scale_param")
    if len(given) != 1 or settings.whole("axis", 1) != 1:
        raise _refused(layer, "a factor that is worked out")
    value, has_bias = given[0], settings.truth("bias_term", otherwise=False)
    blobs = _blobs(layer, 2 if has_bias else 1)
    graph.map_size(value)
    if any(each.size != value.shape[1] for each in blobs[:2]):
        raise damaged(f"weights of {layer.name!r} in the shape {blobs[0].shape}")
    value = graph.node("Mul", [value, _spread(blobs[0])], value.shape)
    return graph.node("Add", [value, _spread(blobs[1])], value.shape) if has_bias else value


def _relu(graph: ShapedGraph, layer: Layer, given: Sequence[Value]) -> Value:
    slope = layer.settings.part("relu_param").real("negative_slope", 0.0)
    if slope:
        return graph.node("LeakyRelu", [given[0]], given[0].shape, alpha=slope)
    return graph.node("Relu", [given[0]], given[0].shape)


def _relu6(graph: ShapedGraph, _layer: Layer, given: Sequence[Value]) -> Value:
    bounds = [np.array(each, np.float32) for each in (0, 6)]
    return graph.node("Clip", [given[0], *bounds], given[0].shape)


def _prelu(graph: ShapedGraph, layer: Layer, given: Sequence[Value]) -> Value:
    slopes = _blobs(layer, 1)[0]
    graph.map_size(given[0])
    if slopes.size not in {1, given[0].shape[1]}:
        raise damaged(f"weights of {layer.name!r} in the shape {slopes.shape}")
    return graph.node("PRelu", [given[0], _spread(slopes)[0]], given[0].shape)


def _single(operator: str, graph: ShapedGraph, _layer: Layer, given: Sequence[Value]) -> Value:
    return graph.node(operator, [given[0]], given[0].shape)


def _pooling(graph: ShapedGraph, layer: Layer, given: Sequence[Value]) -> Value:
    settings = layer.settings.part("pooling_param")
    kind = settings.choice("pool", _POOLS, "MAX")
    if kind == "STOCHASTIC":
        raise _refused(layer, "a pooling by chance")
    if settings.truth("global_pooling", otherwise=False):
        window = Window(graph.map_size(given[0]))
    else:
        window = Window(
            _pair(settings, "kernel_size", 0, "kernel"),
            _pair(settings, "stride", 1),
            _pair(settings, "pad", 0),
            ceil=settings.choice("round_mode", ("CEIL", "FLOOR"), "CEIL") == "CEIL",
            clips=True,
        )
    return graph.pooled(given[0], "max" if kind == "MAX" else "avg", window, counts_pad=True)


def _eltwise(graph: ShapedGraph, layer: Layer, given: Sequence[Value]) -> Value:
    settings = layer.settings.part("eltwise_param")
    kind = settings.choice("operation", tuple(_ELTWISE), "SUM")
    if any(each != 1 for each in settings.reals("coeff")):
        raise _refused(layer, "coefficients")
    if any(each.shape != given[0].shape for each in given):
        raise damaged(f"{layer.name!r} joins values of several shapes")
    total = given[0]
    for each in given[1:]:
        total = graph.node(_ELTWISE[kind], [total, each], total.shape)
    return total


def _concat(graph: ShapedGraph, layer: Layer, given: Sequence[Value]) -> Value:
    settings = layer.settings.part("concat_param")
    return graph.joined(given, settings.whole("axis", settings.whole("concat_dim", 1)))


def _normalize(graph: ShapedGraph, layer: Layer, given: Sequence[Value]) -> Value:
    """SSD's own: each cell's channels, or the whole map, to the length of a factor that was learnt."""
    settings = layer.settings.part("norm_param")
    value, factor = given[0], _blobs(layer, 1)[0]
    graph.map_size(value)
    if factor.size not in {1, value.shape[1]}:
        raise damaged(f"weights of {layer.name!r} in the shape {factor.shape}")
    whole = settings.truth("across_spatial", otherwise=True)
    shape = (1, 1, 1, 1) if whole else (1, 1, *value.shape[2:])
    square = graph.node("Mul", [value, value], value.shape)
    axes = np.array([1, 2, 3] if whole else [1], np.int64)
    total = graph.node("ReduceSum", [square, axes], shape, keepdims=1)
    total = graph.node("Add", [total, np.array(settings.real("eps", 1e-10), np.float32)], shape)
    length = graph.node("Sqrt", [total], shape)
    unit = graph.node("Div", [value, length], value.shape)
    return graph.node("Mul", [unit, _spread(factor)], value.shape)


def _local_norm(graph: ShapedGraph, layer: Layer, given: Sequence[Value]) -> Value:
    settings = layer.settings.part("lrn_param")
    size = settings.whole("local_size", 5)
    if settings.choice("norm_region", ("ACROSS_CHANNELS", "WITHIN_CHANNEL"), "ACROSS_CHANNELS")[0] != "A":
        raise _refused(layer, "norm_region: WITHIN_CHANNEL")
    graph.map_size(given[0])
    if not 0 < size < 1_000 or size % 2 == 0:  # noqa: PLR2004 - far more than channels
        raise damaged(f"{layer.name!r} has local_size {size}")
    numbers = {"alpha": settings.real("alpha", 1.0), "beta": settings.real("beta", 0.75)}
    return graph.node("LRN", [given[0]], given[0].shape, bias=settings.real("k", 1.0), size=size, **numbers)


def _power(graph: ShapedGraph, layer: Layer, given: Sequence[Value]) -> Value:
    settings = layer.settings.part("power_param")
    value = given[0]
    for operator, name, neutral in (("Mul", "scale", 1.0), ("Add", "shift", 0.0), ("Pow", "power", 1.0)):
        if (number := settings.real(name, neutral)) != neutral:
            value = graph.node(operator, [value, np.array(number, np.float32)], value.shape)
    return value


LAYERS: Mapping[str, Work] = {
    "BatchNorm": _batch_norm,
    "Concat": _concat,
    "ConvolutionDepthwise": convolution,
    "DepthwiseConvolution": convolution,
    "Convolution": convolution,
    "ELU": partial(_single, "Elu"),
    "Eltwise": _eltwise,
    "LRN": _local_norm,
    "Normalize": _normalize,
    "PReLU": _prelu,
    "Pooling": _pooling,
    "Power": _power,
    "ReLU": _relu,
    "ReLU6": _relu6,
    "Scale": _scale,
    "Sigmoid": partial(_single, "Sigmoid"),
    "TanH": partial(_single, "Tanh"),
}
"""By Caffe's names."""
