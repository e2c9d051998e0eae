"""How a hosted function is: what it took, inferred, published and lost, as one value to show.

Only the numbers and words, gathered by whoever runs the function; nothing is decided here.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

Phase = Literal["stopped", "starting", "running", "waiting", "refused"]
"""waiting: it failed and is started again after a pause; refused: it cannot be started as things are."""

_MOST_NAMES: Final = 32
"""Models and threads that are told by name; what names them is the function."""


@dataclass(frozen=True, slots=True)
class FunctionState:
    """One function, now.

    Attributes:
        phase: Whether it runs.
        fault: Why it failed last, in words; empty if it did not since it was wanted.
        restarts: Times it was started again since it was wanted.
        pid: Of its launcher; 0 while it does not run.
        started_s: Monotonic second of its last start; 0 before.
        frames: Frames it took since that; never more than there were.
        last_frame_s: Monotonic second of the last of them; 0 before.
        inferences: Model → pictures it read since its start.
        messages: Number of the newest message, counted over all starts.
        dropped: Messages lost, over all starts.
        loaded: Models it has.
        missing: Model it asked for and that there is not → why.
        died: What the function's threads that died raised, newest last.
        imported: Whether its module came back from being imported.
        threads: Threads of its own that lived on when it did.
        handled: Messages that its handler came back from since its start.
    """

    phase: Phase = "stopped"
    fault: str = ""
    restarts: int = 0
    pid: int = 0
    started_s: float = 0.0
    frames: int = 0
    last_frame_s: float = 0.0
    inferences: dict[str, int] = field(default_factory=dict)
    messages: int = 0
    dropped: int = 0
    loaded: tuple[str, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)
    died: tuple[str, ...] = ()
    imported: bool = False
    threads: int = 0
    handled: int = 0

    @property
    def inferred(self) -> int:
        """Pictures that its models read since its start, together."""
        return sum(self.inferences.values())

    @property
    def waits(self) -> bool:
        """Whether it did nothing when it was imported, and waits for its first message."""
        return self.imported and not self.threads and not self.frames and not self.handled

    @property
    def driven(self) -> bool:
        """Whether messages drive it: it waits for them, or worked on some and does nothing else."""
        return self.waits or (self.imported and not self.threads and self.handled > 0)

    def with_inferred(self, model: str, count: int) -> "FunctionState":
        """The same with so many pictures read by a model."""
        if model not in self.inferences and len(self.inferences) >= _MOST_NAMES:
            return self
        return replace(self, inferences={**self.inferences, model: count})

    def with_model(self, name: str, missing: str) -> "FunctionState":
        """The same with a model it has, or, with the reason, has not."""
        if missing:
            if name not in self.missing and len(self.missing) >= _MOST_NAMES:
                return self
            return replace(self, missing={**self.missing, name: missing})
        known = name in self.loaded or len(self.loaded) >= _MOST_NAMES
        return self if known else replace(self, loaded=(*self.loaded, name))

    def with_death(self, words: str) -> "FunctionState":
        """The same with another thread that died."""
        return replace(self, died=(*self.died, words)[-_MOST_NAMES:])

    def begun(self, pid: int, now_s: float) -> "FunctionState":
        """The same, just started."""
        return FunctionState(
            phase="running",
            fault=self.fault,
            restarts=self.restarts,
            pid=pid,
            started_s=now_s,
            messages=self.messages,
            dropped=self.dropped,
        )


class StateHolder:
    """The newest state, for any thread; whoever waits is woken by each change."""

    def __init__(self) -> None:
        self._state = FunctionState()
        self._changed = threading.Condition()

    @property
    def state(self) -> FunctionState:
        """As it is now."""
        with self._changed:
            return self._state

    def alter(self, change: Callable[[FunctionState], FunctionState]) -> None:
        """Put in its place what a function makes of it, which must be quick."""
        with self._changed:
            self._state = change(self._state)
            self._changed.notify_all()

    def change(self, **changes: Any) -> None:
        """Change fields of it."""
        self.alter(lambda state: replace(state, **changes))

    def wait_for(self, promise: Callable[[FunctionState], bool], timeout_s: float) -> bool:
        """Wait until it is as promised; whether it came to that in time."""
        with self._changed:
            return self._changed.wait_for(lambda: promise(self._state), timeout_s)
