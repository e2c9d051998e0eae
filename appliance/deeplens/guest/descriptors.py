"""What the models in a function's view are: their descriptors, read from JSON, and which name means which.

In the view they stand in one file, `CATALOGUE`, in the folder where the models' files are; it also says of
what is not there why, and what its owner has to do. The hosting side writes it with
`appliance.deeplens.descriptor`; a contract test holds the two descriptions of the form together. Standard
library only; opens no network.
"""

import contextlib
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, cast

from appliance.deeplens.guest.artifact_names import base_name, looser_name, optimized_spellings

VERSION: Final = 1
"""Of the form."""
ENVIRONMENT: Final = "DEEPLENS_MODELS"
"""The variable that names the folder of models where it is not `ROOT`."""
_OUTSIDE: Final = "DEEPLENS_ROOT"
"""The variable that names the folder in which the device's folders stand, where there is no view."""
ROOT: Final = "/opt/awscam/artifacts"
CATALOGUE: Final = "models.json"
MAX_BYTES: Final = 64 << 20
MAX_MODELS: Final = 2000
MAX_SIDE: Final = 4096
"""Pixels."""
MAX_LABELS: Final = 10_000

Kind = Literal["ssd", "classification", "raw"]
Head = Literal["boxes_scores", "detection_output", "yunet", "probabilities", "logits", "raw"]
Engine = Literal["onnx", "openvino"]
Colour = Literal["BGR", "RGB", "GRAY"]

KINDS: Final[tuple[Kind, ...]] = ("ssd", "classification", "raw")
HEADS: Final[Mapping[Head, Kind]] = {
    "boxes_scores": "ssd",
    "detection_output": "ssd",
    "yunet": "ssd",
    "probabilities": "classification",
    "logits": "classification",
    "raw": "raw",
}
"""What a network gives, and the kind of model that makes of it."""
ENGINES: Final[tuple[Engine, ...]] = ("onnx", "openvino")
COLOURS: Final[tuple[Colour, ...]] = ("BGR", "RGB", "GRAY")

EVERY: Final = "*"
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")

_T = TypeVar("_T")


class ModelFaultError(Exception):
    """A model cannot be used: its files are damaged, or it was given what it does not take."""


class ModelMissingError(ModelFaultError):
    """There is no such model here; the message names it and says what its owner can do."""


@dataclass(frozen=True, slots=True)
class ModelInput:
    """What a network takes.

    Attributes:
        width: Pixels; 0: any.
        height: Pixels; 0: any.
        colour: Order of the channels it was trained with. A function hands over what the camera gives, blue
            first; for RGB they are swapped.
        layout: NHWC or NCHW.
        dtype: uint8 or float32.
        mean: What is subtracted, one number for each channel in the order of `colour`.
        scale: What the difference is multiplied with, likewise.
        adapts: Pictures of other sizes and ranges are brought to what it takes. A DeepLens did not do that.
    """

    width: int
    height: int
    colour: Colour
    layout: Literal["NHWC", "NCHW"]
    dtype: Literal["uint8", "float32"]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    adapts: bool


@dataclass(frozen=True, slots=True)
class OutputLayer:
    """One layer that a function gets.

    Attributes:
        layer: The name a function finds it by; `EVERY`: all that there are, under the network's own names.
        output: The network's own name of it; empty: its only one, or what the head makes.
        size: How many numbers a function expects; they are repeated or cut to that. 0: as many as there are.
    """

    layer: str
    output: str
    size: int


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One model.

    Attributes:
        name: What it is installed as.
        spellings: Further names it goes by.
        kind: What a function may ask `parseResult` for.
        engine: What runs it.
        file: Its file in `folder`.
        head: What the network gives.
        input: What it takes.
        outputs: The layers that a function gets, in order.
        first_label: Number that the first label goes by.
        labels: Names of the labels; may be empty.
        classes: For each class of the network which label it counts for, from 0, or -1 for none; empty: each
            for its own. Not for `detection_output`, whose rows bring their numbers.
        overlap: Boxes of one label that share more than this (intersection over union) are one thing.
        least: The confidence from which on a box is told of, 0 to 1.
        folder: Where its files are.
    """

    name: str
    spellings: tuple[str, ...]
    kind: Kind
    engine: Engine
    file: str
    head: Head
    input: ModelInput
    outputs: tuple[OutputLayer, ...]
    first_label: int
    labels: tuple[str, ...]
    classes: tuple[int, ...]
    overlap: float
    least: float
    folder: Path


def read_descriptor(fields: Mapping[str, Any], folder: Path) -> Descriptor:
    """The model that an object of the catalogue describes.

    Args:
        fields: The object.
        folder: Where the files are.

    Raises:
        ModelFaultError: It is no descriptor, or one of another version.
    """
    given = _Given(fields)
    given.whole("version", VERSION, VERSION)
    descriptor = Descriptor(
        name=given.name("name"),
        spellings=given.texts("spellings", 100),
        kind=given.choice("kind", KINDS),
        engine=given.choice("engine", ENGINES),
        file=given.name("file"),
        head=given.choice("head", tuple(HEADS)),
        input=_input(_Given(given.mapping("input"))),
        outputs=tuple(_output(_Given(each)) for each in given.mappings("outputs", 100)),
        first_label=given.whole("first_label", 0, MAX_LABELS),
        labels=given.texts("labels", MAX_LABELS),
        classes=given.wholes("classes", -1, MAX_LABELS),
        overlap=given.share("overlap"),
        least=given.share("least"),
        folder=folder,
    )
    given.nothing_else()
    if HEADS[descriptor.head] != descriptor.kind:
        raise ModelFaultError(f"a head {descriptor.head} does not belong to the kind {descriptor.kind}")
    if not descriptor.outputs or (descriptor.kind != "raw" and len(descriptor.outputs) != 1):
        raise ModelFaultError("the number of output layers does not belong to the kind")
    return descriptor


def _input(given: "_Given") -> ModelInput:
    read = ModelInput(
        width=given.whole("width", 0, MAX_SIDE),
        height=given.whole("height", 0, MAX_SIDE),
        colour=given.choice("colour", COLOURS),
        layout=given.choice("layout", ("NHWC", "NCHW")),
        dtype=given.choice("dtype", ("uint8", "float32")),
        mean=given.reals("mean"),
        scale=given.reals("scale"),
        adapts=given.flag("adapts"),
    )
    given.nothing_else()
    if {len(read.mean), len(read.scale)} != {1 if read.colour == "GRAY" else 3}:
        raise ModelFaultError("one mean and one scale belong to each channel")
    return read


def _output(given: "_Given") -> OutputLayer:
    read = OutputLayer(given.text("layer"), given.text("output"), given.whole("size", 0, 10_000_000))
    given.nothing_else()
    if not read.layer:
        raise ModelFaultError("an output layer without a name")
    return read


def _document(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise ModelFaultError("a descriptor that is too large")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ModelFaultError("a descriptor that is no JSON") from error
    if not isinstance(value, dict):
        raise ModelFaultError("a descriptor that is no object")
    return value


class _Given:
    """The fields of an object, each asked for once and of its own type."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._left = dict(fields)

    def nothing_else(self) -> None:
        if self._left:
            raise ModelFaultError("a descriptor with fields that it does not have")

    def _take(self, key: str, kind: type[_T]) -> _T:
        value = self._left.pop(key, None)
        # `True` is an `int` to Python, and no number to JSON.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ModelFaultError(f"a descriptor whose {key} is missing, or of another type")
        return value

    def text(self, key: str) -> str:
        return _checked_text(key, self._take(key, str))

    def name(self, key: str) -> str:
        value = self._take(key, str)
        if NAME.fullmatch(value) is None:
            raise ModelFaultError(f"a descriptor whose {key} is no name")
        return value

    def texts(self, key: str, most: int) -> tuple[str, ...]:
        values = self._list(key, most)
        if not all(isinstance(each, str) for each in values):
            raise ModelFaultError(f"a descriptor whose {key} are no texts")
        return tuple(_checked_text(key, each) for each in values)

    def choice(self, key: str, known: Sequence[_T]) -> _T:
        value = self._take(key, str)
        if value not in known:
            raise ModelFaultError(f"a descriptor with a {key} that is not known")
        return cast("_T", value)

    def whole(self, key: str, least: int, most: int) -> int:
        value = self._take(key, int)
        if not least <= value <= most:
            raise ModelFaultError(f"a descriptor whose {key} is out of range")
        return value

    def wholes(self, key: str, least: int, most: int) -> tuple[int, ...]:
        values = self._list(key, MAX_LABELS)
        if not all(type(each) is int and least <= each <= most for each in values):
            raise ModelFaultError(f"a descriptor whose {key} are out of range")
        return tuple(values)

    def reals(self, key: str) -> tuple[float, ...]:
        values = self._list(key, 3)
        if not all(type(each) in {int, float} and math.isfinite(each) for each in values):
            raise ModelFaultError(f"a descriptor whose {key} are no numbers")
        return tuple(float(each) for each in values)

    def share(self, key: str) -> float:
        value = self._left.pop(key, None)
        if type(value) not in {int, float} or not 0 <= value <= 1:
            raise ModelFaultError(f"a descriptor whose {key} is not between 0 and 1")
        return float(value)

    def flag(self, key: str) -> bool:
        return self._take(key, bool)

    def mapping(self, key: str) -> dict[str, Any]:
        return self._take(key, dict)

    def mappings(self, key: str, most: int) -> list[dict[str, Any]]:
        values = self._list(key, most)
        if not all(isinstance(each, dict) for each in values):
            raise ModelFaultError(f"a descriptor whose {key} are no objects")
        return values

    def _list(self, key: str, most: int) -> list[Any]:
        values = self._take(key, list)
        if len(values) > most:
            raise ModelFaultError(f"a descriptor with too many {key}")
        return values


def _checked_text(key: str, value: str) -> str:
    if len(value) > _MAX_TEXT or any(ord(each) < ord(" ") for each in value):
        raise ModelFaultError(f"a descriptor whose {key} is too long, or of more than one line")
    return value


_MAX_TEXT: Final = 200


class Models:
    """The models of a function, by every name they go by. The catalogue is read when it is first needed.

    Args:
        root: Their folder; default: what the environment says, or `ROOT`.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or Path(os.environ.get(ENVIRONMENT) or os.environ.get(_OUTSIDE, "") + ROOT)

    def find(self, spelling: str) -> Descriptor:
        """The model that a function means.

        Args:
            spelling: A path or a name: `/opt/awscam/artifacts/mxnet_deploy_ssd_FP16_FUSED.xml`, `deploy_ssd`.

        Raises:
            ModelMissingError: There is none; or why it cannot be there.
            ModelFaultError: Its descriptor, or the catalogue, is damaged.
        """
        catalogue = self._catalogue
        for way in (base_name, looser_name):
            wanted = way(spelling)
            for descriptor in catalogue.models:
                if wanted and wanted in {way(each) for each in (descriptor.name, *descriptor.spellings)}:
                    return descriptor
            if wanted and wanted in {way(name) for name in catalogue.damaged}:
                raise ModelFaultError(f"the model {wanted!r} is damaged: install it again")
            if wanted in {base_name(name) for name in catalogue.missing}:
                break  # the name is known to be nobody's, so nothing that sounds like it is meant
        raise ModelMissingError(catalogue.why_missing(spelling))

    def lay_out(self) -> None:
        """Put a small file under every name that a model's artefacts had, for functions that look for one.

        An ONNX file lies there under its model's names itself: functions open it by their own means.
        What is there already stays; where nothing can be written, nothing is: models are found all the same.
        """
        with contextlib.suppress(ModelFaultError, OSError):
            for descriptor in self._catalogue.models:
                if descriptor.engine == "onnx":
                    self._name_network(descriptor)
                text = f"The model {descriptor.name} is kept by the appliance, in {CATALOGUE}.\n"
                for name in (descriptor.name, *descriptor.spellings):
                    for stem in optimized_spellings(name):
                        for ending in (".xml", ".bin"):
                            with (
                                contextlib.suppress(FileExistsError),
                                (self.root / (stem + ending)).open("x") as file,
                            ):
                                file.write(text)

    def _name_network(self, descriptor: Descriptor) -> None:
        for name in (descriptor.name, *descriptor.spellings):
            with contextlib.suppress(FileExistsError):
                (self.root / f"{name}.onnx").symlink_to(descriptor.file)

    @cached_property
    def _catalogue(self) -> "_Catalogue":
        try:
            with (self.root / CATALOGUE).open("rb") as file:
                given = _Given(_document(file.read(MAX_BYTES + 1)))
        except FileNotFoundError:
            return _Catalogue((), (), {})
        except OSError as error:
            raise ModelFaultError(f"{CATALOGUE} cannot be read: {error.strerror}") from error
        given.whole("version", VERSION, VERSION)
        models: list[Descriptor] = []
        damaged: list[str] = []
        for each in given.mappings("models", MAX_MODELS):
            try:
                models.append(read_descriptor(each, self.root))
            except ModelFaultError:
                damaged.append(str(each.get("name")))  # one damaged model is not in others' way
        reasons = given.mapping("missing")
        given.nothing_else()
        return _Catalogue(tuple(models), tuple(damaged), {str(k): str(v) for k, v in reasons.items()})


@dataclass(frozen=True, slots=True)
class _Catalogue:
    """What there is, what cannot be read, and why something is not there, by name."""

    models: tuple[Descriptor, ...]
    damaged: tuple[str, ...]
    missing: Mapping[str, str]

    def why_missing(self, spelling: str) -> str:
        """What is said of a model that is not there."""
        wanted = base_name(spelling)
        for name, reason in self.missing.items():
            if base_name(name) == wanted:
                return f"there is no model {wanted!r} ({spelling}): {reason}"
        return (
            f"there is no model {wanted!r} ({spelling}); whoever has its files installs it with: "
            f"appliance deeplens models install {wanted or 'NAME'} FILE…; a network of ours stands in "
            f"for it after: appliance deeplens models install {wanted or 'NAME'} --like voc"
        )
