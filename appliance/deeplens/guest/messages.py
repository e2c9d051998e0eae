"""What a function's process and the process that hosts it say to each other, and how that is written.

A message is an object of JSON with a `kind`; payloads are in base64. What is read is checked field by field:
neither side trusts the other. How messages travel is `channel`'s.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, TypeVar

from appliance.deeplens.guest import message_fields

MAX_TOPIC_BYTES: Final = 256
MAX_TRACEBACK_BYTES: Final = 16 * 1024
MAX_NAME_BYTES: Final = 256
MAX_TEXT_BYTES: Final = 2048


class ChannelError(Exception):
    """The channel cannot be used, or not for this."""


class MessageError(ChannelError):
    """What came, or should go, is no message: malformed, too large, or with descriptors it may not have."""


# ------------------------------------------------------------------- what a function's process says


@dataclass(frozen=True, slots=True)
class Hello:
    """It is there; with it, where it has one, the descriptor of the folder that it sees as /tmp.

    It waits for `Frames`, or for a `Ping` if there are none, before it begins.

    Attributes:
        pid: Its number as it sees it itself.
        python: Version of Python, as `3.11.2`.
        runtime: What the function was written for.
    """

    kind: ClassVar[str] = "hello"
    descriptors: ClassVar[tuple[int, int]] = (0, 1)
    pid: int = message_fields.whole(1, 2**31)
    python: str = message_fields.text(64)
    runtime: Literal["python2", "python3"] = message_fields.choice("python2", "python3")


@dataclass(frozen=True, slots=True)
class FrameWanted:
    """The function waits for a frame: nobody shares any yet, or it has the newest."""

    kind: ClassVar[str] = "frame_wanted"
    descriptors: ClassVar[tuple[int, int]] = (0, 0)


@dataclass(frozen=True, slots=True)
class Taken:
    """The function took a frame.

    Attributes:
        sequence: Of the newest one taken; -1 if it has none.
        count: How many it took since its start.
    """

    kind: ClassVar[str] = "taken"
    descriptors: ClassVar[tuple[int, int]] = (0, 0)
    sequence: int = message_fields.whole(-1)
    count: int = message_fields.whole()


@dataclass(frozen=True, slots=True)
class Inferred:
    """A model of the function read a picture.

    Attributes:
        model: Name of the model.
        count: How many pictures it read since the function's start.
    """

    kind: ClassVar[str] = "inferred"
    descriptors: ClassVar[tuple[int, int]] = (0, 0)
    model: str = message_fields.text(MAX_NAME_BYTES)
    count: int = message_fields.whole()


@dataclass(frozen=True, slots=True)
class Publish:
    """The function published a message."""

    kind: ClassVar[str] = "publish"
    descriptors: ClassVar[tuple[int, int]] = (0, 0)
    topic: str = message_fields.text(MAX_TOPIC_BYTES)
    payload: bytes = message_fields.payload()


@dataclass(frozen=True, slots=True)
class Dropped:
    """Messages that gave way to newer ones before they could be sent.

    Attributes:
        count: How many since the function's start.
    """

    kind: ClassVar[str] = "dropped"
    descriptors: ClassVar[tuple[int, int]] = (0, 0)
    count: int = message_fields.whole()


@dataclass(frozen=True, slots=True)
class ModelLoaded:
    """The function asked for a model.

    Attributes:
        name: The name it asked for.
        state: Whether there is such a model.
        reason: Why there is none, in words; else empty.
    """

    kind: ClassVar[str] = "model"
    descriptors: ClassVar[tuple[int, int]] = (0, 0)
    name: str = message_fields.text(MAX_NAME_BYTES)
    state: Literal["loaded", "missing"] = message_fields.choice("loaded", "missing")
    reason: str = message_fields.text(MAX_TEXT_BYTES)


@dataclass(frozen=True, slots=True)
class Stream:
    """The function makes a video stream, or starts or stops recording into it.

    Attributes:
        action: What it wants.
        name: Of the stream, as the function wrote it.
        retention_hours: How long the stream keeps what it has.
    """

    kind: ClassVar[str] = "stream"
    descriptors: ClassVar[tuple[int, int]] = (0, 0)
    action: Literal["create", "start", "stop"] = message_fields.choice("create", "start", "stop")
    name: str = message_fields.text(MAX_NAME_BYTES)
    retention_hours: float = message_fields.number(100_000)


@dataclass(frozen=True, slots=True)
class ImportReturned:
    """The function's module is imported: from now on it answers messages, or its own threads live on.

    Attributes:
        threads: How many threads of its own keep it alive.
    """

    kind: ClassVar[str] = "import_returned"
    descriptors: ClassVar[tuple[int, int]] = (0, 0)
    threads: int = message_fields.whole(0, 2**31)


@dataclass(frozen=True, slots=True)
class Handled:
    """The function's handler came back from a message.

    Attributes:
        id: The message's.
        error: The traceback if it raised; else empty.
    """

    kind: ClassVar[str] = "handled"
    descriptors: ClassVar[tuple[int, int]] = (0, 0)
    id: int = message_fields.whole()
    error: str = message_fields.text(MAX_TRACEBACK_BYTES)


@dataclass(frozen=True, slots=True)
class Ended:
    """The last it says.

    Attributes:
        reason: `import_failed`: its module raised; `no_handler`: its module came back, has no such handler,
            and leaves no thread; `exited`: it left of its own will; `stopped`: it was told to.
        traceback: Of what was raised; else empty.
    """

    kind: ClassVar[str] = "ended"
    descriptors: ClassVar[tuple[int, int]] = (0, 0)
    reason: Literal["import_failed", "no_handler", "exited", "stopped"] = message_fields.choice(
        "import_failed", "no_handler", "exited", "stopped"
    )
    traceback: str = message_fields.text(MAX_TRACEBACK_BYTES)


@dataclass(frozen=True, slots=True)
class Pong:
    """It lives: the answer to a ping."""

    kind: ClassVar[str] = "pong"
    descriptors: ClassVar[tuple[int, int]] = (0, 0)
    n: int = message_fields.whole()


# --------------------------------------------------------------------- what the hosting process says


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames are shared from now on, in the memory that comes with this, in place of any before it."""

    kind: ClassVar[str] = "frames"
    descriptors: ClassVar[tuple[int, int]] = (1, 1)
    width: int = message_fields.whole(1, 65535)
    height: int = message_fields.whole(1, 65535)
    apart_us: int = message_fields.whole(0, 3_600_000_000)
    """Microseconds between two of them, at least."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a topic that the function subscribes to."""

    kind: ClassVar[str] = "message"
    descriptors: ClassVar[tuple[int, int]] = (0, 0)
    id: int = message_fields.whole()
    topic: str = message_fields.text(MAX_TOPIC_BYTES)
    payload: bytes = message_fields.payload()


@dataclass(frozen=True, slots=True)
class Ping:
    """Does it live?"""

    kind: ClassVar[str] = "ping"
    descriptors: ClassVar[tuple[int, int]] = (0, 0)
    n: int = message_fields.whole()


@dataclass(frozen=True, slots=True)
class Stop:
    """It should end now."""

    kind: ClassVar[str] = "stop"
    descriptors: ClassVar[tuple[int, int]] = (0, 0)


GuestSaid = (
    Hello
    | FrameWanted
    | Taken
    | Inferred
    | Publish
    | Dropped
    | ModelLoaded
    | Stream
    | ImportReturned
    | Handled
    | Ended
    | Pong
)
"""What a function's process may say."""

HostSaid = Frames | Message | Ping | Stop
"""What the hosting process may say."""

Said = GuestSaid | HostSaid


GUEST: Final[dict[str, type[GuestSaid]]] = {
    each.kind: each
    for each in (
        Hello,
        FrameWanted,
        Taken,
        Inferred,
        Publish,
        Dropped,
        ModelLoaded,
        Stream,
        ImportReturned,
        Handled,
        Ended,
        Pong,
    )
}
HOST: Final[dict[str, type[HostSaid]]] = {each.kind: each for each in (Frames, Message, Ping, Stop)}


_Kind = TypeVar("_Kind")


def encode(message: Said) -> bytes:
    """A message as a datagram.

    Raises:
        MessageError: A field does not fit.
    """
    document: dict[str, Any] = {"kind": message.kind}
    for each in dataclasses.fields(message):
        form: message_fields.Form = each.metadata["form"]
        try:
            document[each.name] = form.write(getattr(message, each.name))
        except ValueError as error:
            raise MessageError(f"{message.kind}: {each.name} is {error}") from error
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def decode_guest(datagram: bytes) -> GuestSaid:
    """What a function's process said.

    Raises:
        MessageError: It is not a message, or none that a function's process may send.
    """
    return decode(datagram, GUEST)


def decode_host(datagram: bytes) -> HostSaid:
    """What the hosting process said.

    Raises:
        MessageError: It is not a message, or none that the hosting process may send.
    """
    return decode(datagram, HOST)


def decode(datagram: bytes, kinds: Mapping[str, type[_Kind]]) -> _Kind:
    """The message that a datagram holds, among these kinds.

    Raises:
        MessageError: It holds none of them.
    """
    try:
        document = json.loads(datagram.decode())
    except (ValueError, RecursionError) as error:
        raise MessageError("not an object of JSON") from error
    if not isinstance(document, dict):
        raise MessageError("not an object of JSON")
    said = document.pop("kind", None)
    kind = kinds.get(said) if isinstance(said, str) else None
    if kind is None:
        raise MessageError("not a kind of message for this end")
    values = {}
    for each in dataclasses.fields(kind):  # type: ignore[arg-type]  # every kind is a dataclass
        form: message_fields.Form = each.metadata["form"]
        if each.name not in document:
            raise MessageError(f"{said}: without {each.name}")
        try:
            values[each.name] = form.read(document.pop(each.name))
        except ValueError as error:
            raise MessageError(f"{said}: {each.name} is {error}") from error
    if document:
        raise MessageError(f"{said}: with a field it does not have")
    return kind(**values)
