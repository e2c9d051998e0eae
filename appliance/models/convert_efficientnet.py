"""From the published EfficientNet-Lite0, a file of PyTorch's, to ONNX: no PyTorch.

Input of the result: `chips`, uint8, (N, 224, 224, 3), BGR. Outputs: `features`, float32, (N, 1280), what the
network makes of a picture before it names anything, for comparing pictures; `probabilities`, float32,
(N, 1000), of ImageNet's classes in their usual order, which add up to 1.

The network wants RGB, `(x - 127) / 128`. The channels' order and the division are folded into the first
convolution, what follows each convolution (batch normalisation) into its weights; the difference cannot be,
because that convolution pads with 0. How many layers there are and how wide stands in the weights; where they
halve the picture does not, and stands here.
"""

from collections.abc import Mapping

import numpy as np

from appliance.models.onnx_graph import GraphWriter
from appliance.models.onnx_weights import refusal
from appliance.models.torch_file import Array, tensors

SIDE = 224
FEATURES = 1280
CLASSES = 1000
_MEAN, _DIVISOR = 127.0, 128.0
_EPSILON = 1e-3
_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
"""Of each block."""


def convert(data: bytes) -> bytes:
    """Turn the bytes of the published file into those of an ONNX file.

    Raises:
        ModelError: The file is damaged, or its network is another.
    """
    weights = tensors(data)
    try:
        with np.errstate(all="raise"):
            return _Converter(weights).run()
    except (KeyError, ValueError, IndexError, ArithmeticError) as error:
        raise refusal(f"{type(error).__name__} in the layers") from error


class _Converter:
    """Writes the layers in the order they are computed in."""

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self._weights = weights
        self._graph = GraphWriter("efficientnet-lite0")
        self._used: set[str] = set()

    def run(self) -> bytes:
        graph = self._graph
        centred = graph.node("Sub", [graph.picture("chips"), graph.weight(np.array([_MEAN], np.float32))])
        stem = self._array("_conv_stem.weight")[:, ::-1] / _DIVISOR
        value = self._clipped(self._convolution(centred, stem, "_bn0", stride=2))
        for at, stride in enumerate(_STRIDES):
            value = self._block(value, f"_blocks.{at}", stride)
        value = self._clipped(self._convolution(value, self._array("_conv_head.weight"), "_bn1"))
        features = graph.node("Flatten", [graph.node("GlobalAveragePool", [value])])
        likely = graph.node("Softmax", [self._named(features)], axis=1)
        features = graph.node("Identity", [features])  # what is read in the graph has no name outside
        counters = {name for name in self._weights if name.endswith("num_batches_tracked")}
        if self._used | counters != self._weights.keys():
            raise refusal("more layers than the network has")
        return graph.file(
            input_shape=(SIDE, SIDE, 3),
            outputs={"features": (features, ("n", FEATURES)), "probabilities": (likely, ("n", CLASSES))},
        )

    def _block(self, value: str, name: str, stride: int) -> str:
        """Widen, look around channel by channel, narrow; and add what came in where it has the same shape."""
        before = value
        if f"{name}._expand_conv.weight" in self._weights:
            widening = self._array(f"{name}._expand_conv.weight")
            value = self._clipped(self._convolution(value, widening, f"{name}._bn0"))
            taken = widening.shape[1]
        else:
            taken = self._weights[f"{name}._depthwise_conv.weight"].shape[0]
        around = self._array(f"{name}._depthwise_conv.weight")
        value = self._convolution(value, around, f"{name}._bn1", stride=stride, group=len(around))
        narrowing = self._array(f"{name}._project_conv.weight")
        value = self._convolution(self._clipped(value), narrowing, f"{name}._bn2")
        same = stride == 1 and narrowing.shape[0] == taken
        return self._graph.node("Add", [value, before]) if same else value

    def _convolution(self, value: str, weight: Array, after: str, *, stride: int = 1, group: int = 1) -> str:
        """A convolution with the batch normalisation that follows it."""
        gain = self._array(f"{after}.weight") / np.sqrt(self._array(f"{after}.running_var") + _EPSILON)
        bias = self._array(f"{after}.bias") - self._array(f"{after}.running_mean") * gain
        size = weight.shape[2]
        # As TensorFlow pads, where it was trained: what is over goes to the right and the bottom.
        total = max(size - stride, 0)
        pads = [total // 2] * 2 + [total - total // 2] * 2
        return self._graph.node(
            "Conv",
            [
                value,
                self._graph.weight((weight * gain[:, None, None, None]).astype(np.float32)),
                self._graph.weight(bias.astype(np.float32)),
            ],
            group=group,
            kernel_shape=[size, size],
            pads=pads,
            strides=[stride] * 2,
        )

    def _clipped(self, value: str) -> str:
        limits = [self._graph.weight(np.array(each, np.float32)) for each in (0, 6)]
        return self._graph.node("Clip", [value, *limits])

    def _named(self, features: str) -> str:
        weight, bias = self._array("_fc.weight"), self._array("_fc.bias")
        if weight.shape != (CLASSES, FEATURES):
            raise refusal("another number of classes")
        names = [self._graph.weight(each.astype(np.float32)) for each in (weight, bias)]
        return self._graph.node("Gemm", [features, *names], transB=1)

    def _array(self, name: str) -> Array:
        self._used.add(name)
        return self._weights[name].astype(np.float64)
