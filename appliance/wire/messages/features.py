"""What is said about making features of pictures; the models process answers.

Features are of pictures, not of people; a picture is in the blob, and none of this is kept by who is asked.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from appliance.wire.messages.message import Message

SearchView = Literal["all", "centre", "largest"]
"""What counts in a picture: all, a square in its middle, the largest thing that a detector finds in it."""
Features = Annotated[tuple[float, ...], Field(min_length=2, max_length=8192)]
"""Of length 1. float32 survives JSON exactly."""
Model = Annotated[str, Field(min_length=1, max_length=64)]
"""A network's id in the manifest."""


class FeaturizePicture(Message):
    """Describe the picture file in the blob. Answered by `PictureFeaturized`; asked of the models process.

    Attributes:
        models: Networks, by their ids in the manifest, each of which makes features.
        view: What counts.
        jpeg: Whether what counts is given back, small, as a JPEG in the blob: as it is kept.
        variations: Whether it is described also as it could look before a camera; see `search.varied`.
    """

    type: Literal["featurize_picture"] = "featurize_picture"
    version: Literal[1] = 1
    models: tuple[Model, ...] = Field(min_length=1, max_length=4)
    view: SearchView = "all"
    jpeg: bool = False
    variations: bool = False


class PictureFeaturized(Message):
    """A picture, described.

    Attributes:
        width: Of the picture as it came, pixels.
        height: Likewise.
        box: What counts in it: left, top, right, bottom, pixels.
        width_px: Of the JPEG in the blob; 0: there is none.
        height_px: Likewise.
        features: Featurizer (model and the beginning of a hash) → features of what counts.
        variations: By the first of the models, of each variation.
    """

    type: Literal["picture_featurized"] = "picture_featurized"
    version: Literal[1] = 1
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    box: tuple[int, int, int, int]
    width_px: int = 0
    height_px: int = 0
    features: Mapping[str, Features]
    variations: tuple[Features, ...] = ()


class FeaturizeFrame(Message):
    """Describe the newest frame in the shared memory whose descriptor comes along, as `FeaturizePicture`.

    Answered by `FrameFeaturized`.

    Attributes:
        models: As there.
        view: As there.
        jpeg: As there.
        after: Wait for a frame with a greater sequence than this.
        wait_s: Seconds to wait for one.
    """

    type: Literal["featurize_frame"] = "featurize_frame"
    version: Literal[1] = 1
    models: tuple[Model, ...] = Field(min_length=1, max_length=4)
    view: SearchView = "centre"
    jpeg: bool = False
    after: int = -1
    wait_s: float = Field(default=1.0, ge=0, le=5)


class FrameFeaturized(Message):
    """A frame, described; see `PictureFeaturized`.

    Attributes:
        sequence: The camera's frame number.
        at: When it was taken, aware.
    """

    type: Literal["frame_featurized"] = "frame_featurized"
    version: Literal[1] = 1
    sequence: int
    at: AwareDatetime
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    box: tuple[int, int, int, int]
    width_px: int = 0
    height_px: int = 0
    features: Mapping[str, Features]


class AskFeaturizer(Message):
    """What are a network's features called? Answered by `FeaturizerTold`; asked of the models process.

    Attributes:
        model: Its id in the manifest.
    """

    type: Literal["ask_featurizer"] = "ask_featurizer"
    version: Literal[1] = 1
    model: Model


class FeaturizerTold(Message):
    """A network that can describe pictures.

    Attributes:
        featurizer: Model and the beginning of a hash of its file, and of what the settings say of it.
        numbers: How many numbers features have.
    """

    type: Literal["featurizer_told"] = "featurizer_told"
    version: Literal[1] = 1
    featurizer: str
    numbers: int = Field(ge=2)
