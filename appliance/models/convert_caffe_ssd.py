"""From a user's Caffe SSD, `.prototxt` and `.caffemodel`, to ONNX: no Caffe.

MobileNet-SSD, VGG-SSD, the ResNet-10 for faces that came with OpenCV, and their like: a network whose last
layer is `DetectionOutput`, with its classes, anchors and input's size as the files say. The result has
`boxes` and `scores` as `detector_graph` says, without the label 0, which is nothing at all; which boxes are
one object is decided by whoever reads them. `CaffeSsd` is what `convert_voc_ssd` is made with too.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
from appliance.models.caffe_layers import LAYERS, convolution
from appliance.models.caffe_net import Layer, Settings, layers_of_text, layers_of_weights, read_prototxt
from appliance.models.caffe_priors import Priors, priors
from appliance.models.detector_graph import joined_rows, part, rows_of_map, ssd_boxes
from appliance.models.shaped_graph import Pair, ShapedGraph, Value

_GIVEN = {"Input", "Data", "AnnotatedData", "Silence"}
_SAME = {"Split", "Dropout"}
_ROWS = {"Permute", "Flatten", "Reshape"}
"""Their work is done by `rows_of_map`, when the maps are joined."""
_LIKELY = {"Softmax", "Sigmoid"}
_DETECTION, _PRIORS = "DetectionOutput", "PriorBox"
_CODES = ("", "CORNER", "CENTER_SIZE", "CORNER_SIZE")
_COLOURS = 3
_MAP_AXES = 4
_MOST_CLASSES = 10_000


def convert(
    layers: bytes, weights: bytes, *, width: int = 0, height: int = 0, files: Sequence[str] = ()
) -> Converted:
    """Convert a network.

    Args:
        layers: The bytes of the `.prototxt`, as it was deployed.
        weights: Those of the `.caffemodel`.
        width: Of the input, in pixels; 0: as the `.prototxt` says.
        height: Likewise.
        files: The files' names, for the report.

    Raises:
        ModelError: A file is damaged, they do not belong together, or the network has what is not supported.
    """
    try:
        with np.errstate(all="ignore"):
            return _converted(layers, weights, (height, width), tuple(files))
    except (KeyError, ValueError, IndexError, TypeError, ArithmeticError, RecursionError) as error:
        raise damaged(f"the Caffe network contradicts itself ({type(error).__name__})") from error


def _converted(layers: bytes, weights: bytes, asked: Pair, files: tuple[str, ...]) -> Converted:
    net, learnt = read_prototxt(layers), layers_of_weights(weights)
    wanted = layers_of_text(net, learnt)
    name, said = _input(net, wanted)
    height, width = (ours or theirs for ours, theirs in zip(asked, said, strict=True))
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise unsupported(f"a Caffe network for {width} x {height} pixels", hint="give its width and height")
    graph = ShapedGraph("caffe-ssd")
    source = Value((1, _COLOURS, height, width), "data")
    found = CaffeSsd(graph, wanted, name, source).run()
    mean, scale, notes = _transformed(wanted)
    outputs = {"boxes": Value((1, found.count, 4), found.boxes)}
    outputs["scores"] = Value((1, found.count, found.labels), found.scores)
    met = Counter(layer.kind for layer in wanted)
    used = {layer.name for layer in wanted}
    layer = found.layer
    return Converted(
        onnx=graph.file(source, outputs),
        kind=Kind.CAFFE,
        head=Head(
            "boxes_scores",
            InputFacts("data", width, height, "NCHW", "float32", "BGR", mean, scale),
            tuple(OutputFacts(name, value.shape, layer) for name, value in outputs.items()),
            classes=found.labels,
            first_label=1,
        ),
        report=ConversionReport(
            files=files,
            operations=dict(sorted(met.items())),
            folded={kind: met[kind] for kind in sorted(met) if kind in _SAME | _ROWS | {_PRIORS}},
            ignored=tuple(each.name for each in wanted if each.kind in _GIVEN),
            unused=tuple(each.name for each in learnt if each.blobs and each.name not in used),
            notes=notes,
        ),
    )


def _input(net: Settings, layers: Sequence[Layer]) -> tuple[str, Pair]:
    """The name of the value that is the picture, and its height and width as far as the file says them."""
    for layer in layers:
        if layer.kind == "Input":
            sizes = layer.settings.part("input_param").part("shape").wholes("dim")
            return layer.targets[0], _map(sizes)
    name = net.text("input")
    if not name:
        raise unsupported(
            "a .prototxt without an input",
            hint="install the one that was deployed (deploy.prototxt), not the one of the training",
        )
    return name, _map(net.part("input_shape").wholes("dim") or net.wholes("input_dim"))


def _map(sizes: Sequence[int]) -> Pair:
    if not sizes:
        return 0, 0
    if len(sizes) != _MAP_AXES or sizes[1] != _COLOURS:
        raise unsupported(f"a Caffe network whose input has the shape {tuple(sizes)[:6]}")
    return sizes[2], sizes[3]


def _transformed(layers: Sequence[Layer]) -> tuple[tuple[float, float, float], float, tuple[str, ...]]:
    """What is subtracted from pixels and multiplied with, where a layer of the file still says it."""
    for layer in layers:
        given = layer.settings.part("transform_param")
        if given.given:
            means = (given.reals("mean_value") * _COLOURS)[:_COLOURS] or [0.0] * _COLOURS
            return (means[0], means[1], means[2]), given.real("scale", 1.0), ()
    note = (
        "the files do not say what is subtracted from pixels, or multiplied with: "
        "where --mean and --scale do not, the caller has to"
    )
    return (0.0, 0.0, 0.0), 1.0, (note,)


@dataclass(frozen=True, slots=True)
class Found:
    """What an SSD gives.

    Attributes:
        boxes: The node of the boxes, (N, count, 4).
        scores: That of the scores, (N, count, labels).
        count: How many boxes.
        labels: How many labels, without that for nothing at all.
        layer: The name of the layer that gave them.
    """

    boxes: str
    scores: str
    count: int
    labels: int
    layer: str


class CaffeSsd:
    """Writes each layer when it comes; Caffe lists them in the order they are computed in.

    Args:
        graph: Where it is written.
        layers: With their weights.
        name: Of the value that is the picture.
        source: That value; its shape says the picture's size.
        factor: What pixels are multiplied with, in the weights of the convolutions they go into.
    """

    def __init__(
        self, graph: ShapedGraph, layers: Sequence[Layer], name: str, source: Value, factor: float = 1.0
    ) -> None:
        self._graph = graph
        self._layers = layers
        self._source = source
        self._factor = factor
        self._values: dict[str, Value] = {name: source}
        self._maps: dict[str, tuple[Value, ...]] = {}  # that are to become rows, one or several joined
        self._rows: dict[str, Value] = {}
        self._anchors: dict[str, Priors] = {}
        self._boxes = ""

    def run(self) -> Found:
        """Write all of it.

        Raises:
            ModelError: It is no SSD, or has layers that are not supported; all of those are named.
        """
        self._detection = _detection(self._layers)
        self._classes = self._detection.settings.part("detection_output_param").whole("num_classes", 0)
        for layer in self._layers:
            self._add(layer)
        places, scores, _ = self._detection.sources
        self._write_boxes(places)
        rows = self._joined(scores, self._classes)
        count = self._joined(places, 4).shape[1]
        if rows.shape[1] != count:
            raise damaged(f"{self._detection.name!r} has {count} boxes and {rows.shape[1]} rows of scores")
        likely = part(self._graph.writer, rows.name, 1, self._classes)
        return Found(self._boxes, likely, count, self._classes - 1, self._detection.name)

    def _add(self, layer: Layer) -> None:
        sources, target = layer.sources, layer.targets[0] if layer.targets else ""
        if layer.kind in {*_GIVEN, _DETECTION}:
            return
        if layer.kind in _ROWS:
            self._row_by_row(target, sources[0])
        elif layer.kind == _PRIORS:
            cells = self._graph.map_size(self._values[sources[0]])
            self._anchors[target] = priors(layer, cells, self._graph.map_size(self._source))
        elif layer.kind in _SAME:
            for each in layer.targets:
                self._is(each, sources[0])
        elif layer.kind == "Concat" and set(sources) <= self._anchors.keys():
            return
        elif layer.kind == "Concat" and set(sources) <= self._maps.keys():
            self._maps[target] = tuple(each for name in sources for each in self._maps[name])
            if target == self._detection.sources[0]:
                self._write_boxes(target)
        elif layer.kind in _LIKELY and sources[0] not in self._values:
            rows = self._joined(sources[0], self._classes)
            settings = {"axis": 2} if layer.kind == "Softmax" else {}
            self._rows[target] = self._graph.node(layer.kind, [rows], rows.shape, **settings)
        else:
            self._values[target] = self._worked_out(layer)

    def _row_by_row(self, target: str, source: str) -> None:
        if source in self._values:
            self._maps[target] = (self._values[source],)
        else:
            self._is(target, source)

    def _worked_out(self, layer: Layer) -> Value:
        if layer.kind not in LAYERS or any(name not in self._values for name in layer.sources):
            raise unsupported(f"{layer.kind} {layer.name!r} where rows of maps are")
        given = [self._values[name] for name in layer.sources]
        if self._factor != 1 and any(each is self._source for each in given):
            if LAYERS[layer.kind] is not convolution:
                raise unsupported(f"{layer.kind} {layer.name!r} of the picture itself")
            return convolution(self._graph, layer, given, self._factor)
        return LAYERS[layer.kind](self._graph, layer, given)

    def _is(self, target: str, source: str) -> None:
        if source in self._values:
            self._values[target] = self._values[source]
        elif source in self._rows:
            self._rows[target] = self._rows[source]
        else:
            self._maps[target] = self._maps[source]

    def _joined(self, name: str, width: int) -> Value:
        """Answers or scores of all maps, one row per anchor, (1, anchors, width)."""
        if name not in self._rows:
            maps = self._maps[name]
            if any(each.shape[1] % width for each in maps):
                raise damaged(f"{name!r} has maps of {maps[0].shape[1]} channels for rows of {width}")
            writer = self._graph.writer
            rows = joined_rows(writer, [rows_of_map(writer, each.name, width) for each in maps])
            count = sum(int(np.prod(each.shape, dtype=object)) // width for each in maps)
            self._rows[name] = Value((1, count, width), rows)
        return self._rows[name]

    def _write_boxes(self, name: str) -> None:
        """Boxes are written where their maps are joined: the anchors' layers come before that."""
        if self._boxes:
            return
        _, _, last = self._detection.sources
        joining = [each.sources for each in self._layers if last in each.targets and each.kind == "Concat"]
        anchors = [self._anchors[each] for each in (joining[0] if joining else (last,))]
        variances = {each.variances for each in anchors}
        if len(variances) != 1:
            raise unsupported("a Caffe network whose maps have several variances")
        rows = self._joined(name, 4)
        if rows.shape[1] != sum(len(each.places) for each in anchors):
            raise damaged(f"{name!r} has another number of rows than there are anchors")
        given = self._detection.settings.part("detection_output_param")
        encoded = given.truth("variance_encoded_in_target", otherwise=False)
        factors = (1.0,) * 4 if encoded else variances.pop()
        self._boxes = ssd_boxes(self._graph.writer, rows.name, anchors, factors)


def _detection(layers: Sequence[Layer]) -> Layer:
    """The layer that gives the boxes.

    Raises:
        ModelError: There is none, or one of another kind, or layers beside it that are not supported.
    """
    known = {*LAYERS, *_GIVEN, *_SAME, *_ROWS, *_LIKELY, _DETECTION, _PRIORS}
    unknown: dict[str, str] = {}
    for layer in layers:
        if layer.kind not in known:
            unknown.setdefault(layer.kind, layer.name)
    if unknown:
        listed = ", ".join(f"{kind} ({name})" for kind, name in list(unknown.items())[:20])
        raise unsupported(f"layers of Caffe that are not supported: {listed}")
    found = [layer for layer in layers if layer.kind == _DETECTION]
    if len(found) != 1 or len(found[0].sources) != 3:  # noqa: PLR2004 - places, scores, anchors
        raise unsupported(
            f"a Caffe network with {len(found)} layers of the kind {_DETECTION}",
            hint="only detectors (SSD) can be converted, from the .prototxt that was deployed",
        )
    given = found[0].settings.part("detection_output_param")
    if given.choice("code_type", _CODES, "CORNER") != "CENTER_SIZE":
        raise unsupported(f"a {_DETECTION} of the code_type {given.text('code_type', 'CORNER')[:40]}")
    if not given.truth("share_location", otherwise=True):
        raise unsupported(f"a {_DETECTION} whose classes have boxes of their own")
    if not 1 < given.whole("num_classes", 0) <= _MOST_CLASSES or given.whole("background_label_id", 0):
        raise unsupported(f"a {_DETECTION} of {given.whole('num_classes', 0)} classes")
    return found[0]
