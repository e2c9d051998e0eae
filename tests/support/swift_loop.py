"""An event loop whose time runs ahead when nobody has anything to do: half an hour in some seconds.

Sockets are real, and both ends of each are on the same loop; only waiting costs nothing. While a thread that
the loop started is at work, time stands still, so whoever it asks has all the time to answer.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

_Told = TypeVar("_Told")
_GRACE_S = 0.001
_SHORT_S = 2.0
_THREAD_S = 0.02
_STUCK_S = 20.0


class _SwiftSelector(selectors.DefaultSelector):
    """Says at once that nothing came, and lets the loop's time run ahead."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.threads = 0

    def select(self, timeout: float | None = None) -> Any:
        """See `selectors`."""
        found = super().select(0)
        if found or timeout == 0:
            return found
        if self.threads:
            return super().select(_THREAD_S)
        # What was written on one end may need a moment to arrive at the other; a short leap harms nobody.
        grace_s = 0 if timeout is not None and timeout < _SHORT_S else _GRACE_S
        found = super().select(_STUCK_S if timeout is None else grace_s)
        if not found:
            if timeout is None:
                raise AssertionError("nobody has anything to do, and nothing is waited for")
            self.now_s += timeout
        return found


class SwiftLoop(asyncio.SelectorEventLoop):
    """See the module; `time` is what ran ahead."""

    def __init__(self) -> None:
        self._swift = _SwiftSelector()
        super().__init__(self._swift)

    def time(self) -> float:
        """Seconds since it began."""
        return self._swift.now_s

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        """See `asyncio`."""
        self._swift.threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(lambda _: self._done())
        return future

    def _done(self) -> None:
        self._swift.threads -= 1


class LoopClock:
    """The loop's own time, and the wall's, which a signature needs to be right.

    Args:
        loop: Whose.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def monotonic(self) -> float:
        """The loop's."""
        return self._loop.time()

    def wall(self) -> datetime:
        """This machine's."""
        return datetime.now(UTC)


def run_swiftly(story: Callable[[LoopClock], Coroutine[Any, Any, _Told]]) -> _Told:
    """Run a story on a loop of its own."""
    with asyncio.Runner(loop_factory=SwiftLoop) as runner:
        return runner.run(story(LoopClock(runner.get_loop())))
