"""The packets of the last seconds, in the source's own codec, for what happened before a trigger.

Bounded by bytes always and by seconds to within one group of pictures; whole groups go, so
that what is kept can be decoded from its first packet. Whoever wants all of them from a moment
on follows it, each at its own pace. Holds packets only: cutting clips
out of them and writing them is not done here. Safe to fill from one thread and read from others.
"""

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import islice
from types import TracebackType
from typing import Self

_FOLLOWED_S = 5.0
"""What a ring that is set to keep nothing keeps while it is followed, seconds: a follower may be busy for so
long."""
_FRESH_S = 2.0
"""A group whose newest packet came so shortly before still goes on."""
_TAKE_BYTES = 4 << 20
"""Bytes of packets that a follower takes at once."""


@dataclass(frozen=True, slots=True)
class CodecParameters:
    """What a decoder or muxer has to know besides the packets.

    Attributes:
        codec: libavcodec's name, e.g. `h264`, `mjpeg`.
        extradata: The stream's header (SPS and PPS, …); empty when it travels in the packets. Of `rawvideo`
            the four letters that name how pixels are packed.
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


@dataclass(frozen=True, slots=True)
class Taken:
    """What a follower has not had yet.

    Attributes:
        packets: The next of the stream, in order; after a gap they begin with a keyframe.
        lost: Packets before these that the follower missed: it was slow, or they could not be kept.
    """

    packets: tuple[RingPacket, ...]
    lost: int = 0


@dataclass(slots=True)
class _Group:
    """Packets from one keyframe up to the next.

    Attributes:
        first: Number of its first packet, counted over all that ever came.
    """

    packets: list[RingPacket]
    first: int
    size: int = 0


class PacketRing:
    """Groups of packets, the oldest dropped as new ones come."""

    def __init__(self, seconds: float, max_bytes: int) -> None:
        """Bound it.

        Args:
            seconds: Time to cover, >= 0; 0 keeps nothing unless somebody follows. The oldest group stays
                while any of its time is still wanted, so up to one group more is held.
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
        self._came = 0
        self._passed_over = 0
        self._crowded = False
        self._followers = 0
        self._arrival = threading.Condition()

    def append(self, packet: RingPacket) -> None:
        """Take the next packet; it is passed over while no keyframe has come to start from.

        A group that alone is larger than the byte bound cannot be kept so that it decodes: it
        is dropped whole, and the next keyframe begins anew.
        """
        with self._arrival:
            seconds = max(self._seconds, _FOLLOWED_S) if self._followers else self._seconds
            if not seconds:
                return
            number, self._came = self._came, self._came + 1
            if packet.parameters is not self._parameters:
                # A new stream cannot lean on pictures of the one before.
                self._startable = False
                self._parameters = packet.parameters
            if packet.keyframe:
                self._groups.append(_Group([], number))
                self._startable = True
                self._passed_over = 0
            elif not self._startable:
                self._passed_over += 1
                return
            newest = self._groups[-1]
            newest.packets.append(packet)
            newest.size += len(packet.data)
            self._bytes += len(packet.data)
            self._trim(packet.monotonic_s - seconds)
            if self._followers:
                self._arrival.notify_all()

    def follow(self, since_s: float) -> "RingFollower":
        """Somebody who is to have every packet from the keyframe at or before that monotonic time on.

        Use it as a context; what it has missed by being slow it is told. It never makes `append` wait.
        """
        return RingFollower(self, since_s)

    def since(self, monotonic_s: float) -> tuple[RingPacket, ...]:
        """Everything from the keyframe at or before that time on; all there is if none is so old."""
        with self._arrival:
            first = self._first_group(monotonic_s)
            return tuple(packet for group in list(self._groups)[first:] for packet in group.packets)

    def snapshot(self) -> tuple[RingPacket, ...]:
        """Everything there is, oldest first; begins with a keyframe unless it is empty."""
        with self._arrival:
            return tuple(packet for group in self._groups for packet in group.packets)

    def clear(self) -> None:
        """Forget everything."""
        with self._arrival:
            self._forget()

    @property
    def size_bytes(self) -> int:
        """Bytes of packet data held now."""
        return self._bytes

    @property
    def passed_over(self) -> int:
        """Packets since the last that could be kept which could not, for want of a keyframe before them."""
        return self._passed_over

    @property
    def crowded(self) -> bool:
        """Whether it was its bytes, and not its seconds, that made it drop packets last."""
        return self._crowded

    @property
    def keeps(self) -> bool:
        """Whether what is appended now is kept at all."""
        return self._seconds > 0 or self.followed

    @property
    def followed(self) -> bool:
        """Whether anybody follows now."""
        return self._followers > 0

    def __len__(self) -> int:
        """Packets held now."""
        with self._arrival:
            return sum(len(group.packets) for group in self._groups)

    def _first_group(self, monotonic_s: float) -> int:
        """Index of the group that was begun at that time; 0 if all are younger."""
        first = 0
        for index, group in enumerate(self._groups):
            if group.packets[0].monotonic_s <= monotonic_s:
                first = index
        return first

    def _trim(self, wanted_from: float) -> None:
        """Drop whole groups that are too old or too much."""
        groups = self._groups
        while len(groups) > 1 and (
            self._bytes > self._max_bytes or groups[1].packets[0].monotonic_s <= wanted_from
        ):
            self._crowded = groups[1].packets[0].monotonic_s > wanted_from
            self._bytes -= groups.popleft().size
        if self._bytes > self._max_bytes:
            self._crowded = True
            self._forget()

    def _forget(self) -> None:
        self._groups.clear()
        self._bytes = 0
        self._startable = False

    # ------------------------------------------------------------------ for its followers

    def join(self, since_s: float) -> int:
        """One more follows; the number of the packet it begins with.

        Groups that were over by then are what the camera showed before it fell silent, and are passed over.
        """
        with self._arrival:
            self._followers += 1
            for group in islice(self._groups, self._first_group(since_s), None):
                if group.packets[-1].monotonic_s >= since_s - _FRESH_S:
                    return group.first
            return self._came

    def leave(self) -> None:
        """One less follows."""
        with self._arrival:
            self._followers -= 1
            if not self._seconds and not self._followers:
                self._forget()

    def take(
        self, number: int, timeout_s: float, max_bytes: int, *, begun: bool
    ) -> tuple[int, tuple[RingPacket, ...]]:
        """Packets from that number on, or from the first keyframe after it that is still there.

        Args:
            number: The next that is wanted.
            timeout_s: How long to wait for it.
            max_bytes: Bytes of data, at most.
            begun: The one before it was had; otherwise they begin with a keyframe.

        Returns:
            The number of the first, and as many as `max_bytes` of data allow, one at least; none if none came
            in time.
        """
        with self._arrival:
            self._arrival.wait_for(lambda: self._has(number, begun=begun), timeout_s)
            groups = self._groups
            start = len(groups)
            while start and _reaches(groups[start - 1], number, begun=begun):
                start -= 1
            found: list[RingPacket] = []
            first, size = number, 0
            for group in islice(groups, start, None):
                if found and group.first != first + len(found):
                    break  # what is missing in between has to be told
                skip = max(0, number - group.first)
                first = first if found else group.first + skip
                for packet in islice(group.packets, skip, None):
                    size += len(packet.data)
                    if found and size > max_bytes:
                        return first, tuple(found)
                    found.append(packet)
            return first, tuple(found)

    def _has(self, number: int, *, begun: bool) -> bool:
        """Whether a packet of that number or a later one is held."""
        return bool(self._groups) and _reaches(self._groups[-1], number, begun=begun)


def _reaches(group: _Group, number: int, *, begun: bool) -> bool:
    """Whether a group has what comes from a number on: a part of it, or all of it."""
    return group.first + len(group.packets) > number if begun else group.first >= number


class RingFollower:
    """Every packet of a ring in turn, for one thread. It has no memory of its own: the ring's is its bound.

    Args:
        ring: What to follow.
        since_s: Monotonic time to begin at, as far back as the ring goes.
    """

    def __init__(self, ring: PacketRing, since_s: float) -> None:
        self._ring = ring
        self._since_s = since_s
        self._next = 0
        self._begun = False

    def __enter__(self) -> Self:
        """Follow from now on."""
        self._next = self._ring.join(self._since_s)
        self._begun = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Follow no longer."""
        self._ring.leave()

    def take(self, timeout_s: float, *, max_bytes: int = _TAKE_BYTES) -> Taken:
        """What came since the last time, waiting for it; empty if nothing came in time."""
        first, packets = self._ring.take(self._next, timeout_s, max_bytes, begun=self._begun)
        if not packets:
            return Taken(())
        # Before its first keyframe nobody has missed anything.
        lost = first - self._next if self._begun else 0
        self._next = first + len(packets)
        self._begun = True
        return Taken(packets, lost)
