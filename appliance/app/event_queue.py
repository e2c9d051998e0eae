"""Events into the log from a thread of its own, so that whoever they happen to waits for no database.

The log is opened when the first event comes. While it cannot be written a bounded number waits.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from types import TracebackType
from typing import Final, Self

import structlog

from appliance.errors import ApplianceError
from appliance.events import Event
from appliance.services import Services
from appliance.store import NewEvent

_log = structlog.get_logger()

_KEPT: Final = 256
_RETRY_S: Final = 2.0
_LEAVE_S: Final = 3.0


class EventQueue:
    """Events on their way to the log.

    Args:
        opened: Opens log and keys.
        wall: Wall clock, aware UTC.
    """

    def __init__(
        self, opened: Callable[[], AbstractContextManager[Services]], wall: Callable[[], datetime]
    ) -> None:
        self._opened = opened
        self._wall = wall
        self._waiting: deque[NewEvent] = deque(maxlen=_KEPT)
        self._changed = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def add(self, event: Event) -> None:
        """Note an event; returns at once."""
        with self._changed:
            self._waiting.append(NewEvent(event, at=self._wall()))
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """How many are not in the log yet."""
        return len(self._waiting)

    def __enter__(self) -> Self:
        """Begin to write."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Write what waits, as far as that goes in a few seconds."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        self._thread.join(_LEAVE_S)

    def _run(self) -> None:
        with contextlib.ExitStack() as stack:
            services: Services | None = None
            while self._wait():
                try:
                    if services is None:
                        services = stack.enter_context(self._opened())
                    services.store.append_all([self._waiting[0]])
                except ApplianceError as error:
                    _log.error("event_not_logged", error=error.message)
                    if not self._pause():
                        return
                else:
                    with self._changed:
                        self._waiting.popleft()

    def _wait(self) -> bool:
        """Wait for an event; false: there is none, and there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._ending)
            return bool(self._waiting)

    def _pause(self) -> bool:
        """Wait before another try; false: it is over."""
        with self._changed:
            return not self._changed.wait_for(lambda: self._ending, _RETRY_S)
