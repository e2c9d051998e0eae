"""What a converted artefact of a user is: the ONNX file, what goes in, what comes out, and a report.

Values only; `convert_artefact` makes them, and `recognising` says which kind of artefact files are. All error
texts about a user's artefact are made here, so that they look alike: what is wrong, with which file, and
what is accepted instead.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from appliance.errors import ModelError

LARGEST_BYTES = 1 << 30
"""Of all files of an artefact together; the largest of the field, a VGG-16, has half of it."""
LARGEST_SIDE = 4096
"""Of a network's input, in pixels."""
LARGEST_VALUE = 1 << 27
"""How many numbers a value in a network may have, so that a hostile file asks for 512 MiB at most."""

ACCEPTED = (
    "accepted are: ONNX (.onnx), OpenVINO IR (.xml and .bin), a Caffe SSD (.prototxt and .caffemodel), "
    "a frozen TensorFlow SSD (.pb), and MXNet image classification (-symbol.json and -0000.params)"
)


class Kind(StrEnum):
    """Which kind an artefact is."""

    ONNX = "onnx"
    OPENVINO = "openvino"
    CAFFE = "caffe"
    TENSORFLOW = "tensorflow"
    MXNET = "mxnet"


@dataclass(frozen=True, slots=True)
class InputFacts:
    """What the converted network takes.

    Attributes:
        name: The input's name in the ONNX file.
        width: In pixels.
        height: In pixels.
        layout: Order of the axes; the first is the batch.
        dtype: Element type.
        colour: Order of the channels. For "float32" it is a guess: artefacts do not say what they were
            trained with, and a DeepLens fed BGR as the camera gave it.
        mean: Subtracted from pixels, 0 to 255, before they go in, in the order of `colour`.
        scale: What the difference is multiplied with.
    """

    name: str
    width: int
    height: int
    layout: Literal["NHWC", "NCHW"]
    dtype: Literal["uint8", "float32"]
    colour: Literal["BGR", "RGB"] = "BGR"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class OutputFacts:
    """One output of the converted network.

    Attributes:
        name: Its name in the ONNX file.
        shape: Numbers along each axis; 0 where the file leaves it open.
        layer: The name its author knew it by, which is the key of `doInference`'s answer.
    """

    name: str
    shape: tuple[int, ...]
    layer: str


@dataclass(frozen=True, slots=True)
class Head:
    """What the answers mean.

    Attributes:
        kind: "boxes_scores": an object detector as `detector_graph` says, outputs `boxes` and `scores`.
            "classification": one output, a probability a class. "raw": anything else, handed on as it is.
        input: What goes in.
        outputs: What comes out, in the file's order.
        classes: How many classes, without one for nothing at all; 0 when raw.
        first_label: Number the first class had in the artefact: 1 where 0 was nothing at all.
        softmax: Whether the classes of a classification add up to 1 (else they are what precedes that).
    """

    kind: Literal["boxes_scores", "classification", "raw"]
    input: InputFacts
    outputs: tuple[OutputFacts, ...]
    classes: int = 0
    first_label: int = 0
    softmax: bool = True


@dataclass(frozen=True, slots=True)
class ConversionReport:
    """What was met and done, for whoever converts.

    Attributes:
        files: Names of the files that were used.
        operations: How often each operation was met.
        folded: Operations that left no node of their own, by what became of them.
        ignored: Names of layers, inputs or files that do nothing in inference.
        unused: Parameters the network does not ask for.
        notes: Anything else worth knowing, in sentences.
        epoch: Of the parameters, where the format counts epochs.
    """

    files: tuple[str, ...]
    operations: dict[str, int] = field(default_factory=dict)
    folded: dict[str, int] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    epoch: int | None = None


@dataclass(frozen=True, slots=True)
class Converted:
    """A converted artefact.

    Attributes:
        onnx: Bytes of the ONNX file; the same artefact gives the same bytes everywhere.
        kind: What it was made from.
        head: What goes in and what comes out.
        report: What was met and done.
    """

    onnx: bytes
    kind: Kind
    head: Head
    report: ConversionReport


def damaged(what: str, *, hint: str = "") -> ModelError:
    """The error for an artefact that is broken or contradicts itself."""
    return ModelError(f"artefact: {what}", hint=hint or "copy it again from where it was trained")


def unsupported(what: str, *, hint: str = "") -> ModelError:
    """The error for an artefact that is sound, but of a kind that cannot be converted."""
    return ModelError(f"artefact: {what}", hint=hint or ACCEPTED)
