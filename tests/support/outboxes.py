"""Outboxes for dispatch: one in memory with its failures built in, and the real one, behind the same bench.

The contract suite in `tests/dispatch` runs against both.
"""

import itertools
import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from stores import OPENED, SHUT, on
from stores import store as make_store

from appliance.clock import Clock, SystemClock
from appliance.dispatch import Outbox, Outcome
from appliance.errors import StoreError
from appliance.events import CameraChanged, Event
from appliance.store import Delivery, NewEvent, sqlite_url

EVENTS: dict[str, Event] = {
    "hook": OPENED,
    "song": SHUT,
    "bell": CameraChanged(type="camera_lost", camera="entrance", reason="no frame for 10 s"),
}
"""What triggers which action: hook and bell at least once, song at most once within 30 s."""
SUBSCRIPTIONS = (
    on("door_opened", action="hook", deadline_s=3600),
    on("camera_lost", action="bell", deadline_s=3600),
    on("door_shut", action="song", delivery=Delivery.AT_MOST_ONCE, deadline_s=30),
)


class Bench(Protocol):
    """An outbox with a way to put rows in and to look at them."""

    @property
    def outbox(self) -> Outbox:
        """As dispatch sees it."""

    def put(self, action: str, *, at: datetime | None = None) -> int:
        """Let happen what triggers an action; the number of its row."""

    def put_many(self, action: str, many: int) -> None:
        """Let it happen so many times, faster."""

    def states(self) -> dict[int, str]:
        """Row number → state, of the youngest thousand at least."""


@dataclass(frozen=True)
class MemoryEvent:
    """An event as a log would give it."""

    id: str
    type: str
    at: datetime
    event: Event | None


@dataclass(frozen=True)
class MemoryRow:
    """A row as a store would give it."""

    id: int
    action: str
    event: MemoryEvent
    delivery: str
    attempts: int
    deadline: datetime
    not_before: datetime
    idempotency_key: str
    rule: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    state: str = "pending"
    started_at: datetime | None = None
    error: str | None = None


class MemoryOutbox:
    """Rows in a list; some calls fail.

    Attributes:
        rows: By number.
        failing: Numbers of the calls, from 0, that raise StoreError and change nothing.
    """

    def __init__(self, failing: Sequence[int] = ()) -> None:
        self.rows: dict[int, MemoryRow] = {}
        self.failing = frozenset(failing)
        self._calls = itertools.count()
        self._lock = threading.Lock()

    def add(
        self, action: str, event: Event | None, delivery: str, at: datetime, deadline_s: float = 30.0
    ) -> int:
        """Write a pending row."""
        with self._lock:
            number = len(self.rows) + 1
            kind = "" if event is None else str(event.model_dump()["type"])
            self.rows[number] = MemoryRow(
                id=number,
                action=action,
                event=MemoryEvent(f"e{number}", kind, at, event),
                delivery=delivery,
                attempts=0,
                deadline=at + timedelta(seconds=deadline_s),
                not_before=at,
                idempotency_key=f"e{number}-{action}",
            )
            return number

    def claim(
        self, now: datetime, limit: int, *, room: Mapping[str, int] | None = None, sparing: bool = False
    ) -> list[MemoryRow]:
        """Take what is due and fits, oldest first; sparing: of an action none behind one at most once."""
        with self._lock:
            self._fail()
            left: dict[str, float] = dict(room or {})
            taken: list[MemoryRow] = []
            for row in self.rows.values():
                fits = len(taken) < limit and left.setdefault(row.action, math.inf) > 0
                if fits and row.state == "pending" and _is_due(row, now):
                    last = sparing and row.delivery == "at_most_once"
                    left[row.action] = 0 if last else left[row.action] - 1
                    taken.append(replace(row, state="running", attempts=row.attempts + 1, started_at=now))
            self.rows.update({row.id: row for row in taken})
            return taken

    def finish(
        self,
        row_id: int,
        outcome: Outcome,
        /,
        *,
        error: str | None = None,
        not_before: datetime | None = None,
    ) -> None:
        """Settle a running row."""
        with self._lock:
            self._fail()
            row = self.rows[row_id]
            if row.state != "running":
                raise StoreError("that row is not running")
            if outcome is Outcome.PENDING and row.delivery == "at_most_once":
                raise ValueError("at most once is never put back")
            self.rows[row_id] = replace(
                row, state=outcome.value, error=error, not_before=not_before or row.not_before
            )

    def release(self, rows: Sequence[int], error: str) -> None:
        """Put back what was not begun."""
        with self._lock:
            self._fail()
            for row in [self.rows[number] for number in rows if self.rows[number].state == "running"]:
                if row.delivery == "at_most_once":
                    self.rows[row.id] = replace(row, state="expired", error=error)
                else:
                    self.rows[row.id] = replace(row, state="pending", attempts=row.attempts - 1)

    def recover(self, now: datetime) -> None:
        """Sort out what is running."""
        with self._lock:
            self._fail()
            begun: set[str] = set()
            for row in sorted(self.rows.values(), key=lambda each: each.id):
                if row.state == "running" and row.delivery == "at_most_once":
                    self.rows[row.id] = replace(row, state="unknown", not_before=now)
                elif row.state == "running":
                    attempts = row.attempts - (row.action in begun)
                    begun.add(row.action)
                    self.rows[row.id] = replace(row, state="pending", not_before=now, attempts=attempts)

    def _fail(self) -> None:
        if next(self._calls) in self.failing:
            raise StoreError("the database is locked")


def _is_due(row: MemoryRow, now: datetime) -> bool:
    set_back = row.started_at is not None and row.started_at > now
    return not row.attempts or row.not_before <= now or set_back


class MemoryBench:
    """An outbox in memory."""

    def __init__(self) -> None:
        self.outbox = MemoryOutbox()

    def put(self, action: str, *, at: datetime | None = None) -> int:
        """Write the row."""
        song = action == "song"
        return self.outbox.add(
            action,
            EVENTS[action],
            "at_most_once" if song else "at_least_once",
            at or datetime.now(UTC),
            30 if song else 3600,
        )

    def put_many(self, action: str, many: int) -> None:
        """Write the rows."""
        for _ in range(many):
            self.put(action)

    def states(self) -> dict[int, str]:
        """Row number → state."""
        return {row.id: row.state for row in self.outbox.rows.values()}


class StoreBench:
    """The real outbox on SQLite."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self.store = make_store(
            sqlite_url(folder / "store.sqlite3"),
            clock=clock or SystemClock(),  # type: ignore[arg-type]  # the tests' factory asks for a manual one
            subscriptions=SUBSCRIPTIONS,
        )
        self.store.open()
        self.outbox: Outbox = self.store

    def put(self, action: str, *, at: datetime | None = None) -> int:
        """Append the event that triggers it."""
        self.store.append(EVENTS[action], at=at or datetime.now(UTC))
        return self.store.outbox(limit=1)[0].id

    def put_many(self, action: str, many: int) -> None:
        """Append the events in one transaction."""
        at = datetime.now(UTC)
        self.store.append_all([NewEvent(EVENTS[action], at=at) for _ in range(many)])

    def states(self) -> dict[int, str]:
        """Row number → state."""
        return {row.id: row.state.value for row in self.store.outbox()}
