"""Whether the loop is well, as it answers the supervisor's Ping: a thread that hangs is no running loop.

The socket has threads of its own and would answer for ever. So each camera's thread notes when it
begins to work and when it is back for the next frame, and what answers looks at that. It ends
nothing itself: the supervisor restarts a process that says it is not well.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator

import structlog

from appliance.clock import Clock
from appliance.errors import CameraLostError, StoreError
from appliance.wire import Reply, Request
from appliance.wire.messages import Ping, Pong

_log = structlog.get_logger()

STUCK_S = 30.0
"""Seconds of work on one frame after which a camera's thread is given up; a slow box takes one or two."""


class LoopHealth:
    """How the loop's threads are.

    A log that cannot be written (a full disk) does not make the loop unwell: its thread tries again,
    and what waits for it in memory would be lost with a restart.

    Args:
        clock: Of which the monotonic time is read.
        recording: Whether the thread that writes the log is alive.
    """

    def __init__(self, clock: Clock, recording: Callable[[], bool]) -> None:
        self._clock = clock
        self._recording = recording
        self._lock = threading.Lock()
        self._since: dict[str, float] = {}
        self._busy_s: dict[str, float] = {}

    def busy_s(self, camera: str) -> float:
        """Seconds by the clock that the camera's thread has worked so far, frames in hand not counted."""
        with self._lock:
            return self._busy_s.get(camera, 0.0)

    @contextlib.contextmanager
    def working(self, camera: str) -> Iterator[None]:
        """In this block the camera's thread works; outside it waits for frames, for however long."""
        with self._lock:
            self._since[camera] = self._clock.monotonic()
        try:
            yield
        finally:
            with self._lock:
                took = self._clock.monotonic() - self._since.pop(camera)
                self._busy_s[camera] = self._busy_s.get(camera, 0.0) + took

    def check(self) -> None:
        """Look at every thread.

        Raises:
            CameraLostError: A camera's thread has not come back for `STUCK_S`.
            StoreError: Nobody writes the log.
        """
        if not self._recording():
            raise StoreError("the thread that writes the log has ended")
        now = self._clock.monotonic()
        with self._lock:
            stuck = {camera: now - since for camera, since in self._since.items() if now - since > STUCK_S}
        for camera, seconds in stuck.items():
            raise CameraLostError(f"camera {camera}: its thread has not come back for {seconds:.0f} s")

    def answer(self, request: Request[Ping]) -> Reply[Pong]:
        """Answer a Ping, if all is well.

        Raises:
            CameraLostError: See `check`.
            StoreError: See `check`.
        """
        del request
        try:
            self.check()
        except (CameraLostError, StoreError) as error:
            _log.error("loop_unwell", error=error.message)
            raise
        return Reply(Pong(pid=os.getpid()))
