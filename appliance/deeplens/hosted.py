"""One deployed function's life in a thread of its host: started, served, started again, stopped.

It knows how a function is started only by protocol (`Starting`) and decides nothing of what it may. One that
fails is started again after a pause that doubles; who wants to know is told of the first failure and of each
longer pause, not of every try: a function that fails at once fails thousands of times a day.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol

import structlog

from appliance.backoff import BackOff
from appliance.deeplens.function_log import FunctionLog
from appliance.deeplens.function_parts import Beside, Child, Frames
from appliance.deeplens.function_run import PATIENCE, FunctionRun, Patience
from appliance.deeplens.function_state import FunctionState, StateHolder
from appliance.deeplens.guest import messages as said
from appliance.deeplens.messages import FunctionMessage, MessageRing
from appliance.deeplens.project import Project
from appliance.errors import ApplianceError, ContainmentError

_log = structlog.get_logger()

BACKOFF: Final = BackOff(first_s=2.0, cap_s=300.0)
STEADY_S: Final = 60.0
"""A run that lasted so long was a good one: the next failure is a first one again."""

Change = Literal["started", "stopped", "failed"]


class Starting(Protocol):
    """Starts functions, contained."""

    def start(self, project: Project) -> Child:
        """Start a function.

        Raises:
            ContainmentError: This system does not contain it, and nobody accepted that.
            FunctionError: It cannot be started.
        """

    def beside(self, project: Project) -> Beside:
        """What goes on beside its next run."""


class Feeds(Protocol):
    """Frames by camera; see `frame_feed.FrameFeeds`."""

    def join(self, camera: str) -> Frames:
        """The camera's frames, until `leave`."""

    def leave(self, camera: str) -> None:
        """No more of them."""


@dataclass(frozen=True, slots=True)
class Host:
    """What a hosted function is given by its host.

    Attributes:
        starting: Starts it.
        feeds: Frames.
        wall: Wall clock, aware UTC.
        published: Takes each message that it publishes, and which function it was; returns at once.
        changed: Told when it started, stopped or failed, and why; returns at once.
        backoff: Pauses between starts.
        patience: How long it may be silent.
        steady_s: How long a good run lasts.
        again: Whether what ends is started again.
    """

    starting: Starting
    feeds: Feeds
    wall: Callable[[], datetime]
    published: Callable[[Project, FunctionMessage], None] = lambda _project, _message: None
    changed: Callable[[Project, Change, str], None] = lambda _project, _change, _reason: None
    backoff: BackOff = BACKOFF
    patience: Patience = PATIENCE
    steady_s: float = STEADY_S
    again: bool = True


class HostedFunction:
    """One function that is hosted.

    Args:
        project: What it is.
        host: What it is given.
        log: Where is kept what it prints.
    """

    def __init__(self, project: Project, host: Host, log: FunctionLog) -> None:
        self.project = project
        self.messages = MessageRing()
        self.log = log
        self._host = host
        self._holder = StateHolder()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._run: FunctionRun | None = None
        self._frames: Frames | None = None
        self._delivered = 0
        self._told_step_s = 0.0
        self._running = False

    @property
    def state(self) -> FunctionState:
        """How it is."""
        return self._holder.state

    @property
    def trouble(self) -> str:
        """Why it gets no frames, in words; empty while it does, or wants none."""
        frames = self._frames
        return "" if frames is None else frames.trouble

    def wait_for(self, promise: Callable[[FunctionState], bool], timeout_s: float) -> bool:
        """Wait until its state is as promised; whether it came to that in time."""
        return self._holder.wait_for(promise, timeout_s)

    def start(self) -> None:
        """Let it run; nothing if it does."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            self._stop.clear()
            self._holder.change(phase="starting", fault="", restarts=0)
            self._thread = threading.Thread(
                target=self._live, name=f"function-{self.project.name}", daemon=True
            )
            self._thread.start()

    def stop(self, *, wait: bool = True) -> None:
        """End it, in good order if it lets itself; afterwards none of its processes is left.

        Args:
            wait: Until it has ended.
        """
        self._stop.set()
        thread = self._thread
        if wait and thread is not None:
            thread.join()

    def deliver(self, topic: str, payload: bytes) -> bool:
        """Hand it a message of a topic that it subscribes to; whether it took it."""
        with self._lock:
            run = self._run
            self._delivered += 1
            number = self._delivered
        return run is not None and run.deliver(number, topic, payload)

    # ------------------------------------------------------------------ the thread

    def _live(self) -> None:
        """Run after run, until stopped."""
        failures = 0
        self._told_step_s = 0.0
        self._running = False
        while not self._stop.is_set():
            begun = time.monotonic()
            try:
                reason, final = self._once()
            except Exception as error:  # noqa: BLE001 - a fault of ours must not end it for good
                # Its text may hold what the function said; class and name are enough.
                _log.error("function_run_failed", function=self.project.name, error=type(error).__name__)
                reason, final = f"the host failed: {type(error).__name__}", False
            if self._stop.is_set():
                break
            if time.monotonic() - begun >= self._host.steady_s:
                failures, self._told_step_s = 0, 0.0
            failures += 1
            self._fail(reason, failures, final=final)
            if final:
                return
            if not self._host.again:
                self.log.write(reason, own=True)
                self._holder.change(phase="stopped")
                return
            pause = self._host.backoff.delay(failures)
            self.log.write(f"{reason}; started again in {pause:.0f} s", own=True)
            if self._stop.wait(pause):
                break
            self._holder.alter(_again)
        self._holder.change(phase="stopped", pid=0)
        self.log.write("stopped", own=True)
        self._tell("stopped", "")

    def _once(self) -> tuple[str, bool]:
        """One run: why it ended, and whether another is of no use."""
        camera = self.project.camera
        try:
            frames = self._host.feeds.join(camera)
        except ApplianceError as error:
            return error.message, False
        try:
            beside = self._host.starting.beside(self.project)
            try:
                child = self._host.starting.start(self.project)
            except ApplianceError as error:
                beside.close()
                self.log.write(f"not started: {error.message}", own=True)
                return error.message, isinstance(error, ContainmentError)
            self._holder.alter(lambda state: state.begun(child.pid, time.monotonic()))
            self.log.write("started", own=True)
            run = FunctionRun(
                child,
                frames,
                beside,
                self._holder,
                self.log,
                publish=self._publish,
                lost=self.messages.drop,
                driven=self.project.pinned is False or bool(self.project.subscriptions),
                patience=self._host.patience,
            )
            # After a failure it has to last before it is said to run again.
            steady = threading.Timer(self._host.steady_s if self._told_step_s else 0.0, self._note_running)
            steady.daemon = True
            steady.start()
            with self._lock:
                self._run, self._frames = run, frames
            try:
                return run.converse(self._stop), False
            finally:
                steady.cancel()
                with self._lock:
                    self._run = self._frames = None
        finally:
            self._host.feeds.leave(camera)

    def _publish(self, message: said.Publish) -> FunctionMessage:
        kept = self.messages.add(message.topic, message.payload, self._host.wall())
        self._host.published(self.project, kept)
        return kept

    def _fail(self, reason: str, failures: int, *, final: bool) -> None:
        """Tell of a failure, if it is the first or the pause became longer with it."""
        step_s = self._host.backoff.delay(failures, chance=0.5)
        if final or step_s > self._told_step_s:
            self._told_step_s = step_s
            self._running = False
            self._tell("failed", reason)
        self._holder.change(phase="refused" if final else "waiting", pid=0, fault=reason)

    def _note_running(self) -> None:
        if not self._running and not self._stop.is_set():
            self._running = True
            self._tell("started", "")

    def _tell(self, change: Change, reason: str) -> None:
        _log.info("function_changed", function=self.project.name, change=change)
        self._host.changed(self.project, change, reason)


def _again(state: FunctionState) -> FunctionState:
    return FunctionState(
        phase="starting",
        fault=state.fault,
        restarts=state.restarts + 1,
        messages=state.messages,
        dropped=state.dropped,
    )
