"""The layers of frozen TensorFlow networks as ONNX: what SSDs of the object detection API are built of.

Goes from a value back to the picture, writing each node once; normalisations are folded into the
convolutions they follow. TensorFlow's maps have their channels last, ONNX's come after the batch. Operations
that are not supported are refused by name.
"""

import math
from collections import Counter

import numpy as np

from appliance.errors import ModelError
from appliance.models.artefact import damaged, unsupported
from appliance.models.detector_graph import Array
from appliance.models.shaped_graph import Pair, ShapedGraph, Value
from appliance.models.tensorflow_graph import FrozenGraph, Node

INPUT = "Preprocessor/sub"
"""The node that is the picture, prepared."""
_CONVOLUTIONS = {"Conv2D", "DepthwiseConv2dNative"}
_NORMALISED = {"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"}
_MAP_AXES = 4
_CHANNELS_LAST = 3


class TensorflowNetwork:
    """Writes values of a graph.

    Args:
        source: Where they are read.
        graph: Where they are written.
        picture: The value that is the picture; its shape says the size.
        divisor: What the picture's numbers are divided by in the weights of what takes them, with its
            channels in the other order; 1: neither.
    """

    def __init__(self, source: FrozenGraph, graph: ShapedGraph, picture: Value, divisor: float = 1.0) -> None:
        self.source = source
        self.graph = graph
        self.met: Counter[str] = Counter()
        self._divisor = divisor
        self._values: dict[str, Value] = {INPUT: picture}

    def weights(self, name: str) -> Array:
        """A value that is constant, float64.

        Raises:
            ModelError: It is worked out from the picture.
        """
        found = self.source.constant(name)
        if found is None:
            raise damaged(f"the graph's {name[:100]!r} is no weight")
        return found

    def value(self, name: str) -> Value:
        """A node's value, written now if it was not before."""
        node = self.source.node(name)
        if node.name not in self._values:
            self._values[node.name] = self._written(node)
        return self._values[node.name]

    def convolved(self, node: Node, weights: Array, bias: Array | None) -> Value:
        """A convolution with these weights, (rows, columns, in, out); channel by channel: (.., in, each)."""
        if node.operation not in _CONVOLUTIONS or weights.ndim != _MAP_AXES:
            raise unsupported(f"the operation {node.operation[:40]!r} where a convolution should be")
        if set(node.wholes("dilations")) - {1}:
            raise unsupported(f"{node.operation} {node.name[:100]!r} with dilations")
        value = self.value(node.inputs[0])
        if self._divisor != 1 and self.source.node(node.inputs[0]).name == INPUT:
            weights = weights[:, :, ::-1] / self._divisor
        high, wide, before, after = weights.shape
        if before != value.shape[1]:
            raise damaged(f"the graph's {node.name[:100]!r} has weights for {before} channels")
        self.met[node.operation] += 1
        single = node.operation == "DepthwiseConv2dNative"
        if single:
            weights = weights.transpose(2, 3, 0, 1).reshape(before * after, 1, high, wide)
        else:
            weights = weights.transpose(3, 2, 0, 1)
        if bias is not None and bias.shape != (weights.shape[0],):
            raise damaged(f"the graph's {node.name[:100]!r} has {bias.size} offsets")
        strides, pads, cells = self._window(node, value, (high, wide))
        given: list[Value | Array] = [value, weights.astype(np.float32)]
        if bias is not None:
            given.append(bias.astype(np.float32))
        return self.graph.node(
            "Conv",
            given,
            (1, weights.shape[0], *cells),
            group=before if single else 1,
            kernel_shape=[high, wide],
            pads=pads,
            strides=list(strides),
        )

    def _window(self, node: Node, value: Value, size: Pair) -> tuple[Pair, list[int], Pair]:
        """Strides, padding, and the rows and columns that come of them."""
        steps = node.wholes("strides")
        if len(steps) != _MAP_AXES or min(steps) < 1 or (steps[0], steps[3]) != (1, 1) or min(size) < 1:
            raise unsupported(f"{node.operation} {node.name[:100]!r} with strides {steps[:8]}")
        if node.text("data_format", "NHWC") != "NHWC":
            raise unsupported(f"{node.operation} {node.name[:100]!r} with channels first")
        strides = steps[1], steps[2]
        before = self.graph.map_size(value)
        padding = node.text("padding")
        if padding == "SAME":
            # It pads as little as gives that many cells, and the odd pixel at the end.
            rows, columns = (math.ceil(before[i] / strides[i]) for i in (0, 1))
            cells = rows, columns
            added = [max(0, (cells[i] - 1) * strides[i] + size[i] - before[i]) for i in (0, 1)]
        elif padding == "VALID":
            rows, columns = ((before[i] - size[i]) // strides[i] + 1 for i in (0, 1))
            added = [0, 0]
        else:
            raise unsupported(f"{node.operation} {node.name[:100]!r} with padding {padding[:40]!r}")
        front = [each // 2 for each in added]
        pads = [*front, *(each - first for each, first in zip(added, front, strict=True))]
        return strides, pads, (rows, columns)

    def _written(self, node: Node) -> Value:
        operation = node.operation
        if operation in _CONVOLUTIONS:
            return self.convolved(node, self.weights(node.inputs[1]), None)
        if operation in _NORMALISED:
            return self._normalised(node)
        match operation:
            case "Relu6" | "Relu" | "Sigmoid":
                return self._activated(node)
            case "Add" | "AddV2" | "BiasAdd":
                return self._added(node)
            case "ConcatV2":
                return self._joined(node)
            case "MaxPool" | "AvgPool":
                return self._pooled(node)
            case _:
                raise self._unknown(node)

    def _activated(self, node: Node) -> Value:
        value = self.value(node.inputs[0])
        if node.operation == "Relu6":
            bounds = [np.array(each, np.float32) for each in (0, 6)]
            return self._counted(node, self.graph.node("Clip", [value, *bounds], value.shape))
        return self._counted(node, self.graph.node(node.operation, [value], value.shape))

    def _unknown(self, node: Node) -> ModelError:
        """All operations between here and the picture that are not supported, at once."""
        known = {"Relu6", "Relu", "Sigmoid", "Add", "AddV2", "BiasAdd", "ConcatV2", "MaxPool", "AvgPool"}
        known |= {*_NORMALISED, *_CONVOLUTIONS, "Identity", "Mul", "Const", "Sub", "Rsqrt"}
        unknown: dict[str, str] = {node.operation: node.name}
        for each in self.source.nodes:
            if each.operation not in known and each.name.startswith("FeatureExtractor/"):
                unknown.setdefault(each.operation, each.name)
        listed = ", ".join(f"{kind[:40]} ({name[:100]})" for kind, name in list(unknown.items())[:20])
        return unsupported(f"operations of TensorFlow that are not supported: {listed}")

    def _counted(self, node: Node, value: Value) -> Value:
        self.met[node.operation] += 1
        return value

    def _added(self, node: Node) -> Value:
        offset = self.source.constant(node.inputs[1])
        if offset is None:
            first, second = (self.value(name) for name in node.inputs[:2])
            if first.shape != second.shape:
                raise damaged(f"the graph's {node.name[:100]!r} adds maps of two sizes")
            return self._counted(node, self.graph.node("Add", [first, second], first.shape))
        before = self.source.node(node.inputs[0])
        if before.operation in _CONVOLUTIONS:
            return self.convolved(before, self.weights(before.inputs[1]), offset.reshape(-1))
        if before.operation != "Mul":
            raise unsupported(f"{node.operation} {node.name[:100]!r} after {before.operation[:40]}")
        convolution = self.source.node(before.inputs[0])
        return self._folded(convolution, self.weights(before.inputs[1]), offset)

    def _folded(self, convolution: Node, factor: Array, offset: Array) -> Value:
        """A convolution, times a factor a channel, plus an offset a channel."""
        if convolution.operation not in _CONVOLUTIONS:
            raise unsupported(f"a normalisation after {convolution.operation[:40]}")
        weights = self.weights(convolution.inputs[1])
        shape = weights.shape[-2:] if convolution.operation == "DepthwiseConv2dNative" else (1, factor.size)
        return self.convolved(convolution, weights * factor.reshape(shape), offset.reshape(-1))

    def _normalised(self, node: Node) -> Value:
        if node.whole("is_training", 1) or node.text("data_format", "NHWC") != "NHWC":
            raise unsupported(f"{node.operation} {node.name[:100]!r} as in training")
        gamma, beta, mean, variance = (self.weights(name) for name in node.inputs[1:5])
        factor = gamma / np.sqrt(variance + node.real("epsilon", 1e-4))
        offset = beta - mean * factor
        before = self.source.node(node.inputs[0])
        if before.operation == "BiasAdd":
            offset = offset + self.weights(before.inputs[1]) * factor
            before = self.source.node(before.inputs[0])
        return self._folded(before, factor, offset)

    def _joined(self, node: Node) -> Value:
        axis = self.weights(node.inputs[-1])
        if axis.size != 1 or int(axis.reshape(-1)[0]) not in {-1, _CHANNELS_LAST}:
            raise unsupported(f"{node.operation} {node.name[:100]!r} along another axis than channels")
        values = [self.value(name) for name in node.inputs[:-1]]
        return self._counted(node, self.graph.joined(values, 1))

    def _pooled(self, node: Node) -> Value:
        value = self.value(node.inputs[0])
        sizes = node.wholes("ksize")
        if len(sizes) != _MAP_AXES or (sizes[0], sizes[3]) != (1, 1):
            raise unsupported(f"{node.operation} {node.name[:100]!r} of {sizes[:8]}")
        strides, pads, cells = self._window(node, value, (sizes[1], sizes[2]))
        if max(pads[0], pads[2]) >= sizes[1] or max(pads[1], pads[3]) >= sizes[2]:
            raise unsupported(f"{node.operation} {node.name[:100]!r} that goes over nothing but its padding")
        operator = "MaxPool" if node.operation == "MaxPool" else "AveragePool"
        settings = {"kernel_shape": [sizes[1], sizes[2]], "pads": pads, "strides": list(strides)}
        return self._counted(node, self.graph.node(operator, [value], (*value.shape[:2], *cells), **settings))
