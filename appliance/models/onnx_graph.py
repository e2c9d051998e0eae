"""Writing an ONNX graph so that the same weights give the same bytes everywhere.

Pins the versions that get into the file and orders nothing by chance. Does not know any network.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

IR_VERSION = 8
"""File format version; old enough for any onnxruntime of the last years."""
OPSET = 13
"""Operator set: the first in which all operators used here have their present form."""


class GraphWriter:
    """Collects nodes and weights, then writes the file."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def weight(self, array: NDArray[Any]) -> str:
        """Add a constant and return its name."""
        name = f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add an operator with one output and return the output's name."""
        name = f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def picture(self, source: str) -> str:
        """Turn uint8 rows of pixels, (N, height, width, 3), into float32 planes, (N, 3, height, width)."""
        return self.node("Cast", [self.node("Transpose", [source], perm=[0, 3, 1, 2])], to=TensorProto.FLOAT)

    def file(
        self,
        *,
        input_shape: Sequence[int | str],
        outputs: Mapping[str, tuple[str, Sequence[int | str]]],
        planes: bool = False,
    ) -> bytes:
        """The finished model.

        Args:
            input_shape: Height, width, channels of the uint8 input named `chips`; a name for what may vary.
            outputs: For each output its name, and the node and shape of the float32 value that becomes it.
            planes: The input is float32 instead, named `data`, and `input_shape` is all of its shape.
        """
        taken = (
            helper.make_tensor_value_info("data", TensorProto.FLOAT, list(input_shape))
            if planes
            else helper.make_tensor_value_info("chips", TensorProto.UINT8, ["n", *input_shape])
        )
        new_names = {node: name for name, (node, _) in outputs.items()}
        for node in self._nodes:
            node.output[0] = new_names.get(node.output[0], node.output[0])
        graph = helper.make_graph(
            self._nodes,
            self._name,
            [taken],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
                for name, (_, shape) in outputs.items()
            ],
            self._weights,
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="office-door-appliance",
        )
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))
