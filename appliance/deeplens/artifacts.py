"""The models that came with DeepLens projects, and which network of ours is each of them now.

AWS's own weights are nowhere to be had. For some of them the appliance has a network with the same labels and
numbers; the others are known by name, so that a function that asks for one is told what it is. The same
networks stand in for models whose authors' weights are lost. Knows no folder and opens nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from appliance.deeplens.descriptor import (
    Descriptor,
    Head,
    Kind,
    ModelInput,
    OutputLayer,
    dealt_classes,
)
from appliance.errors import ModelError

INSTALL: Final = "appliance deeplens models install"


@dataclass(frozen=True, slots=True)
class OwnNetwork:
    """A network of the appliance, as functions get it.

    Attributes:
        model: Its id in the manifest of models.
        kind: What `parseResult` reads from it.
        head: What it gives.
        input: What it takes.
        output: The layer a function gets.
        first_label: Number of its first label, where it is itself.
        groups: Labels it has in place of the manifest's, each with the first and last of the network's
            classes that count for it; None: the manifest's.
        least: The confidence from which on a box is told of.
        about: What it is, for people.
    """

    model: str
    kind: Kind
    head: Head
    input: ModelInput
    output: OutputLayer
    first_label: int
    about: str
    groups: Mapping[str, tuple[int, int]] | None = None
    least: float = 0.01


def _picture(width: int, height: int) -> ModelInput:
    return ModelInput(width=width, height=height, layout="NHWC", dtype="uint8", adapts=True)


_BOXES: Final = OutputLayer(layer="detection_out")
_CLASSES: Final = OutputLayer(layer="prob", output="probabilities")

OWN: Final[Mapping[str, OwnNetwork]] = {
    "voc": OwnNetwork(
        "voc-ssd", "ssd", "boxes_scores", _picture(300, 300), _BOXES, 1, "20 kinds of things (VOC)"
    ),
    "coco": OwnNetwork(
        "coco-ssd", "ssd", "boxes_scores", _picture(300, 300), _BOXES, 1, "80 kinds of things (COCO)"
    ),
    # A function's picture is the camera's frame, made square: in its old proportions faces are found better.
    "face": OwnNetwork(
        *("yunet", "ssd", "yunet", _picture(512, 288), _BOXES, 1, "faces"),
        groups={"face": (0, 0)},
        least=0.05,
    ),
    "classifier": OwnNetwork(
        *("efficientnet-lite0", "classification", "probabilities", _picture(224, 224), _CLASSES, 0),
        "what a picture shows, of ImageNet's 1000 classes",
    ),
    "cats-and-dogs": OwnNetwork(
        *("efficientnet-lite0", "classification", "probabilities", _picture(224, 224), _CLASSES, 0),
        "whether a picture shows a dog or a cat",
        groups={"dog": (151, 268), "cat": (281, 285)},
    ),
    "featurizer": OwnNetwork(
        *("efficientnet-lite0", "raw", "raw", _picture(224, 224)),
        *(OutputLayer(layer="flatten0", output="features"), 0),
        "1280 numbers, alike for alike pictures",
    ),
}
"""By what `--like` calls them."""


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A model that came with the device or its projects.

    Attributes:
        name: As it was trained.
        like: The network that it is now.
        spellings: Further names.
    """

    name: str
    like: str
    spellings: tuple[str, ...] = ()


BUILT_IN: Final = (
    BuiltIn("deploy_ssd_resnet50_300", "voc", ("mxnet_deploy_ssd_resnet50_300_FP16_FUSED",)),
    BuiltIn("deploy_ssd", "face", ("mxnet_deploy_ssd_FP16_FUSED",)),
    BuiltIn("resnet18-catsvsdogs", "cats-and-dogs", ("mxnet_resnet18-catsvsdogs_FP32_FUSED",)),
    BuiltIn("squeezenet", "classifier", ("mxnet_squeezenet",)),
    BuiltIn("featurizer-v1", "featurizer"),
    BuiltIn("ssd_mobilenet_v2_coco_2018_03_29", "coco", ("ssd_mobilenet_v2_coco",)),
)
"""Object detection, face detection, cat or dog, hot dog (ImageNet's class 934), visual search; and the model
that is most widely used with TensorFlow."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A model that came with DeepLens projects and is not to be had.

    Attributes:
        about: What it was.
        stand_in: Options of the command that lets a network of ours stand in for it.
    """

    about: str
    stand_in: str


LOST: Final[Mapping[str, Lost]] = {
    "action_recognition_v2.0": Lost("action recognition, 37 classes", "--like classifier --labels 37"),
    "style": Lost("artistic style transfer", "--like featurizer --output Convolution_last_conv:150528"),
    "frozen_model": Lost("head pose detection, 9 classes", "--like classifier --labels 9"),
    "bird_classification_resnet-18": Lost(
        "bird classification, 200 classes", "--like classifier --labels 200"
    ),
}
"""By name."""


def why_lost(name: str, lost: Lost) -> str:
    """What is said of one."""
    return (
        f"it is AWS's model for {lost.about}, and no weights of it are to be had; a network of ours stands "
        f"in for it after: {INSTALL} {name} {lost.stand_in}"
    )


@dataclass(frozen=True, slots=True)
class OwnFacts:
    """What the manifest says of a network of ours.

    Attributes:
        file: Name of its file.
        labels: Of its classes, in order; empty ones are not in use.
        overlap: Boxes of a label that share more than this are one thing.
    """

    file: str
    labels: tuple[str, ...]
    overlap: float


def own_descriptor(
    like: str,
    facts: OwnFacts,
    name: str,
    *,
    spellings: tuple[str, ...] = (),
    labels: tuple[str, ...] | None = None,
    first_label: int | None = None,
    outputs: tuple[OutputLayer, ...] = (),
) -> Descriptor:
    """A network of ours under a name, with its own labels or with others.

    Args:
        like: Which; a key of `OWN`.
        facts: What the manifest says of it.
        name: What it is called.
        spellings: Further names.
        labels: The labels it is to have; see `dealt_classes` for what counts for which. Default: its own.
        first_label: Number of the first; default: 0 with `labels`, else its own.
        outputs: The layers a function wants, each of the features, for one that reads them itself; default:
            its own layer.

    Raises:
        ModelError: There is no such network, or it has no labels or layers to choose.
    """
    network = own_network(like)
    own, classes = _own_labels(network, facts)
    if network.kind == "raw" and labels is not None:
        raise ModelError(f"{like} has no labels", hint="leave out --labels")
    if network.kind != "raw" and outputs and (len(outputs) != 1 or outputs[0].size):
        raise ModelError(f"{like} has one layer, of a size of its own", hint="give one name without a size")
    if labels is not None:
        dealt = dealt_classes(own, labels)
        classes = tuple(dealt[each] if each >= 0 else -1 for each in classes or range(len(own)))
    number = first_label if first_label is not None else 0 if labels is not None else network.first_label
    return Descriptor(
        name=name,
        spellings=spellings,
        kind=network.kind,
        file=facts.file,
        head=network.head,
        input=network.input,
        outputs=tuple(
            each.model_copy(update={"output": network.output.output}) for each in outputs or (network.output,)
        ),
        first_label=number,
        labels=own if labels is None else labels,
        classes=classes,
        overlap=facts.overlap,
        least=network.least,
    )


def own_network(like: str) -> OwnNetwork:
    """The network that is called so.

    Raises:
        ModelError: There is none.
    """
    try:
        return OWN[like]
    except KeyError as error:
        raise ModelError(
            f"there is no network {like[:32]!r} to stand in", hint=f"known are: {', '.join(OWN)}"
        ) from error


def _own_labels(network: OwnNetwork, facts: OwnFacts) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The labels a network has by itself, and its classes as `guest.descriptors.Descriptor` has them."""
    if network.groups is None or network.kind == "raw":
        return (() if network.kind == "raw" else facts.labels), ()
    count = len(facts.labels) or 1  # the one of faces has no list
    classes = [-1] * count
    for at, (first, last) in enumerate(network.groups.values()):
        classes[first : last + 1] = [at] * (last + 1 - first)
    return tuple(network.groups), tuple(classes)
