"""What goes on beside a run of a function: its project stream is read, its recordings are begun and ended.

One of these for each function; it lives on when the function is started again, so that whoever looks at its
stream stays. How a stream is read is `project_stream`'s; how one is recorded, whoever is told.
"""

import contextlib
import os
import threading
from collections.abc import Callable

from appliance.deeplens.guest.messages import Stream
from appliance.deeplens.project_stream import NAME, ProjectStream, ProjectStreamStatus


class FunctionBeside:
    """The project stream of one function over all of its runs, and its recordings.

    Args:
        recorded: Told what it makes of video streams.
        over: Told when a run is over: recordings end with it.
    """

    def __init__(
        self,
        recorded: Callable[[Stream], None] = lambda _stream: None,
        over: Callable[[], None] = lambda: None,
    ) -> None:
        self._recorded = recorded
        self._over = over
        self._lock = threading.Lock()
        self._stream: ProjectStream | None = None
        self._tmp = -1
        self._before = 0

    def hello(self, tmp: int | None) -> None:
        """See `function_parts.Beside`."""
        if tmp is None:
            return
        stream = ProjectStream(tmp)
        with self._lock:
            if self._stream is not None:  # it says hello twice: once is enough
                os.close(tmp)
                return
            self._stream, self._tmp = stream, tmp
        stream.open()

    def working(self) -> None:
        """See `function_parts.Beside`."""
        stream = self._stream
        if stream is not None:
            stream.working()

    def stream(self, message: Stream) -> None:
        """See `function_parts.Beside`."""
        self._recorded(message)

    def close(self) -> None:
        """See `function_parts.Beside`."""
        with self._lock:
            stream, self._stream = self._stream, None
            tmp, self._tmp = self._tmp, -1
        if stream is not None:
            self._before += stream.status.pictures
            stream.close()
        if tmp >= 0:
            os.close(tmp)
        self._over()

    @property
    def status(self) -> ProjectStreamStatus | None:
        """How the stream of this run is; None while there is none."""
        stream = self._stream
        return None if stream is None else stream.status

    @property
    def trouble(self) -> str:
        """What lies where its stream belongs and is none, in words; empty if nothing does."""
        status = self.status
        return "" if status is None else status.refused

    @property
    def has_pipe(self) -> bool:
        """Whether the function has made something where its stream belongs."""
        with self._lock, contextlib.suppress(OSError):
            if self._tmp >= 0:
                os.stat(NAME, dir_fd=self._tmp, follow_symlinks=False)
                return True
        return False

    @property
    def pictures(self) -> int:
        """Different pictures seen, over all runs."""
        status = self.status
        return self._before + (0 if status is None else status.pictures)

    def latest(self, after: int = 0, wait_s: float = 0.0) -> tuple[int, bytes] | None:
        """The newest picture with its number, counted over all runs, if that is greater than `after`."""
        stream, before = self._stream, self._before
        if stream is None:
            return None
        found = stream.latest(max(0, after - before), wait_s)
        return None if found is None else (before + found[0], found[1])
