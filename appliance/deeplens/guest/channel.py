"""The channel between a function's process and the process that hosts it.

One datagram of a sequenced-packet socket is one message of `messages`, at most 192 KiB; a descriptor may
travel with the kinds that say so. Both sides use this module, and neither trusts the other: whatever is not
exactly a message raises one typed error, and descriptors that came with it are closed.

Does not know what the messages lead to, and imports nothing of the appliance outside this package. The
hosting side turns the errors of this module into its own.
"""

import array
import contextlib
import math
import os
import select
import socket
import time
from collections.abc import Sequence
from typing import Any, ClassVar, Final, Generic, TypeVar

from appliance.deeplens.guest.messages import (
    GUEST,
    HOST,
    ChannelError,
    GuestSaid,
    HostSaid,
    MessageError,
    decode,
    encode,
)

ENVIRONMENT: Final = "DEEPLENS_CHANNEL"
"""The variable that tells a function's process the number of its end of the channel."""
MAX_DATAGRAM_BYTES: Final = 192 * 1024
MAX_DESCRIPTORS: Final = 1
"""No message carries more; the system itself closes those that find no room."""

_Says = TypeVar("_Says", GuestSaid, HostSaid)
_Hears = TypeVar("_Hears", GuestSaid, HostSaid)


class ChannelGoneError(ChannelError):
    """The other side closed its end."""


class ChannelFullError(ChannelError):
    """The other side does not read, and the time for waiting is over."""


def pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of a channel: the hosting side's, and the one to hand to a function's process.

    Raises:
        OSError: The system has no more sockets.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for each in (ours, theirs):  # room for a largest datagram beside a few small ones, whatever the default
        each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MAX_DATAGRAM_BYTES)
    return ours, theirs


class _Channel(Generic[_Says, _Hears]):
    """One end. Sends from any thread; receives in one. The socket is the channel's to close."""

    _hears: ClassVar[dict[str, Any]]

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def fileno(self) -> int:
        """The socket's descriptor, to wait for; -1 once closed."""
        return self._socket.fileno()

    def send(self, message: _Says, descriptors: Sequence[int] = (), *, wait_s: float | None = None) -> None:
        """Send a message, waiting for room if the other side is slow.

        Args:
            message: What to say.
            descriptors: What goes with it; they stay the caller's to close.
            wait_s: Longest wait, 0 for none at all; None waits as long as it takes.

        Raises:
            MessageError: It does not fit into a datagram, or has too few or too many descriptors.
            ChannelGoneError: The other side is gone, or this one is closed.
            ChannelFullError: There was no room in time.
        """
        datagram = encode(message)
        if len(datagram) > MAX_DATAGRAM_BYTES:
            raise MessageError(f"{message.kind}: {len(datagram):,} bytes do not fit into a message")
        _check_descriptors(type(message), len(descriptors))
        ancillary = (
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        )
        deadline = None if wait_s is None else time.monotonic() + wait_s
        while True:
            try:
                self._socket.sendmsg([datagram], ancillary, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
            except BlockingIOError as error:
                if not self._wait(select.POLLOUT, deadline):
                    raise ChannelFullError("the other side does not read") from error
            except OSError as error:
                raise ChannelGoneError("the other side of the channel is gone") from error
            else:
                return

    def receive(self, *, wait_s: float | None = None) -> tuple[_Hears, tuple[int, ...]] | None:
        """The next message and what came with it, the caller's to close; None if none comes in time.

        Args:
            wait_s: Longest wait, 0 for none at all; None waits as long as it takes.

        Raises:
            MessageError: What came is no message for this end; it is gone, its descriptors are closed, and
                the next one can be received.
            ChannelGoneError: The other side is gone, or this one is closed.
        """
        deadline = None if wait_s is None else time.monotonic() + wait_s
        if not self._wait(select.POLLIN, deadline):
            return None
        room = socket.CMSG_SPACE(MAX_DESCRIPTORS * array.array("i").itemsize)
        try:
            # one byte more than a message may have, so that a larger one shows
            data, ancillary, flags, _ = self._socket.recvmsg(
                MAX_DATAGRAM_BYTES + 1, room, socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC
            )
        except BlockingIOError:
            return None
        except OSError as error:
            raise ChannelGoneError("the other side of the channel is gone") from error
        descriptors = _descriptors(ancillary)
        try:
            if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC) or len(data) > MAX_DATAGRAM_BYTES:
                raise MessageError("a message is too large or has too many descriptors")
            if not data:  # also what an empty datagram looks like: whoever sends one has nothing more to say
                raise ChannelGoneError("the other side of the channel is gone")
            message = decode(data, self._hears)
            _check_descriptors(type(message), len(descriptors))
        except ChannelError:
            for each in descriptors:
                os.close(each)
            raise
        return message, descriptors

    def close(self) -> None:
        """Close this end; may be called twice, and while another thread waits to receive."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _wait(self, event: int, deadline: float | None) -> bool:
        """Whether the socket is ready before the deadline (monotonic clock; None: none)."""
        poll = select.poll()
        try:
            poll.register(self._socket, event)
        except ValueError as error:
            raise ChannelGoneError("the channel is closed") from error
        left_s = None if deadline is None else max(0.0, deadline - time.monotonic())
        return bool(poll.poll(None if left_s is None else math.ceil(left_s * 1000)))


class HostChannel(_Channel[HostSaid, GuestSaid]):
    """The hosting side's end."""

    _hears = GUEST


class GuestChannel(_Channel[GuestSaid, HostSaid]):
    """The function's end."""

    _hears = HOST


def _check_descriptors(kind: Any, count: int) -> None:
    """That a kind of message may have so many descriptors."""
    least, most = kind.descriptors
    if not least <= count <= most:
        raise MessageError(f"{kind.kind}: with {count} descriptors")


def _descriptors(ancillary: list[tuple[int, int, bytes]]) -> tuple[int, ...]:
    """The descriptors among what came beside a datagram."""
    found = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return tuple(found)
