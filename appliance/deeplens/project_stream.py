"""A function's project stream: the newest picture of those that it writes to `/tmp/results.mjpeg`.

The function makes a FIFO there and writes JPEGs to it, as fast as somebody reads: whoever reads sets how much
of a core it spends on that. So this reads some fifteen pictures a second, keeps the newest, and stays for the
function's life, since a writer whose reader has gone spins. It comes late, because many functions write
before they have a picture, and die of it if somebody reads by then.

The path lies in a folder that the function owns, so nothing of it is believed: it is opened beneath the
folder's descriptor, never through a link, and only if it is a FIFO. What is written is bounded in
`jpeg_stream`, the time spent on it here. Nothing is decoded, and nothing is drawn.
"""

import contextlib
import fcntl
import os
import select
import struct
import termios
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import structlog

from appliance.clock import Clock, SystemClock
from appliance.deeplens.fifos import LARGE_PIPE_BYTES, open_fifo
from appliance.deeplens.jpeg_stream import MAX_JPEG_BYTES, FoundJpeg, JpegStream
from appliance.errors import InputError

NAME = "results.mjpeg"
LATE_S = 10.0
"""After the FIFO was first seen; then it is read even if nobody says that the function works."""
_PER_SECOND = 15.0
_LOOK_S = 0.25
"""Between two looks whether there is a FIFO, or another one by now."""
_READ_BYTES = 64 * 1024
_ROUND_CPU_S = 0.01
"""Processor time for one round, whatever the function writes."""
_ROUND_BYTES = 4 * 1024 * 1024
_ROUND_S = 0.2
"""Longest round: a picture is larger than a pipe, so its writer has to get on while it is read."""
_STALLED_MS = 50
"""A writer that gives nothing for so long in the middle of a picture is not waited for in this round."""
_KEPT = 4
"""FIFOs of a function that made itself another; one that is let go of makes its writer spin."""
_END_S = 1.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ProjectStreamStatus:
    """How the stream is.

    Attributes:
        attached: Somebody reads: the function's writer gets on.
        refused: What lies at the path instead of a FIFO, in words; empty if nothing does.
        pictures: Different ones so far.
        broken: Beginnings that came to no picture.
        width: Of the newest, pixels; 0 before the first.
        height: Likewise.
        newest_at: Monotonic second at which a whole picture was last read; None before the first.
    """

    attached: bool
    refused: str
    pictures: int
    broken: int
    width: int
    height: int
    newest_at: float | None


class ProjectStream:
    """Reads one function's pictures in a thread of its own.

    Args:
        directory: A descriptor of the function's `/tmp`; the caller's to close, any time after `open`.
        per_second: How often it is read; each time until there is a picture.
        late_s: See `LATE_S`.
        clock: For the waiting.
    """

    def __init__(
        self,
        directory: int,
        *,
        per_second: float = _PER_SECOND,
        late_s: float = LATE_S,
        clock: Clock | None = None,
    ) -> None:
        self._directory = directory
        self._folder = -1
        self._period_s = 1 / per_second
        self._late_s = late_s
        self._clock = clock or SystemClock()
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._working = False
        self._seen_at: float | None = None
        self._pipes: list[_Pipe] = []
        self._refused = ""
        self._newest: FoundJpeg | None = None
        self._newest_at: float | None = None
        self._sequence = 0
        self._broken = 0

    def open(self) -> None:
        """Begin to wait for the function's FIFO.

        Raises:
            OSError: There are no descriptors left.
        """
        self._folder = os.dup(self._directory)
        self._thread = threading.Thread(target=self._run, name="project-stream", daemon=True)
        self._thread.start()

    def working(self) -> None:
        """The function has a picture by now or never needs one: its FIFO is read as soon as it is there."""
        self._working = True

    def latest(self, after: int = 0, wait_s: float = 0.0) -> tuple[int, bytes] | None:
        """The newest picture with its number, counted from 1; the same one written again is no other.

        Args:
            after: The number that is there already; 0: none is.
            wait_s: Seconds to wait for another.

        Returns:
            None if none comes in time, or the stream is closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._sequence > after or self._stop.is_set(), wait_s)
            if self._newest is None or self._sequence <= after:
                return None
            return self._sequence, self._newest.data

    @property
    def status(self) -> ProjectStreamStatus:
        """How it is just now."""
        with self._changed:
            newest = self._newest
            return ProjectStreamStatus(
                attached=bool(self._pipes),
                refused=self._refused,
                pictures=self._sequence,
                broken=self._broken,
                width=newest.width if newest else 0,
                height=newest.height if newest else 0,
                newest_at=self._newest_at,
            )

    def close(self) -> None:
        """Read no more; the function's writer has nobody then. May be called twice."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_END_S)

    def __enter__(self) -> Self:
        """Open."""
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _run(self) -> None:
        """Attach when it is time, and read, until closed."""
        try:
            look_at = 0.0
            pause = _LOOK_S
            while not self._stop.wait(pause):
                now = self._clock.monotonic()
                if now >= look_at:
                    self._look(now)
                    look_at = now + _LOOK_S
                pause = self._period_s if self._pipes else _LOOK_S
                if self._pipes:
                    self._read(self._pipes[-1])
        finally:
            pipes, self._pipes = self._pipes, []
            for pipe in pipes:
                pipe.close()
            os.close(self._folder)

    def _look(self, now: float) -> None:
        """Open the FIFO if there is one, it is time, and it is not open already."""
        try:
            found = os.stat(NAME, dir_fd=self._folder, follow_symlinks=False)
        except OSError:  # not there yet, or not any more; one that we read goes on without a name
            with self._changed:
                self._refused = ""
            return
        if self._seen_at is None:
            self._seen_at = now
        same = self._pipes and self._pipes[-1].is_at(found)
        if not same and (self._working or now - self._seen_at >= self._late_s):
            self._attach()

    def _attach(self) -> None:
        """Read what lies at the path from now on, if it is a FIFO."""
        try:
            fd = open_fifo(self._folder, NAME, os.O_RDONLY)
        except InputError as error:
            self._refuse(error.message)
            return
        except OSError as error:
            self._refuse(f"{NAME}: {error.strerror}")
            return
        self._pipes.append(_Pipe(fd))
        for pipe in self._pipes[:-_KEPT]:
            pipe.close()
        with self._changed:
            self._pipes = self._pipes[-_KEPT:]
            self._refused = ""

    def _read(self, pipe: "_Pipe") -> None:
        """What a round takes out of the pipe."""
        found = pipe.newest()
        with self._changed:
            self._broken += pipe.take_broken()
            if found is None:
                return
            self._newest_at = self._clock.monotonic()
            if self._newest is None or found.data != self._newest.data:
                self._newest = found
                self._sequence += 1
                self._changed.notify_all()

    def _refuse(self, what: str) -> None:
        """Say once what is there instead of a FIFO."""
        if what != self._refused:
            _log.warning("project_stream_refused", found=what)
        with self._changed:
            self._refused = what


class _Pipe:
    """The reading end of a FIFO, without waiting."""

    def __init__(self, fd: int, cpu_s: Callable[[], float] = time.thread_time) -> None:
        self._fd = fd
        self._cpu_s = cpu_s
        self._at = os.fstat(fd)
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)
        self._stream = JpegStream(MAX_JPEG_BYTES)
        self._broken = 0
        self._larger = False

    def is_at(self, found: os.stat_result) -> bool:
        """Whether what was found is this FIFO."""
        return (self._at.st_dev, self._at.st_ino) == (found.st_dev, found.st_ino)

    def newest(self) -> FoundJpeg | None:
        """Read what lay in the pipe when called, and on until a picture ends; the last that does.

        Ends as well when nothing more is there, and when a round's bytes or time are used up.
        """
        left, read = self._waiting(), 0
        cpu_until, until = self._cpu_s() + _ROUND_CPU_S, time.monotonic() + _ROUND_S
        newest = None
        while (newest is None or left > 0) and (data := self._next(goes_on=read > 0 and newest is None)):
            newest = self._stream.feed(data) or newest
            read += len(data)
            left -= len(data)
            if read > _ROUND_BYTES or self._cpu_s() > cpu_until or time.monotonic() > until:
                break
        return newest

    def _next(self, *, goes_on: bool) -> bytes:
        """What is in the pipe, waited for in the middle of a picture; empty if there is nothing.

        Args:
            goes_on: What was read in this round is no picture: more of it is waited for as well. Some
                functions write raw pixels between their pictures.
        """
        with contextlib.suppress(BlockingIOError):
            return os.read(self._fd, _READ_BYTES)  # nothing: nobody writes, and somebody may again
        if not (self._stream.is_inside or goes_on) or not self._poll.poll(_STALLED_MS):
            return b""
        with contextlib.suppress(BlockingIOError):
            return os.read(self._fd, _READ_BYTES)
        return b""

    def take_broken(self) -> int:
        """Broken pictures since the last call; the first makes the pipe larger.

        When several threads write at once, each gets on until the pipe is full; a large one holds whole ones.
        """
        new, self._broken = self._stream.broken - self._broken, self._stream.broken
        if new and not self._larger:
            self._larger = True
            with contextlib.suppress(OSError):  # as large as it is: fewer pictures are whole
                fcntl.fcntl(self._fd, fcntl.F_SETPIPE_SZ, LARGE_PIPE_BYTES)
        return new

    def close(self) -> None:
        """Let go."""
        os.close(self._fd)

    def _waiting(self) -> int:
        """Bytes in the pipe."""
        (count,) = struct.unpack("i", fcntl.ioctl(self._fd, termios.FIONREAD, bytes(4)))
        return int(count)
