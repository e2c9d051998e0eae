"""What a model is, as the hosting side writes it for a function's view.

The same form that `appliance.deeplens.guest.descriptors` reads inside the view, where the meaning of each
field stands; a contract test holds both together. Writes no file, opens no network.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from appliance.errors import ModelError

Kind = Literal["ssd", "classification", "raw"]
Head = Literal["boxes_scores", "detection_output", "yunet", "probabilities", "logits", "raw"]
Colour = Literal["BGR", "RGB", "GRAY"]

KIND_OF_HEAD: dict[Head, Kind] = {
    "boxes_scores": "ssd",
    "detection_output": "ssd",
    "yunet": "ssd",
    "probabilities": "classification",
    "logits": "classification",
    "raw": "raw",
}

ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$")]
"""Of a model and of its files: no path, no hidden file."""
LabelText = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f]*$")]
MAX_LABELS = 10_000
MAX_SIDE_PX = 4096


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ModelInput(_Part):
    """What a network takes; see `guest.descriptors.ModelInput`."""

    width: int = Field(ge=0, le=MAX_SIDE_PX)
    height: int = Field(ge=0, le=MAX_SIDE_PX)
    colour: Colour = "BGR"
    layout: Literal["NHWC", "NCHW"] = "NCHW"
    dtype: Literal["uint8", "float32"] = "float32"
    mean: tuple[FiniteFloat, ...] = (0.0, 0.0, 0.0)
    scale: tuple[FiniteFloat, ...] = (1.0, 1.0, 1.0)
    adapts: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if {len(self.mean), len(self.scale)} != {1 if self.colour == "GRAY" else 3}:
            raise ValueError("one mean and one scale belong to each channel")
        return self


class OutputLayer(_Part):
    """One layer that a function gets; see `guest.descriptors.OutputLayer`."""

    layer: LabelText = Field(min_length=1)
    output: LabelText = ""
    size: int = Field(default=0, ge=0, le=10_000_000)


class Descriptor(_Part):
    """One model; see `guest.descriptors.Descriptor`."""

    version: int = Field(default=1, ge=1, le=1)
    name: ModelName
    spellings: tuple[LabelText, ...] = Field(default=(), max_length=100)
    kind: Kind
    engine: Literal["onnx", "openvino"] = "onnx"
    file: ModelName
    head: Head
    input: ModelInput
    outputs: tuple[OutputLayer, ...] = Field(min_length=1, max_length=100)
    first_label: int = Field(default=0, ge=0, le=MAX_LABELS)
    labels: tuple[LabelText, ...] = Field(default=(), max_length=MAX_LABELS)
    classes: tuple[Annotated[int, Field(ge=-1, le=MAX_LABELS)], ...] = Field(
        default=(), max_length=MAX_LABELS
    )
    overlap: float = Field(default=0.45, ge=0, le=1)
    least: float = Field(default=0.01, ge=0, le=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if KIND_OF_HEAD[self.head] != self.kind:
            raise ValueError(f"a head {self.head} does not belong to the kind {self.kind}")
        if self.kind != "raw" and len(self.outputs) != 1:
            raise ValueError("a model of this kind has one output layer")
        return self

    def file_bytes(self) -> bytes:
        """The descriptor as it is kept, one line for each field at the top."""
        return (json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n").encode()


def catalogue_bytes(models: Iterable[Descriptor], missing: Mapping[str, str]) -> bytes:
    """The file by which a function's view knows its models.

    Args:
        models: All of them; of two that go by one name the first is meant.
        missing: Names of models that are not there, with why not and what to do about it.
    """
    listed = [each.model_dump(mode="json") for each in models]
    return json.dumps({"version": 1, "models": listed, "missing": dict(missing)}).encode()


@contextmanager
def faults_told(what: str, *, hint: str = "") -> Iterator[None]:
    """Turn what is said against a description into our own error.

    Args:
        what: What was done with it.
        hint: What to do about it.

    Raises:
        ModelError: In place of pydantic's.
    """
    try:
        yield
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:3])
        raise ModelError(f"{what}: {faults}", hint=hint) from error


def read_descriptor(data: bytes) -> Descriptor:
    """A descriptor from its file.

    Raises:
        ModelError: It is none.
    """
    with faults_told("the model's descriptor cannot be read", hint="install the model again"):
        return Descriptor.model_validate_json(data)


def dealt_classes(own: Iterable[str], labels: tuple[str, ...]) -> tuple[int, ...]:
    """Which label each class of a network counts for when the network stands in for a model of other labels.

    A class whose name is a label counts for that one. The others are dealt to the labels that got none, in
    turn, so that whatever is found has a label; when every label has its class, to none.

    Args:
        own: Names of the network's classes; empty ones are not in use.
        labels: Names of the labels wanted.

    Returns:
        For each class the place of its label, or -1.
    """
    names = [each.strip().lower() for each in labels]
    own = [each.strip().lower() for each in own]
    classes = [names.index(each) if each and each in names else -1 for each in own]
    free = [at for at in range(len(names)) if at not in classes]
    dealt = 0
    for at, name in enumerate(own):
        if name and classes[at] < 0 and free:
            classes[at] = free[dealt % len(free)]
            dealt += 1
    return tuple(classes)
