"""How far fetching has come, on standard error, once it takes longer than a moment.

On a terminal one line that is written over; elsewhere a line now and then, ever more rarely. Also
while a single large file is under way. Knows nothing of how captures travel.
"""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from appliance.evidence.pull import Progress

QUIET_S = 2.0
"""What takes no longer than this shows nothing."""
_EVERY_S = 0.5


class Meter:
    """Shows progress while a `with` block runs.

    Args:
        stream: Where to.
        clock: Seconds, monotonic.
    """

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._arriving: Callable[[], int] = lambda: 0
        self._stream = stream
        self._clock = clock
        self._began = clock()
        self._next_line_s = 2 * QUIET_S
        self._width = 0
        self._progress: Progress | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def watching(self, arriving: Callable[[], int]) -> Self:
        """Ask this for the bytes of the capture under way that have arrived; returns itself."""
        self._arriving = arriving
        return self

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and leave the line."""
        self._ended.set()
        self._thread.join()
        if self._width:
            self._stream.write("\n")
            self._stream.flush()

    def __call__(self, progress: Progress) -> None:
        """Take in how far it is; shown by the next look."""
        self._progress = progress

    def look(self) -> None:
        """Show how far it is, if it is time to."""
        progress, passed = self._progress, self._clock() - self._began
        if progress is None or passed < QUIET_S or progress.done == progress.of:
            return
        done_bytes = min(progress.done_bytes + self._arriving(), progress.of_bytes)
        text = (
            f"{progress.done:,} of {progress.of:,} captures, {done_bytes / 1e6:,.1f} of "
            f"{progress.of_bytes / 1e6:,.1f} MB"
        )
        if done_bytes:
            text += f", {_duration(passed / done_bytes * (progress.of_bytes - done_bytes))} left"
        if self._stream.isatty():
            self._stream.write(f"\r{text:<{self._width}}")
            self._width = len(text)
        elif passed >= self._next_line_s:
            self._stream.write(f"{text}\n")
            self._next_line_s *= 2
        self._stream.flush()

    def _run(self) -> None:
        while not self._ended.wait(_EVERY_S):
            self.look()


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 - people count so
