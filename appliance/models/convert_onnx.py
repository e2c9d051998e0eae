"""A user's ONNX network: taken as it is, and described by what stands in it.

Changes no byte. Refuses files that keep weights elsewhere, because an ONNX file may name any path of the
machine, and networks that take something else than one picture.
"""

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import TensorProto

from appliance.models.artefact import (
    LARGEST_SIDE,
    ConversionReport,
    Converted,
    Head,
    InputFacts,
    Kind,
    OutputFacts,
    damaged,
    unsupported,
)

_PICTURE_AXES, _ROW_AXES = 4, 2
_COLOURS = 3
_DETECTOR = {"boxes", "scores"}


def convert(data: bytes, *, width: int, height: int, files: tuple[str, ...] = ()) -> Converted:
    """Describe a network.

    Args:
        data: The file's bytes.
        width: Of the pictures, in pixels, where the file leaves it open; 0: as it says.
        height: Likewise.
        files: The file's name, for the report.

    Raises:
        ModelError: It is damaged, or takes something else than one picture.
    """
    try:
        model = onnx.load_model_from_string(data)
        tensors = [*model.graph.initializer]
        tensors += [a.t for node in model.graph.node for a in node.attribute if a.HasField("t")]
        if any(tensor.data_location == TensorProto.EXTERNAL for tensor in tensors):
            raise unsupported(
                "an ONNX file with its weights in another file",
                hint="save it again as a single file",
            )
        onnx.checker.check_model(model)
    except (DecodeError, onnx.checker.ValidationError, ValueError, RecursionError) as error:
        raise damaged("the ONNX file is damaged") from error
    graph = model.graph
    outputs = tuple(OutputFacts(each.name, _shape(each), each.name) for each in graph.output)
    met: dict[str, int] = {}
    for node in graph.node:
        met[node.op_type] = met.get(node.op_type, 0) + 1
    return Converted(
        onnx=data,
        kind=Kind.ONNX,
        head=_head(graph, _input(graph, width, height), outputs),
        report=ConversionReport(files=files, operations=dict(sorted(met.items()))),
    )


def _input(graph: onnx.GraphProto, width: int, height: int) -> InputFacts:
    weights = {tensor.name for tensor in graph.initializer}
    given = [each for each in graph.input if each.name not in weights]
    if len(given) != 1:
        raise unsupported(f"an ONNX network of {len(given)} inputs", hint="it must take one picture")
    shape, dtype = _shape(given[0]), given[0].type.tensor_type.elem_type
    if dtype not in {TensorProto.FLOAT, TensorProto.UINT8} or len(shape) != _PICTURE_AXES:
        raise unsupported(
            f"an ONNX network whose input has the shape {shape}",
            hint="it must take pictures, 4 axes of float32 or uint8",
        )
    first = shape[1] == _COLOURS or shape[3] != _COLOURS
    rows, columns = shape[2:] if first else shape[1:3]
    if shape[1 if first else 3] not in {0, _COLOURS} or shape[0] > 1:
        raise unsupported(
            f"an ONNX network whose input has the shape {shape}", hint="it must take one picture"
        )
    for name, said, asked in (("width", columns, width), ("height", rows, height)):
        if said and asked and said != asked:
            raise unsupported(
                f"an ONNX network of the {name} {said}, not {asked}", hint=f"leave the {name} out"
            )
        if not 0 < (said or asked) <= LARGEST_SIDE:
            raise unsupported(
                f"an ONNX network that leaves its {name} open", hint=f"give the {name} in pixels"
            )
    return InputFacts(
        given[0].name,
        columns or width,
        rows or height,
        "NCHW" if first else "NHWC",
        "uint8" if dtype == TensorProto.UINT8 else "float32",
    )


def _head(graph: onnx.GraphProto, source: InputFacts, outputs: tuple[OutputFacts, ...]) -> Head:
    if {each.name for each in outputs} == _DETECTOR and source.dtype == "uint8":
        scores = next(each for each in outputs if each.name == "scores")
        if len(scores.shape) == 3:  # noqa: PLR2004 - picture, box, label
            return Head("boxes_scores", source, outputs, scores.shape[-1])
    makers = {name: node.op_type for node in graph.node for name in node.output}
    if len(outputs) == 1 and len(outputs[0].shape) == _ROW_AXES and outputs[0].shape[1] > 0:
        last = makers.get(outputs[0].name)
        if last in {"Softmax", "Gemm"}:
            classes = outputs[0].shape[1]
            return Head("classification", source, outputs, classes, softmax=last == "Softmax")
    return Head("raw", source, outputs)


def _shape(value: onnx.ValueInfoProto) -> tuple[int, ...]:
    """Numbers along each axis; 0 for an open one."""
    return tuple(max(0, int(axis.dim_value)) for axis in value.type.tensor_type.shape.dim)
