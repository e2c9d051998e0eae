"""The packets of the last seconds, in the source's own codec, for what happened before a trigger.

Bounded by bytes always and by seconds to within one group of pictures; whole groups go, so
that what is kept can be decoded from its first packet. Holds packets only: cutting clips
out of them and writing them is not done here. Safe to fill from one thread and read from others.
"""

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class CodecParameters:
    """What a decoder or muxer has to know besides the packets.

    Attributes:
        codec: libavcodec's name, e.g. `h264`, `mjpeg`.
        extradata: The stream's header (SPS and PPS, …); empty when it travels in the packets.
        width: Pixels; 0 if the stream does not say.
        height: Pixels; 0 if the stream does not say.
        time_base: Seconds per unit of `pts` and `dts`.
    """

    codec: str
    extradata: bytes
    width: int
    height: int
    time_base: Fraction


@dataclass(frozen=True, slots=True)
class RingPacket:
    """One packet with its times.

    Attributes:
        data: The bytes, as the source sent them.
        keyframe: Decoding can begin here.
        pts: When it is shown, in units of the time base; None if the source does not say.
        dts: When it is decoded, likewise.
        monotonic_s: When it arrived, monotonic seconds.
        wall: When it arrived, aware UTC.
        parameters: Of the stream it belongs to; another object after a reconnect.
    """

    data: bytes
    keyframe: bool
    pts: int | None
    dts: int | None
    monotonic_s: float
    wall: datetime
    parameters: CodecParameters


@dataclass(slots=True)
class _Group:
    """Packets from one keyframe up to the next."""

    packets: list[RingPacket]
    size: int = 0


class PacketRing:
    """Groups of packets, the oldest dropped as new ones come."""

    def __init__(self, seconds: float, max_bytes: int) -> None:
        """Bound it.

        Args:
            seconds: Time to cover, >= 0; 0 keeps nothing. The oldest group stays while any of
                its time is still wanted, so up to one group more is held.
            max_bytes: Bytes of packet data, >= 0, never exceeded.

        Raises:
            ValueError: A bound is negative.
        """
        if not seconds >= 0 or max_bytes < 0:
            raise ValueError("the bounds of a packet ring cannot be negative")
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._groups: deque[_Group] = deque()
        self._bytes = 0
        self._startable = False
        self._parameters: CodecParameters | None = None
        self._lock = threading.Lock()

    def append(self, packet: RingPacket) -> None:
        """Take the next packet; it is passed over while no keyframe has come to start from.

        A group that alone is larger than the byte bound cannot be kept so that it decodes: it
        is dropped whole, and the next keyframe begins anew.
        """
        if not self._seconds:
            return
        with self._lock:
            if packet.parameters is not self._parameters:
                # A new stream cannot lean on pictures of the one before.
                self._startable = False
                self._parameters = packet.parameters
            if packet.keyframe:
                self._groups.append(_Group([]))
                self._startable = True
            elif not self._startable:
                return
            newest = self._groups[-1]
            newest.packets.append(packet)
            newest.size += len(packet.data)
            self._bytes += len(packet.data)
            self._trim(packet.monotonic_s - self._seconds)

    def since(self, monotonic_s: float) -> tuple[RingPacket, ...]:
        """Everything from the keyframe at or before that time on; all there is if none is so old."""
        with self._lock:
            first = 0
            for index, group in enumerate(self._groups):
                if group.packets[0].monotonic_s <= monotonic_s:
                    first = index
            return tuple(packet for group in list(self._groups)[first:] for packet in group.packets)

    def snapshot(self) -> tuple[RingPacket, ...]:
        """Everything there is, oldest first; begins with a keyframe unless it is empty."""
        with self._lock:
            return tuple(packet for group in self._groups for packet in group.packets)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._groups.clear()
            self._bytes = 0
            self._startable = False

    @property
    def size_bytes(self) -> int:
        """Bytes of packet data held now."""
        return self._bytes

    def __len__(self) -> int:
        """Packets held now."""
        with self._lock:
            return sum(len(group.packets) for group in self._groups)

    def _trim(self, wanted_from: float) -> None:
        """Drop whole groups that are too old or too much."""
        groups = self._groups
        while len(groups) > 1 and (
            self._bytes > self._max_bytes or groups[1].packets[0].monotonic_s <= wanted_from
        ):
            self._bytes -= groups.popleft().size
        if self._bytes > self._max_bytes:
            groups.clear()
            self._bytes = 0
            self._startable = False
