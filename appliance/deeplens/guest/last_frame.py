"""The newest frame for a function, as a DeepLens gave it: always at once, but for the first.

Asks the hosting side for frames and tells it which were taken. Where frames come from is the hosting side's.
"""

import os
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from appliance.deeplens.guest.frame_memory import FrameMemory, FrameMemoryError, TakenFrame
from appliance.deeplens.guest.messages import FrameWanted, GuestSaid, Taken

STALE_S: Final = 1.0
"""A newest frame this old is one from before the function paused: a newer one is waited for."""
GONE_S: Final = 10.0
"""How long it is waited for; then the camera is gone, and the function is told so."""

_ASK_S: Final = 0.5
"""Between two askings while waiting."""
_LOOK_S: Final = 0.002


class Says(Protocol):
    """Takes what the function says; never waits."""

    def put(self, message: GuestSaid) -> None:
        """Have it sent."""


class LastFrame:
    """Hands out copies of the newest frame. Used from any thread."""

    def __init__(
        self,
        says: Says,
        taken: Callable[[], None] = lambda: None,
        *,
        now: Callable[[], float] = time.monotonic,
        gone_s: float = GONE_S,
    ) -> None:
        """Note who is asked for frames.

        Args:
            says: Takes what is to be said to the hosting side.
            taken: Called for every frame that is handed out.
            now: The monotonic clock.
            gone_s: Seconds after which a camera that gives nothing newer is gone.
        """
        self._says = says
        self._taken = taken
        self._now = now
        self._gone_s = gone_s
        self._changed = threading.Condition()
        self._memory: FrameMemory | None = None
        self._count = 0
        self._gone = False

    def share(self, descriptor: int) -> None:
        """Take frames from this memory from now on; the descriptor is closed.

        Raises:
            FrameMemoryError: It does not hold frames.
        """
        memory = FrameMemory(descriptor)
        try:
            memory.open()
        finally:
            os.close(descriptor)
        with self._changed:
            self._memory = memory
            self._changed.notify_all()

    def forked(self) -> None:
        """Begin anew in a child of this process: nobody there holds what a thread of the parent held."""
        self._changed = threading.Condition()

    def take(self) -> tuple[bool, NDArray[np.uint8]]:
        """The newest frame, waiting for the very first however long it takes.

        Returns:
            Whether the camera gives frames, and the newest, (height, width, 3), BGR, the caller's own. When
            the camera is gone that is its last, because many functions do not look at the first value.
        """
        asked = self._now()
        frame = self._newest()
        if frame is not None and asked - frame.monotonic_s > STALE_S:
            frame = self._newer(frame, asked)
        while frame is None:
            self._says.put(FrameWanted())
            with self._changed:
                if self._memory is None:
                    self._changed.wait(_ASK_S)
            frame = self._look(-1, self._now() + _ASK_S)
        with self._changed:
            self._count += 1
            taken = Taken(max(-1, frame.sequence), self._count)
            self._gone = frame.monotonic_s + self._gone_s < self._now()
            gone = self._gone
        self._says.put(taken)
        self._taken()
        return not gone, frame.bgr

    def _newer(self, old: TakenFrame, asked: float) -> TakenFrame:
        """A newer frame than this, or this one if the camera is gone."""
        until = asked + (STALE_S if self._gone else self._gone_s)
        while self._now() < until:
            self._says.put(FrameWanted())
            frame = self._look(old.sequence, min(until, self._now() + _ASK_S))
            if frame is not None:
                return frame
        return old

    def _look(self, sequence: int, until: float) -> TakenFrame | None:
        """A frame newer than this, if there is one before the time is over; or one of another memory."""
        before = self._memory
        while True:
            memory = self._memory
            if memory is not None and (memory is not before or memory.sequence > sequence):
                frame = self._newest()
                if frame is not None and (memory is not before or frame.sequence > sequence):
                    return frame
            if self._now() >= until:
                return None
            time.sleep(_LOOK_S)

    def _newest(self) -> TakenFrame | None:
        memory = self._memory
        try:
            return None if memory is None else memory.newest()
        except FrameMemoryError:
            return None
