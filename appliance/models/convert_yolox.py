"""The published YOLOX-nano with a picture as its input and boxes as its output, as `detector_graph` says.

Side 416, 3549 boxes, 80 labels. The weights and the network stay as they are; before it stands that bytes
become planes of numbers, 0 to 255, BGR, nothing subtracted; after it that a cell's answer is a box, and that
a label's score counts as much as it is certain that there is anything.
"""

import numpy as np
import onnx

from appliance.models.detector_graph import corners, part
from appliance.models.onnx_graph import GraphWriter
from appliance.models.onnx_weights import Published, attributes, converted, refusal

SIDE = 416
LABELS = 80
_STRIDES = (8, 16, 32)


def convert(data: bytes) -> bytes:
    """Turn the bytes of the published file into those of one with our input and outputs.

    Raises:
        ModelError: The file is damaged, or its network is another.
    """
    return converted(data, _run)


def _run(source: Published) -> bytes:
    graph = GraphWriter("yolox-nano")
    values = {"images": graph.picture("chips")}
    for node in source.nodes:
        if len(node.output) != 1:
            raise refusal(f"an operator {node.op_type} of several outputs")
        values[node.output[0]] = _copied(graph, node, values, source)
    answers = values[source.outputs[0]]
    cells = _cells()
    centre, size = part(graph, answers, 0, 2), part(graph, answers, 2, 4)
    steps = graph.weight((cells[:, 2:] / SIDE).astype(np.float32))
    centre = graph.node("Mul", [graph.node("Add", [centre, graph.weight(cells[:, :2])]), steps])
    half_step = graph.weight((cells[:, 2:] / SIDE / 2).astype(np.float32))
    half = graph.node("Mul", [graph.node("Exp", [size]), half_step])
    anything, labels = part(graph, answers, 4, 5), part(graph, answers, 5, 5 + LABELS)
    outputs = {"boxes": corners(graph, centre, half), "scores": graph.node("Mul", [labels, anything])}
    count = len(cells)
    return graph.file(
        input_shape=(SIDE, SIDE, 3),
        outputs={
            "boxes": (outputs["boxes"], ("n", count, 4)),
            "scores": (outputs["scores"], ("n", count, LABELS)),
        },
    )


def _cells() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Column, row and stride of every cell, map by map, row by row, float32, (3549, 3)."""
    parts = []
    for stride in _STRIDES:
        rows, columns = np.indices((SIDE // stride, SIDE // stride)).reshape(2, -1)
        parts.append(np.stack([columns, rows, np.full_like(rows, stride)], axis=1))
    return np.concatenate(parts).astype(np.float32)


def _copied(graph: GraphWriter, node: onnx.NodeProto, values: dict[str, str], source: Published) -> str:
    """One node as it is; its weights come along when they are first used."""
    for name in node.input:
        if name and name not in values:
            values[name] = graph.weight(source.constants[name])
    return graph.node(node.op_type, [values[name] if name else "" for name in node.input], **attributes(node))
