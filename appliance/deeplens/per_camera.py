"""One of something for each camera that is used, shared by whoever uses it, and second to the loop."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from appliance.deeplens.view import NICE


class Opened(Protocol):
    """What is shared."""

    def open(self) -> None:
        """Begin; called once."""

    def close(self) -> None:
        """End."""


T = TypeVar("T", bound=Opened)


def give_way() -> None:
    """Let the calling thread run as far behind as functions: who stands at the door comes first."""
    thread = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, thread, max(NICE, os.getpriority(os.PRIO_PROCESS, thread)))


@dataclass(slots=True)
class _Shared(Generic[T]):
    """What is shared, and how many use it."""

    thing: T
    users: int = 0


class PerCamera(Generic[T]):
    """Opened for the first who joins, closed when the last has left.

    Args:
        make: Makes one for a camera, by its id; not opened yet.
    """

    def __init__(self, make: Callable[[str], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._shared: dict[str, _Shared[T]] = {}

    def join(self, camera: str) -> T:
        """The camera's, to be left with `leave`. Raises what its `open` raises."""
        with self._lock:
            shared = self._shared.get(camera)
            if shared is None:
                thing = self._make(camera)
                thing.open()
                shared = self._shared[camera] = _Shared(thing)
            shared.users += 1
            return shared.thing

    def leave(self, camera: str) -> None:
        """One user less; the last closes it."""
        with self._lock:
            shared = self._shared.get(camera)
            if shared is None:
                return
            shared.users -= 1
            if shared.users:
                return
            del self._shared[camera]
        shared.thing.close()

    def close(self) -> None:
        """Close every one, whoever uses it."""
        with self._lock:
            shared, self._shared = list(self._shared.values()), {}
        for each in shared:
            each.thing.close()
