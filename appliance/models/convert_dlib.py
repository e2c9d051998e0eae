"""From dlib's published face network to ONNX: same vectors, no compiler, no dlib.

Input of the result: `chips`, uint8, (N, 150, 150, 3), RGB. Output: `embeddings`, float32, (N, 128), not of
unit length. It takes the network apart into residual blocks and refuses every other shape, because a graph
that is almost right gives wrong vectors without a word. The file depends on nothing but the weights.

What a converter has to get right (each compared with dlib's own output in the tests):

* an affine layer after a convolution is a factor and an offset a channel, folded into the convolution;
* a "down" block begins with a 3x3 convolution of stride 2 without padding; its shortcut is a 2x2 average
  pool, filled with zero channels up to the block's width. The filling is written as a 1x1 convolution with
  ones on its diagonal, because the runtime would leave its blocked layout for a padding of channels;
* in the last two "down" blocks the branches differ in size, and dlib's addition fills the smaller one with
  zeros at the bottom and right, after the affine layer;
* `(x - mean) / 256` folds into the first convolution, which has no padding.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.errors import ModelError
from appliance.models.dlib_stream import Layer, Network, read_network
from appliance.models.onnx_graph import GraphWriter

Weights = NDArray[np.float64]

_INPUT_SCALE = 256.0  # dlib's input_rgb_image_sized divides by it


def convert(data: bytes) -> bytes:
    """Turn the bytes of dlib's `.dat` file into those of an ONNX file.

    Raises:
        ModelError: The file is damaged, or its network is not the published face network's shape.
    """
    network = read_network(data)
    if (network.height, network.width) != (150, 150):
        raise _refuse(f"input of {network.width}x{network.height} pixels instead of 150x150")
    return _Converter(network).run()


def _refuse(what: str) -> ModelError:
    return ModelError(
        f"dlib weights: {what}; this is not the published face network",
        command="fetch the published file with: appliance models install",
    )


class _Converter:
    """Walks the layers once, from the input to the output."""

    def __init__(self, network: Network) -> None:
        self._means = network.means
        self._layers: Iterator[Layer] = iter(network.layers)
        self._graph = GraphWriter("dlib-face-resnet-v1")

    def run(self) -> bytes:
        graph = self._graph
        weight, bias, shape = self._folded_convolution()
        if weight.shape[1] != len(self._means) or shape[5:] != (0, 0):
            raise _refuse("a first convolution with padding or without three colours")
        weight, bias = _fold_input(weight, bias, self._means)
        value = self._convolution(graph.picture("chips"), weight, bias, shape)
        height, width = _shrunk((150, 150), shape[1:])
        self._take("relu_")
        value = graph.node("Relu", [value])
        rows, columns, step_y, step_x, pad_y, pad_x = pool = self._take("max_pool_2").shape
        if (pad_y, pad_x) != (0, 0) or 0 in pool[:4]:
            raise _refuse("a max pool with padding")
        value = graph.node("MaxPool", [value], kernel_shape=[rows, columns], strides=[step_y, step_x])
        size = _shrunk((height, width), pool)
        value = self._blocks(value, weight.shape[0], size)
        dense = self._take("fc_2")
        if dense.weight is None or next(self._layers, None) is not None:
            raise _refuse("layers after the fully connected one")
        value = graph.node("MatMul", [value, graph.weight(dense.weight)])
        outputs = {"embeddings": (value, ("n", dense.shape[0]))}
        return graph.file(input_shape=(150, 150, 3), outputs=outputs)

    def _take(self, kind: str) -> Layer:
        """The next layer, which must be of this kind."""
        layer = next(self._layers, None)
        if layer is None or layer.kind != kind:
            raise _refuse(f"expected {kind}, got {layer.kind if layer else 'the end'}")
        return layer

    def _folded_convolution(self, first: Layer | None = None) -> tuple[Weights, Weights, tuple[int, ...]]:
        """A convolution with the affine layer after it folded in: weight, bias, shape."""
        layer = first or self._take("con_4")
        affine = self._take("affine_")
        if layer.weight is None or layer.bias is None or affine.weight is None or affine.bias is None:
            raise _refuse("a convolution without weights")
        if affine.weight.shape != layer.bias.shape or 0 in layer.shape[:5]:
            raise _refuse("a convolution and an affine layer of different width")
        factor = affine.weight.astype(np.float64)
        weight = layer.weight.astype(np.float64) * factor[:, None, None, None]
        return weight, layer.bias * factor + affine.bias, layer.shape

    def _convolution(self, source: str, weight: Weights, bias: Weights, shape: tuple[int, ...]) -> str:
        _, rows, columns, step_y, step_x, pad_y, pad_x = shape
        return self._graph.node(
            "Conv",
            [
                source,
                self._graph.weight(weight.astype(np.float32)),
                self._graph.weight(bias.astype(np.float32)),
            ],
            kernel_shape=[rows, columns],
            strides=[step_y, step_x],
            pads=[pad_y, pad_x, pad_y, pad_x],
        )

    def _blocks(self, value: str, channels: int, size: tuple[int, int]) -> str:
        """All residual blocks up to the global average."""
        graph = self._graph
        while True:
            layer = next(self._layers, None)
            if layer is None:
                raise _refuse("no global average")
            if layer.kind == "avg_pool_2":
                if layer.shape[:2] != (0, 0):  # dlib: 0 means as large as the input
                    raise _refuse("an average pool between blocks that is not global")
                return graph.node("Flatten", [graph.node("GlobalAveragePool", [value])], axis=1)
            value, channels, size = self._block(layer, value, channels, size)

    def _block(
        self, first: Layer, source: str, channels: int, size: tuple[int, int]
    ) -> tuple[str, int, tuple[int, int]]:
        """One residual block: two convolutions beside a shortcut, added, clipped at 0."""
        graph = self._graph
        if first.kind != "con_4":
            raise _refuse(f"a block that begins with {first.kind}")
        weight, bias, shape = self._folded_convolution(first)
        if weight.shape[1] != channels:
            raise _refuse(f"a block with {weight.shape[1]} channels after one with {channels}")
        self._take("relu_")
        branch = graph.node("Relu", [self._convolution(source, weight, bias, shape)])
        branch_size = _shrunk(size, shape[1:])
        width = weight.shape[0]
        weight, bias, shape = self._folded_convolution()
        if weight.shape[:2] != (width, width):
            raise _refuse("two convolutions of a block with different width")
        branch = self._convolution(branch, weight, bias, shape)
        branch_size = _shrunk(branch_size, shape[1:])
        shortcut = source
        layer = next(self._layers, None)
        if layer is not None and layer.kind == "avg_pool_2":
            if layer.shape != (2, 2, 2, 2, 0, 0) or width < channels:
                raise _refuse("a shortcut that is not a 2x2 average")
            shortcut = graph.node("AveragePool", [source], kernel_shape=[2, 2], strides=[2, 2])
            if width > channels:
                wider = np.eye(width, channels)[:, :, None, None]
                shortcut = self._convolution(shortcut, wider, np.zeros(width), (width, 1, 1, 1, 1, 0, 0))
            size = _shrunk(size, layer.shape)
            layer = next(self._layers, None)
        elif width != channels:
            raise _refuse("a block that changes width without a pool")
        if layer is None or layer.kind != "add_prev_":
            raise _refuse("a block without an addition")
        both = (max(branch_size[0], size[0]), max(branch_size[1], size[1]))
        branch, shortcut = self._grown(branch, branch_size, both), self._grown(shortcut, size, both)
        self._take("relu_")
        return graph.node("Relu", [graph.node("Add", [branch, shortcut])]), width, both

    def _grown(self, value: str, size: tuple[int, int], to: tuple[int, int]) -> str:
        """Zeros at the bottom and right up to the size, as dlib's addition does."""
        if size == to:
            return value
        pads: NDArray[Any] = np.array([0, 0, 0, 0, 0, 0, to[0] - size[0], to[1] - size[1]], dtype=np.int64)
        return self._graph.node("Pad", [value, self._graph.weight(pads)])


def _shrunk(size: tuple[int, int], window: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns after a window of (rows, columns, step y, step x, padding y, padding x)."""
    rows, columns, step_y, step_x, pad_y, pad_x = window
    high = (size[0] + 2 * pad_y - rows) // step_y + 1
    wide = (size[1] + 2 * pad_x - columns) // step_x + 1
    if high < 1 or wide < 1:
        raise _refuse("a window larger than its picture")
    return high, wide


def _fold_input(weight: Weights, bias: Weights, means: tuple[float, float, float]) -> tuple[Weights, Weights]:
    """Fold `(x - mean) / 256` into the first convolution, summing in a fixed order."""
    scaled = weight / _INPUT_SCALE
    shift = [math.fsum((kernel * np.array(means)[:, None, None]).reshape(-1).tolist()) for kernel in scaled]
    return scaled, bias - np.array(shift)
