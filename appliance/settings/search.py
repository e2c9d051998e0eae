"""The settings of visual search: whether it runs, before which cameras, by which network, what is found.

What is in the catalogue is not said here: it lives in the database.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from appliance.settings.room import Identifier, Room, field

_SCOPE = "search"


class SearchNetworkSettings(Room):
    """A network of one's own that describes pictures: an ONNX file with one output of numbers a picture."""

    id: Identifier = field(..., "Name of the network; it stands on what it made.", scope="all")
    file: Path = field(..., "The ONNX file; a whole path.", scope="all")
    width_px: int = field(224, "Width of the picture it takes.", scope="all", ge=16, le=2048)
    height_px: int = field(224, "Height of the picture it takes.", scope="all", ge=16, le=2048)
    colour: Literal["BGR", "RGB"] = field("RGB", "Order of its channels.", scope="all")
    layout: Literal["NHWC", "NCHW"] = field("NCHW", "Channels last, or first.", scope="all")
    dtype: Literal["uint8", "float32"] = field("float32", "Type of its numbers.", scope="all")
    mean: tuple[float, float, float] = field(
        (123.675, 116.28, 103.53), "What is subtracted of each channel, in its order.", scope="all"
    )
    spread: tuple[float, float, float] = field(
        (58.395, 57.12, 57.375), "What the rest is divided by, in its order.", scope="all"
    )
    output: str = field("", "Name of the output; empty: it has but one.", scope="all", max_length=128)
    fit: Literal["stretched", "letterboxed", "cropped"] = field(
        "stretched", "How a picture is brought to the size.", scope="all"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.file.is_absolute():
            raise ValueError("file must be a whole path, beginning with /")
        if min(self.spread) <= 0:
            raise ValueError("spread must be above 0")
        if self.dtype == "uint8" and (any(self.mean) or self.spread != (1.0, 1.0, 1.0)):
            raise ValueError("a network that takes bytes takes them as they are: mean 0, spread 1")
        return self


class SearchSettings(Room):
    """What is alike to what a camera shows, of a catalogue of things."""

    enabled: bool = field(
        default=False,
        description="Whether the process that searches is run: it holds the catalogue's features in memory, "
        "7 kB for each picture.",
        scope="all",
    )
    cameras: tuple[Identifier, ...] = field(
        (), "Cameras before which things are held: what is held still is looked up.", scope=_SCOPE
    )
    view: Literal["all", "centre", "largest"] = field(
        "centre",
        "What counts in a camera's picture: all of it, the square in its middle, or the largest thing that "
        "is found in it; people never count.",
        scope=_SCOPE,
    )
    detector: Literal["voc", "coco", "yolox"] = field(
        "coco", "The network that finds the largest thing, for view = 'largest'.", scope="all"
    )
    model: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")] = field(
        "efficientnet-lite0",
        "The network that describes pictures: efficientnet-lite0, or the id of one of search.networks. A "
        "catalogue that is searched by another one stays so until it has been described anew.",
        scope="all",
    )
    networks: tuple[SearchNetworkSettings, ...] = field(
        (), "Networks of one's own that describe pictures.", scope="all", max_length=8
    )
    matches: int = field(3, "How many items are told at most.", scope=_SCOPE, ge=1, le=50)
    threshold: Literal["calibrated"] | Annotated[float, Field(ge=-1, le=1)] = field(
        "calibrated",
        "From which similarity on something counts as found: calibrated on the catalogue, or a number "
        "between -1 and 1.",
        scope=_SCOPE,
    )
    false_matches: float = field(
        0.05,
        "Share of things not in the catalogue that may find something all the same; the calibration goes by "
        "it.",
        scope=_SCOPE,
        gt=0,
        lt=1,
    )
    look_fps: float = field(
        8.0, "How often a camera is looked at for something held still, a second.", scope=_SCOPE, ge=1, le=30
    )
    hold_s: float = field(0.4, "Seconds for which something has to be held still.", scope=_SCOPE, ge=0, le=10)
    show_s: float = field(
        8.0, "Seconds for which the picture says what was found.", scope=_SCOPE, gt=0, le=60
    )
    keep_newest: int = field(
        50, "How many of the newest matches are kept, in memory alone.", scope=_SCOPE, ge=1, le=1000
    )
    publish: Literal["nothing", "matches", "features"] = field(
        "matches",
        "What of a look-up before a camera goes to the topic of what is seen: what was found, or the "
        "features themselves as the DeepLens sample published them; nothing without a broker.",
        scope=_SCOPE,
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        ids = [each.id for each in self.networks]
        if len(set(ids)) < len(ids) or "efficientnet-lite0" in ids:
            raise ValueError("each of networks has an id of its own")
        if self.model != "efficientnet-lite0" and self.model not in ids:
            raise ValueError(f"there is no network {self.model!r} in networks")
        return self
