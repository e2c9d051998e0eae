"""What our processes say to each other: frozen models with a type and a version.

Only the words. Framing is in `framing`, sockets are in `server` and `client`. Large or raw
things (pictures) travel as the blob beside a message, memory as a file descriptor; neither
is part of the JSON. A message may grow by fields with defaults; any other change is a new
version, and two versions of a message do not talk.

A new message: write the class here and add it to `MESSAGES`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_serializer

from appliance.errors import PeerRefusedError, WireError


class Message(BaseModel):
    """What all messages share; each has a Literal `type` and `version`, with defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Ping(Message):
    """Are you there and able to answer? Every server answers it by itself."""

    type: Literal["ping"] = "ping"
    version: Literal[1] = 1


class Pong(Message):
    """Yes."""

    type: Literal["pong"] = "pong"
    version: Literal[1] = 1
    pid: int


class Done(Message):
    """It was done, and there is nothing more to say."""

    type: Literal["done"] = "done"
    version: Literal[1] = 1


class Failure(Message):
    """It failed with one of our errors; `appliance.wire.failures` makes and raises it.

    Attributes:
        error: Name of the class in `appliance.errors`.
        message: What is wrong and where.
        hint: What to do about it.
        reason: The stable code of a PhotoError; else empty.
        position: That of a ChainBrokenError; else 0.
        permanent: That of an ActionError; else False.
        fields: Those of a FormError; else empty.
        wait_s: That of a ThrottledError; else 0.
    """

    type: Literal["failure"] = "failure"
    version: Literal[1] = 1
    error: str
    message: str
    hint: str = ""
    reason: str = ""
    position: int = 0
    permanent: bool = False
    fields: Mapping[str, str] = {}
    wait_s: float = 0.0


class StatusRequest(Message):
    """How are you? Answered by `Status`."""

    type: Literal["status_request"] = "status_request"
    version: Literal[1] = 1


class Status(Message):
    """How a process is.

    Attributes:
        process: Its name: loop, models, dispatch, web, supervisor.
        uptime_s: Seconds since it started.
        details: Whatever the process has to say of itself; JSON values.
    """

    type: Literal["status"] = "status"
    version: Literal[1] = 1
    process: str
    pid: int
    uptime_s: float
    details: Mapping[str, Any] = {}


class WakeDispatch(Message):
    """Something new is in the outbox. Answered by `Done`; losing one costs two seconds at most."""

    type: Literal["wake_dispatch"] = "wake_dispatch"
    version: Literal[1] = 1


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

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
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

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)
    state: str
    fraction: float


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
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)
    box: tuple[float, float, float, float]
    subject: str | None = None
    stranger: bool = False
    score: float | None = None
    threshold: float | None = None
    grade: str | None = None
    why: str = ""
    frames: int = 0


class ViewRendered(Message):
    """What is to be known of the frame in the blob.

    Attributes:
        sequence: The camera's frame number.
        at: When it was taken, aware.
        width: Of the whole frame, pixels.
        height: Of the whole frame, pixels.
        doors: Door id → its state, and the share of its region that the fill covered.
        faces: Who was seen, the nearest first.
    """

    type: Literal["view_rendered"] = "view_rendered"
    version: Literal[1] = 1
    sequence: int
    at: AwareDatetime
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    doors: Mapping[str, SeenDoor] = {}
    faces: tuple[SeenFace, ...] = ()


class PaintFill(Message):
    """Paint what a door's fill covers over the newest frame; the shared memory's descriptor comes along.

    Answered by `FillPainted` with the JPEG in the blob.

    Attributes:
        region: Left, top, right, bottom in fractions of the frame.
        seed: x, y in fractions of the frame, inside the region.
        tolerance: Gray levels.
    """

    type: Literal["paint_fill"] = "paint_fill"
    version: Literal[1] = 1
    region: tuple[float, float, float, float]
    seed: tuple[float, float]
    tolerance: int = Field(ge=1, le=100)
    width_px: int = Field(default=960, ge=64, le=1920)
    after: int = -1
    wait_s: float = Field(default=1.0, ge=0, le=5)


class FillPainted(Message):
    """What is to be known of the painted frame.

    Attributes:
        fraction: Share of the region that the fill covers, 0 to 1.
        spills: Share of the region's border that it reaches, 0 to 1: a fill that runs out of the door.
    """

    type: Literal["fill_painted"] = "fill_painted"
    version: Literal[1] = 1
    sequence: int
    fraction: float
    spills: float


class KeepDoor(Message):
    """Look at a door for a moment and keep what was seen, as the shut or as the opened one.

    The shared memory's descriptor comes along. What is kept are small gray pictures, in memory, for a
    quarter of an hour. Answered by `DoorKept`.

    Attributes:
        setup: Whose set-up it is; opaque.
        state: What somebody who stands there says that it is now.
        seconds: How long to look.
    """

    type: Literal["keep_door"] = "keep_door"
    version: Literal[1] = 1
    setup: str = Field(min_length=1, max_length=100)
    state: Literal["shut", "open"]
    seconds: float = Field(default=2.0, gt=0, le=5)


class DoorKept(Message):
    """How much was seen.

    Attributes:
        frames: Pictures kept of this state.
        still: Nothing moved meanwhile.
        states: The states of which there are pictures now.
    """

    type: Literal["door_kept"] = "door_kept"
    version: Literal[1] = 1
    frames: int
    still: bool
    states: tuple[str, ...]


class ProposeDoor(Message):
    """Propose how to watch the door that was kept in both states. Answered by `DoorProposed`.

    Attributes:
        setup: As in `KeepDoor`.
        door: The settings of the door, of which some are proposed.
        keep: `nothing`: region, seed and the rest are proposed; `region`: it stays as it is; `all`: these
            very settings are judged.
    """

    type: Literal["propose_door"] = "propose_door"
    version: Literal[1] = 1
    setup: str = Field(min_length=1, max_length=100)
    door: Mapping[str, Any]
    keep: Literal["nothing", "region", "all"] = "nothing"


class DoorProposed(Message):
    """How to watch a door, and how well that works on what was kept; see `appliance.door.Proposal`.

    Attributes:
        door: The settings.
        usable: The two states are told apart.
        words: The same in words.
        separation: How far the two fills lie apart, in shares of the shut door's.
        shut: Share of the region that the fill covers when it is shut.
        opened: And when it is open.
        agreed: Share of the pictures about which the watch is right.
        notes: What it leaves open, in words.
    """

    type: Literal["door_proposed"] = "door_proposed"
    version: Literal[1] = 1
    door: Mapping[str, Any]
    usable: bool
    words: str
    separation: float
    shut: float
    opened: float
    agreed: float
    notes: tuple[str, ...] = ()


class PictureShut(Message):
    """Make the picture of the shut door that is to be kept, of what was looked at as shut.

    Answered by `ShutPictured` with the picture as a file has it in the blob; see `appliance.door`.

    Attributes:
        setup: As in `KeepDoor`.
        region: What it shows: left, top, right, bottom in fractions of the frame.
    """

    type: Literal["picture_shut"] = "picture_shut"
    version: Literal[1] = 1
    setup: str = Field(min_length=1, max_length=100)
    region: tuple[float, float, float, float]


class ShutPictured(Message):
    """What the picture was made of; without pictures, or if something moved in them, there is none.

    Attributes:
        frames: Pictures of the shut door there are still; 0: it was not shown, or too long ago.
        still: Nothing moved in the region meanwhile.
    """

    type: Literal["shut_pictured"] = "shut_pictured"
    version: Literal[1] = 1
    frames: int
    still: bool


class SupervisorStatusRequest(Message):
    """How are your children? Answered by `SupervisorStatus`."""

    type: Literal["supervisor_status_request"] = "supervisor_status_request"
    version: Literal[1] = 1


ChildState = Literal["starting", "running", "waiting", "stopping", "stopped"]
"""waiting: it died, and its restart is due after a pause."""


class ChildStatus(BaseModel):
    """How a child of the supervisor is.

    Attributes:
        pid: None while it does not run.
        restarts: Times it was restarted since the supervisor started.
        last_exit: How it ended last (`exit 3`, `killed by SIGKILL`); empty if it never did.
        message: What it said when it ended, if it is not well again since; empty if nothing.
        hint: What it said to do about that.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    pid: int | None
    state: ChildState
    restarts: int
    last_exit: str = ""
    message: str = ""
    hint: str = ""


class SupervisorStatus(Message):
    """The supervisor's children, in the order in which they are started."""

    type: Literal["supervisor_status"] = "supervisor_status"
    version: Literal[1] = 1
    pid: int
    uptime_s: float
    children: tuple[ChildStatus, ...]


class RestartChild(Message):
    """Have a child end in good order and start again, e.g. to read changed settings.

    Answered by `Done` as soon as it is asked to; how it is then, `SupervisorStatus` says.
    """

    type: Literal["restart_child"] = "restart_child"
    version: Literal[1] = 1
    child: str


class AskDesk(Message):
    """Have the desk carry out an operation. Answered by `DeskAnswered`; files travel in the blob.

    Attributes:
        operation: Its name, e.g. `people.list`.
        arguments: Of the operation's own model; JSON values.
        credential: What the caller presents: a session's secret, a token, a paired screen's. Never logged.
    """

    type: Literal["ask_desk"] = "ask_desk"
    version: Literal[1] = 1
    operation: str
    arguments: Mapping[str, Any] = {}
    credential: SecretStr = SecretStr("")

    @field_serializer("credential", when_used="json")
    def _written(self, credential: SecretStr) -> str:
        return credential.get_secret_value()


class DeskAnswered(Message):
    """What came of it; JSON values, and raw bytes in the blob where the operation says so."""

    type: Literal["desk_answered"] = "desk_answered"
    version: Literal[1] = 1
    result: Any = None


MESSAGES: tuple[type[Message], ...] = (
    Ping,
    Pong,
    Done,
    Failure,
    StatusRequest,
    Status,
    WakeDispatch,
    WatchFrames,
    FramesShared,
    EmbedPhoto,
    PhotoEmbedded,
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
)
"""Every message there is."""


class _Envelope(BaseModel):
    """What must be known before the rest of a message can be read."""

    model_config = ConfigDict(strict=True)
    type: str
    version: int


def kind(message: type[Message]) -> str:
    """The wire name of a class of messages, its `type`."""
    return str(message.model_fields["type"].default)


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
