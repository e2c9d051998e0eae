"""Retention: the oldest events go by whole segments, and counts by their day.

The signed checkpoint at a segment's end vouches for what was before it, so that the chain verifies without,
and an event that is signed for itself says, in the transaction that drops them, that they were dropped:
whatever else is missing was cut. Checkpoints themselves stay, and so does the newest segment. What goes when
is for the caller to say; nothing here looks at a clock.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import takewhile
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, delete, exists, func, select, text

from appliance.events import LogPruned
from appliance.store.catalogue_rows import catalogue_bytes
from appliance.store.chain import SEGMENT
from appliance.store.database import reading
from appliance.store.log import EventLog
from appliance.store.moment_rows import moments_bytes
from appliance.store.records import NewEvent, OutboxState
from appliance.store.tables import checkpoints, coffees, counted, counters, events, outbox

AT_ONCE = 8
"""Segments that one call drops at most: 2,048 events, so that nobody waits long for the lock."""
_UNDER_WAY = (OutboxState.PENDING.value, OutboxState.RUNNING.value)


@dataclass(frozen=True, slots=True)
class OldSegment:
    """Events that are due to go, all of them together.

    Attributes:
        first: Position of the oldest.
        last: Position of the newest, which a checkpoint was signed for.
        oldest_at: When the earliest of them happened, aware UTC.
        newest_at: When the latest did.
        reason: Why they go.
        held: Why they stay nevertheless, and everything after them: `action` (one of theirs is not done
            yet) or `capture` (they log a capture that is still in the spool); None: they go.
    """

    first: int
    last: int
    oldest_at: datetime
    newest_at: datetime
    reason: Literal["age", "size"]
    held: Literal["action", "capture"] | None = None

    @property
    def events(self) -> int:
        """How many."""
        return self.last - self.first + 1


class Pruning(EventLog):
    """Dropping what is old."""

    def old_segments(
        self,
        *,
        before: datetime | None,
        max_bytes: int | None,
        captures: Collection[str] = (),
        limit: int | None = None,
    ) -> list[OldSegment]:
        """The segments of this device's log that are due, oldest first; nothing is changed.

        Args:
            before: Those whose newest event is older, aware; None: none by age.
            max_bytes: As many as bring the database below, by the share of it that an event has; None: none.
                What moments take of it does not count.
            captures: Ids of the captures in the spool: their events stay.
            limit: At most so many; None: all.
        """
        with reading(self._engine) as connection:
            return self._old(connection, before, max_bytes, captures, limit)

    def prune_events(
        self, *, before: datetime | None, max_bytes: int | None, captures: Collection[str] = ()
    ) -> list[OldSegment]:
        """Drop `AT_ONCE` of these at most, and log that; see `old_segments`. Returns what went.

        With them go what the outbox says of their actions, and what of their encounters is kept for a
        correction of the counts: the counts themselves stand.
        """
        with self._writing() as connection:
            self._lock_head(connection)
            found = self._old(connection, before, max_bytes, captures, AT_ONCE)
            return self._let_go(connection, [each for each in found if each.held is None])

    def drop_segments(self, due: Sequence[OldSegment], *, captures: Collection[str] = ()) -> list[OldSegment]:
        """Drop these, as `old_segments` listed them, `AT_ONCE` at a time, and log that. Returns what went.

        Nothing is estimated anew: how large an event is changes with every one that goes. One that is held by
        now stays, with everything after it, and one that somebody else dropped meanwhile is passed over.
        """
        went: list[OldSegment] = []
        wanted = [each for each in due if each.held is None]
        while wanted:
            with self._writing() as connection:
                self._lock_head(connection)
                oldest = connection.execute(
                    select(func.min(events.c.position)).where(events.c.device == self._device)
                ).scalar_one()
                wanted = [each for each in wanted if each.first >= oldest]
                free = takewhile(partial(self._is_free, connection, captures), wanted[:AT_ONCE])
                gone = self._let_go(connection, list(free))
            went += gone
            wanted = wanted[len(gone) :] if len(gone) == AT_ONCE else []
        return went

    def _is_free(self, connection: Connection, captures: Collection[str], each: OldSegment) -> bool:
        return self._held(connection, each.first, each.last, captures) is None

    def _let_go(self, connection: Connection, gone: list[OldSegment]) -> list[OldSegment]:
        """Drop these, which follow one another from the oldest event on, and say so in the log."""
        if gone:
            self._drop(connection, gone[0].first, gone[-1].last)
            many = sum(each.events for each in gone)
            self._append(
                connection,
                [NewEvent(LogPruned(up_to=gone[-1].last, events=many, reason=gone[0].reason))],
            )
        return gone

    def old_counts(self, before: date) -> int:
        """How many counts (one per person and day) are of days before this one."""
        with reading(self._engine) as connection:
            wanted = select(func.count()).where(*self._counted_before(counters, before))
            return int(connection.execute(wanted).scalar_one())

    def prune_counts(self, before: date) -> int:
        """Drop them, and what of those days is kept for a correction; returns how many counts went."""
        with self._writing() as connection:
            many = connection.execute(delete(counters).where(*self._counted_before(counters, before)))
            for table in (counted, coffees):
                connection.execute(delete(table).where(*self._counted_before(table, before)))
        return many.rowcount

    def database_bytes(self) -> int:
        """How large the database is, without the room in it that is free."""
        with reading(self._engine) as connection:
            return _size(connection)

    def _counted_before(self, table: Any, before: date) -> list[ColumnElement[bool]]:
        return [table.c.device == self._device, table.c.day < before.isoformat()]

    def _old(
        self,
        connection: Connection,
        before: datetime | None,
        max_bytes: int | None,
        captures: Collection[str],
        limit: int | None,
    ) -> list[OldSegment]:
        own = events.c.device == self._device
        ends = select(func.min(events.c.position), func.max(events.c.position)).where(own)
        first, last = connection.execute(ends).one()
        if first is None:
            return []
        spare = 0
        if max_bytes is not None and (size := _size(connection) - _others(connection)) > max_bytes:
            many = connection.execute(select(func.count()).where(own)).scalar_one()
            spare = -(-(size - max_bytes) * many // size)
        found: list[OldSegment] = []
        # The newest segment stays, whatever its age: somebody may want to see that there is a log.
        while first + SEGMENT <= last and (limit is None or len(found) < limit):
            end = -(-first // SEGMENT) * SEGMENT
            if end >= last or not self._vouched_for(connection, end):
                break
            segment = self._segment(connection, first, end, before, spare=spare > 0, captures=captures)
            if segment is None:
                break
            found.append(segment)
            if segment.held is not None:
                break
            spare -= segment.events
            first = end + 1
        return found

    def _segment(
        self,
        connection: Connection,
        first: int,
        end: int,
        before: datetime | None,
        *,
        spare: bool,
        captures: Collection[str],
    ) -> OldSegment | None:
        within = (events.c.device == self._device, events.c.position.between(first, end))
        oldest, newest = connection.execute(
            select(func.min(events.c.at), func.max(events.c.at)).where(*within)
        ).one()
        aged = before is not None and newest < before
        if not aged and not spare:
            return None
        held = self._held(connection, first, end, captures)
        return OldSegment(first, end, oldest, newest, "age" if aged else "size", held)

    def _held(
        self, connection: Connection, first: int, last: int, captures: Collection[str]
    ) -> Literal["action", "capture"] | None:
        """Why these have to stay; None: they do not."""
        within = (events.c.device == self._device, events.c.position.between(first, last))
        under_way = (
            select(outbox.c.id)
            .join_from(outbox, events, events.c.id == outbox.c.event)
            .where(*within, outbox.c.state.in_(_UNDER_WAY))
        )
        if connection.execute(under_way.limit(1)).first() is not None:
            return "action"
        return "capture" if self._logged(connection, within) & set(captures) else None

    def _logged(self, connection: Connection, within: tuple[Any, ...]) -> set[str]:
        """The captures that these events log."""
        wanted = select(events.c.body).where(
            *within, events.c.type == "stranger_captured", events.c.body.is_not(None)
        )
        return {str(json.loads(body).get("capture")) for body in connection.execute(wanted).scalars()}

    def _vouched_for(self, connection: Connection, position: int) -> bool:
        wanted = select(checkpoints.c.position).where(
            checkpoints.c.device == self._device, checkpoints.c.position == position
        )
        return connection.execute(wanted).first() is not None

    def _drop(self, connection: Connection, first: int, last: int) -> None:
        within = (events.c.device == self._device, events.c.position.between(first, last))
        connection.execute(delete(outbox).where(outbox.c.event.in_(select(events.c.id).where(*within))))
        # What is said of an encounter later moves its counts, as long as one of its events is there.
        goes_on = exists().where(
            events.c.device == counted.c.device,
            events.c.encounter == counted.c.encounter,
            events.c.position > last,
        )
        ended = select(events.c.encounter).where(*within, events.c.encounter.is_not(None)).distinct()
        connection.execute(
            delete(counted).where(counted.c.device == self._device, counted.c.encounter.in_(ended), ~goes_on)
        )
        connection.execute(delete(events).where(*within))


def _others(connection: Connection) -> int:
    """About how much of it is none of the log, and is not held to the log's size."""
    return moments_bytes(connection) + catalogue_bytes(connection)


def _size(connection: Connection) -> int:
    if connection.dialect.name == "sqlite":
        pages, free, each = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * each)
    # Not of the files: those shrink when the server likes, and events would go again and again until then.
    of_rows = text("SELECT coalesce(sum(pg_column_size(events)), 0) FROM events")
    return int(connection.execute(of_rows).scalar_one())
