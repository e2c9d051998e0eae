"""A user's model from its files to the store: recognised, converted where it must be, described, kept.

Files that are no part of the network (names of classes, settings of its author's own) are kept beside it as
they are: functions open them where a DeepLens unpacked the whole archive.

What a file says of itself counts where its owner says nothing. An OpenVINO IR is kept as it is: nothing here
reads it, and it is run inside a view alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from appliance.deeplens.descriptor import Colour, Descriptor, Head, Kind, ModelInput, OutputLayer, faults_told
from appliance.deeplens.guest.artifact_names import base_name
from appliance.deeplens.guest.descriptors import CATALOGUE, EVERY
from appliance.deeplens.model_store import (
    DESCRIPTOR,
    MAX_BYTES,
    REPORT,
    ModelStore,
    StoredModel,
    checked_name,
    spellings_of,
)
from appliance.deeplens.view import is_plain_name
from appliance.errors import ModelError
from appliance.models.artefact import ConversionReport, Converted, OutputFacts
from appliance.models.artefact import Kind as Format
from appliance.models.converting_apart import convert_apart
from appliance.models.recognising import Part, recognise

_LAYERS: Final[Mapping[Kind, str]] = {"ssd": "detection_out", "classification": "prob", "raw": EVERY}
"""What the layer is called that a function gets, where nobody says."""
_HEADS: Final[Mapping[Kind, Head]] = {
    "ssd": "detection_output",
    "classification": "probabilities",
    "raw": "raw",
}
"""What a network gives, where nobody says."""
_ROWS_FIRST: Final = 1
"""Rows of DetectionOutput keep 0 for the background."""
_ENDINGS: Final = (".onnx", ".xml", ".bin", ".json", ".params", ".pb", ".prototxt", ".caffemodel")
_BESIDE: Final = (
    *(".cfg", ".csv", ".dat", ".h5", ".labels", ".names", ".pbtxt", ".pickle", ".pkl", ".tflite", ".txt"),
    *(".weights", ".yaml", ".yml"),
)
"""Endings of what else is taken out of a folder."""
_NETWORKS: Final = (".onnx", ".xml", ".bin", "-symbol.json", ".params", ".pb", ".prototxt", ".caffemodel")
"""Endings of files that are a network's or nothing: another epoch's parameters are not kept beside it."""
_TAKEN: Final = frozenset({CATALOGUE, DESCRIPTOR, REPORT})
_KEPT_AS: Final = (".model.onnx", ".model.xml", ".model.bin")
"""Endings of the names that installed networks are kept under."""
_MOST_FILES: Final = 100


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the owner of a model says of it; whatever is None is as its files say, or as is usual.

    Attributes:
        kind: What a function asks `parseResult` for.
        width: Of the pictures it takes, pixels; 0: as its files say, or any.
        height: Likewise.
        colour: The channels' order it was trained with.
        layout: The order of its axes.
        mean: What is subtracted from pixels; one number, or one for each channel.
        scale: What the difference is multiplied with, likewise.
        labels: Names of its labels.
        first_label: Number that the first goes by.
        outputs: The layers a function gets.
        epoch: Of MXNet's parameters.
    """

    kind: Kind | None = None
    width: int = 0
    height: int = 0
    colour: Colour | None = None
    layout: Literal["NHWC", "NCHW"] | None = None
    mean: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None
    labels: tuple[str, ...] | None = None
    first_label: int | None = None
    outputs: tuple[OutputLayer, ...] = ()
    epoch: int | None = None


NO_WISHES: Final = Wishes()


def install_artefact(
    store: ModelStore, name: str, paths: Sequence[Path], wishes: Wishes = NO_WISHES
) -> StoredModel:
    """Install a model from its files.

    Args:
        store: Where to.
        name: What functions call it, in any spelling.
        paths: Its files, or a folder with them.
        wishes: What its owner says of it.

    Raises:
        ModelError: The files cannot be read, are no model that is known, are damaged, or do not fit what was
            said of them.
    """
    kept = checked_name(name)
    files = read_files(paths)
    found = recognise(files, epoch=wishes.epoch)
    beside = _beside(files, frozenset(found.parts.values()))
    if found.kind is Format.OPENVINO:
        layers, weights = files[found.parts[Part.IR_LAYERS]], files[found.parts[Part.IR_WEIGHTS]]
        with faults_told("what is said of the model does not fit"):
            descriptor = _described_ir(name, wishes)
        own = {f"{kept}.model.xml": layers, f"{kept}.model.bin": weights}
        return store.install(descriptor, {**beside, **own})
    converted = convert_apart(files, width=wishes.width, height=wishes.height, epoch=wishes.epoch)
    with faults_told("what is said of the model does not fit"):
        descriptor = _described(name, converted, wishes)
    own = {descriptor.file: converted.onnx}
    return store.install(descriptor, {**beside, **own}, report=report_text(converted.report))


def _beside(files: Mapping[str, bytes], parts: AbstractSet[str]) -> dict[str, bytes]:
    """Of a model's files those that are no part of a network.

    Raises:
        ModelError: One has a name that it cannot have there.
    """
    found = {}
    for name, content in files.items():
        if name not in parts and not name.lower().endswith(_NETWORKS):
            found[_free(name)] = content
    return found


def files_beside(paths: Sequence[Path]) -> dict[str, Path]:
    """Files that functions open by themselves, whatever they are, for beside a stand-in; of folders all.

    Raises:
        ModelError: One is no file or has a name that it cannot have there, there are too many or too large
            ones, or none.
    """
    found = {_free(name): path for name, path in _named(paths, "").items()}
    if paths and not found:
        raise ModelError("there is no file in this folder", hint="is the right folder named?")
    return found


def _free(name: str) -> str:
    """A file's name, if it can have it beside a model.

    Raises:
        ModelError: It says something else there.
    """
    if name in _TAKEN or name.endswith(_KEPT_AS) or not is_plain_name(name):
        raise ModelError(f"a file {name[:64]!r} cannot lie beside a model", hint="call it something else")
    return name


def read_files(paths: Iterable[Path]) -> dict[str, bytes]:
    """The files of a model by their names; of folders what may belong to one.

    Raises:
        ModelError: One is no file or cannot be read, or they are too many or too large.
    """
    with _reading():
        return {name: path.read_bytes() for name, path in _named(paths, *_ENDINGS, *_BESIDE).items()}


def _named(paths: Iterable[Path], *endings: str) -> dict[str, Path]:
    """Files by their names; of folders those with some ending."""
    found: dict[str, Path] = {}
    left = MAX_BYTES
    with _reading():
        for path in _all(paths, endings):
            if path.name in found:
                raise ModelError(f"there are two files {path.name}")
            if not path.is_file():  # a pipe would be waited for
                raise ModelError(f"{path.name} is no file")
            left -= path.stat().st_size
            if len(found) >= _MOST_FILES or left < 0:
                raise ModelError(f"{path.name}: these are too many files for one model, or too large ones")
            found[path.name] = path
    return found


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ModelError(f"the model's files cannot be read: {error.strerror}") from error


def _all(paths: Iterable[Path], endings: tuple[str, ...]) -> Iterable[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        # What a link leads to was not handed over, and functions may read what lies beside a model.
        yield from sorted(
            each
            for each in path.iterdir()
            if each.is_file() and not each.is_symlink() and each.name.lower().endswith(endings)
            if not each.name.startswith(".")
        )


def artefact_name(paths: Iterable[Path]) -> str:
    """What a model is called by its files' names, where nobody says: the network's own.

    Raises:
        ModelError: Nothing in them is a name.
    """
    names = [each.name for each in _all(paths, _ENDINGS)]
    for ending in ("-symbol.json", ".xml", ".onnx", ".pb", ".prototxt"):
        for each in names:
            if each.lower().endswith(ending) and base_name(each):
                return each
    raise ModelError("none of these files says what a network computes", hint="is the right folder named?")


def _described(name: str, converted: Converted, wishes: Wishes) -> Descriptor:
    head = converted.head
    kind = wishes.kind or ("ssd" if head.kind == "boxes_scores" else head.kind)
    gives = _head_of(converted, kind)
    outputs = tuple(_found(each, head.outputs) for each in wishes.outputs) or tuple(
        OutputLayer(layer=each.layer if kind != "ssd" else _LAYERS["ssd"], output=each.name)
        for each in (head.outputs if kind == "raw" else head.outputs[:1])
    )
    facts = head.input
    return _checked(
        name=name,
        kind=kind,
        file=f"{checked_name(name)}.model.onnx",
        head=gives,
        input=_input(
            wishes,
            ModelInput(
                width=facts.width,
                height=facts.height,
                colour=facts.colour,
                layout=facts.layout,
                dtype=facts.dtype,
                mean=facts.mean,
                scale=(facts.scale,) * 3,
            ),
        ),
        outputs=outputs,
        wishes=wishes,
        first_label=_ROWS_FIRST if gives == "detection_output" else head.first_label,
        classes=head.classes,
    )


def _found(wanted: OutputLayer, given: Sequence[OutputFacts]) -> OutputLayer:
    """A layer that was named, with the network's own name of it."""
    for each in given:
        if wanted.layer in {each.layer, each.name}:
            return wanted.model_copy(update={"output": each.name})
    raise ModelError(
        f"the network gives no layer {wanted.layer[:64]!r}",
        hint=f"it gives {', '.join(each.layer for each in given)}",
    )


def _head_of(converted: Converted, kind: Kind) -> Head:
    head = converted.head
    match kind:
        case "raw":
            return "raw"
        case "classification":
            return "probabilities" if head.softmax or head.kind != "classification" else "logits"
        case "ssd":
            return "boxes_scores" if head.kind == "boxes_scores" else "detection_output"


def _described_ir(name: str, wishes: Wishes) -> Descriptor:
    if wishes.kind is None:
        raise ModelError(
            "an OpenVINO IR does not say what it is for", hint="say --kind ssd, classification or raw"
        )
    usual = ModelInput(width=wishes.width, height=wishes.height)
    return _checked(
        name=name,
        kind=wishes.kind,
        engine="openvino",
        file=f"{checked_name(name)}.model.xml",
        head=_HEADS[wishes.kind],
        input=_input(wishes, usual),
        outputs=tuple(each.model_copy(update={"output": each.layer}) for each in wishes.outputs)
        or (OutputLayer(layer=_LAYERS[wishes.kind]),),
        wishes=wishes,
        first_label=_ROWS_FIRST if wishes.kind == "ssd" else 0,
        classes=0,
    )


def _input(wishes: Wishes, usual: ModelInput) -> ModelInput:
    colour = wishes.colour or usual.colour
    channels = 1 if colour == "GRAY" else 3
    return ModelInput(
        width=wishes.width or usual.width,
        height=wishes.height or usual.height,
        colour=colour,
        layout=wishes.layout or usual.layout,
        dtype=usual.dtype,
        mean=_each(wishes.mean or usual.mean[:channels], channels),
        scale=_each(wishes.scale or usual.scale[:channels], channels),
    )


def _each(numbers: tuple[float, ...], channels: int) -> tuple[float, ...]:
    if len(numbers) not in {1, channels}:
        raise ModelError(f"{len(numbers)} numbers for {channels} channels", hint="give one, or one for each")
    return numbers if len(numbers) == channels else numbers * channels


def _checked(
    *,
    name: str,
    kind: Kind,
    file: str,
    head: Head,
    input: ModelInput,  # noqa: A002 - the descriptor's own word
    outputs: tuple[OutputLayer, ...],
    wishes: Wishes,
    first_label: int,
    classes: int,
    engine: Literal["onnx", "openvino"] = "onnx",
) -> Descriptor:
    labels = wishes.labels or ()
    if classes and labels and len(labels) != classes:
        raise ModelError(f"{len(labels)} labels for a network of {classes} classes")
    if kind != "raw" and len(outputs) != 1:
        raise ModelError(
            f"a model of the kind {kind} gives one layer, and {len(outputs)} are named",
            hint="name the one a function reads with --output, or say --kind raw",
        )
    return Descriptor(
        name=checked_name(name),
        spellings=spellings_of(name),
        kind=kind,
        engine=engine,
        file=file,
        head=head,
        input=input,
        outputs=outputs,
        first_label=first_label if wishes.first_label is None else wishes.first_label,
        labels=labels,
    )


def report_text(report: ConversionReport) -> str:
    """What was done to a model's files, for people."""
    parts: list[tuple[str, str]] = [
        ("files", ", ".join(report.files)),
        ("epoch", "" if report.epoch is None else str(report.epoch)),
        ("operations", _counted(report.operations)),
        ("folded", _counted(report.folded)),
        ("ignored", ", ".join(report.ignored)),
        ("unused", ", ".join(report.unused)),
        *(("note", each) for each in report.notes),
    ]
    return "".join(f"{title}: {text}\n" for title, text in parts if text)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
