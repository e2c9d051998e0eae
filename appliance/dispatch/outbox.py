"""What dispatch needs of an outbox: rows that say what is to be done, and what became of it.

Only the protocols; the store implements them. The promises stand in the docstrings, and
`tests/dispatch` holds a contract suite for whatever implements them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from appliance.events import Event


class Outcome(StrEnum):
    """What a row becomes when dispatch lets go of it."""

    PENDING = "pending"
    """To be tried again, not before the time given."""
    DELIVERED = "delivered"
    UNKNOWN = "unknown"
    """To be done once and interrupted: it may have happened, and is never repeated."""
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
        """Id of the action in the settings, or of a rule's: kind, or kind and target."""

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

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What a rule asks for; empty for an action of the settings."""

    @property
    def rule(self) -> str | None:
        """Id of the rule that asks for it; None: the settings do."""


class Outbox(Protocol):
    """Rows that outlive a crash. Used by one dispatcher at a time, from one thread."""

    def claim(
        self, now: datetime, limit: int, *, room: Mapping[str, int] = ..., sparing: bool = False
    ) -> Sequence[OutboxRow]:
        """Take rows that are pending and due, oldest first, and commit them as running before returning.

        An action there is no room for keeps nothing from the others: they get what is theirs, however much
        of it is due.

        A row is due when it was never begun, when its not_before has come, or when it was last
        begun later than now, by a clock that has been set back since. Each row returned has one
        attempt more than before. Nothing that is returned is returned again until it was put back.

        Args:
            now: Aware time.
            limit: Rows at most, > 0; fewer do not mean that no more are due, none does.
            room: Action → how many of its rows at most; 0: none. Of others, any number.
            sparing: Of one action an at-most-once row is the last that is taken: a crash makes unknown what
                is claimed, begun or not.

        Raises:
            StoreError: The database cannot; nothing was taken.
        """

    def release(self, rows: Sequence[int], error: str) -> object:
        """Put back claimed rows that were never begun, all in one commit.

        At least once becomes pending as if it had not been claimed, its attempts too; at most once is never
        put back and becomes expired. Rows that are not running any more are left as they are.

        Args:
            rows: Their ids.
            error: Why they were not begun; nothing personal.

        Raises:
            StoreError: The database cannot; they are still running.
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

        At least once becomes pending again; at most once becomes unknown. Of the rows of one action that
        become pending the oldest keeps its attempts, for it may have been begun; the others were not, and
        have one less.

        Raises:
            StoreError: The database cannot.
        """
