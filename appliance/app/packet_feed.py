"""A camera's packets to whoever follows them, out of its ring and at the follower's own pace.

A thread per follower reads the ring and writes to a socket. The camera's thread never waits for one: the ring
is the only memory there is, and a follower that is slower than it is long misses whole groups of pictures and
is told how many packets those were. Nothing is decoded and nothing is cut here.
"""

import socket
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import structlog

from appliance.camera import CodecParameters, PacketRing, RingFollower, RingPacket
from appliance.clock import Clock
from appliance.errors import CameraLostError, PeerGoneError, WireError
from appliance.wire import Handler, Message, Reply, Request
from appliance.wire.framing import Deadline, Parcel, send
from appliance.wire.messages import (
    FollowPackets,
    NothingCame,
    PacketsCome,
    PacketsFollowed,
    PacketsMissed,
    PacketTold,
    SourceChanged,
    StreamBegins,
)

FollowedReply = Reply[PacketsFollowed]

MOST_FOLLOWERS = 8
"""Of one camera at once."""
SILENCE_S = 1.0
_LOOK_S = 0.25
"""How soon a follower hears that the camera was lost."""
_CHANGES = 16
"""Losses and returns that a follower hears of at once; of more, the latest."""
_STALLED_S = 30.0
"""A follower that has taken nothing for so long is let go."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Change:
    """What became of the camera, the how-manieth change that is, and when on the monotonic clock."""

    message: SourceChanged
    number: int
    at_s: float


class FedCamera:
    """One camera that can be followed.

    Args:
        camera: Its id.
        ring: Filled by its reading thread.
        clock: Whose monotonic time the ring's packets carry.
        silence_s: After so long without a packet a follower is told that none came, so that silence means a
            dead loop.
    """

    def __init__(self, camera: str, ring: PacketRing, clock: Clock, *, silence_s: float = SILENCE_S) -> None:
        self.ring = ring
        self._camera = camera
        self._clock = clock
        self._silence_s = silence_s
        self._lock = threading.Lock()
        self._changes: deque[_Change] = deque(maxlen=_CHANGES)
        self._changed = 0
        self._followers = 0
        self._over = threading.Event()

    def change(self, message: SourceChanged) -> None:
        """Tell the followers that it was lost, is back, or has ended; returns at once."""
        with self._lock:
            self._changes.append(_Change(message, self._changed, self._clock.monotonic()))
            self._changed += 1

    def follow(self, back_s: float) -> FollowedReply:
        """One more follower, from so many seconds before now on.

        Raises:
            WireError: There are too many.
        """
        with self._lock:
            if self._followers >= MOST_FOLLOWERS:
                raise WireError(f"camera {self._camera} is followed {MOST_FOLLOWERS} times already")
            self._followers += 1
            said = max(0, self._changed - 1)  # what it is now, whatever it was before
        ours, theirs = socket.socketpair()
        since = self._clock.monotonic() - back_s
        work = threading.Thread(
            target=self._serve, args=(ours, since, said), name=f"packets-{self._camera}", daemon=True
        )
        work.start()
        message = PacketsFollowed(camera=self._camera)
        return Reply(message, fds=(theirs.detach(),), close_fds=True)

    def close(self) -> None:
        """Let every follower go, soon."""
        self._over.set()

    def _since(self, number: int) -> list[_Change]:
        """What became of the camera from that change on."""
        with self._lock:
            return [change for change in self._changes if change.number >= number]

    def _serve(self, ours: socket.socket, since_s: float, said: int) -> None:
        """Tell one follower until it or the loop is gone."""
        try:
            with ours, self.ring.follow(since_s) as follower:
                self._tell(ours, follower, said)
        except PeerGoneError:
            _log.debug("packet_follower_gone", camera=self._camera)
        finally:
            with self._lock:
                self._followers -= 1

    def _tell(self, ours: socket.socket, follower: RingFollower, said: int) -> None:
        parameters: CodecParameters | None = None
        silent_s = 0.0
        while not self._over.is_set():
            look_s = min(_LOOK_S, self._silence_s)
            taken = follower.take(look_s)
            began = taken.packets[0].monotonic_s if taken.packets else self._clock.monotonic()
            for change in self._since(said):
                if change.at_s > began:
                    break  # what was taken is older than this
                said = change.number + 1
                _send(ours, change.message)
            if not taken.packets:
                silent_s += look_s
                if silent_s >= self._silence_s:
                    silent_s = 0.0
                    _send(ours, NothingCame(passed_over=self.ring.passed_over))
                continue
            silent_s = 0.0
            if taken.lost:
                _log.warning("packets_missed", camera=self._camera, packets=taken.lost)
                _send(ours, PacketsMissed(packets=taken.lost))
            for stream, packets in _streams(taken.packets):
                if stream is not parameters:
                    parameters = stream
                    _send(ours, _begins(stream), stream.extradata)
                _send(ours, _come(packets), b"".join(packet.data for packet in packets))


class PacketFeeds:
    """The cameras that can be followed, as the loop's server is asked for them.

    Args:
        clock: Of the loop.
        silence_s: As a camera has it.
    """

    def __init__(self, clock: Clock, *, silence_s: float = SILENCE_S) -> None:
        self._clock = clock
        self._silence_s = silence_s
        self._cameras: dict[str, FedCamera] = {}

    def camera(self, name: str, ring: PacketRing) -> FedCamera:
        """A camera that has begun, with its ring."""
        fed = self._cameras[name] = FedCamera(name, ring, self._clock, silence_s=self._silence_s)
        return fed

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for the loop's server."""
        return {FollowPackets: self._follow}

    def close(self) -> None:
        """Let every follower go, soon."""
        for fed in list(self._cameras.values()):
            fed.close()

    def _follow(self, request: Request[FollowPackets]) -> FollowedReply:
        fed = self._cameras.get(request.message.camera)
        if fed is None and not self._cameras:
            raise CameraLostError("the cameras are being started", hint="wait a moment")
        if fed is None:
            raise CameraLostError(
                f"there is no camera {request.message.camera!r}",
                hint=f"there are: {', '.join(sorted(self._cameras))}",
            )
        return fed.follow(request.message.back_s)


def _streams(packets: Sequence[RingPacket]) -> Iterator[tuple[CodecParameters, list[RingPacket]]]:
    """The packets, stream by stream."""
    for _, same in groupby(packets, key=lambda packet: id(packet.parameters)):
        found = list(same)
        yield found[0].parameters, found


def _begins(stream: CodecParameters) -> StreamBegins:
    return StreamBegins(
        codec=stream.codec,
        width=stream.width,
        height=stream.height,
        time_base=(stream.time_base.numerator, stream.time_base.denominator),
    )


def _come(packets: Sequence[RingPacket]) -> PacketsCome:
    return PacketsCome(
        packets=tuple(
            PacketTold(
                size=len(packet.data),
                key=packet.keyframe,
                pts=packet.pts,
                dts=packet.dts,
                monotonic_s=packet.monotonic_s,
                wall=packet.wall,
            )
            for packet in packets
        )
    )


def _send(ours: socket.socket, message: Message, blob: bytes = b"") -> None:
    """Say something.

    Raises:
        PeerGoneError: It is not read any more.
    """
    try:
        send(ours, Parcel(message, blob), Deadline(_STALLED_S))
    except PeerGoneError:
        raise
    except WireError as error:  # a packet larger than a message may be: no camera's
        raise PeerGoneError("a packet is too large to be told") from error
