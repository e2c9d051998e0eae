"""What our processes say to each other: frozen models with a type and a version, one module per who answers.

Only the words. Framing is in `framing`, sockets are in `server` and `client`. Large or raw
things (pictures) travel as the blob beside a message, memory as a file descriptor; neither
is part of the JSON. A message may grow by fields with defaults; any other change is a new
version, and two versions of a message do not talk.

A new message: write the class in the module of who answers it, and add it to `MESSAGES` in `written`.
"""

from appliance.wire.messages.anybody import Done, Failure, Ping, Pong, Status, StatusRequest
from appliance.wire.messages.desk import AskDesk, DeskAnswered
from appliance.wire.messages.dispatch import WakeDispatch
from appliance.wire.messages.doors import (
    DoorKept,
    DoorProposed,
    FillPainted,
    KeepDoor,
    PaintFill,
    PictureShut,
    ProposeDoor,
    ShutPictured,
)
from appliance.wire.messages.loop import FramesShared, WatchFrames
from appliance.wire.messages.message import Message, kind
from appliance.wire.messages.photos import (
    EmbeddedFace,
    EmbedPhoto,
    FacesGlanced,
    GlanceAtFaces,
    GlancedFace,
    PhotoEmbedded,
)
from appliance.wire.messages.supervisor import (
    ChildState,
    ChildStatus,
    RestartChild,
    SupervisorStatus,
    SupervisorStatusRequest,
)
from appliance.wire.messages.views import RenderView, SeenDoor, SeenFace, ViewRendered
from appliance.wire.messages.written import MESSAGES, decode, encode, version_refused

__all__ = [
    "MESSAGES",
    "AskDesk",
    "ChildState",
    "ChildStatus",
    "DeskAnswered",
    "Done",
    "DoorKept",
    "DoorProposed",
    "EmbedPhoto",
    "EmbeddedFace",
    "FacesGlanced",
    "Failure",
    "FillPainted",
    "FramesShared",
    "GlanceAtFaces",
    "GlancedFace",
    "KeepDoor",
    "Message",
    "PaintFill",
    "PhotoEmbedded",
    "PictureShut",
    "Ping",
    "Pong",
    "ProposeDoor",
    "RenderView",
    "RestartChild",
    "SeenDoor",
    "SeenFace",
    "ShutPictured",
    "Status",
    "StatusRequest",
    "SupervisorStatus",
    "SupervisorStatusRequest",
    "ViewRendered",
    "WakeDispatch",
    "WatchFrames",
    "decode",
    "encode",
    "kind",
    "version_refused",
]
