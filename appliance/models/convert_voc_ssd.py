"""From the published VOC MobileNet-SSD, a Caffe file, to ONNX: no Caffe, no prototxt.

The result is as `detector_graph` says, side 300, 1917 boxes, 20 labels; its own label 0, nothing at all, is
left out after the softmax. Everything needed stands in the one file: the layers with their weights, and the
anchors as parameters of the layers that made them; `convert_caffe_ssd` follows them. The network wants
`(x - 127.5) · 0.007843` in all three channels; the factor is folded into the first convolution, the
difference cannot be, because that one pads with 0.
"""

import numpy as np

from appliance.errors import ModelError
from appliance.models.caffe_net import layers_of_weights
from appliance.models.convert_caffe_ssd import CaffeSsd
from appliance.models.onnx_weights import refusal
from appliance.models.shaped_graph import ShapedGraph, Value

SIDE = 300
LABELS = 20
"""Without the one for nothing at all."""
_MEAN = 127.5
_FACTOR = 0.007843
"""As it was trained with; 1/127.5 is 0.0078431…, and nearly the same."""


def convert(data: bytes) -> bytes:
    """Turn the bytes of the published caffemodel into those of an ONNX file.

    Raises:
        ModelError: The file is damaged, or its network is another.
    """
    try:
        return _converted(data)
    except ModelError as error:
        raise refusal(error.message.removeprefix("artefact: ")) from error
    except (KeyError, ValueError, IndexError, TypeError, ArithmeticError) as error:
        raise refusal(f"{type(error).__name__} in the layers") from error


def _converted(data: bytes) -> bytes:
    layers = layers_of_weights(data)
    graph = ShapedGraph("voc-mobilenet-ssd")
    writer = graph.writer
    centred = writer.node("Sub", [writer.picture("chips"), writer.weight(np.array([_MEAN], np.float32))])
    found = CaffeSsd(graph, layers, "data", Value((1, 3, SIDE, SIDE), centred), _FACTOR).run()
    if found.labels != LABELS:
        raise refusal(f"a network of {found.labels} labels")
    return writer.file(
        input_shape=(SIDE, SIDE, 3),
        outputs={
            "boxes": (found.boxes, ("n", found.count, 4)),
            "scores": (found.scores, ("n", found.count, LABELS)),
        },
    )
