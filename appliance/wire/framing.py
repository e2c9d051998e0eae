"""One message on a stream socket: a fixed header, JSON, a blob, file descriptors.

```
 0      4        6     8             12            16
 +------+--------+-----+-------------+-------------+------ … +------ … +
 | ODAW | version| fds | JSON length | blob length |  JSON   |  blob   |   big-endian
 +------+--------+-----+-------------+-------------+------ … +------ … +
   the descriptors ride on the header's bytes (SCM_RIGHTS)
```

The first six bytes keep their place in every version, so that an older side can tell. It
knows nothing of connecting, of who is at the other end, or of what a message means.
"""

import contextlib
import os
import socket
import struct
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.errors import PeerGoneError, WireError
from appliance.wire.messages import Message, decode, encode, version_refused

PROTOCOL = 1
"""Version of the framing."""
MAX_JSON = 1 << 20
"""Bytes of JSON in one message, at most."""
MAX_BLOB = 64 << 20
"""Bytes of blob in one message, at most; a photo of any camera is well below."""
MAX_FDS = 8
"""Descriptors with one message, at most."""

_MAGIC = b"ODAW"
_HEADER = struct.Struct("!4sHHII")
_FD_BYTES = array("i").itemsize
_CHUNK = 1 << 18


class Deadline:
    """A point on the monotonic clock by which a whole message must have passed.

    It reads the machine's clock itself: a socket's time-out is real time, whatever a replay thinks.
    """

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def arm(self, sock: socket.socket) -> None:
        """Give the socket what is left.

        Raises:
            TimeoutError: Nothing is left.
        """
        left = self.left()
        if left <= 0:
            raise TimeoutError
        sock.settimeout(left)

    def left(self) -> float:
        """Seconds left, not below 0."""
        return max(0.0, self._at - time.monotonic())


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one transmission holds.

    Attributes:
        fds: Descriptors; a received one belongs to whoever received it.
    """

    message: Message
    blob: bytes = b""
    fds: tuple[int, ...] = ()


def send(sock: socket.socket, parcel: Parcel, deadline: Deadline) -> None:
    """Write a whole message. The descriptors stay the caller's.

    Raises:
        WireError: It is larger than the limits; nothing was sent.
        PeerGoneError: The other end closed, or took too long.
    """
    body = encode(parcel.message)
    if len(body) > MAX_JSON or len(parcel.blob) > MAX_BLOB or len(parcel.fds) > MAX_FDS:
        raise WireError(
            f"message too large: {len(body)} bytes of JSON (at most {MAX_JSON}), {len(parcel.blob)} "
            f"of blob (at most {MAX_BLOB}), {len(parcel.fds)} descriptors (at most {MAX_FDS})"
        )
    header = _HEADER.pack(_MAGIC, PROTOCOL, len(parcel.fds), len(body), len(parcel.blob))
    try:
        deadline.arm(sock)
        sent = socket.send_fds(sock, [header], list(parcel.fds))
        for piece in (header[sent:], body, parcel.blob):
            rest = memoryview(piece)
            while rest:
                deadline.arm(sock)
                rest = rest[sock.send(rest[:_CHUNK]) :]
    except TimeoutError as error:
        raise PeerGoneError("the other end stopped reading in the middle of a message") from error
    except OSError as error:
        raise PeerGoneError(f"the other end closed the connection ({error.strerror})") from error


def receive(sock: socket.socket, deadline: Deadline, *, max_blob: int = MAX_BLOB) -> Parcel | None:
    """Read a whole message.

    Args:
        sock: A connected stream socket.
        deadline: When the whole message must be here.
        max_blob: Bytes of blob that are taken, at most.

    Returns:
        The message, or None when the other end closed before its first byte. Descriptors
        belong to the caller.

    Raises:
        WireError: Not a message of ours, or larger than the limits.
        PeerRefusedError: Another version.
        PeerGoneError: The other end closed or fell silent in the middle of it, or never began.
    """
    fds: list[int] = []
    try:
        header = _header(sock, deadline, fds)
        parcel = _body(sock, deadline, max_blob, header, fds) if header else None
    except TimeoutError as error:
        close_fds(fds)
        raise PeerGoneError("the other end fell silent, or took too long over a message") from error
    except OSError as error:
        close_fds(fds)
        raise PeerGoneError(f"the other end closed the connection ({error.strerror})") from error
    except BaseException:
        close_fds(fds)
        raise
    return parcel


def close_fds(fds: Sequence[int]) -> None:
    """Close received descriptors; those closed already are passed over."""
    for fd in fds:
        with contextlib.suppress(OSError):
            os.close(fd)


def _header(sock: socket.socket, deadline: Deadline, fds: list[int]) -> bytes:
    """The header, its descriptors put into `fds`; empty when the other end had no more."""
    header = b""
    while len(header) < _HEADER.size:
        deadline.arm(sock)
        data, ancillary, flags, _ = sock.recvmsg(
            _HEADER.size - len(header), socket.CMSG_SPACE(MAX_FDS * _FD_BYTES), socket.MSG_CMSG_CLOEXEC
        )
        for level, what, content in ancillary:
            if level == socket.SOL_SOCKET and what == socket.SCM_RIGHTS:
                got = array("i")
                got.frombytes(content[: len(content) - len(content) % _FD_BYTES])
                fds.extend(got)
        if flags & socket.MSG_CTRUNC:
            raise WireError(f"more than {MAX_FDS} descriptors in one message")
        if not data:
            if header:
                raise _stopped(len(header), _HEADER.size)
            return b""
        header += data
        # At the first byte that differs: who sends something else may never send sixteen.
        if header[: len(_MAGIC)] != _MAGIC[: len(header)]:
            raise WireError("what came is not a message of the appliance")
    return header


def _body(
    sock: socket.socket, deadline: Deadline, max_blob: int, header: bytes, fds: Sequence[int]
) -> Parcel:
    _, version, fd_count, json_length, blob_length = _HEADER.unpack(header)
    if version != PROTOCOL:
        raise version_refused("protocol", ours=PROTOCOL, theirs=version)
    if json_length > MAX_JSON or blob_length > max_blob:
        raise WireError(
            f"message announced as too large: {json_length} bytes of JSON (at most {MAX_JSON}), "
            f"{blob_length} of blob (at most {max_blob})"
        )
    if fd_count != len(fds):
        raise WireError(f"{fd_count} descriptors announced, {len(fds)} came")
    body = _exactly(sock, json_length, deadline)
    blob = _exactly(sock, blob_length, deadline)
    return Parcel(decode(body), blob, tuple(fds))


def _exactly(sock: socket.socket, length: int, deadline: Deadline) -> bytes:
    """That many bytes. Memory grows with what arrives, not with what was announced."""
    chunks: list[bytes] = []
    missing = length
    while missing:
        deadline.arm(sock)
        chunk = sock.recv(min(missing, _CHUNK))
        if not chunk:
            raise _stopped(length - missing, length)
        chunks.append(chunk)
        missing -= len(chunk)
    return b"".join(chunks)


def _stopped(got: int, of: int) -> PeerGoneError:
    return PeerGoneError(f"the other end stopped in the middle of a message ({got} of {of} bytes)")
