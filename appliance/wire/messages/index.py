"""What the process that keeps moments is told: what frames showed. It is in no log and may get lost."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from appliance.wire.messages.message import Message

MOST_SEEN = 200
"""Frames of one message."""


class SeenInFrame(BaseModel):
    """What one frame showed.

    Attributes:
        at_ms: When it was taken, milliseconds since the epoch.
        camera: Whose; empty: not known.
        labels: Label → score, 0 to 1.
        source: Name of the hosted function that saw it; empty: the box itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    at_ms: int = Field(ge=0, lt=1 << 53)
    camera: str = Field(default="", max_length=64)
    labels: dict[Annotated[str, Field(min_length=1, max_length=64)], Annotated[float, Field(ge=0, le=1)]] = (
        Field(min_length=1, max_length=32)
    )
    source: str = Field(default="", max_length=64)


class NoteSeen(Message):
    """Frames with something in them, oldest first, to be kept as moments. Answered by `Done`.

    Attributes:
        sender: Names whoever sends, for as long as they live.
        first: Number of the first of these frames among all that the sender sent; what was taken already is
            passed over, so that a message may be sent again.
        dropped: How many frames the sender gave up since the last message that was answered.
        seen: The frames.
    """

    type: Literal["note_seen"] = "note_seen"
    version: Literal[1] = 1
    sender: str = Field(min_length=1, max_length=64)
    first: int = Field(ge=1)
    dropped: int = Field(default=0, ge=0)
    seen: tuple[SeenInFrame, ...] = Field(max_length=MOST_SEEN)
