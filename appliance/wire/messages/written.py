"""Messages as bytes and back; the list of all there are. A new message is added to `MESSAGES`."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from appliance.errors import PeerRefusedError, WireError
from appliance.wire.messages.anybody import Done, Failure, Ping, Pong, Status, StatusRequest
from appliance.wire.messages.desk import AskDesk, DeskAnswered
from appliance.wire.messages.dispatch import (
    AskBroker,
    BrokerTold,
    HearForFunctions,
    PinGone,
    PinJudged,
    PinTyped,
    PublishInference,
    PublishMessage,
    WakeDispatch,
)
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
from appliance.wire.messages.features import (
    AskFeaturizer,
    FeaturizeFrame,
    FeaturizePicture,
    FeaturizerTold,
    FrameFeaturized,
    PictureFeaturized,
)
from appliance.wire.messages.functions import (
    AskFunctionLog,
    AskFunctionMessages,
    AskPorting,
    AskProjectPicture,
    DeployFunction,
    FunctionLogLines,
    FunctionMessages,
    FunctionsListed,
    FunctionTaken,
    Handed,
    HandToFunctions,
    ListFunctions,
    Porting,
    ProjectPicture,
    RemoveFunction,
    StartFunction,
    StopFunction,
)
from appliance.wire.messages.index import NoteSeen
from appliance.wire.messages.loop import (
    CoffeeTold,
    DecideAgain,
    FramesShared,
    ShowFound,
    WatchCoffee,
    WatchFrames,
)
from appliance.wire.messages.message import Message, kind
from appliance.wire.messages.packets import (
    FollowPackets,
    NothingCame,
    PacketsCome,
    PacketsFollowed,
    PacketsMissed,
    SourceChanged,
    StreamBegins,
)
from appliance.wire.messages.photos import EmbedPhoto, FacesGlanced, GlanceAtFaces, PhotoEmbedded
from appliance.wire.messages.search import (
    AskNewest,
    Found,
    HandFeatures,
    NewestTold,
    SearchCamera,
    SearchFeatures,
    SearchPicture,
)
from appliance.wire.messages.search_work import (
    AskSearch,
    CalibrateSearch,
    RefeaturizeSearch,
    SearchTold,
)
from appliance.wire.messages.songs import (
    AskSongs,
    PlaySong,
    PrepareSong,
    SongPrepared,
    SongsNow,
    SongsStopped,
    StopSongs,
)
from appliance.wire.messages.supervisor import RestartChild, SupervisorStatus, SupervisorStatusRequest
from appliance.wire.messages.video import (
    ArchiveOpened,
    ArchiveRead,
    AskClip,
    AskVideo,
    ClipShown,
    ClipsListed,
    DeleteClip,
    FragmentRead,
    ListClips,
    OpenArchive,
    ReadArchive,
    ReadFragment,
    Record,
    RecordTaken,
    ReleaseRecording,
    VideoTold,
)
from appliance.wire.messages.views import RenderView, ViewRendered

MESSAGES: tuple[type[Message], ...] = (
    Ping,
    Pong,
    Done,
    Failure,
    StatusRequest,
    Status,
    WakeDispatch,
    PinTyped,
    PinJudged,
    PinGone,
    PublishInference,
    PublishMessage,
    AskBroker,
    BrokerTold,
    HearForFunctions,
    NoteSeen,
    PrepareSong,
    SongPrepared,
    PlaySong,
    StopSongs,
    SongsStopped,
    AskSongs,
    SongsNow,
    WatchFrames,
    DecideAgain,
    FramesShared,
    WatchCoffee,
    CoffeeTold,
    FollowPackets,
    PacketsFollowed,
    StreamBegins,
    PacketsCome,
    PacketsMissed,
    NothingCame,
    SourceChanged,
    EmbedPhoto,
    PhotoEmbedded,
    GlanceAtFaces,
    FacesGlanced,
    RenderView,
    ViewRendered,
    PaintFill,
    FillPainted,
    KeepDoor,
    DoorKept,
    ProposeDoor,
    DoorProposed,
    PictureShut,
    ShutPictured,
    SupervisorStatusRequest,
    SupervisorStatus,
    RestartChild,
    AskDesk,
    DeskAnswered,
    DeployFunction,
    FunctionTaken,
    StartFunction,
    StopFunction,
    RemoveFunction,
    ListFunctions,
    FunctionsListed,
    AskFunctionMessages,
    FunctionMessages,
    AskFunctionLog,
    FunctionLogLines,
    AskProjectPicture,
    ProjectPicture,
    AskPorting,
    Porting,
    HandToFunctions,
    Handed,
    Record,
    RecordTaken,
    ReleaseRecording,
    ListClips,
    ClipsListed,
    AskClip,
    ClipShown,
    ReadFragment,
    FragmentRead,
    DeleteClip,
    AskVideo,
    VideoTold,
    OpenArchive,
    ArchiveOpened,
    ReadArchive,
    ArchiveRead,
    FeaturizePicture,
    PictureFeaturized,
    FeaturizeFrame,
    FrameFeaturized,
    AskFeaturizer,
    FeaturizerTold,
    SearchPicture,
    SearchFeatures,
    SearchCamera,
    Found,
    HandFeatures,
    AskNewest,
    NewestTold,
    AskSearch,
    SearchTold,
    CalibrateSearch,
    RefeaturizeSearch,
    ShowFound,
)
"""Every message there is."""


class _Envelope(BaseModel):
    """What must be known before the rest of a message can be read."""

    model_config = ConfigDict(strict=True)
    type: str
    version: int


class _Registry:
    """`MESSAGES` by wire name."""

    by_kind: ClassVar[Mapping[str, type[Message]]] = {kind(cls): cls for cls in MESSAGES}


def encode(message: Message) -> bytes:
    """A message as UTF-8 JSON.

    Raises:
        WireError: A value in it is not JSON.
    """
    try:
        return message.model_dump_json().encode()
    except (ValueError, TypeError) as error:
        raise WireError(f"message {kind(type(message))!r} cannot be written as JSON") from error


def decode(data: bytes) -> Message:
    """Turn JSON back into its message.

    Raises:
        WireError: Not JSON, an unknown type, or fields that do not fit it.
        PeerRefusedError: The other end speaks another version of this message.
    """
    try:
        envelope = _Envelope.model_validate_json(data)
    except ValidationError as error:
        raise WireError(f"what came is not a message: {_faults(error)}") from None
    cls = _Registry.by_kind.get(envelope.type)
    if cls is None:
        raise WireError(
            f"unknown message type {envelope.type[:40]!r}",
            hint="our processes run different versions of the program; restart them all",
        )
    ours = int(cls.model_fields["version"].default)
    if envelope.version != ours:
        raise version_refused(f"message {envelope.type!r}", ours=ours, theirs=envelope.version)
    try:
        return cls.model_validate_json(data)
    except ValidationError as error:
        raise WireError(f"message {envelope.type!r} does not fit its type: {_faults(error)}") from None


def version_refused(what: str, *, ours: int, theirs: int) -> PeerRefusedError:
    """The error for two versions that cannot talk, saying which side is the older."""
    older = "the other process is older" if theirs < ours else "this process is older"
    return PeerRefusedError(
        f"{what}: this process speaks version {ours}, the other end version {theirs}; {older}",
        hint="restart every process of the appliance, so that all run the same version",
    )


def _faults(error: ValidationError) -> str:
    """The first faults by place and kind. Never the values: they may be personal."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    shown = "; ".join(f"{'.'.join(str(part) for part in e['loc']) or 'body'}: {e['type']}" for e in found[:5])
    return shown[:500]
