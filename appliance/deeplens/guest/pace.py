"""How often each process of a function infers: so many times a second, at most, on frames that it takes.

A function's loop takes the newest frame and infers, as fast as it can; on the device the model took the
time that there was between two frames. Here it may be faster than the camera, and would infer on one frame
twice or more, for nothing, with a core that the box has other use for. So the first inference after a frame
was taken waits for its turn. Taking a frame waits for nothing, nor does a second inference on the same one,
nor any of a function that takes no frames. Of a thread that infers on frames which another one takes it is
not known which frame that is: there the model that began the last turn begins the next one, and others, as
those that look into what the first one found, wait for nothing.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

_LEADS_S: Final = 1.0
"""A model that was not used for so long does not begin turns any more."""


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
        self._own = _Thread()

    def set(self, apart_s: float) -> None:
        """Turns are so many seconds apart from now on, >= 0, counted on the average."""
        with self._changed:
            self._apart_s = apart_s

    def taken(self) -> None:
        """A frame was taken, by this thread: the next inference waits for a turn."""
        self._fresh = self._own.takes = self._own.fresh = True

    def wait(self, model: object = None) -> None:
        """Wait for the turn, if a frame was taken since the last.

        Args:
            model: That is to infer; compared with others by identity.
        """
        own = self._own
        with self._changed:
            now = self._now()
            if own.takes:
                if not own.fresh:
                    return
            elif not self._fresh or (own.leader is not model and now - own.led < _LEADS_S):
                return
            self._fresh = own.fresh = False
            own.leader, own.led = model, now
            # A turn that was late by less than one does not put off those after it.
            due = max(self._due, now - self._apart_s)
            self._due = due + self._apart_s
        if due > now:
            self._sleep(due - now)

    def forked(self) -> None:
        """Begin anew in a child of this process: nobody there holds what a thread of the parent held."""
        self._changed = threading.Lock()


class _Thread(threading.local):
    """What is known of one thread.

    Attributes:
        takes: It takes frames itself.
        fresh: It took one since its last turn.
        leader: The model that began its last turn.
        led: When, on the monotonic clock.
    """

    takes = False
    fresh = False
    leader: object = None
    led = float("-inf")
