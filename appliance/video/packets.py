"""A camera's packets as they come from the loop: the follower's end.

Asks the loop once and reads from the descriptor it answers with. What comes is handed on in order and
unchanged; what it means, and what to do when the loop goes away, is not decided here.
"""

import os
import select
import socket
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from types import TracebackType
from typing import Literal, Self, TypeAlias

from appliance.errors import PeerGoneError, WireError
from appliance.wire import Client
from appliance.wire.framing import Deadline, Parcel, receive
from appliance.wire.messages import (
    FollowPackets,
    NothingCame,
    PacketsCome,
    PacketsFollowed,
    PacketsMissed,
    SourceChanged,
    StreamBegins,
)

_MESSAGE_S = 30.0
"""In which a message that has begun must be here."""


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """What packets belong to; another object whenever the source was opened anew.

    Attributes:
        codec: libavcodec's name, e.g. `h264`, `mjpeg`.
        extradata: The codec's header; empty when it travels in the packets. Of `rawvideo` the four letters
            that name how pixels are packed: `YUY2`, the only one.
        width: Pixels, of the pictures as the source has them; 0: it does not say.
        height: Likewise.
        time_base: Seconds per unit of `pts` and `dts`.
    """

    codec: str
    extradata: bytes = field(repr=False)
    width: int
    height: int
    time_base: Fraction


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet with its times.

    Attributes:
        data: As the source sent it; of a source without packets, a picture as a JPEG of any size.
        key: The source says that decoding can begin here.
        pts: When it is shown, in units of the time base; None: the source does not say.
        dts: When it is decoded, likewise.
        monotonic_s: When it arrived, on the clock that all processes of a machine share.
        wall: When it arrived, aware.
        stream: What it belongs to.
    """

    data: bytes = field(repr=False)
    key: bool
    pts: int | None
    dts: int | None
    monotonic_s: float
    wall: datetime
    stream: Stream


@dataclass(frozen=True, slots=True)
class Missed:
    """So many packets are missing here; what follows begins with a keyframe."""

    packets: int


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing came for a second; so many packets did, but without a keyframe to begin with."""

    passed_over: int


@dataclass(frozen=True, slots=True)
class Turn:
    """What became of the camera.

    Attributes:
        state: It is lost and will be tried again; it is back; it has ended.
        reason: Why, in words.
    """

    state: Literal["lost", "back", "ended"]
    reason: str


Heard: TypeAlias = Packet | Missed | Silence | Turn


class PacketFollower:
    """What the loop tells of one camera. Use it as a context, from one thread.

    Args:
        loop: Of the loop's socket.
        camera: Its id.
        back_s: Seconds before now to begin at, as far back as the camera's ring goes.
    """

    def __init__(self, loop: Client, camera: str, *, back_s: float = 5.0) -> None:
        self._loop = loop
        self._camera = camera
        self._back_s = back_s
        self._socket: socket.socket | None = None
        self._stream: Stream | None = None
        self._heard: deque[Heard] = deque()

    def __enter__(self) -> Self:
        """Ask the loop.

        Raises:
            CameraLostError: It has no such camera, or not yet.
            WireError: It is not there, or the camera is followed too often.
        """
        reply = self._loop.call(FollowPackets(camera=self._camera, back_s=self._back_s), PacketsFollowed)
        if len(reply.fds) != 1:
            for fd in reply.fds:
                os.close(fd)
            raise WireError("the loop promised packets and gave no way to read them")
        self._socket = socket.socket(fileno=reply.fds[0])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Follow no longer."""
        self.close()

    def fileno(self) -> int:
        """To wait on with others: readable when there may be something; -1 when it is closed.

        `read` is to be called until it gives None before that is waited for again.
        """
        return -1 if self._socket is None else self._socket.fileno()

    def read(self, timeout_s: float) -> Heard | None:
        """The next that was told; None: nothing in time.

        Raises:
            PeerGoneError: The loop has gone, or this was closed; follow anew once it is back.
            WireError: It speaks otherwise than agreed.
        """
        while not self._heard:
            if self._socket is None:
                raise PeerGoneError("the packets are not followed")
            ready, _, _ = select.select([self._socket], [], [], max(0.0, timeout_s))
            if not ready:
                return None
            told = receive(self._socket, Deadline(_MESSAGE_S))
            if told is None:
                self.close()
                raise PeerGoneError("the loop tells no more packets")
            self._heard.extend(self._understood(told))
        return self._heard.popleft()

    def close(self) -> None:
        """Follow no longer; may be called twice."""
        ours, self._socket = self._socket, None
        self._heard.clear()
        if ours is not None:
            ours.close()

    def _understood(self, told: Parcel) -> Iterator[Heard]:
        """What a message says.

        Raises:
            WireError: It does not belong here, or its bytes do not fit it.
        """
        match told.message:
            case StreamBegins() as begins:
                numerator, denominator = begins.time_base
                if denominator <= 0 or numerator <= 0:
                    raise WireError("the loop told of a stream whose time does not pass")
                base = Fraction(numerator, denominator)
                self._stream = Stream(begins.codec, told.blob, begins.width, begins.height, base)
            case PacketsCome() as come:
                yield from self._packets(come, told.blob)
            case PacketsMissed() as missed:
                yield Missed(missed.packets)
            case NothingCame() as nothing:
                yield Silence(nothing.passed_over)
            case SourceChanged() as changed:
                yield Turn(changed.state, changed.reason)
            case other:
                raise WireError(f"the loop told {type(other).__name__!r} where packets were to come")

    def _packets(self, come: PacketsCome, blob: bytes) -> Iterator[Packet]:
        if self._stream is None or sum(each.size for each in come.packets) != len(blob):
            raise WireError("the loop told packets that do not fit their bytes")
        at = 0
        for each in come.packets:
            data = blob[at : at + each.size]
            at += each.size
            yield Packet(data, each.key, each.pts, each.dts, each.monotonic_s, each.wall, self._stream)
