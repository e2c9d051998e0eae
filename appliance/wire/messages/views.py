"""What the models process is asked of shared frames, for who looks. The JPEG is the answer's blob."""

from collections.abc import Mapping
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from appliance.wire.messages.message import Message


class RenderView(Message):
    """Make a JPEG of the newest frame in the shared memory whose descriptor comes along.

    Answered by `ViewRendered` with the JPEG in the blob.

    Attributes:
        kind: `project`: with what was seen drawn over it; `device`: untouched.
        width_px: Of the JPEG, at most.
        quality: Of the JPEG.
        after: Wait for a frame with a greater sequence than this.
        wait_s: Seconds to wait for one.
        labels: What to call subjects, by id; the others are called a person.
    """

    type: Literal["render_view"] = "render_view"
    version: Literal[1] = 1
    kind: Literal["project", "device"]
    width_px: int = Field(default=1280, ge=64, le=3840)
    quality: int = Field(default=80, ge=10, le=95)
    after: int = -1
    wait_s: float = Field(default=1.0, ge=0, le=5)
    labels: Mapping[str, str] = {}


class SeenDoor(BaseModel):
    """A door in a frame: `open`, `shut` or `unsure`, and the share of its region that the fill covered."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, defer_build=True)
    state: str
    fraction: float


class SeenCoffee(BaseModel):
    """What a coffee corner tells of somebody.

    Attributes:
        phase: A countdown, a coffee that counted, or one too soon after the last.
        left_s: Seconds of the countdown, or until the next one counts.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, defer_build=True)
    phase: Literal["counting", "counted", "too_soon"]
    left_s: float


class SeenFace(BaseModel):
    """A face in a frame.

    Attributes:
        box: Left, top, right, bottom, pixels of the whole frame.
        subject: Who it was said to be, by opaque id.
        stranger: It was called a stranger.
        score: Of the latest decision about them; None before the first.
        threshold: What that was held against.
        grade: Of that decision.
        why: Its rule in words; empty before it.
        frames: Good frames of their encounter so far.
        coffee: What the coffee corner tells of them; None: nothing.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, defer_build=True)
    box: tuple[float, float, float, float]
    subject: str | None = None
    stranger: bool = False
    score: float | None = None
    threshold: float | None = None
    grade: str | None = None
    why: str = ""
    frames: int = 0
    coffee: SeenCoffee | None = None


class SeenObject(BaseModel):
    """A thing in a frame.

    Attributes:
        box: Left, top, right, bottom, pixels of the whole frame.
        label: What it is called.
        score: How certain that is, 0 to 1.
        track: Which of the camera's things it is.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, defer_build=True)
    box: tuple[float, float, float, float]
    label: str
    score: float
    track: int


class SeenFound(BaseModel):
    """What visual search found in a frame.

    Attributes:
        words: What it is, with how alike; or that there is nothing like it.
        known: Whether it is something of the catalogue.
        box: What counted: left, top, right, bottom, pixels of the whole frame.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, defer_build=True)
    words: str
    known: bool
    box: tuple[int, int, int, int]


class ViewRendered(Message):
    """What is to be known of the frame in the blob.

    Attributes:
        sequence: The camera's frame number.
        at: When it was taken, aware.
        width: Of the whole frame, pixels.
        height: Of the whole frame, pixels.
        doors: Door id → its state, and the share of its region that the fill covered.
        faces: Who was seen, the nearest first.
        objects: What was seen, the most certain first.
        found: What visual search found; None: nothing was looked up.
    """

    type: Literal["view_rendered"] = "view_rendered"
    version: Literal[1] = 1
    sequence: int
    at: AwareDatetime
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    doors: Mapping[str, SeenDoor] = {}
    faces: tuple[SeenFace, ...] = ()
    objects: tuple[SeenObject, ...] = ()
    found: SeenFound | None = None
