"""Which kind an artefact is, from its files' bytes, and which file plays which part.

Names say which files belong together and which epoch parameters are of; what a file is, its bytes say. A set
of files is of one kind, or refused with what it looks like and what is accepted. Converts nothing, and looks
no deeper into a file than to know what it is.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from appliance.errors import ModelError
from appliance.models.artefact import LARGEST_BYTES, Kind, damaged, unsupported
from appliance.models.mxnet_symbol import LARGEST_FILE
from appliance.models.protobuf_fields import Fields

_BEGINNING = 4096
_FIRST_LAYER = 1 << 20
"""Bytes in which a text of Caffe's must come to its first layer."""
_MOST_FILES = 1_000
_EPOCH = re.compile(r"^(?P<stem>.+)-(?P<epoch>[0-9]{4})$")
_IR_VERSION = re.compile(rb"<net\b[^>]{0,2000}?\bversion=\"(?P<version>[0-9]{1,4})\"")
_OLDEST_IR = 10
_LAYER = re.compile(rb"(^|\s)layers?\s*:?\s*\{")


class Part(StrEnum):
    """What a single file is."""

    CAFFE_LAYERS = "layers of a Caffe network"
    CAFFE_WEIGHTS = "weights of a Caffe network"
    IR_LAYERS = "an OpenVINO IR"
    IR_WEIGHTS = "weights of an OpenVINO IR"
    MXNET_PARAMETERS = "parameters of an MXNet network"
    MXNET_SYMBOL = "an MXNet network"
    ONNX = "an ONNX network"
    TENSORFLOW = "a frozen TensorFlow graph"


@dataclass(frozen=True, slots=True)
class Recognised:
    """An artefact's kind and parts.

    Attributes:
        kind: Which it is.
        parts: The name of the file that plays each part.
        others: Names of the files that play none.
        epoch: In the name of MXNet's parameters; None where it has none, and for other kinds.
    """

    kind: Kind
    parts: Mapping[Part, str]
    others: tuple[str, ...]
    epoch: int | None = None


def recognise(files: Mapping[str, bytes], *, epoch: int | None = None) -> Recognised:
    """Tell what an artefact is.

    Args:
        files: Its files by base name.
        epoch: Which of several parameter files of MXNet is meant; None: the last.

    Raises:
        ModelError: It is incomplete, several at once, of a kind that is not accepted, or nothing known.
    """
    if len(files) > _MOST_FILES or sum(map(len, files.values())) > LARGEST_BYTES:
        raise unsupported(f"{len(files)} files of more than {LARGEST_BYTES >> 20} MiB together")
    parts = {name: part for name, data in files.items() if (part := _part(data)) is not None}
    networks = [name for name, part in parts.items() if part in _NEEDS]
    if len(networks) > 1:
        listed = ", ".join(_told(name) for name in sorted(networks)[:8])
        raise unsupported(f"several networks at once: {listed}", hint="install one artefact at a time")
    if not networks:
        raise _nothing(files, parts)
    (network,) = networks
    kind, needed = _NEEDS[parts[network]]
    found = {parts[network]: network}
    if needed is Part.IR_WEIGHTS:
        _check_ir(files[network])
        found[needed] = _one(network, [n for n in files if n.endswith(".bin")], needed)
    elif needed is Part.MXNET_PARAMETERS:
        found[needed] = _of_epoch(network, [n for n, part in parts.items() if part is needed], epoch)
    elif needed is not None:
        found[needed] = _one(network, [n for n, part in parts.items() if part is needed], needed)
    others = tuple(sorted(set(files) - set(found.values())))
    _, number = _split(found[needed]) if needed is Part.MXNET_PARAMETERS else ("", None)
    return Recognised(kind, found, others, number)


_NEEDS: Mapping[Part, tuple[Kind, Part | None]] = {
    Part.CAFFE_LAYERS: (Kind.CAFFE, Part.CAFFE_WEIGHTS),
    Part.IR_LAYERS: (Kind.OPENVINO, Part.IR_WEIGHTS),
    Part.MXNET_SYMBOL: (Kind.MXNET, Part.MXNET_PARAMETERS),
    Part.ONNX: (Kind.ONNX, None),
    Part.TENSORFLOW: (Kind.TENSORFLOW, None),
}
"""The file that says what a network computes: the kind it makes, and the file it needs besides."""

_ENDINGS = {
    Part.CAFFE_LAYERS: ".prototxt",
    Part.CAFFE_WEIGHTS: ".caffemodel",
    Part.IR_WEIGHTS: ".bin",
    Part.MXNET_PARAMETERS: "-0000.params",
    Part.MXNET_SYMBOL: "-symbol.json",
}


def _part(data: bytes) -> Part | None:
    if data[:8] == b"\x12\x01\0\0\0\0\0\0":
        return Part.MXNET_PARAMETERS
    start = data[:_BEGINNING].lstrip()
    if start[:1] == b"{":
        return Part.MXNET_SYMBOL if _is_symbol(data) else None
    if start[:1] == b"<":
        return Part.IR_LAYERS if b"<net" in start else None
    if b"\0" not in data[:_BEGINNING] and _LAYER.search(data[:_FIRST_LAYER]):
        return Part.CAFFE_LAYERS
    try:
        return _of_message(Fields(data))
    except ModelError:
        return None


def _is_symbol(data: bytes) -> bool:
    if len(data) > LARGEST_FILE:
        return False
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(tree, dict) and isinstance(tree.get("nodes"), list) and "heads" in tree


def _of_message(fields: Fields) -> Part | None:
    """A protobuf file by its first messages: numbers of fields of ModelProto, GraphDef and NetParameter."""
    if _begins_with_version(fields):
        return Part.ONNX if _sound(lambda: bool(fields.views(7)) and bool(fields.views(8))) else None
    if _sound(lambda: _named(fields.views(1), 1, 2)):
        return Part.TENSORFLOW
    if _sound(lambda: _named(fields.views(100), 1, 2) or _named(fields.views(2), 4, 6)):
        return Part.CAFFE_WEIGHTS
    return None


def _begins_with_version(fields: Fields) -> bool:
    """Whether the first field is a number, as in ONNX and in TensorFlow's SavedModel."""
    try:
        fields.views(1)
    except ModelError:
        return True
    return False


def _named(views: Iterable[memoryview], *numbers: int) -> bool:
    """Whether the first message has a text in these fields, or, for Caffe's older ones, that much of one."""
    first = next(iter(views), None)
    if first is None:
        return False
    message = Fields(first)
    return bool(message.text(numbers[0])) and bool(message.views(numbers[1]))


def _sound(ask: Callable[[], bool]) -> bool:
    try:
        return ask()
    except ModelError:
        return False


def _split(name: str) -> tuple[str, int | None]:
    """The network a file of parameters is of, and the epoch in its name."""
    stem = PurePosixPath(name).stem
    match = _EPOCH.match(stem)
    return (match["stem"], int(match["epoch"])) if match else (stem, None)


def _one(network: str, names: list[str], needed: Part) -> str:
    """The one file of a kind; of several the one that is named as the network."""
    stem = PurePosixPath(network).stem
    alike = [name for name in names if PurePosixPath(name).stem == stem] or names
    if len(alike) == 1:
        return alike[0]
    if not alike:
        raise damaged(
            f"{_told(network)} is there without {needed}",
            hint=f"add the {_ENDINGS[needed]} file that belongs to it",
        )
    raise unsupported(
        f"{len(alike)} files with {needed}", hint=f"leave the one that belongs to {_told(network)}"
    )


def _of_epoch(network: str, names: list[str], epoch: int | None) -> str:
    if not names:
        return _one(network, names, Part.MXNET_PARAMETERS)
    stem = PurePosixPath(network).stem.removesuffix("-symbol")
    alike = [name for name in names if _split(name)[0] == stem] or names
    if epoch is None:
        return max(alike, key=lambda name: (_split(name)[1] or 0, name))
    wanted = [name for name in alike if _split(name)[1] == epoch]
    if not wanted:
        there = ", ".join(str(_split(name)[1]) for name in sorted(alike)[:8])
        raise damaged(f"there are no parameters of epoch {epoch}", hint=f"there are those of: {there}")
    return wanted[0]


def _check_ir(data: bytes) -> None:
    match = _IR_VERSION.search(data[: 4 * _BEGINNING])
    if match and int(match["version"]) < _OLDEST_IR:
        raise unsupported(
            f"an OpenVINO IR of version {int(match['version'])}, which no OpenVINO of today reads",
            hint="install what it was made from instead: the MXNet, Caffe, TensorFlow or ONNX files",
        )


def _nothing(files: Mapping[str, bytes], parts: Mapping[str, Part]) -> ModelError:
    """What files without a network look like."""
    if not files:
        return unsupported("there are no files")
    if any(data[:4] == b"\x7fELF" for data in files.values()):
        return unsupported(
            "a model compiled by SageMaker Neo: machine code for a DeepLens's own processor",
            hint="install what was compiled instead: the -symbol.json and .params of the training",
        )
    if parts:
        name, part = min(parts.items())
        network = next(layers for layers, (_, weights) in _NEEDS.items() if weights is part)
        return damaged(
            f"{_told(name)} has {part}, without {network}", hint=f"add the {_ENDINGS[network]} file"
        )
    name = max(files, key=lambda each: len(files[each]))
    return unsupported(f"{_told(name)} looks like {_looks(files[name])}")


def _looks(data: bytes) -> str:
    """What a file that is no network looks like."""
    for beginning, what in _BEGINNINGS.items():
        if data.startswith(beginning):
            return what
    if data[4:8] == b"TFL3":
        return "a TensorFlow Lite model, which is not supported"
    if not data:
        return "an empty file"
    if data.startswith(b"\x08\x01\x12"):
        return "a TensorFlow SavedModel: freeze it, or export it as ONNX"
    if data[:_BEGINNING].isascii() and b"\0" not in data[:_BEGINNING]:
        return "a text that describes no network"
    return "nothing known; it may be damaged"


_BEGINNINGS = {
    b"PK\x03\x04": "a zip archive (or a PyTorch or Keras model): unpack it, or export it as ONNX",
    b"\x1f\x8b": "a compressed archive such as model.tar.gz: unpack it",
    b"\x89HDF": "a Keras model (HDF5): export it as ONNX",
    b"\x80\x02": "a Python pickle (PyTorch): export it as ONNX",
    b"\xff\xd8\xff": "a picture",
    b"\x89PNG": "a picture",
}


def _told(name: str) -> str:
    """A file's name, for a message: short, and without anything that could not be printed."""
    return "".join(each if each.isprintable() else "?" for each in name[:100])
