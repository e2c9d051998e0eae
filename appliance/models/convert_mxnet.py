"""From an MXNet network, `symbol.json` and `.params`, to ONNX: no MXNet.

Made for image classification, as SageMaker's built-in algorithm and MXNet's model zoo make it: ResNet of all
depths, Inception, VGG, DenseNet, SqueezeNet, MobileNet; and for such networks cut off before their end. A
network is refused as a whole, with everything in it that is not supported, or converted as a whole. Object
detectors of MXNet (`MultiBox…`) are not supported yet. The symbol says nothing of the picture's size, colours
or scale: the size is asked of the caller, the numbers go in as they are.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from appliance.errors import ModelError
from appliance.models import mxnet_arithmetic, mxnet_layers
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
from appliance.models.mxnet_params import Array, Parameters, read_parameters
from appliance.models.mxnet_symbol import Node, Symbol, read_symbol
from appliance.models.shaped_graph import ShapedGraph, Value

_OPERATIONS = {**mxnet_layers.OPERATIONS, **mxnet_arithmetic.OPERATIONS}
_GIVEN = "null"
_DATA = "data"
_DETECTOR = ("MultiBox", "box_nms", "box_decode")
_MOST_LISTED = 20
_OLDEST_WITHOUT_TYPES = 800
_SOFTMAX = {"SoftmaxOutput", "Softmax", "softmax", "SoftmaxActivation"}


def convert(
    symbol: bytes,
    parameters: bytes,
    *,
    width: int,
    height: int,
    files: Sequence[str] = (),
    epoch: int | None = None,
) -> Converted:
    """Convert a network.

    Args:
        symbol: The bytes of the `-symbol.json`.
        parameters: Those of the `-NNNN.params`.
        width: Of the pictures it takes, in pixels.
        height: Likewise.
        files: The files' names, for the report.
        epoch: The number in the name of the parameters, for the report.

    Raises:
        ModelError: A file is damaged, they do not belong together, or the network has what is not supported.
    """
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        given = f"of {width} x {height} pixels" if width or height else "whose size was not given"
        raise unsupported(
            f"an MXNet network for pictures {given}",
            hint="its files do not say the size of its pictures: give the width and height of its training",
        )
    network, learnt = read_symbol(symbol), read_parameters(parameters)
    try:
        return _Converter(network, learnt, (1, 3, height, width)).run(tuple(files), epoch)
    except (KeyError, ValueError, IndexError, TypeError, ArithmeticError, RecursionError) as error:
        raise damaged(f"the symbol file contradicts itself ({type(error).__name__})") from error


class _Converter:
    """Writes the nodes that the answers depend on, in the file's order."""

    def __init__(self, symbol: Symbol, learnt: Parameters, shape: tuple[int, ...]) -> None:
        self._symbol = symbol
        self._learnt = learnt
        self._graph = ShapedGraph("mxnet")
        self._data = Value(shape, "data")
        self._values: dict[int, list[Value]] = {}
        self._wanted = _wanted(symbol)
        self._used: set[str] = set()

    def run(self, files: tuple[str, ...], epoch: int | None) -> Converted:
        nodes = [node for node in self._symbol.nodes if node.number in self._wanted]
        _check_operations(nodes)
        self._take_given([node for node in nodes if node.operation == _GIVEN])
        self._write([node for node in nodes if node.operation != _GIVEN])
        answers = [(self._symbol.nodes[number], output) for number, output in self._symbol.heads]
        values = {f"output{at}": self._answer(node, output) for at, (node, output) in enumerate(answers)}
        head = self._head(answers, list(values.values()))
        met = Counter(node.operation for node in nodes if node.operation != _GIVEN)
        return Converted(
            onnx=self._graph.file(self._data, values),
            kind=Kind.MXNET,
            head=head,
            report=ConversionReport(
                files=files,
                operations=dict(sorted(met.items())),
                folded={name: met[name] for name in sorted(met) if name in mxnet_arithmetic.HANDED_ON},
                ignored=tuple(n.name for n in self._symbol.nodes if n.number not in self._wanted),
                unused=tuple(name for name in self._learnt.names if name not in self._used),
                notes=(_origin(self._symbol), _PICTURES),
                epoch=epoch,
            ),
        )

    def _take_given(self, nodes: Sequence[Node]) -> None:
        """Weights, and the picture: whatever else the network is given, it has learnt or it is incomplete."""
        without = [node.name for node in nodes if self._learnt.get(node.name) is None]
        source = _DATA if _DATA in without else without[0] if len(without) == 1 else ""
        missing = [name for name in without if name != source]
        if missing:
            listed = ", ".join(missing[:_MOST_LISTED])
            raise damaged(
                f"the .params file lacks {len(missing)} of the network's parameters: {listed}",
                hint="symbol and parameters must be of one training",
            )
        if not source:
            raise damaged("the symbol file has no picture that goes in")
        for node in nodes:
            found = self._learnt.get(node.name)
            value = self._data if node.name == source or found is None else _learnt(found)
            self._values[node.number] = [value]
            self._used.add(node.name)

    def _write(self, nodes: Sequence[Node]) -> None:
        """Every node; all that cannot be done are told at once."""
        wrong: list[ModelError] = []
        for node in nodes:
            takes = node.inputs[:1] if node.operation in mxnet_layers.LABELLED else node.inputs
            if any(number not in self._values for number, _ in takes):
                continue  # it depends on one that could not be written
            given = [self._values[number][output] for number, output in takes]
            try:
                self._values[node.number] = _OPERATIONS[node.operation](self._graph, node, given)
            except ModelError as error:
                wrong.append(error)
        if wrong:
            said = list(dict.fromkeys(error.message.removeprefix("artefact: ") for error in wrong))
            raise ModelError("artefact: " + "; ".join(said[:_MOST_LISTED]), hint=wrong[0].hint)

    def _answer(self, node: Node, output: int) -> Value:
        return self._values[node.number][output]

    def _head(self, answers: Sequence[tuple[Node, int]], values: Sequence[Value]) -> Head:
        outputs = tuple(
            OutputFacts(f"output{at}", value.shape, f"{node.name}.{output}" if output else node.name)
            for at, ((node, output), value) in enumerate(zip(answers, values, strict=True))
        )
        _, _, height, width = self._data.shape
        source = InputFacts(_DATA, width, height, "NCHW", "float32")
        last = self._last(answers[0][0])
        classes = values[0].shape[-1]
        rows = len(values) == 1 and values[0].shape == (1, classes)
        if rows and (last in _SOFTMAX or last == "FullyConnected"):
            return Head("classification", source, outputs, classes, softmax=last in _SOFTMAX)
        return Head("raw", source, outputs)

    def _last(self, node: Node) -> str:
        """The operation that works out the answer, past those that only hand it on."""
        while node.operation in mxnet_arithmetic.HANDED_ON | {"Flatten", "flatten"}:
            before = self._symbol.nodes[node.inputs[0][0]]
            if node.operation in {"Flatten", "flatten"} and before.operation not in _SOFTMAX:
                break
            node = before
        return node.operation


_PICTURES = "pixels go in as they are, 0 to 255: a mean or scale of the training is the caller's to give"


def _origin(symbol: Symbol) -> str:
    if symbol.version <= _OLDEST_WITHOUT_TYPES:
        return "written by an MXNet that does not say its version"
    return f"written by MXNet {symbol.version // 10000}.{symbol.version // 100 % 100}.{symbol.version % 100}"


def _wanted(symbol: Symbol) -> frozenset[int]:
    """The nodes that the answers depend on, without labels, which only training takes."""
    wanted = {number for number, _ in symbol.heads}
    for node in reversed(symbol.nodes):
        if node.number in wanted:
            takes = node.inputs[:1] if node.operation in mxnet_layers.LABELLED else node.inputs
            wanted.update(number for number, _ in takes)
    return frozenset(wanted)


def _check_operations(nodes: Sequence[Node]) -> None:
    """All operations that are not supported, at once.

    Raises:
        ModelError: There are some.
    """
    unknown: dict[str, list[str]] = {}
    for node in nodes:
        if node.operation not in _OPERATIONS and node.operation != _GIVEN:
            unknown.setdefault(node.operation, []).append(node.name)
    if not unknown:
        return
    listed = "; ".join(
        f"{name} ({', '.join(where[:3])}{f' and {len(where) - 3} more' if len(where) > 3 else ''})"  # noqa: PLR2004
        for name, where in list(unknown.items())[:_MOST_LISTED]
    )
    if any(word in name for name in unknown for word in _DETECTOR):
        raise unsupported(
            f"an object detector of MXNet (SSD), which is not supported yet; it has: {listed}",
            hint="export it from where it was trained as ONNX, or as OpenVINO IR, and install that",
        )
    raise unsupported(
        f"operations that are not supported: {listed}",
        hint="export the network from where it was trained as ONNX, and install that",
    )


def _learnt(found: Array) -> Value:
    array = np.ascontiguousarray(found, np.float32)
    return Value(array.shape, array=array)
