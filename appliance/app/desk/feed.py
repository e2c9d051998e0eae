"""Telling who waits that something is new in the log: one look at its end for all who wait.

Another process appends, and SQLite tells nobody; so a thread looks ten times a second at one row, and
sleeps when nobody waits. What is in the events, and who may see it, is for the operations.
"""

import threading
from collections.abc import Callable
from typing import Any, Final, Self

import structlog
from pydantic import Field

from appliance.app.desk.naming import People
from appliance.app.desk.operations import Answer, Arguments, Asked, Operation
from appliance.app.desk.times import moment
from appliance.errors import ApplianceError
from appliance.permissions import Permission
from appliance.services import Services
from appliance.store import StoredEvent

_log = structlog.get_logger()

EVERY_S: Final = 0.1
LONGEST_S: Final = 25.0
"""A wait that is answered empty after so long: shorter than what cuts quiet connections."""
_MOST_EVENTS: Final = 200


class Feed:
    """Lets threads wait for the log to grow.

    Args:
        newest: The position of the newest event; cheap.
        every_s: Seconds between two looks.
    """

    def __init__(self, newest: Callable[[], int], *, every_s: float = EVERY_S) -> None:
        self._newest = newest
        self._every_s = every_s
        self._changed = threading.Condition()
        self._position = 0
        self._looks = 0
        self._waiting = 0
        self._closed = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Start the thread that looks."""
        self._closed = False
        self._thread = threading.Thread(target=self._watch, name="feed", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Answer who still waits, and stop looking."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @property
    def looks(self) -> int:
        """How often the log was looked at; stands still while nobody waits."""
        return self._looks

    def wake(self) -> None:
        """Have those who wait look whether they are `woken`: something happened that is in no log."""
        with self._changed:
            self._changed.notify_all()

    def wait(self, after: int, timeout_s: float, woken: Callable[[], bool] = lambda: False) -> int:
        """Wait until there are events behind a position, or until the time is over.

        Args:
            after: A position; that of the newest event means: the next one.
            timeout_s: Seconds, `LONGEST_S` at most.
            woken: Whether the wait is over for another reason; asked with each `wake`.

        Returns:
            The position of the newest event; `after` or less when nothing came.
        """
        now = self._newest()
        if now > after or timeout_s <= 0:
            return now
        with self._changed:
            self._waiting += 1
            self._changed.notify_all()
            try:
                self._changed.wait_for(
                    lambda: self._closed or self._position > after or woken(),
                    min(timeout_s, LONGEST_S),
                )
                return max(now, self._position)
            finally:
                self._waiting -= 1

    def _watch(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._waiting)
                if self._closed:
                    return
            self._look()
            with self._changed:
                self._changed.wait_for(lambda: self._closed, self._every_s)

    def _look(self) -> None:
        try:
            newest = self._newest()
        except ApplianceError as error:  # locked or gone: who waits goes on waiting
            _log.warning("feed_not_read", error=error.message)
            return
        with self._changed:
            self._looks += 1
            if newest != self._position:
                self._position = newest
                self._changed.notify_all()


class Wait(Arguments):
    """Attributes: after: a position, None: the present one; types: only these; timeout_s: at most."""

    after: int | None = Field(default=None, ge=0)
    types: tuple[str, ...] = Field(default=(), max_length=100)
    timeout_s: float = Field(default=LONGEST_S, ge=0, le=LONGEST_S)


def feed_operations(services: Services, feed: Feed) -> list[Operation[Any]]:
    """Waiting for what is new, for those who may read the log.

    The answer is `{position, events}`: what to ask for next time, and what came since; without `after`
    there is nothing yet, and the present position comes back at once. With `types` it is answered when
    anything was logged, even if nothing of those types was.
    """
    store = services.store

    def wait(asked: Asked[Wait]) -> Answer:
        given = asked.arguments
        if given.after is None:
            return Answer({"position": store.position(), "events": []})
        newest = feed.wait(given.after, given.timeout_s)
        if newest <= given.after:
            # Equal: nothing came. Less: the log was set back, and who asks begins anew.
            return Answer({"position": newest, "events": []})
        found = store.events(after=given.after, before=newest + 1, limit=_MOST_EVENTS)
        wanted = [each for each in found if not given.types or each.type in given.types]
        last = found[-1].position if found else newest
        people = People(store, asked.who)
        return Answer({"position": last, "events": [event_facts(each, people) for each in wanted]})

    return [Operation("feed.wait", Wait, Permission.LOG, wait, waits=True)]


def event_facts(stored: StoredEvent, people: People) -> dict[str, Any]:
    """An event as JSON values: where it stands, and its own fields; who may be told is an opaque id."""
    return {
        "position": stored.position,
        "id": stored.id,
        "type": stored.type,
        "at": moment(stored.at),
        "event": None if stored.event is None else people.without_ids(stored.event.model_dump(mode="json")),
    }
