"""From the published YuNet, stored with 8-bit block-quantised weights, to plain float32 ONNX for any size.

Input of the result: `chips`, uint8, (N, height, width, 3), BGR, both sides multiples of 32. Outputs: for each
stride 8, 16, 32 one map `stride8` ..., float32, (N, height / stride, width / stride, 16): class and
object logits, four numbers of the box, ten of the points; `appliance.faces.detect` decodes them.

The published graph is fixed to 640x640, and its twelve little heads (one, one, four and ten channels at
three strides) keep onnxruntime out of its blocked layout. Each head is a 1x1 convolution and then a 3x3 one
channel by channel, so the four of a stride become one of 16 channels: the same sums, in a third of the time
that OpenCV takes for the network.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from appliance.models.onnx_graph import GraphWriter
from appliance.models.onnx_weights import Published, attributes, converted, refusal

Array = NDArray[Any]

STRIDES = (8, 16, 32)
"""Pixels between the cells of the three maps."""
_HEADS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
"""Outputs of a stride with their channels, in the order they are put together."""
_KEPT = ("group", "kernel_shape", "pads", "strides")


def convert(data: bytes) -> bytes:
    """Turn the bytes of the published int8bq file into those of a float32 one.

    Raises:
        ModelError: The file is damaged, or its network is not YuNet's shape.
    """
    return converted(data, lambda published: _Converter(published).run())


class _Converter:
    """Copies the trunk and rebuilds the heads."""

    def __init__(self, source: Published) -> None:
        self._source = source
        self._constants = source.constants
        self._makers = {node.output[0]: node for node in source.nodes}
        self._graph = GraphWriter("yunet-2023mar")
        self._values = {"input": self._graph.picture("chips")}

    def run(self) -> bytes:
        outputs: dict[str, tuple[str, tuple[int | str, ...]]] = {}
        for stride in STRIDES:
            value = self._head(
                [self._convolutions(f"{name}_{stride}", size) for name, size in _HEADS.items()]
            )
            outputs[f"stride{stride}"] = (value, ("n", f"rows{stride}", f"columns{stride}", 16))
        return self._graph.file(input_shape=("height", "width", 3), outputs=outputs)

    def _convolutions(self, output: str, channels: int) -> tuple[str, list[Array]]:
        """What a head reads, and the weights and biases of its two convolutions."""
        node = self._makers[output]
        while node.op_type in {"Sigmoid", "Reshape", "Transpose"}:
            node = self._makers[node.input[0]]
        fine, coarse = node, self._makers[node.input[0]]
        if [fine.op_type, coarse.op_type] != ["Conv", "Conv"] or attributes(fine)["group"] != channels:
            raise refusal(f"a head {output} of another shape")
        weights = [self._constants[name] for n in (coarse, fine) for name in n.input[1:3]]
        if [w.shape for w in weights] != [
            (channels, 64, 1, 1),
            (channels,),
            (channels, 1, 3, 3),
            (channels,),
        ]:
            raise refusal(f"a head {output} of another shape")
        return coarse.input[0], weights

    def _head(self, heads: list[tuple[str, list[Array]]]) -> str:
        """The four heads of one stride as one, channels last."""
        sources = {source for source, _ in heads}
        if len(sources) != 1:
            raise refusal("heads of one stride that read different maps")
        joined = [np.concatenate(parts) for parts in zip(*(weights for _, weights in heads), strict=True)]
        names = [self._graph.weight(array.astype(np.float32)) for array in joined]
        value = self._graph.node("Conv", [self._value(sources.pop()), *names[:2]], kernel_shape=[1, 1])
        value = self._graph.node(
            "Conv", [value, *names[2:]], group=16, kernel_shape=[3, 3], pads=[1, 1, 1, 1]
        )
        return self._graph.node("Transpose", [value], perm=[0, 2, 3, 1])

    def _value(self, name: str) -> str:
        """The value of this name in the graph that is written, with all it depends on."""
        if name not in self._values:
            node = self._makers[name]
            for needed in node.input:
                if needed and needed not in self._constants:
                    self._value(needed)
            self._values[name] = self._copied(node)
        return self._values[name]

    def _copied(self, node: onnx.NodeProto) -> str:
        """One node of the trunk."""
        graph, given = self._graph, attributes(node)
        match node.op_type:
            case "Conv":
                weights = [graph.weight(self._constants[n].astype(np.float32)) for n in node.input[1:]]
                kept = {name: given[name] for name in _KEPT}
                return graph.node("Conv", [self._values[node.input[0]], *weights], **kept)
            case "Relu" | "Add":
                return graph.node(node.op_type, [self._values[n] for n in node.input])
            case "MaxPool":
                size = {"kernel_shape": given["kernel_shape"], "strides": given["strides"]}
                return graph.node("MaxPool", [self._values[node.input[0]]], **size)
            case "Resize":
                scales = graph.weight(self._constants[node.input[2]].astype(np.float32))
                return graph.node(
                    "Resize",
                    [self._values[node.input[0]], "", scales],
                    mode="nearest",
                    nearest_mode="floor",
                    coordinate_transformation_mode="asymmetric",
                )
            case _:
                raise refusal(f"an operator {node.op_type} in the trunk")
