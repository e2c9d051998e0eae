"""From the published SFace, stored with 8-bit block-quantised weights, to plain float32 ONNX.

Input of the result: `chips`, uint8, (N, 112, 112, 3), BGR as OpenCV has it (the published network wants RGB
and OpenCV swaps; here the swap is folded in). Output: `embeddings`, float32, (N, 128), not of unit length.
The file depends on nothing but the weights.

The weights are expanded once, batch normalisations are folded into the convolution or the matrix before or
after them, and constants stop being inputs: as published, onnxruntime and OpenCV 5 refuse the file. It
walks the network's exact shape (a chain) and refuses any other.

PReLU is written as `y + relu((a - 1) * y)`: onnxruntime 1.31 keeps a 1x1 convolution, a ReLU and an addition
in its blocked layout, but leaves that layout for every PReLU, which took longer than all convolutions (27
against 13 ms a chip, one core). Where a slope `a` is above 1 the formula gives minus PReLU for minus y, so
that channel changes its sign in the convolution before and once more in the one after.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.models.onnx_graph import GraphWriter
from appliance.models.onnx_weights import Published, attributes, converted, refusal

Array = NDArray[Any]


def convert(data: bytes) -> bytes:
    """Turn the bytes of the published int8bq file into those of a float32 one.

    Raises:
        ModelError: The file is damaged, or its network is not SFace's shape.
    """
    return converted(data, lambda published: _Converter(published).run())


class _Converter:
    """Follows the chain from the input to the output, folding as it goes."""

    def __init__(self, source: Published) -> None:
        self._constants = source.constants
        self._chain = source.nodes
        self._position = 0
        self._graph = GraphWriter("sface-2021dec")

    def run(self) -> bytes:
        graph, source = self._graph, self._chain[0].input[0]
        # (x - 127.5) / 128 comes first, and cannot be folded into the first convolution, which pads with 0.
        value = graph.picture("chips")
        offset, factor = self._scalar("Sub"), self._scalar("Mul")
        value = graph.node("Sub", [value, graph.weight(offset)])
        value = graph.node("Mul", [value, graph.weight(factor)])
        source = self._chain[self._position - 1].output[0]
        signs = np.ones(3)
        swap = slice(None, None, -1)
        while self._peek() == "Conv":
            value, source, signs = self._block(value, source, signs, swap)
            swap = slice(None)
        value = self._head(value, source, signs)
        if self._position != len(self._chain):
            raise refusal("more layers than expected")
        return graph.file(input_shape=(112, 112, 3), outputs={"embeddings": (value, ("n", 128))})

    def _peek(self) -> str:
        return self._chain[self._position].op_type if self._position < len(self._chain) else ""

    def _next(self, operator: str, source: str | None = None) -> Any:
        """The next node, which must be this operator and take up the chain."""
        if self._peek() != operator:
            raise refusal(f"expected {operator}, got {self._peek() or 'the end'}")
        node = self._chain[self._position]
        if source is not None and node.input[0] != source:
            raise refusal("the network is not a chain")
        self._position += 1
        return node

    def _scalar(self, operator: str) -> Array:
        return self._constants[self._next(operator).input[1]].astype(np.float32).reshape(1)

    def _normalisation(self, source: str) -> tuple[Array, Array, str]:
        """The next batch normalisation as factor and offset a channel, float64."""
        node = self._next("BatchNormalization", source)
        gamma, beta, mean, variance = (self._constants[n].astype(np.float64) for n in node.input[1:5])
        epsilon = attributes(node)["epsilon"]
        factor = gamma / np.sqrt(variance + epsilon)
        return factor, beta - mean * factor, node.output[0]

    def _block(self, value: str, source: str, signs: Array, order: slice) -> tuple[str, str, Array]:
        """Convolution, batch normalisation and PReLU.

        Args:
            value: Name of the input in the graph that is written.
            source: Name of the same in the graph that is read.
            signs: -1 for every input channel that arrives negated, else 1.
            order: Order of the input channels.

        Returns:
            The output's name in both graphs, and its signs.
        """
        node = self._next("Conv", source)
        given = attributes(node)
        weight = self._constants[node.input[1]].astype(np.float64)[:, order]
        weight = weight * (signs[None, :, None, None] if given["group"] == 1 else signs[:, None, None, None])
        factor, offset, output = self._normalisation(node.output[0])
        slope = self._next("PRelu", output)
        slopes = self._constants[slope.input[1]].astype(np.float64).reshape(-1, 1, 1, 1)
        signs = np.where(slopes.reshape(-1) > 1, -1.0, 1.0)
        weight = weight * (factor * signs)[:, None, None, None]
        kept = {name: given[name] for name in ("group", "kernel_shape", "pads", "strides")}
        graph = self._graph
        weights = [graph.weight(weight.astype(np.float32)), graph.weight((offset * signs).astype(np.float32))]
        value = graph.node("Conv", [value, *weights], **kept)
        bend = graph.weight((slopes - 1).astype(np.float32))
        bent = graph.node("Conv", [value, bend], group=signs.size, kernel_shape=[1, 1])
        value = graph.node("Add", [value, graph.node("Relu", [bent])])
        return value, slope.output[0], signs

    def _head(self, value: str, source: str, signs: Array) -> str:
        """Batch normalisation, flattening, matrix, batch normalisation: folded into one matrix."""
        before, before_offset, output = self._normalisation(source)
        flatten = self._next("Flatten", output)
        dense = self._next("Gemm", flatten.output[0])
        after, after_offset, _ = self._normalisation(dense.output[0])
        weight, bias = (self._constants[n].astype(np.float64) for n in dense.input[1:3])
        cells = weight.reshape(weight.shape[0], before.size, -1)
        # cumsum adds one after the other, so that every machine rounds alike; sum does not promise that.
        cell_sums = np.cumsum(cells, axis=2)[:, :, -1]
        bias = bias + np.cumsum(cell_sums * before_offset, axis=1)[:, -1]
        weight = (cells * (before * signs)[None, :, None]).reshape(weight.shape)
        graph = self._graph
        flat = graph.node("Flatten", [value], axis=1)
        weights = [
            graph.weight((weight * after[:, None]).astype(np.float32)),
            graph.weight((bias * after + after_offset).astype(np.float32)),
        ]
        return graph.node("Gemm", [flat, *weights], transB=1)
