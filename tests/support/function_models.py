"""Small real networks as a function's models: they look at colours, so that what they should say is plain.

`colours` classifies a picture of 4 x 4 by its mean blue, green and red; `corner` finds one box whose two
scores are the means of blue and green; `raw` gives its picture back, and its mean.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from appliance.deeplens.descriptor import Descriptor, ModelInput, OutputLayer, catalogue_bytes
from appliance.deeplens.guest.descriptors import CATALOGUE

SIDE = 4
BYTES_TO_ONE = (1 / 255, 1 / 255, 1 / 255)
BOX = (0.25, 0.25, 0.75, 1.0)
"""Left, top, right, bottom of what `corner` finds, in fractions."""


def install(root: Path) -> Path:
    """Put the three models into a folder, as a view has them; the folder."""
    root.mkdir(parents=True, exist_ok=True)
    descriptors = (_colours(), _corner(), _raw())
    for descriptor, network in zip(descriptors, (_classifier(), _detector(), _mirror()), strict=True):
        (root / descriptor.file).write_bytes(network.SerializeToString())
    (root / CATALOGUE).write_bytes(catalogue_bytes(descriptors, {"golfball": "nobody has its weights"}))
    return root


def _input(side: int = SIDE) -> ModelInput:
    return ModelInput(width=side, height=side, scale=BYTES_TO_ONE)


def _colours() -> Descriptor:
    return Descriptor(
        name="mxnet_colours",
        kind="classification",
        file="colours.onnx",
        head="probabilities",
        input=_input(),
        outputs=(OutputLayer(layer="prob"),),
        labels=("blue", "green", "red"),
    )


def _corner() -> Descriptor:
    return Descriptor(
        name="deploy_corner",
        spellings=("mxnet_deploy_corner_FP16_FUSED",),
        kind="ssd",
        file="corner.onnx",
        head="boxes_scores",
        input=_input(),
        outputs=(OutputLayer(layer="detection_out"),),
        first_label=1,
        labels=("blue thing", "green thing"),
    )


def _raw() -> Descriptor:
    return Descriptor(
        name="style",
        kind="raw",
        file="raw.onnx",
        head="raw",
        input=_input(),
        outputs=(
            OutputLayer(layer="Convolution_last_conv", output="copy"),
            OutputLayer(layer="mean", output="means"),
        ),
    )


_PICTURE = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
_MEANS = helper.make_node("GlobalAveragePool", ["picture"], ["pooled"])


def _classifier() -> onnx.ModelProto:
    out = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, 3])
    return _model([_MEANS, helper.make_node("Flatten", ["pooled"], ["probabilities"])], [out])


def _detector() -> onnx.ModelProto:
    nodes = [
        _MEANS,
        _constant("shape", np.asarray([1, 1, 3], np.int64)),
        helper.make_node("Reshape", ["pooled", "shape"], ["all"]),
        _constant("kept", np.asarray([0, 1], np.int64)),
        helper.make_node("Gather", ["all", "kept"], ["scores"], axis=2),
        _constant("boxes", np.asarray([[BOX]], np.float32)),
    ]
    outs = [
        helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 1, 4]),
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 1, 2]),
    ]
    return _model(nodes, outs)


def _mirror() -> onnx.ModelProto:
    nodes = [
        _MEANS,
        helper.make_node("Flatten", ["pooled"], ["means"]),
        helper.make_node("Identity", ["picture"], ["copy"]),
    ]
    outs = [
        helper.make_tensor_value_info("copy", TensorProto.FLOAT, [1, 3, SIDE, SIDE]),
        helper.make_tensor_value_info("means", TensorProto.FLOAT, [1, 3]),
    ]
    return _model(nodes, outs)


def _constant(name: str, value: np.ndarray) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value))


def _model(nodes: list[onnx.NodeProto], outputs: list[onnx.ValueInfoProto]) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "colours", [_PICTURE], outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model
