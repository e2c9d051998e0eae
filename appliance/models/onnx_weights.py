"""Reading published ONNX files whose weights are stored in blocks of 8 bits.

Expands the weights to float32 and hands on the nodes that are left. Knows no network; refuses files
that keep weights elsewhere, because an ONNX file may name any path of the machine.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from appliance.errors import ModelError

Array = NDArray[Any]


def refusal(what: str) -> ModelError:
    """The error for a file that is not the published one."""
    return ModelError(
        f"published weights: {what}; this is not the network that was expected",
        command="fetch the published file with: appliance models install",
    )


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """A node's attributes by name."""
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


@dataclass(frozen=True)
class Published:
    """A published network with its weights expanded.

    Attributes:
        constants: Every weight by name, float32 where it was quantised.
        nodes: The nodes that compute something, in order; `Dropout` is left out.
        outputs: Names of the outputs.
    """

    constants: dict[str, Array]
    nodes: tuple[onnx.NodeProto, ...]
    outputs: tuple[str, ...]


def converted(data: bytes, convert: Callable[[Published], bytes]) -> bytes:
    """Read a published file and hand it to a converter.

    Args:
        data: The file's bytes.
        convert: Makes a new file of it; may fail in any ordinary way on a graph it does not expect.

    Raises:
        ModelError: The file is damaged, or its network is another.
    """
    try:
        model = onnx.load_model_from_string(data)
        if any(t.data_location == onnx.TensorProto.EXTERNAL for t in model.graph.initializer):
            raise refusal("weights in another file")
        onnx.checker.check_model(model)
        with np.errstate(all="raise"):
            return convert(_expanded(model.graph))
    except (DecodeError, onnx.checker.ValidationError) as error:
        raise refusal("not an ONNX file") from error
    except (KeyError, ValueError, IndexError, TypeError, ArithmeticError, RecursionError) as error:
        raise refusal(f"{type(error).__name__} in the graph") from error


def _expanded(graph: onnx.GraphProto) -> Published:
    """Work out every node that only prepares weights."""
    constants: dict[str, Array] = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    aliases: dict[str, str] = {}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = aliases.get(name, name)
        if node.op_type == "DequantizeLinear":
            constants[node.output[0]] = _dequantised(node, constants)
        elif node.op_type == "Reshape" and node.input[0] in constants:
            weight, shape = (constants[name] for name in node.input)
            constants[node.output[0]] = weight.reshape([int(n) for n in shape])
        elif node.op_type == "Constant":
            constants[node.output[0]] = numpy_helper.to_array(attributes(node)["value"])
        elif node.op_type == "Dropout":  # does nothing outside training
            aliases[node.output[0]] = node.input[0]
        else:
            nodes.append(node)
    return Published(constants, tuple(nodes), tuple(output.name for output in graph.output))


def _dequantised(node: onnx.NodeProto, constants: dict[str, Array]) -> Array:
    """`(q - zero) * scale`, with one scale and zero for each block along an axis."""
    quantised, scales, zeros = (constants[name] for name in node.input)
    given = attributes(node)
    axis, block = given["axis"], given["block_size"]
    steps = np.arange(quantised.shape[axis]) // block if block > 0 else np.zeros(0, np.int64)
    if not steps.size or steps[-1] >= scales.shape[axis]:
        raise refusal("fewer scales than blocks")
    scales, zeros = np.take(scales, steps, axis), np.take(zeros, steps, axis)
    weights: Array = (quantised.astype(np.float32) - zeros.astype(np.float32)) * scales
    return weights
