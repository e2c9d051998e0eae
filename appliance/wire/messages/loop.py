"""What the loop is asked: to let somebody see a camera, as memory and never as a picture, and the like."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from appliance.wire.messages.message import Message


class WatchFrames(Message):
    """Let me see a camera. Answered by `FramesShared` with one file descriptor."""

    type: Literal["watch_frames"] = "watch_frames"
    version: Literal[1] = 1
    camera: str


class FramesShared(Message):
    """The descriptor beside this message is the camera's shared memory.

    Attributes:
        width: Width of the full frame, pixels.
        height: Height of the full frame, pixels.
    """

    type: Literal["frames_shared"] = "frames_shared"
    version: Literal[1] = 1
    camera: str
    width: int = Field(gt=0)
    height: int = Field(gt=0)


class DecideAgain(Message):
    """Somebody stands before this camera and has just typed a PIN: recognise whoever is there anew.

    Who is recognised already begins another encounter, which needs its own good frames. Answered by `Done`.
    Not said in a replay, whose decisions follow from its frames alone.
    """

    type: Literal["decide_again"] = "decide_again"
    version: Literal[1] = 1
    camera: str = Field(max_length=64)


class WatchCoffee(Message):
    """What do coffee corners show? Answered by `CoffeeTold`, at once if it is something else than at `after`.

    Attributes:
        after: The version that was told last; 0: none was.
        wait_s: Seconds to wait for something else.
    """

    type: Literal["watch_coffee"] = "watch_coffee"
    version: Literal[1] = 1
    after: int = Field(default=0, ge=0)
    wait_s: float = Field(default=0.0, ge=0, le=10)


class CoffeePerson(BaseModel):
    """What is shown of somebody before a coffee corner; of nobody who did not agree to be counted.

    Attributes:
        key: Of their stay; opaque.
        subject: Who it is, by opaque id; None: a visitor.
        visitor: The visitor's number; None: somebody enrolled, or a visitor who has none yet.
        phase: A countdown, a coffee that counted, or one too soon after the last.
        left_s: Seconds of the countdown, or until the next coffee counts.
        over_s: Seconds until this is over by itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)
    key: str
    subject: str | None = None
    visitor: int | None = None
    phase: Literal["counting", "counted", "too_soon"]
    left_s: float
    over_s: float


class CoffeeTold(Message):
    """What coffee corners show.

    Attributes:
        state: Its version: something else from it is shown now. Counts on from the loop's start.
        people: Of whom, in a fixed order.
    """

    type: Literal["coffee_told"] = "coffee_told"
    version: Literal[1] = 1
    state: int = Field(ge=0)
    people: tuple[CoffeePerson, ...] = ()


class ShowFound(Message):
    """Draw on a camera's project view what visual search found before it. Answered by `Done`.

    Attributes:
        camera: Its id.
        words: What to write; empty: nothing any more.
        known: Whether it is something of the catalogue.
        box: What counted: left, top, right, bottom, pixels of the whole frame.
        for_s: Seconds for which it is shown.
    """

    type: Literal["show_found"] = "show_found"
    version: Literal[1] = 1
    camera: str = Field(min_length=1, max_length=32)
    words: str = Field(max_length=200)
    known: bool
    box: tuple[int, int, int, int]
    for_s: float = Field(default=8.0, gt=0, le=60)
