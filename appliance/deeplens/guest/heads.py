"""From a picture to what `doInference` gave on a DeepLens, and from that to what `parseResult` gave.

A model's descriptor says what its network gives (its *head*); here that becomes the layers a function saw:
for an object model rows of 7 as OpenVINO's DetectionOutput writes them, for a classification one probability
per class, for anything else the named layers, flattened. Several networks can thus stand for one model, with
other labels than their own. Opens no descriptor and knows no names of models.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.deeplens.guest.descriptors import EVERY, KINDS, Descriptor, ModelFaultError, OutputLayer
from appliance.deeplens.guest.model_input import prepared

Array = NDArray[Any]
FloatArray = NDArray[np.float32]

ROW: Final = 7
"""Numbers of a box: picture, label, confidence, left, top, right, bottom; the last four in fractions."""
MOST_ROWS: Final = 200
"""Boxes of a picture."""
_MOST_OF_A_LABEL: Final = 400
"""That are compared with each other: as the networks of that time were deployed."""
_YUNET_CELL: Final = 16
_YUNET_STRIDES: Final = (8, 16, 32)
_YUNET_NOTHING, _YUNET_CERTAIN = 0.3, 0.95


class Runner(Protocol):
    """Runs a network."""

    def run(self, batch: Array) -> Mapping[str, Array]:
        """Every output by its name, in the file's order."""


class Layers(dict[str, FloatArray]):
    """What `doInference` gives: name of a layer → float32, one axis.

    Attributes:
        width: Of the picture it was made of, pixels: `parseResult` tells boxes in those.
        height: Likewise.
    """

    width: int = 0
    height: int = 0


class Network:
    """A model that runs.

    Args:
        descriptor: What it is.
        runner: Its network.
    """

    def __init__(self, descriptor: Descriptor, runner: Runner) -> None:
        self.descriptor = descriptor
        self._runner = runner

    def infer(self, frame: object) -> Layers:
        """What `doInference` gives for a picture.

        Args:
            frame: See `model_input.prepared`.

        Raises:
            ModelFaultError: It is no picture, not of the network's size, or the network gives something else
                than its descriptor says.
        """
        ready = prepared(frame, self.descriptor.input)
        given = self._runner.run(ready.batch)
        layers = Layers()
        layers.width, layers.height = ready.width, ready.height
        try:
            match self.descriptor.kind:
                case "ssd":
                    layers[self._only.layer] = self._rows(given, ready.batch)
                case "classification":
                    layers[self._only.layer] = self._probabilities(given)
                case "raw":
                    layers.update(self._named(given))
        except (IndexError, KeyError, ValueError) as error:
            shapes = {name: value.shape for name, value in given.items()}
            raise ModelFaultError(
                f"the network of {self.descriptor.name!r} gives {shapes}, which is no {self.descriptor.head}"
            ) from error
        return layers

    def parsed(self, kind: object, raw: Mapping[Any, Any]) -> list[dict[str, Any]]:
        """What `parseResult` gives under the key of its kind: fresh objects of plain Python numbers.

        Args:
            kind: `ssd` or `classification`.
            raw: What `infer` gave, or a copy of it. Boxes are in pixels of the picture that it was made of;
                of a copy that lost this, of the picture the model takes.

        Returns:
            Most certain first. For `classification` each class as `label` and `prob`; for `ssd` each box as
            `label`, `prob`, `xmin`, `ymin`, `xmax`, `ymax`, within the picture.

        Raises:
            ModelFaultError: There is no such kind, the model is not of it, or `raw` is not from it.
        """
        if kind != self.descriptor.kind or kind == "raw":
            known = "ssd, classification" if kind not in KINDS else self.descriptor.kind
            raise ModelFaultError(
                f"parseResult cannot read {kind!r} from the model {self.descriptor.name!r}, which is of the "
                f"kind {self.descriptor.kind!r}; known are: {known}"
            )
        try:
            values = np.asarray(raw[self._only.layer], np.float32).reshape(-1)
            if kind == "classification":
                return self._classes(values)
            width = getattr(raw, "width", 0) or self.descriptor.input.width
            height = getattr(raw, "height", 0) or self.descriptor.input.height
            return _boxes(values.reshape(-1, ROW), width, height)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ModelFaultError(
                f"parseResult was given something else than doInference of {self.descriptor.name!r} gave"
            ) from error

    @property
    def _only(self) -> OutputLayer:
        return self.descriptor.outputs[0]

    def _named(self, given: Mapping[str, Array]) -> Mapping[str, FloatArray]:
        named: dict[str, FloatArray] = {}
        for wanted in self.descriptor.outputs:
            if wanted.layer == EVERY:
                named |= {name: _sized(_flat(value), wanted.size) for name, value in given.items()}
            else:
                named[wanted.layer] = _sized(_flat(_picked(given, wanted)), wanted.size)
        return named

    # ---------------------------------------------------------------- boxes

    def _rows(self, given: Mapping[str, Array], batch: Array) -> FloatArray:
        match self.descriptor.head:
            case "boxes_scores":
                return self._from_boxes(given["boxes"][0], given["scores"][0])
            case "yunet":
                size = batch.shape[1:3] if self.descriptor.input.layout == "NHWC" else batch.shape[2:4]
                return self._from_boxes(*_faces(list(given.values()), size, self.descriptor.least))
            case _:
                rows = _flat(_picked(given, self._only)).reshape(-1, ROW)
                return _padded(self._renumbered(rows[_used(rows)]))

    def _from_boxes(self, boxes: Array, scores: Array) -> FloatArray:
        """Rows from boxes, (n, 4), and the scores of the network's own classes, (n, classes)."""
        model = self.descriptor
        scores = _joined(scores, model, np.maximum)
        rows, labels = np.nonzero(scores >= max(model.least, np.finfo(np.float32).tiny))
        found = scores[rows, labels]
        boxes = np.clip(boxes, 0, 1)
        if rows.size:
            corners, sizes = boxes[rows, :2], boxes[rows, 2:] - boxes[rows, :2]
            kept = np.asarray(
                cv2.dnn.NMSBoxesBatched(
                    np.concatenate([corners, sizes], axis=1).astype(np.float64),  # type: ignore[arg-type]
                    found.astype(np.float32),  # type: ignore[arg-type]
                    labels.astype(np.int32),  # type: ignore[arg-type]
                    model.least,
                    model.overlap,
                    top_k=_MOST_OF_A_LABEL,
                ),
                np.int64,
            ).reshape(-1)
            rows, labels, found = rows[kept], labels[kept], found[kept]
        order = np.lexsort((rows, labels, -found))[:MOST_ROWS]
        rows, labels, found = rows[order], labels[order], found[order]
        table = np.zeros((len(rows), ROW), np.float32)
        table[:, 1], table[:, 2], table[:, 3:] = labels + model.first_label, found, boxes[rows]
        return _padded(table)

    def _renumbered(self, rows: FloatArray) -> FloatArray:
        """Rows of the network's own, most certain first, with the labels that the model has.

        The network counts from 1, for 0 is what is nothing at all.
        """
        rows = rows[np.argsort(-rows[:, 2], kind="stable")]
        rows = rows[rows[:, 2] >= self.descriptor.least].copy()
        rows[:, 1] += self.descriptor.first_label - 1
        return rows

    # ---------------------------------------------------------------- classes

    def _probabilities(self, given: Mapping[str, Array]) -> FloatArray:
        model = self.descriptor
        values = _flat(_picked(given, self._only)).astype(np.float64)
        if model.head == "logits":
            values = np.exp(values - values.max())
            values /= values.sum()
        if model.classes:
            values = _joined(values[None], model, np.add)[0]
            values = values / max(values.sum(), np.finfo(np.float64).tiny)
        return values.astype(np.float32)

    def _classes(self, values: FloatArray) -> list[dict[str, Any]]:
        order = np.argsort(-values, kind="stable")
        return [{"label": int(at) + self.descriptor.first_label, "prob": float(values[at])} for at in order]


def open_network(descriptor: Descriptor) -> Network:
    """A model, ready to run.

    Raises:
        ModelFaultError: Its files are missing or damaged, or what runs them is not installed here.
    """
    file = descriptor.folder / descriptor.file
    if not file.is_file():
        raise ModelFaultError(f"the model {descriptor.name!r} has lost its file {descriptor.file}")
    runner: Runner
    if descriptor.engine == "openvino":
        # Loaded only where a model needs them: each takes tens of megabytes.
        from appliance.deeplens.guest.openvino_network import OpenvinoNetwork  # noqa: PLC0415

        runner = OpenvinoNetwork(file)
    else:
        from appliance.deeplens.guest.onnx_network import OnnxNetwork  # noqa: PLC0415

        runner = OnnxNetwork(file)
    return Network(descriptor, runner)


def _picked(given: Mapping[str, Array], wanted: OutputLayer) -> Array:
    if wanted.output:
        return given[wanted.output]
    (only,) = given.values()
    return only


def _flat(values: Array) -> FloatArray:
    return np.ascontiguousarray(values, np.float32).reshape(-1)


def _sized(values: FloatArray, size: int) -> FloatArray:
    return np.resize(values, size) if size else values


def _joined(scores: Array, model: Descriptor, how: np.ufunc) -> Array:
    """Scores of a model's labels, (n, labels), from those of the network's classes, (n, classes).

    Args:
        scores: Of the network's classes.
        model: Says which class counts for which label.
        how: What the score of a label of several classes is: `np.maximum` of them, or `np.add`.
    """
    if not model.classes:
        return scores
    if scores.shape[1] != len(model.classes):
        raise ValueError("another number of classes")
    columns = np.asarray(model.classes)
    counting = columns >= 0
    count = max(len(model.labels), int(columns.max()) + 1)
    joined = np.zeros((count, len(scores)), scores.dtype)
    how.at(joined, columns[counting], scores.T[counting])
    return joined.T


def _used(rows: FloatArray) -> NDArray[np.bool_]:
    """Which rows are before the end that a picture of -1 marks, and hold something."""
    ended = np.cumsum(rows[:, 0] < 0) > 0
    used: NDArray[np.bool_] = ~ended & (rows[:, 2] > 0)
    return used


def _padded(rows: FloatArray) -> FloatArray:
    """Rows as DetectionOutput writes them: always as many, the first unused one of picture -1."""
    table = np.zeros((MOST_ROWS, ROW), np.float32)
    rows = rows[:MOST_ROWS]
    table[: len(rows)] = rows
    if len(rows) < MOST_ROWS:
        table[len(rows), 0] = -1
    return table.reshape(-1)


def _boxes(rows: FloatArray, width: int, height: int) -> list[dict[str, Any]]:
    rows = rows[_used(rows)]
    places = np.clip(rows[:, 3:], 0, 1) * np.asarray([width, height, width, height], np.float32)
    return [
        {
            "label": int(row[1]),
            "prob": float(row[2]),
            "xmin": float(place[0]),
            "ymin": float(place[1]),
            "xmax": float(place[2]),
            "ymax": float(place[3]),
        }
        for row, place in zip(rows, places, strict=True)
    ]


def _faces(maps: list[Array], size: tuple[int, ...], least: float) -> tuple[Array, Array]:
    """Boxes in fractions, (n, 4), and scores, (n, 1), from YuNet's three maps (OpenCV, face_detect.cpp).

    YuNet says 0.6 where the network it stands for said 0.25, the sample projects' threshold: up to 0.5 it
    sees faces in a cat's fur. Its scores are therefore spread: what is below `_YUNET_NOTHING` is nothing.

    Args:
        maps: For each stride (1, rows, columns, 16): logits of class and object, box, points.
        size: Height and width of the picture.
        least: The least score.
    """
    if [each.shape[-1] for each in maps] != [_YUNET_CELL] * len(_YUNET_STRIDES):
        raise ValueError("no maps of faces")
    boxes: list[Array] = [np.zeros((0, 4), np.float32)]
    scores: list[Array] = [np.zeros(0, np.float32)]
    for stride, cells in zip(_YUNET_STRIDES, maps, strict=True):
        sure = 1 / (1 + np.exp(-cells[0, :, :, :2].astype(np.float64)))
        own = np.sqrt(sure[:, :, 0] * sure[:, :, 1])
        score = np.clip((own - _YUNET_NOTHING) / (_YUNET_CERTAIN - _YUNET_NOTHING), 0, 1) ** 2
        rows, columns = np.nonzero(score >= least)
        found = cells[0, rows, columns]
        centre = (np.stack([columns, rows], axis=1) + found[:, 2:4]) * stride
        # e^10 cells are wider than any picture; a network gone wrong must not overflow.
        half = np.exp(np.minimum(found[:, 4:6], 10)) * stride / 2
        boxes.append(np.concatenate([centre - half, centre + half], axis=1))
        scores.append(score[rows, columns])
    across = np.asarray([size[1], size[0]] * 2, np.float32)
    return np.concatenate(boxes) / across, np.concatenate(scores).astype(np.float32)[:, None]
