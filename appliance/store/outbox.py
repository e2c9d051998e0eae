"""The outbox: what is to be done about events, and what became of it.

Rows are written with their event. Here they are claimed (committed as running before anybody
performs them), finished, and after a crash sorted out: at most once becomes *unknown* and is
never repeated, at least once becomes pending again. Performing is `appliance.dispatch`'s business.
One process per device claims.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal

from sqlalchemy import Connection, func, select, update

from appliance.errors import StoreError, UnknownDeliveryError
from appliance.events import ActionOutcome
from appliance.store.database import reading
from appliance.store.log import EventLog, parsed
from appliance.store.records import Delivery, NewEvent, OutboxRow, OutboxState
from appliance.store.tables import events, outbox

_ERROR_CHARS = 500
_LATE_AT_ONCE = 256
"""Rows marked expired in one transaction; after a long outage the next claims mark the rest."""
_OUTCOMES: Mapping[OutboxState, Literal["action_unknown", "action_expired", "action_dead"]] = {
    OutboxState.UNKNOWN: "action_unknown",
    OutboxState.EXPIRED: "action_expired",
    OutboxState.DEAD: "action_dead",
}
_ANY_ROOM: Mapping[str, int] = MappingProxyType({})
_COLUMNS = [column.label(f"outbox_{column.name}") for column in outbox.c]


class Outbox(EventLog):
    """This device's outbox, on top of the log that its failures go to."""

    def claim(
        self, now: datetime, limit: int = 16, *, room: Mapping[str, int] = _ANY_ROOM, sparing: bool = False
    ) -> list[OutboxRow]:
        """Take what is due, oldest event first; committed as running before this returns.

        What is promised at most once and past its deadline is marked expired instead, with an event.
        At least once has no deadline: a receiver that was away for a day still gets everything.
        A row that was never begun is due, whatever the clock says.

        Args:
            now: Aware time.
            limit: At most so many, > 0.
            room: Action → how many of its rows at most; 0: none. Of others, any number.
            sparing: Of one action a row that is promised at most once is the last that is taken: what is
                claimed and not begun when the power fails is unknown for ever.
        """
        full = [action for action, many in room.items() if many <= 0]
        pending = (
            _joined(self._device).where(outbox.c.state == OutboxState.PENDING.value).order_by(outbox.c.id)
        )
        too_late = (outbox.c.delivery == Delivery.AT_MOST_ONCE.value) & (outbox.c.deadline < now)
        late = pending.where(too_late).limit(_LATE_AT_ONCE)
        # A clock that was set back makes nothing wait: neither what is fresh, nor what was begun "later".
        is_due = (outbox.c.attempts == 0) | (outbox.c.not_before <= now) | (outbox.c.started_at > now)
        due = pending.where(is_due, ~too_late, outbox.c.action.not_in(full)).limit(limit)
        with reading(self._engine) as connection:  # an idle box polls: that must not take the write lock
            idle = all(connection.execute(wanted.limit(1)).first() is None for wanted in (late, due))
        if idle:
            return []
        with self._writing() as connection:
            self._lock_head(connection)
            for found in connection.execute(late).mappings().all():
                self._end(connection, _row(found), OutboxState.EXPIRED, "its deadline passed", now)
            claimed = _fitting(connection.execute(due).mappings(), room, sparing=sparing)
            connection.execute(
                update(outbox)
                .where(outbox.c.id.in_(claimed))
                .values(
                    state=OutboxState.RUNNING.value,
                    attempts=outbox.c.attempts + 1,
                    started_at=now,
                    finished_at=None,
                )
            )
            return self._rows(connection, claimed)

    def finish(
        self,
        row: OutboxRow | int,
        state: str,
        *,
        error: str | None = None,
        not_before: datetime | None = None,
    ) -> None:
        """Say what became of a claimed row.

        Args:
            row: The row or its id; running.
            state: An `OutboxState`, or its text: `DELIVERED`; `PENDING` to try again (at least once
                only); `DEAD`, `EXPIRED` or `UNKNOWN`, which also go to the log.
            error: Why not, in words without names or secrets; cut at 500 characters.
            not_before: For `PENDING`: when to try again; None: at once.

        Raises:
            StoreError: The row is not running: finished already, or taken over by `recover`.
            ValueError: `RUNNING`, no such state, or repeating what is promised at most once.
        """
        now, end = self._clock.wall(), OutboxState(state)
        with self._writing() as connection:
            self._lock_head(connection)
            found = self._rows(connection, [row if isinstance(row, int) else row.id])
            if not found or found[0].state is not OutboxState.RUNNING:
                raise StoreError("that action is not running: it was finished, or sorted out after a restart")
            if end is OutboxState.RUNNING:
                raise ValueError("an action does not end by running")
            if end is OutboxState.PENDING:
                if found[0].delivery is Delivery.AT_MOST_ONCE:
                    raise ValueError(
                        f"action {found[0].action} is done at most once and cannot be tried again"
                    )
                self._put_back(connection, found[0], error, not_before or now)
            else:
                self._end(connection, found[0], end, error, now)

    def release(self, rows: Sequence[int], error: str) -> None:
        """Put back claimed rows that were never begun, all in one transaction.

        At least once is pending again, as if it had not been claimed; at most once is never put back, not
        even unbegun, and is expired. What is not running any more is left as it is.

        Args:
            rows: Their ids.
            error: Why they were not begun, in words without names or secrets.
        """
        now = self._clock.wall()
        with self._writing() as connection:
            self._lock_head(connection)
            running = [row for row in self._rows(connection, rows) if row.state is OutboxState.RUNNING]
            once = [row for row in running if row.delivery is Delivery.AT_MOST_ONCE]
            for row in once:
                self._end(connection, row, OutboxState.EXPIRED, error, now)
            again = {row.id for row in running} - {row.id for row in once}
            connection.execute(
                update(outbox)
                .where(outbox.c.id.in_(again))
                .values(state=OutboxState.PENDING.value, attempts=outbox.c.attempts - 1)
            )

    def recover(self, now: datetime) -> list[OutboxRow]:
        """Sort out what was running when the last dispatch ended; call once, before claiming.

        An action does one row at a time, the oldest first, and none before the outcome of the last was
        kept. So of what is promised at least once and was claimed, only each action's oldest row can have
        been begun; the others were not, and it is not counted against them.

        Returns:
            Those rows as they are now: unknown (at most once) or pending (at least once).
        """
        with self._writing() as connection:
            self._lock_head(connection)
            wanted = _joined(self._device).where(outbox.c.state == OutboxState.RUNNING.value)
            running = [_row(found) for found in connection.execute(wanted.order_by(outbox.c.id)).mappings()]
            begun: set[str] = set()
            for row in running:
                if row.delivery is Delivery.AT_MOST_ONCE:
                    self._end(connection, row, OutboxState.UNKNOWN, "interrupted by a restart", now)
                elif row.action in begun:
                    self._put_back(connection, row, row.last_error, now, attempts=row.attempts - 1)
                else:
                    begun.add(row.action)
                    self._put_back(connection, row, "interrupted by a restart", now)
            return self._rows(connection, [row.id for row in running])

    def retry_dead(self, row: int) -> OutboxRow:
        """Try a dead letter again, with all its attempts and its whole time ahead of it.

        Raises:
            UnknownDeliveryError: No such dead letter, or one that is promised at most once.
        """
        now = self._clock.wall()
        with self._writing() as connection:
            self._lock_head(connection)
            found = self._rows(connection, [row])
            if not found or found[0].state is not OutboxState.DEAD:
                raise UnknownDeliveryError(
                    f"number {row} is not a dead letter", hint="see the list of dead letters"
                )
            if found[0].delivery is Delivery.AT_MOST_ONCE:
                raise UnknownDeliveryError(f"number {row} is promised at most once and is never repeated")
            window = connection.execute(select(outbox.c.window_s).where(outbox.c.id == row)).scalar_one()
            connection.execute(
                update(outbox)
                .where(outbox.c.id == row)
                .values(
                    state=OutboxState.PENDING.value,
                    attempts=0,
                    not_before=now,
                    deadline=now + timedelta(seconds=window),
                    finished_at=None,
                )
            )
            return self._rows(connection, [row])[0]

    def outbox(
        self,
        *,
        states: Sequence[OutboxState] = (),
        event: str | None = None,
        before: int | None = None,
        limit: int = 1000,
    ) -> list[OutboxRow]:
        """This device's rows, newest first.

        Args:
            states: Only these; empty: all.
            event: Only those of this event's id.
            before: Only those with a smaller number.
            limit: At most so many.
        """
        wanted = _joined(self._device)
        if states:
            wanted = wanted.where(outbox.c.state.in_([state.value for state in states]))
        if event is not None:
            wanted = wanted.where(outbox.c.event == event)
        if before is not None:
            wanted = wanted.where(outbox.c.id < before)
        with reading(self._engine) as connection:
            found = connection.execute(wanted.order_by(outbox.c.id.desc()).limit(limit)).mappings()
            return [_row(one) for one in found]

    def outbox_counts(self) -> dict[OutboxState, int]:
        """How many of this device's rows are in each state; one without any is left out."""
        wanted = (
            select(outbox.c.state, func.count())
            .where(outbox.c.device == self._device)
            .group_by(outbox.c.state)
        )
        with reading(self._engine) as connection:
            return {OutboxState(state): int(many) for state, many in connection.execute(wanted)}

    def next_due(self) -> datetime | None:
        """When the next pending row may be tried; None: nothing is pending."""
        with reading(self._engine) as connection:
            return connection.execute(
                select(outbox.c.not_before)
                .where(outbox.c.device == self._device, outbox.c.state == OutboxState.PENDING.value)
                .order_by(outbox.c.not_before)
                .limit(1)
            ).scalar()

    def _rows(self, connection: Connection, ids: Sequence[int]) -> list[OutboxRow]:
        wanted = _joined(self._device).where(outbox.c.id.in_(ids)).order_by(outbox.c.id)
        return [_row(found) for found in connection.execute(wanted).mappings()]

    def _put_back(
        self,
        connection: Connection,
        row: OutboxRow,
        error: str | None,
        not_before: datetime,
        *,
        attempts: int | None = None,
    ) -> None:
        connection.execute(
            update(outbox)
            .where(outbox.c.id == row.id)
            .values(
                state=OutboxState.PENDING.value,
                not_before=not_before,
                last_error=_cut(error),
                attempts=row.attempts if attempts is None else attempts,
            )
        )

    def _end(
        self, connection: Connection, row: OutboxRow, state: OutboxState, error: str | None, now: datetime
    ) -> None:
        connection.execute(
            update(outbox)
            .where(outbox.c.id == row.id)
            .values(
                state=state.value,
                finished_at=now,
                last_error=_cut(error) if error else outbox.c.last_error,
            )
        )
        outcome = _OUTCOMES.get(state)
        if outcome is not None:
            said = ActionOutcome(
                type=outcome, action=row.action, event=row.event.id, reason=_cut(error) or ""
            )
            # The end of an action about another action's end triggers nothing: it would never stop.
            triggers = row.event.type not in _OUTCOMES.values()
            self._append(connection, [NewEvent(said, at=now)], triggers=triggers)


def _joined(device: str) -> Any:
    return (
        select(*_COLUMNS, *events.c)
        .join_from(outbox, events, events.c.id == outbox.c.event)
        .where(outbox.c.device == device)
    )


def _row(found: Mapping[Any, Any]) -> OutboxRow:
    return OutboxRow(
        id=found["outbox_id"],
        event=parsed(found),
        action=found["outbox_action"],
        delivery=Delivery(found["outbox_delivery"]),
        state=OutboxState(found["outbox_state"]),
        attempts=found["outbox_attempts"],
        not_before=found["outbox_not_before"],
        deadline=found["outbox_deadline"],
        started_at=found["outbox_started_at"],
        finished_at=found["outbox_finished_at"],
        last_error=found["outbox_last_error"],
        idempotency_key=found["outbox_idempotency_key"],
        rule=found["outbox_rule"],
        parameters=json.loads(found["outbox_parameters"] or "{}"),
    )


def _fitting(due: Iterable[Mapping[Any, Any]], room: Mapping[str, int], *, sparing: bool) -> list[int]:
    """The ids of those that there is room for; sparing: of an action none behind one at most once."""
    left, ids = dict(room), []
    for found in due:
        action = found["outbox_action"]
        many = left.get(action)
        if many == 0:
            continue
        ids.append(found["outbox_id"])
        if sparing and found["outbox_delivery"] == Delivery.AT_MOST_ONCE.value:
            left[action] = 0
        elif many is not None:
            left[action] = many - 1
    return ids


def _cut(error: str | None) -> str | None:
    return None if error is None else error[:_ERROR_CHARS]
