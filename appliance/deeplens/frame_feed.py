"""The newest frame of a camera at the size that functions were written for, in memory they can map.

One feed serves every function of a camera. It takes and scales frames only while somebody takes them: each
`want` keeps it going for a second, and the first wakes it at once. What it writes is stamped with the
monotonic second at which it took the frame, so that whoever reads can tell how old it is.

When the camera is gone, the last frame stays: a source that comes back within `GONE_S` is no fault of which
a function need know. A reader whose newest frame is older than that, although it asked, says so in `ret` and
gives the last frame all the same, because many functions never look at `ret`. That is the reader's to do
(it sees the stamp); the feed does not pretend that an old frame is new.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

import structlog

from appliance.clock import Clock, SystemClock
from appliance.deeplens.frame_fit import HEIGHT, WIDTH, Placement, fit, placed
from appliance.deeplens.frame_source import FrameSource
from appliance.deeplens.per_camera import PerCamera, give_way
from appliance.errors import ApplianceError, WireError
from appliance.frames import FrameWriter

GONE_S = 10.0
"""A newest frame that is older, although a newer one was asked for, is no frame any more."""
LINGER_S = 1.0
"""How long frames keep coming after somebody took one."""
_SLOTS = 3
"""A reader has the time of two frames to copy one, 130 ms for what takes 3; each slot is 12 MB."""
_WAIT_S = 0.25
"""How long a frame is waited for before looking whether anybody still wants one."""
_END_S = 1.0
_RETRY_S = 0.5
"""Between two attempts at a camera that gives nothing."""

_log = structlog.get_logger()


class FrameFeed:
    """Frames of one camera for functions.

    Args:
        source: Where they come from; the feed's own from now on, closed with it.
        fps: Frames a second at most, > 0.
        clock: For the stamps and the pace.
    """

    def __init__(self, source: FrameSource, *, fps: float = 16.0, clock: Clock | None = None) -> None:
        self._source = source
        self._period_s = 1 / fps
        self._clock = clock or SystemClock()
        self._writer = FrameWriter(WIDTH, HEIGHT, _SLOTS)
        self._state = threading.Condition()
        self._wanted_until = float("-inf")
        self._halted = False
        self._trouble = ""
        self._placement: Placement | None = None
        self._written = 0
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Make the memory and start to wait for somebody who wants frames.

        Raises:
            WireError: The system has no memory for it.
        """
        self._writer.open()
        self._thread = threading.Thread(target=self._run, name="frame-feed", daemon=True)
        self._thread.start()

    def descriptor(self) -> int:
        """A descriptor of the memory for one function, open for reading alone; whoever asks closes it.

        Raises:
            WireError: The feed is not open.
        """
        try:
            return os.open(f"/proc/self/fd/{self._writer.fd}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise WireError(f"the frames cannot be shared: {error.strerror}") from error

    def want(self) -> None:
        """Somebody takes frames: keep them coming for a second; the first call starts them at once."""
        with self._state:
            self._wanted_until = self._clock.monotonic() + LINGER_S
            self._state.notify_all()

    @property
    def apart_s(self) -> float:
        """Seconds between two frames, at least."""
        return self._period_s

    @property
    def trouble(self) -> str:
        """Why the camera gives nothing, in words; empty while it does or while nobody asks."""
        with self._state:
            return self._trouble

    @property
    def placement(self) -> Placement | None:
        """Where the camera's picture lies in the frames; None before the first."""
        with self._state:
            return self._placement

    @property
    def written(self) -> int:
        """Frames shared so far."""
        with self._state:
            return self._written

    def close(self) -> None:
        """Stop, and let go of the memory; functions keep what they have mapped. May be called twice.

        A camera that is being asked for just now is not waited for: the rest is let go of when it answers.
        """
        with self._state:
            self._halted = True
            self._state.notify_all()
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
        """Share frames until halted; then close everything."""
        give_way()
        try:
            self._share_while_wanted()
        finally:
            self._source.close()
            self._writer.close()

    def _share_while_wanted(self) -> None:
        """Share frames while they are wanted, at the pace that was set."""
        while self._wait_wanted():
            try:
                taken_at = self._share()
            except ApplianceError as error:
                self._tell(error.message)
                self._pause(_RETRY_S)
                continue
            if taken_at is not None:
                self._pause(taken_at + self._period_s - self._clock.monotonic())

    def _wait_wanted(self) -> bool:
        """Sleep until somebody wants a frame; false: halted."""
        with self._state:
            while not self._halted and self._clock.monotonic() > self._wanted_until:
                # What the source has is as old as the last who wanted it: it asks anew for a fresh one.
                self._source.close()
                self._trouble = ""
                self._state.wait()
            return not self._halted

    def _share(self) -> float | None:
        """Write the source's next frame, if there is one soon; when it was taken, monotonic seconds."""
        taken = self._source.newer(_WAIT_S)
        if taken is None:
            return None
        taken_at = self._clock.monotonic()
        picture = taken.bgr
        stamp = replace(taken.stamp, sequence=self._written, monotonic_s=taken_at)
        self._writer.draw(stamp, WIDTH, HEIGHT, lambda frame: fit(picture, frame))
        placement = placed(picture.shape[1], picture.shape[0])
        with self._state:
            self._placement = placement
            self._written += 1
            self._trouble = ""
        return taken_at

    def _tell(self, reason: str) -> None:
        """Note why nothing comes, and log it once an outage."""
        with self._state:
            first = not self._trouble
            self._trouble = reason
        if first:
            _log.warning("functions_without_frames", reason=reason)

    def _pause(self, seconds: float) -> None:
        """Sleep, unless halted."""
        with self._state:
            self._state.wait_for(lambda: self._halted, max(0.0, seconds))


class FrameFeeds(PerCamera[FrameFeed]):
    """One feed for each camera that a function looks through, open while one does.

    `join` raises WireError if the system has no memory for another feed.

    Args:
        make_source: Makes a source of frames of a camera, by its id.
        fps: Frames a second at most.
    """

    def __init__(self, make_source: Callable[[str], FrameSource], *, fps: float = 16.0) -> None:
        super().__init__(lambda camera: FrameFeed(make_source(camera), fps=fps))
