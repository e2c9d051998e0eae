"""What the models process is asked of picture files. The file is the blob; nothing of it is kept."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from appliance.wire.messages.message import Message


class EmbedPhoto(Message):
    """Find the faces in the picture file in the blob and embed them. Answered by `PhotoEmbedded`.

    Attributes:
        max_faces: Faces to embed at most, the largest first.
    """

    type: Literal["embed_photo"] = "embed_photo"
    version: Literal[1] = 1
    max_faces: int = Field(default=1, ge=1, le=32)


class EmbeddedFace(BaseModel):
    """A face found in a picture.

    Attributes:
        box: x, y, width, height in pixels of the picture as it is seen (turned by its EXIF).
        score: The detector's certainty that it is a face, 0 to 1.
        quality: Total quality, 0 to 100.
        measures: Quality by measure, 0 to 100.
        reasons: Codes of what is wrong with it; empty when it may be enrolled.
        templates: Model id → embedding. float32 survives JSON exactly.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)
    box: tuple[float, float, float, float]
    score: float = Field(ge=0, le=1)
    quality: float = Field(ge=0, le=100)
    measures: Mapping[str, float] = {}
    reasons: tuple[str, ...] = ()
    templates: Mapping[str, Annotated[tuple[float, ...], Field(min_length=1, max_length=4096)]]


class PhotoEmbedded(Message):
    """The faces of a picture, largest first.

    Attributes:
        width: Of the picture as it is seen, pixels.
        height: Of the picture as it is seen, pixels.
        faces_found: Faces found, embedded or not.
    """

    type: Literal["photo_embedded"] = "photo_embedded"
    version: Literal[1] = 1
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    faces_found: int = Field(ge=0)
    faces: tuple[EmbeddedFace, ...]


class GlanceAtFaces(Message):
    """How do people stand before a webcam? The blob is a small picture file. Answered by `FacesGlanced`.

    Nothing is embedded, and nothing is kept.
    """

    type: Literal["glance_at_faces"] = "glance_at_faces"
    version: Literal[1] = 1


class GlancedFace(BaseModel):
    """The largest face of a glance.

    Attributes:
        box: x, y, width, height in pixels of the picture.
        turn: How far it is turned, as `appliance.faces.quality.turn` has it: above 0 to its own left.
        reasons: Codes of what is wrong with it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)
    box: tuple[float, float, float, float]
    turn: float
    reasons: tuple[str, ...] = ()


class FacesGlanced(Message):
    """What was seen at a glance.

    Attributes:
        busy: Something else is looked at; nothing was looked at, and nothing waits.
        width: Of the picture, pixels.
        height: Likewise.
        faces: So many; those much smaller than the largest, in the background, are not counted.
        largest: None: there is no face.
    """

    type: Literal["faces_glanced"] = "faces_glanced"
    version: Literal[1] = 1
    busy: bool = False
    width: int = Field(default=0, ge=0)
    height: int = Field(default=0, ge=0)
    faces: int = Field(default=0, ge=0)
    largest: GlancedFace | None = None
