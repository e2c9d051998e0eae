"""From a user's frozen TensorFlow SSD to ONNX: no TensorFlow.

A `frozen_inference_graph.pb` of the object detection API: SSD with MobileNet v1 or v2, or Inception v2, with
its classes, anchors and input's size as the graph says. The result has `boxes` and `scores` as
`detector_graph` says, without the label 0, which is nothing at all. Such a graph resizes pictures before the
network and picks boxes after it; both are others' to do, so only the network between is taken.
`TensorflowSsd` is what `convert_coco_ssd` is made with too. Detectors that share their predictors' weights
(FPN, RetinaNet) and those in two stages (Faster R-CNN) are refused by name.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from appliance.errors import ModelError
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
from appliance.models.detector_graph import Array, joined_rows, part, rows_of_map, ssd_boxes
from appliance.models.shaped_graph import Pair, ShapedGraph, Value
from appliance.models.tensorflow_constants import worked_out
from appliance.models.tensorflow_graph import FrozenGraph
from appliance.models.tensorflow_layers import INPUT, TensorflowNetwork

_BY_ROW = [1, 0, 3, 2]
"""TensorFlow's boxes give y before x, height before width."""
_ANCHORS = ("Postprocessor/ExpandDims", "Postprocessor/Tile")
_JOINED = ("Concatenate/concat", "MultipleGridAnchorGenerator/Concatenate/concat")
_FACTORS = (("Postprocessor/Decode/div_1/y", 10.0), ("Postprocessor/Decode/div/y", 10.0))
_GROWTHS = (("Postprocessor/Decode/div_3/y", 5.0), ("Postprocessor/Decode/div_2/y", 5.0))
_LIKELY, _SCALED = "Postprocessor/convert_scores", "Postprocessor/scale_logits/y"
_MOST_MAPS = 20
_NOTE = "resizing pictures and picking boxes are left out of the network: the appliance does both"
_ELSEWHERE = "export it from where it was trained as ONNX or OpenVINO IR"
_OTHERS = {
    "SecondStagePostprocessor": "a detector in two stages (Faster R-CNN)",
    "FirstStageFeatureExtractor": "a detector in two stages (Faster R-CNN)",
    "WeightSharedConvolutionalBoxPredictor": "a detector that shares its predictors (FPN, RetinaNet)",
}


@dataclass(frozen=True, slots=True, eq=False)
class GivenAnchors:
    """Anchors as the graph has them.

    Attributes:
        places: Centre x, centre y, width, height in fractions of the picture, float64, (n, 4).
    """

    places: Array

    def boxes(self) -> Array:
        """As `places`."""
        return self.places


@dataclass(frozen=True, slots=True)
class Predicted:
    """What an SSD's maps give.

    Attributes:
        boxes: The node of the answers, one row per anchor, (N, n, 4), x before y.
        scores: That of the scores.
        maps: Rows and columns, and anchors a cell, of every map.
        classes: How many, without that for nothing at all.
    """

    boxes: list[str]
    scores: list[str]
    maps: tuple[tuple[Pair, int], ...]
    classes: int

    @property
    def count(self) -> int:
        """How many boxes."""
        return sum(rows * columns * anchors for (rows, columns), anchors in self.maps)


class TensorflowSsd:
    """Writes the network from the picture to the rows of its maps.

    Args:
        network: Writes what the predictors need.
    """

    def __init__(self, network: TensorflowNetwork) -> None:
        self._network = network
        self._source = network.source

    def run(self, *, with_nothing: bool = False) -> Predicted:
        """Write all maps.

        Args:
            with_nothing: Whether scores keep the first column, for nothing at all.

        Raises:
            ModelError: It is no such detector.
        """
        count = 0
        while f"BoxPredictor_{count}/BoxEncodingPredictor/BiasAdd" in self._source and count < _MOST_MAPS:
            count += 1
        if not count:
            raise unsupported("a TensorFlow graph without the predictors of an SSD")
        found = Predicted([], [], (), 0)
        maps, classes = [], set()
        for at in range(count):
            anchors = self._bias(at, "BoxEncodingPredictor").size // 4
            width = self._bias(at, "ClassPredictor").size // max(1, anchors)
            if anchors < 1 or width < 2:  # noqa: PLR2004 - nothing at all and something
                raise damaged(f"the graph's map {at} has {anchors} anchors of {width} classes")
            classes.add(width - 1)
            boxes, cells = self._head(at, "BoxEncodingPredictor", 4, _BY_ROW)
            kept = list(range(0 if with_nothing else 1, width))
            scores, same = self._head(at, "ClassPredictor", width, kept)
            if cells != same or len(classes) != 1:
                raise damaged(f"the graph's map {at} has answers of {cells} and scores of {same} cells")
            found.boxes.append(boxes)
            found.scores.append(scores)
            maps.append((cells, anchors))
        return Predicted(found.boxes, found.scores, tuple(maps), classes.pop())

    def _bias(self, at: int, kind: str) -> Array:
        node = self._source.node(f"BoxPredictor_{at}/{kind}/BiasAdd")
        return self._network.weights(node.inputs[1])

    def _head(self, at: int, kind: str, width: int, columns: Sequence[int]) -> tuple[str, Pair]:
        """The rows of a map, with these columns of each; and the map's rows and columns."""
        node = self._source.node(f"BoxPredictor_{at}/{kind}/BiasAdd")
        bias = self._network.weights(node.inputs[1])
        convolution = self._source.node(node.inputs[0])
        weights = self._network.weights(convolution.inputs[1])
        if bias.size % width:
            raise damaged(f"the graph's {node.name[:100]!r} has {bias.size} numbers for rows of {width}")
        kept = np.arange(bias.size).reshape(-1, width)[:, list(columns)].reshape(-1)
        value = self._network.convolved(convolution, weights[..., kept], bias[kept])
        writer = self._network.graph.writer
        return rows_of_map(writer, value.name, len(columns)), (value.shape[2], value.shape[3])


def convert(data: bytes, *, width: int = 0, height: int = 0, files: Sequence[str] = ()) -> Converted:
    """Convert a network.

    Args:
        data: The bytes of the frozen graph.
        width: Of the input, in pixels; 0: as the graph says. The anchors are those of the graph's size, so no
            other is taken.
        height: Likewise.
        files: The file's name, for the report.

    Raises:
        ModelError: The file is damaged, or its network is no such SSD.
    """
    try:
        with np.errstate(all="ignore"):
            return _converted(FrozenGraph(data), (height, width), tuple(files))
    except ModelError as error:
        said = error.message.removeprefix("published weights: ").removeprefix("artefact: ")
        raise ModelError(f"artefact: {said}", hint=error.hint) from error
    except (KeyError, ValueError, IndexError, TypeError, ArithmeticError, RecursionError) as error:
        raise damaged(f"the TensorFlow graph contradicts itself ({type(error).__name__})") from error


def _converted(source: FrozenGraph, asked: Pair, files: tuple[str, ...]) -> Converted:
    for node in source.nodes:
        first = node.name.partition("/")[0]
        if first in _OTHERS:
            raise unsupported(
                f"{_OTHERS[first]}, which is not supported", hint="export it as ONNX or OpenVINO IR"
            )
    height, width = _size(source, asked)
    mean, scale = _prepared(source)
    graph = ShapedGraph("tensorflow-ssd")
    picture = Value((1, 3, height, width), "data")
    network = TensorflowNetwork(source, graph, picture)
    softmax = _LIKELY in source and source[_LIKELY].operation == "Softmax"
    found = TensorflowSsd(network).run(with_nothing=softmax)
    writer = graph.writer
    anchors = _anchors(source, found.count)
    factors = [1 / _number(source, *each) for each in (*_FACTORS, *_GROWTHS)]
    boxes = ssd_boxes(writer, joined_rows(writer, found.boxes), [anchors], factors)
    scores = joined_rows(writer, found.scores)
    if (divisor := _number(source, _SCALED, 1.0)) != 1:
        scores = writer.node("Div", [scores, writer.weight(np.array(divisor, np.float32))])
    if softmax:
        scores = part(writer, writer.node("Softmax", [scores], axis=2), 1, found.classes + 1)
    else:
        scores = writer.node("Sigmoid", [scores])
    outputs = {
        "boxes": Value((1, found.count, 4), boxes),
        "scores": Value((1, found.count, found.classes), scores),
    }
    return Converted(
        onnx=graph.file(picture, outputs),
        kind=Kind.TENSORFLOW,
        head=Head(
            "boxes_scores",
            InputFacts("data", width, height, "NCHW", "float32", "RGB", mean, scale),
            tuple(OutputFacts(name, value.shape, "DetectionOutput") for name, value in outputs.items()),
            classes=found.classes,
            first_label=1,
        ),
        report=ConversionReport(
            files=files,
            operations=dict(sorted(Counter(network.met).items())),
            ignored=("Preprocessor", "Postprocessor"),
            notes=(
                "resizing pictures and picking boxes are left out of the network: the appliance does both",
            ),
        ),
    )


def _number(source: FrozenGraph, name: str, otherwise: float) -> float:
    found = worked_out(source, name) if name in source else np.asarray(otherwise)
    if found.size != 1 or not 1e-6 < abs(float(found.reshape(-1)[0])) < 1e6:  # noqa: PLR2004 - of any sense
        raise damaged(f"the graph's {name!r} is no number that makes sense")
    return float(found.reshape(-1)[0])


def _size(source: FrozenGraph, asked: Pair) -> Pair:
    """Height and width that pictures are resized to in the graph."""
    said = {
        tuple(int(each) for each in worked_out(source, node.inputs[1]))
        for node in source.nodes
        if node.operation == "ResizeBilinear"
        and node.name.startswith("Preprocessor/")
        and len(node.inputs) > 1
    }
    if len(said) > 1 or any(len(each) != 2 for each in said):  # noqa: PLR2004 - height and width
        raise unsupported("a TensorFlow graph that resizes pictures in several ways")
    height, width = next(iter(said), asked)
    if any(mine and mine != theirs for mine, theirs in zip(asked, (height, width), strict=True)):
        raise unsupported(
            f"a TensorFlow graph for {width} x {height} pixels, not {asked[1]} x {asked[0]}",
            hint="leave the width and height out",
        )
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise unsupported(
            f"a TensorFlow graph for {width} x {height} pixels", hint="give its width and height"
        )
    return height, width


def _prepared(source: FrozenGraph) -> tuple[tuple[float, float, float], float]:
    """What is subtracted from pixels, and what the difference is multiplied with, before the network."""
    node = source[INPUT]
    if node.operation != "Sub":
        raise unsupported(f"a TensorFlow graph that prepares pictures by {node.operation[:40]!r}")
    before, factor = source.node(node.inputs[0]), 1.0
    if before.operation == "Mul":
        known = [source.constant(name) for name in before.inputs]
        factor = next(
            (float(each.reshape(-1)[0]) for each in known if each is not None and each.size == 1), 0.0
        )
    offsets = source.constant(node.inputs[1])
    if offsets is None or offsets.size not in {1, 3} or not 1e-6 < abs(factor) < 1e6:  # noqa: PLR2004 - colours
        raise unsupported("a TensorFlow graph that prepares pictures in another way")
    means = [float(each) / factor for each in np.broadcast_to(offsets.reshape(-1), 3)]
    return (means[0], means[1], means[2]), factor


def _anchors(source: FrozenGraph, count: int) -> GivenAnchors:
    """The anchors: what the decoder is given, which is worked out of constants.

    Raises:
        ModelError: They are not there, not as many as the maps have answers, or no boxes.
    """
    names = [source[name].inputs[0] for name in _ANCHORS if name in source]
    for name in (*names, *(each for each in _JOINED if each in source)):
        corners = worked_out(source, name).astype(np.float64).reshape(-1, 4)
        if len(corners) != count:
            raise damaged(f"the graph has {len(corners)} anchors for {count} answers")
        low, high = corners[:, [1, 0]], corners[:, [3, 2]]
        if not (np.isfinite(corners).all() and (high > low).all()):
            raise damaged("the graph has anchors without a size")
        return GivenAnchors(np.concatenate([(low + high) / 2, high - low], axis=1))
    raise unsupported("a TensorFlow graph without anchors")
