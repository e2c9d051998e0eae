"""From the published COCO SSD-MobileNet-v2, a frozen TensorFlow graph, to ONNX: no TensorFlow.

The result is as `detector_graph` says, side 300, 1917 boxes, 90 labels (of COCO's numbers 1 to 90 ten are not
in use); its own label 0, nothing at all, is left out. The published graph resizes pictures before the network
and picks boxes after it, with 3,000 nodes; both are ours to do, so only the network between is taken:
convolutions with their normalisations folded in, and what joins them. The anchors are those of the
TensorFlow detector, whose six maps have scales from 0.2 to 0.95.

The network wants RGB as `x · 2/255 - 1`: BGR is swapped in the first convolution's weights and the factor is
folded into them; the rest of it cannot be, because that convolution pads with 0.
"""

import math

import numpy as np

from appliance.errors import ModelError
from appliance.models.convert_tensorflow_ssd import TensorflowSsd
from appliance.models.detector_graph import AnchorMap, joined_rows, ssd_boxes
from appliance.models.onnx_weights import refusal
from appliance.models.shaped_graph import ShapedGraph, Value
from appliance.models.tensorflow_graph import FrozenGraph
from appliance.models.tensorflow_layers import TensorflowNetwork

SIDE = 300
LABELS = 90
"""Without the one for nothing at all."""
_CELLS = (19, 10, 5, 3, 2, 1)
_SCALES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)
"""Of the anchors, in sides, of each map and one more."""
_RATIOS = (1.0, 2.0, 0.5, 3.0, 0.3333)
_HALF_RANGE = 127.5


def convert(data: bytes) -> bytes:
    """Turn the bytes of the published frozen graph into those of an ONNX file.

    Raises:
        ModelError: The file is damaged, or its network is another.
    """
    graph = FrozenGraph(data)
    try:
        with np.errstate(all="raise"):
            return _converted(graph)
    except ModelError as error:
        raise refusal(error.message.removeprefix("artefact: ")) from error
    except (KeyError, ValueError, IndexError, TypeError, ArithmeticError, RecursionError) as error:
        raise refusal(f"{type(error).__name__} in the graph") from error


def _converted(source: FrozenGraph) -> bytes:
    graph = ShapedGraph("coco-ssd-mobilenet-v2")
    writer = graph.writer
    middle = writer.weight(np.array([_HALF_RANGE], np.float32))
    centred = writer.node("Sub", [writer.picture("chips"), middle])
    network = TensorflowNetwork(source, graph, Value((1, 3, SIDE, SIDE), centred), _HALF_RANGE)
    found = TensorflowSsd(network).run()
    expected = tuple(((cells, cells), len(_sizes(at))) for at, cells in enumerate(_CELLS))
    if found.maps != expected or found.classes != LABELS:
        raise refusal(f"{len(found.maps)} maps of {found.classes} labels")
    boxes = ssd_boxes(writer, joined_rows(writer, found.boxes), _anchors())
    likely = writer.node("Sigmoid", [joined_rows(writer, found.scores)])
    return writer.file(
        input_shape=(SIDE, SIDE, 3),
        outputs={
            "boxes": (boxes, ("n", found.count, 4)),
            "scores": (likely, ("n", found.count, LABELS)),
        },
    )


def _sizes(at: int) -> tuple[tuple[float, float], ...]:
    """Width and height of the anchors of a map, in the detector's order."""
    if at == 0:  # three only, the first of half the size: there are many cells
        return tuple((s * math.sqrt(r), s / math.sqrt(r)) for s, r in ((0.1, 1.0), (0.2, 2.0), (0.2, 0.5)))
    scale, larger = _SCALES[at], math.sqrt(_SCALES[at] * _SCALES[at + 1])
    return (*((scale * math.sqrt(r), scale / math.sqrt(r)) for r in _RATIOS), (larger, larger))


def _anchors() -> tuple[AnchorMap, ...]:
    return tuple(AnchorMap(cells, _sizes(at)) for at, cells in enumerate(_CELLS))
