"""How often a function infers: on no more frames a second than it is given.

A function's loop takes the newest frame and infers, as fast as it can; on the device the model took the
time that there was between two frames. Here it may be faster than the camera, and would infer on one frame
twice or more, for nothing, with a core that the box has other use for. So the first inference after a frame
was taken waits for its turn. Taking a frame waits for nothing, nor does a second inference on the same one,
nor any of a function that takes no frames.
"""

import threading
import time
from collections.abc import Callable


class Pace:
    """The turns of one function, from any of its threads."""

    def __init__(
        self, *, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Begin without a limit.

        Args:
            now: The monotonic clock, seconds.
            sleep: Waits for a number of seconds.
        """
        self._now = now
        self._sleep = sleep
        self._changed = threading.Lock()
        self._apart_s = 0.0
        self._due = float("-inf")
        self._fresh = False

    def set(self, apart_s: float) -> None:
        """Turns are so many seconds apart from now on, >= 0, counted on the average."""
        with self._changed:
            self._apart_s = apart_s

    def taken(self) -> None:
        """A frame was taken: the next inference waits for a turn."""
        self._fresh = True

    def wait(self) -> None:
        """Wait for the turn, if a frame was taken since the last."""
        with self._changed:
            if not self._fresh:
                return
            self._fresh = False
            now = self._now()
            # A turn that was late by less than one does not put off those after it.
            due = max(self._due, now - self._apart_s)
            self._due = due + self._apart_s
        if due > now:
            self._sleep(due - now)

    def forked(self) -> None:
        """Begin anew in a child of this process: nobody there holds what a thread of the parent held."""
        self._changed = threading.Lock()
