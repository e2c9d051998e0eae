"""Where frames for functions come from: a loop that shares a camera's, or a camera of our own.

A source gives the newest frame that it has not given yet, and is used by one thread; whoever else wants
frames makes another. Nothing is scaled here.
"""

import os
import threading
import time
from collections.abc import Callable
from typing import Protocol

from appliance.frames import FrameReader, SharedFrame
from appliance.values import Frame

_RENEW_S = 3.0
"""A lease lasts ten seconds; whoever has not renewed it for longer than this asks again."""


class FrameSource(Protocol):
    """Frames of one camera, for one thread."""

    def newer(self, wait_s: float) -> SharedFrame | None:
        """The newest frame if it was not given before, waiting for it; None if none comes in time.

        Raises:
            CameraLostError: The camera gives nothing, and why. Asking again makes sense.
            WireError: The process that has it is away. Likewise.
        """

    def close(self) -> None:
        """Let go of everything. May be called twice."""


class LeasedFrames:
    """Frames that another process shares for as long as it is asked to.

    Args:
        lease: Asks for the camera and returns a descriptor of its shared frames, from then on ours. Waits for
            a frame that is fresh when nobody has asked for a while. Raises CameraLostError or WireError.
        renew_s: Seconds between two questions.
    """

    def __init__(self, lease: Callable[[], int], *, renew_s: float = _RENEW_S) -> None:
        self._lease = lease
        self._renew_s = renew_s
        self._asked_at = float("-inf")
        self._memory = 0
        self._fd = -1
        self._reader: FrameReader | None = None
        self._sequence = -1

    def newer(self, wait_s: float) -> SharedFrame | None:
        """See `FrameSource`."""
        now = time.monotonic()
        if self._reader is None or now - self._asked_at > self._renew_s:
            self._renew()
            self._asked_at = now
        if self._reader is None:
            return None
        frame = self._reader.wait_newer(self._sequence, wait_s)
        if frame is not None:
            self._sequence = frame.stamp.sequence
        return frame

    def close(self) -> None:
        """See `FrameSource`."""
        if self._reader is not None:
            self._reader.close()
            os.close(self._fd)
        self._reader, self._fd, self._sequence = None, -1, -1
        self._asked_at = float("-inf")

    def _renew(self) -> None:
        """Ask again; another memory than before begins to count anew."""
        fd = self._lease()
        memory = os.fstat(fd).st_ino
        if self._reader is not None and memory == self._memory:
            os.close(fd)
            return
        self.close()
        reader = FrameReader(fd)
        try:
            reader.open()
        except BaseException:
            os.close(fd)
            raise
        self._reader, self._fd, self._memory = reader, fd, memory


class NewestFrames:
    """The newest frame of a camera that runs in this process, for any number of sources.

    A frame is decoded when the first source takes it, and never if none does.
    """

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._decoding = threading.Lock()
        self._frame: Frame | None = None
        self._number = 0

    def offer(self, frame: Frame) -> None:
        """This is the newest now; called from the camera's thread."""
        with self._ready:
            self._frame = frame
            self._number += 1
            self._ready.notify_all()

    def source(self) -> "NewestSource":
        """A source of one's own."""
        return NewestSource(self)

    def after(self, number: int, wait_s: float) -> tuple[int, SharedFrame] | None:
        """The newest frame with its number, counted from 1, if that is greater than `number`."""
        with self._ready:
            if not self._ready.wait_for(lambda: self._number > number, wait_s):
                return None
            newest, frame = self._number, self._frame
        if frame is None:
            return None
        with self._decoding:
            return newest, SharedFrame(frame.stamp, frame.bgr(), b"")


class NewestSource:
    """A source of what `NewestFrames` was offered."""

    def __init__(self, frames: NewestFrames) -> None:
        self._frames = frames
        self._number = 0

    def newer(self, wait_s: float) -> SharedFrame | None:
        """See `FrameSource`."""
        found = self._frames.after(self._number, wait_s)
        if found is None:
            return None
        self._number, frame = found
        return frame

    def close(self) -> None:
        """See `FrameSource`."""
