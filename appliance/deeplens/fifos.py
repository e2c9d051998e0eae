"""Named pipes: making them safely, opening nothing else, and writing to them without ever waiting.

A name may lie in a folder that others write to, so a pipe is looked at before it is opened, and opened by
what was looked at and not by its name again; no link is followed. Whoever reads slowly misses whole units,
never parts of one. What is written is not known here.
"""

import contextlib
import errno
import fcntl
import os
import select
import stat
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from appliance.deeplens.stream_units import Unit
from appliance.errors import InputError

LARGE_PIPE_BYTES = 1024 * 1024
"""As large as anybody may make a pipe."""
_ATTACH_EVERY_S = 0.2
"""Between two looks whether somebody has come to read."""
_STALLED_S = 2.0
"""Whoever holds a pipe open for so long without reading does not read: nothing is made for it any more."""

_log = structlog.get_logger()


def open_fifo(directory: int, name: str, flags: int, *, owner: int | None = None) -> int:
    """Open a named pipe, and nothing else, without waiting.

    Args:
        directory: Descriptor of the folder it lies in.
        name: Without a slash.
        flags: `os.O_RDONLY` or `os.O_WRONLY`.
        owner: The only account whose pipe is opened; None: anybody's.

    Raises:
        InputError: Something else lies there, or another account's; the message says what.
        OSError: Nothing lies there, or it cannot be opened; for writing, ENXIO if nobody reads.
    """
    path = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        found = os.fstat(path)
        if not stat.S_ISFIFO(found.st_mode):
            raise InputError(f"{name} is {_kind(found.st_mode)}, not a pipe")
        if owner is not None and found.st_uid != owner:
            raise InputError(f"{name} is a pipe of another account")
        # By the descriptor and not by the name: the name may be another thing's by now.
        return os.open(f"/proc/self/fd/{path}", flags | os.O_NONBLOCK | os.O_CLOEXEC)
    finally:
        os.close(path)


def make_fifo(directory: int, name: str, mode: int, group: int = -1) -> None:
    """Make a named pipe of ours, or take over the one that we left there.

    Args:
        directory: Descriptor of the folder.
        name: Without a slash.
        mode: Its permissions, whatever the umask.
        group: Its group; -1 for our own.

    Raises:
        InputError: Something else lies there, or another account's.
        OSError: It cannot be made.
    """
    with contextlib.suppress(FileExistsError):
        os.mkfifo(name, 0, dir_fd=directory)  # nobody's until its mode is set
    path = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        found = os.fstat(path)
        if not stat.S_ISFIFO(found.st_mode):
            raise InputError(f"{name} is {_kind(found.st_mode)}, not a pipe", hint="remove it")
        if found.st_uid != os.geteuid():
            raise InputError(f"{name} is a pipe of another account", hint="remove it")
        os.chown(f"/proc/self/fd/{path}", -1, group)
        os.chmod(f"/proc/self/fd/{path}", mode)  # noqa: PTH101 - a descriptor
    finally:
        os.close(path)


def remove_fifo(directory: int, name: str) -> None:
    """Remove a named pipe of ours; whatever else has its name by now stays."""
    with contextlib.suppress(OSError):
        found = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if stat.S_ISFIFO(found.st_mode) and found.st_uid == os.geteuid():
            os.unlink(name, dir_fd=directory)


class UnitOutlet(Protocol):
    """Where units of a stream go; used by the thread that makes them."""

    def is_read(self) -> bool:
        """Whether somebody takes them just now; only then are any made."""

    def offer(self, unit: Unit) -> bool:
        """Take a unit or drop it, at once; whether it was taken."""

    def flush(self) -> bool:
        """Go on with what was taken and is not out yet; whether something is left."""

    def close(self) -> None:
        """No more come. May be called twice."""


class FifoOutlet:
    """Writes whole units to a named pipe while somebody reads it.

    Args:
        directory: Descriptor of its folder; the caller's to close, after `close`.
        name: Without a slash.
        monotonic: Seconds, for the pauses between two looks and for readers that stand still.

    Attributes:
        dropped: Units so far that a reader was too slow for.
    """

    def __init__(self, directory: int, name: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._directory = directory
        self._name = name
        self._monotonic = monotonic
        self._look_at = float("-inf")
        self._fd = -1
        self._poll = select.poll()
        self._rest = memoryview(b"")
        self._moved_at = float("-inf")
        self._waits_for_key = True
        self._refused = False
        self.dropped = 0

    def is_read(self) -> bool:
        """See `UnitOutlet`."""
        if self._fd < 0 and self._monotonic() >= self._look_at:
            self._look_at = self._monotonic() + _ATTACH_EVERY_S
            self._attach()
        if self._fd >= 0 and self._events() & (select.POLLERR | select.POLLHUP):
            self._detach()
        if self.flush() and self._monotonic() - self._moved_at > _STALLED_S:
            self._waits_for_key = True  # others may go on, and what they are given it misses
            return False
        return self._fd >= 0

    def offer(self, unit: Unit) -> bool:
        """See `UnitOutlet`; after a unit was dropped, those that build on it are too."""
        if self._fd < 0:
            return False
        if self.flush() or (self._waits_for_key and not unit.key):
            self.dropped += self._fd >= 0
            self._waits_for_key = True
            return False
        if self._fd < 0:
            return False
        self._waits_for_key = False
        self._moved_at = self._monotonic()
        self._rest = memoryview(unit.data)
        self.flush()
        return True

    def flush(self) -> bool:
        """See `UnitOutlet`."""
        while self._rest:
            try:
                self._rest = self._rest[os.write(self._fd, self._rest) :]
                self._moved_at = self._monotonic()
            except BlockingIOError:
                return True
            except OSError:  # EPIPE: whoever read has gone
                self._detach()
        return False

    def close(self) -> None:
        """See `UnitOutlet`; the pipe itself stays."""
        self._detach()

    def _attach(self) -> None:
        """Begin to write if somebody reads."""
        try:
            fd = open_fifo(self._directory, self._name, os.O_WRONLY, owner=os.geteuid())
        except InputError as error:
            self._refuse(error.message)
            return
        except OSError as error:
            if error.errno not in {errno.ENXIO, errno.ENOENT}:
                self._refuse(f"{self._name}: {error.strerror}")
            return
        self._refused = False
        with contextlib.suppress(OSError):  # as large as it is: more is dropped
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, LARGE_PIPE_BYTES)
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)
        self._fd = fd

    def _detach(self) -> None:
        """Wait for the next reader, which begins with a whole unit that builds on none."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1
        self._rest = memoryview(b"")
        self._waits_for_key = True

    def _events(self) -> int:
        """What is the matter with the pipe."""
        return sum(event for _, event in self._poll.poll(0))

    def _refuse(self, why: str) -> None:
        """Say once why nothing is written."""
        if not self._refused:
            _log.warning("pipe_refused", reason=why)
        self._refused = True


def _kind(mode: int) -> str:
    """What it is, in words."""
    for is_such, word in (
        (stat.S_ISREG, "a regular file"),
        (stat.S_ISLNK, "a symbolic link"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISDIR, "a folder"),
    ):
        if is_such(mode):
            return word
    return "a device"
