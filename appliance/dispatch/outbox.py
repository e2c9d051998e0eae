"""What dispatch needs of an outbox: rows that say what is to be done, and what became of it.

Only the protocols; the store implements them. The promises stand in the docstrings, and
`tests/dispatch` holds a contract suite for whatever implements them.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from appliance.events import Event


class Outcome(StrEnum):
    """What a row becomes when dispatch lets go of it."""

    PENDING = "pending"
    """To be tried again, not before the time given."""
    DELIVERED = "delivered"
    UNKNOWN = "unknown"
    """At most once and interrupted: it may have happened, and is never repeated."""
    EXPIRED = "expired"
    DEAD = "dead"


class LoggedEvent(Protocol):
    """An event as it stands in the log."""

    @property
    def id(self) -> str:
        """UUIDv7."""

    @property
    def type(self) -> str:
        """As in `appliance.events`."""

    @property
    def at(self) -> datetime:
        """When it happened, aware."""

    @property
    def event(self) -> Event | None:
        """The event itself, or None when it cannot be had any more."""


class OutboxRow(Protocol):
    """Something to be done once about one event."""

    @property
    def id(self) -> int:
        """Rises with the order in which rows were written."""

    @property
    def action(self) -> str:
        """Id of the action in the settings."""

    @property
    def event(self) -> LoggedEvent:
        """What triggered it."""

    @property
    def delivery(self) -> str:
        """`at_least_once` or `at_most_once`."""

    @property
    def attempts(self) -> int:
        """How often it was begun, this time included."""

    @property
    def deadline(self) -> datetime:
        """When an at-most-once action comes too late."""

    @property
    def idempotency_key(self) -> str:
        """The same at every attempt, so that a receiver can drop repetitions."""


class Outbox(Protocol):
    """Rows that outlive a crash. Used by one dispatcher at a time, from one thread."""

    def claim(self, now: datetime, limit: int) -> Sequence[OutboxRow]:
        """Take rows that are pending and due, oldest first, and commit them as running before returning.

        A row is due when it was never begun, when its not_before has come, or when it was last
        begun later than now, by a clock that has been set back since. Each row returned has one
        attempt more than before. Nothing that is returned is returned again until it was put back.

        Raises:
            StoreError: The database cannot; nothing was taken.
        """

    def finish(
        self,
        row_id: int,
        outcome: Outcome,
        /,
        *,
        error: str | None = None,
        not_before: datetime | None = None,
    ) -> object:
        """Say what became of a running row, and commit it.

        Args:
            row_id: The row.
            outcome: What it becomes; never pending for an at-most-once row.
            error: Why, unless it was delivered; nothing personal.
            not_before: For `Outcome.PENDING`: when it may be claimed again.

        Raises:
            StoreError: The database cannot; the row is still running.
        """

    def recover(self, now: datetime) -> object:
        """At start: deal with what a crash left running.

        At least once becomes pending again and keeps its attempts; at most once becomes unknown.

        Raises:
            StoreError: The database cannot.
        """
