"""Unix sockets by path: long paths, private folders, stale files, and who is at the other end.

It binds and connects; it neither reads nor writes.
"""

import contextlib
import errno
import fcntl
import os
import socket
import stat
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import PeerGoneError, PeerRefusedError, WireError
from appliance.wire.framing import Deadline

_PATH_LENGTH = 107
"""Longest path, in bytes, that `sockaddr_un` takes (unix(7): 108 with the closing zero)."""
_UCRED = struct.Struct("3i")
_BACKLOG = 64
_RETRY_S = 0.01


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end, as the kernel says."""

    pid: int
    uid: int


def peer_of(sock: socket.socket) -> Peer:
    """The process at the other end.

    Raises:
        PeerRefusedError: It runs under an account that is neither ours nor root's.
    """
    pid, uid, _ = _UCRED.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    if uid not in {os.geteuid(), 0}:
        raise PeerRefusedError(
            f"process {pid} runs under account {uid}, this one under {os.geteuid()}",
            hint="run every process of the appliance, and its commands, under the same account",
        )
    return Peer(pid, uid)


def listen(path: Path) -> socket.socket:
    """A listening socket at a path: its file has mode 0600, its folder 0700 (made if missing).

    A file left by a process that is gone is replaced; one that somebody listens at is not.

    Raises:
        WireError: Somebody listens there already; the folder can be entered by others; the file
            is no socket; the system refuses.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _folder(path) as folder:
            _check_folder(path, folder)
            # One starter at a time, or two could both find a stale file and one unlink the other's new one.
            fcntl.flock(folder, fcntl.LOCK_EX)
            return _bind(path, folder)
    except OSError as error:
        raise WireError(f"cannot listen at {path}: {error.strerror or error}") from error


def connect(path: Path, deadline: Deadline) -> socket.socket:
    """A connected socket whose other end runs under our account or root's.

    Raises:
        PeerGoneError: Nobody listens there.
        PeerRefusedError: The socket, or the process behind it, belongs to another account.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _folder(path) as folder:
            _connect(sock, _reachable(path, folder), deadline)
        peer_of(sock)
    except PermissionError as error:
        sock.close()
        raise PeerRefusedError(
            f"no access to {path}", hint="run this under the account that the appliance runs under"
        ) from error
    except OSError as error:
        sock.close()
        raise PeerGoneError(
            f"nobody listens at {path} ({error.strerror or str(error) or 'timed out'})",
            hint="is the appliance running?",
            command="start it with: appliance run",
        ) from error
    except BaseException:
        sock.close()
        raise
    return sock


def unlink(path: Path, sock: socket.socket) -> None:
    """Remove a listening socket's file and close it, unless another process has put its own there."""
    with contextlib.suppress(OSError), _folder(path) as folder:
        fcntl.flock(folder, fcntl.LOCK_EX)
        # While the folder is locked nobody replaces the file, and whoever listens at it is us, if our
        # socket accepts no more and a connection is refused.
        sock.close()
        if not _somebody_listens(_reachable(path, folder)):
            os.unlink(path.name, dir_fd=folder)
    sock.close()


@contextlib.contextmanager
def _folder(path: Path) -> Iterator[int]:
    fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def _reachable(path: Path, folder: int) -> str:
    """The path itself, or a short one through the open folder when it is too long."""
    if len(os.fsencode(path)) <= _PATH_LENGTH:
        return str(path)
    return f"/proc/self/fd/{folder}/{path.name}"


def _check_folder(path: Path, folder: int) -> None:
    found = os.fstat(folder)
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise WireError(
            f"the folder {path.parent} can be entered by other accounts",
            hint=f"chmod 700 {path.parent}, under the account that the appliance runs under",
        )


def _bind(path: Path, folder: int) -> socket.socket:
    address = _reachable(path, folder)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Linux creates the file with the socket's own mode: there is no moment at which it is wider.
        os.fchmod(sock.fileno(), 0o600)
        try:
            sock.bind(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            _remove_stale(path, folder, address)
            sock.bind(address)
        os.chmod(path.name, 0o600, dir_fd=folder)
        sock.listen(_BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def _remove_stale(path: Path, folder: int, address: str) -> None:
    if not stat.S_ISSOCK(os.stat(path.name, dir_fd=folder, follow_symlinks=False).st_mode):
        raise WireError(f"{path} exists and is not a socket", hint="it is not ours: move it away")
    if _somebody_listens(address):
        raise WireError(
            f"another process listens at {path}",
            hint="this process of the appliance runs already; stop it first",
        )
    os.unlink(path.name, dir_fd=folder)


def _somebody_listens(address: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        trial.settimeout(0)
        try:
            trial.connect(address)
        except ConnectionRefusedError:
            return False
        except BlockingIOError:  # its queue is full
            return True
    return True


def _connect(sock: socket.socket, address: str, deadline: Deadline) -> None:
    while True:
        deadline.arm(sock)
        try:
            sock.connect(address)
        except (
            BlockingIOError
        ):  # the queue of the other end is full; on Unix sockets time-outs do not wait for that
            time.sleep(_RETRY_S)
        else:
            return
