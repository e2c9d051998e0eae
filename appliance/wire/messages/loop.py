"""What the loop is asked: to let somebody see a camera. No picture goes this way, only its memory."""

from typing import Literal

from pydantic import Field

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
