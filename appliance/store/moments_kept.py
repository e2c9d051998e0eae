"""Moments written: what frames showed, and what the log says, each event once; what is old goes.

The log is followed with a cursor that moves in the transaction that writes the documents, so that a crash, or
two processes at once, leave each event in the index exactly once. Searching is `moments_found`. Nothing here
looks at a clock but to say when a cursor moved.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    and_,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql

from appliance.store.database import reading, writing
from appliance.store.log import parsed
from appliance.store.moment_events import FOLLOWED
from appliance.store.moment_following import MomentFollowing, own_places
from appliance.store.moment_records import Cursor, Seen
from appliance.store.moment_rows import SPANS, WHOLE, Document, MomentRows, millis, time_of
from appliance.store.moment_tables import (
    SEEN,
    moment_clips,
    moment_counts,
    moment_cursors,
    moment_labels,
    moment_marks,
    moment_places,
    moments,
)
from appliance.store.opened import Opened
from appliance.store.tables import devices, events

LOG: Final = "log"
"""The cursor that follows the log; it counts documents."""
KEPT: Final = "kept"
"""The cursor from which on moments are kept, milliseconds since the epoch; it counts those that went."""
AT_ONCE: Final = 1000
"""Documents that one transaction writes or deletes at most, so that nobody waits long for the lock."""
_HOUR_MS: Final = 3_600_000


class MomentsKept(Opened):
    """This device's moments, to be written."""

    def note_seen(self, seen: Sequence[Seen]) -> int:
        """Keep what frames showed, durable when this returns; how many documents that made.

        What is older than what is kept makes none, and neither does a frame without a label that is kept.

        Raises:
            StoreError: Nothing was written.
        """
        with writing(self._engine) as connection:
            self._lock_cursor(connection, KEPT)
            since = self._cursor_at(connection, KEPT)
            return MomentRows(connection, self._device).put(
                [
                    Document(each.camera, at, SEEN, each.labels, {"source": each.source or None})
                    for each in seen
                    if each.labels and (at := millis(each.at)) >= since
                ]
            )

    def follow_log(self, limit: int = AT_ONCE) -> int:
        """Write what the log says and was not written yet; how many events were read, 0: there is no more.

        Args:
            limit: Events that are read at most.

        Raises:
            StoreError: Nothing was written.
        """
        with reading(self._engine) as connection:
            if self._cursor_at(connection, LOG) == self._log_end(connection):
                return 0
        with writing(self._engine) as connection:
            self._lock_cursor(connection, KEPT)
            self._lock_cursor(connection, LOG)
            after, end = self._cursor_at(connection, LOG), self._log_end(connection)
            # A log that was set back (another database in its place) is read from its beginning.
            after = 0 if after > end else after
            wanted = (
                select(events)
                .where(
                    events.c.device == self._device,
                    events.c.position > after,
                    events.c.position <= end,
                    events.c.type.in_(FOLLOWED),
                )
                .order_by(events.c.position)
                .limit(limit)
            )
            found = [parsed(row) for row in connection.execute(wanted).mappings()]
            written = MomentFollowing(connection, self._device, self._cursor_at(connection, KEPT)).write(
                found
            )
            to = found[-1].position if len(found) == limit else end
            self._put_cursor(connection, LOG, to, more=written)
            return max(len(found), 1)

    def forget_log_moments(self) -> int:
        """Delete some of what came of the log; once all is gone, the log is followed from its beginning.

        Returns:
            How many went; 0: there are none any more.

        Raises:
            StoreError: Of this call nothing was changed.
        """
        with writing(self._engine) as connection:
            self._lock_cursor(connection, LOG)
            own = own_places(self._device)
            wanted = select(moments).where(moments.c.kind != SEEN, moments.c.place.in_(own)).limit(AT_ONCE)
            rows = connection.execute(wanted).mappings().all()
            MomentRows(connection, self._device).take_away(rows)
            if not rows:
                connection.execute(delete(moment_clips).where(moment_clips.c.place.in_(own)))
                self._put_cursor(connection, LOG, 0, many=0)
            return len(rows)

    def count_moments_again(self, hour: datetime) -> datetime | None:
        """Count the marks of the first hour from this one on that has any, in place of what was counted.

        Args:
            hour: The beginning of an hour, aware.

        Returns:
            The hour after it; None: there was none, and what was counted from `hour` on was of nothing.

        Raises:
            StoreError: Of this call nothing was changed.
        """
        with writing(self._engine) as connection:
            places = [each.id for each in connection.execute(own_places(self._device))]
            ends = [
                select(func.min(moment_marks.c.at)).where(
                    moment_marks.c.label == MomentRows(connection, self._device).label(WHOLE),
                    moment_marks.c.place == place,
                    moment_marks.c.at >= millis(hour),
                )
                for place in places
            ]
            firsts = [at for at in (connection.execute(each).scalar() for each in ends) if at is not None]
            own = and_(_every_count(), moment_counts.c.place.in_(places))
            begin = millis(hour) // 1000
            if not firsts:
                connection.execute(delete(moment_counts).where(own, moment_counts.c.start >= begin))
                return None
            end = (min(firsts) // _HOUR_MS + 1) * _HOUR_MS
            connection.execute(
                delete(moment_counts).where(
                    own, moment_counts.c.start >= begin, moment_counts.c.start < end // 1000
                )
            )
            for span in (*SPANS, *(-each for each in SPANS)):
                start = moment_marks.c.at // _number(abs(span) * 1000) * _number(abs(span))
                # Of every score: the best one a score can have is a hundred hundredths.
                percent = moment_marks.c.score // _number(100 if span > 0 else 1_000_000)
                of = (moment_marks.c.place, moment_marks.c.label)
                counted = (
                    select(_number(span), start, *of, percent, func.count())
                    .where(
                        moment_marks.c.label.in_(select(moment_labels.c.id)),
                        moment_marks.c.place.in_(places),
                        moment_marks.c.at >= end - _HOUR_MS,
                        moment_marks.c.at < end,
                    )
                    .group_by(start, *of, percent)
                )
                names = ["span", "start", "place", "label", "percent", "many"]
                connection.execute(insert(moment_counts).from_select(names, counted))
            return time_of(end)

    def drop_moments(self, *, before: datetime | None, most: int | None) -> int:
        """Delete what is too old, or too much, `AT_ONCE` at a time, by whole hours; how many went.

        Nothing of what goes is found any more from the first call on.

        Args:
            before: Those that are older, aware; None: none by age.
            most: As many as there may be; the oldest beyond go; None: any number.

        Returns:
            How many went; less than `AT_ONCE`: no more are due.

        Raises:
            StoreError: Of this call nothing was changed.
        """
        with writing(self._engine) as connection:
            self._lock_cursor(connection, KEPT)
            kept = self._cursor_at(connection, KEPT)
            due = 0 if before is None else millis(before) // _HOUR_MS * _HOUR_MS
            due = max(due, self._hours_beyond(connection, most))
            places = [each.id for each in connection.execute(own_places(self._device))]
            if due > kept:
                connection.execute(
                    delete(moment_counts).where(
                        _every_count(),
                        moment_counts.c.place.in_(places),
                        moment_counts.c.start < due // 1000,
                    )
                )
                kept = due
            gone = self._take_oldest_moments(connection, places, kept)
            self._put_cursor(connection, KEPT, kept, more=gone)
            return gone

    def cursors(self) -> list[Cursor]:
        """How far everything that follows the moments is, by name."""
        wanted = select(moment_cursors).where(moment_cursors.c.device == self._device)
        with reading(self._engine) as connection:
            rows = connection.execute(wanted.order_by(moment_cursors.c.name)).mappings().all()
        return [
            Cursor(row["name"], row["position"], row["many"], row["trouble"], row["changed_at"])
            for row in rows
        ]

    def cursor_position(self, name: str) -> int:
        """How far something is; 0: it has not begun."""
        with reading(self._engine) as connection:
            return self._cursor_at(connection, name)

    def move_cursor(self, name: str, position: int, *, more: int = 0, trouble: str | None = None) -> None:
        """Note how far a sink is, that it took so many more, and what is in its way.

        Raises:
            StoreError: It could not be written; what was noted before stands.
        """
        with writing(self._engine) as connection:
            self._lock_cursor(connection, name)
            self._put_cursor(connection, name, position, more=more, trouble=trouble)

    # ------------------------------------------------------------ in a transaction

    def _take_oldest_moments(self, connection: Connection, places: Sequence[int], before_ms: int) -> int:
        rows = MomentRows(connection, self._device)
        whole = rows.label(WHOLE)
        numbers: list[int] = []
        for place in places:
            wanted = (
                select(moment_marks.c.moment)
                .where(
                    moment_marks.c.label == whole,
                    moment_marks.c.place == place,
                    moment_marks.c.at < before_ms,
                )
                .order_by(moment_marks.c.at, moment_marks.c.moment)
                .limit(AT_ONCE - len(numbers))
            )
            numbers += connection.execute(wanted).scalars()
        found: list[Any] = []
        for first in range(0, len(numbers), 500):
            part = moments.c.id.in_(numbers[first : first + 500])
            found += connection.execute(select(moments).where(part)).mappings()
        return rows.take_away(found, counted=False)

    def _hours_beyond(self, connection: Connection, most: int | None) -> int:
        """The beginning of the oldest hour that may stay, so that there are no more than so many; in ms."""
        if most is None:
            return 0
        hours = (
            select(moment_counts.c.start, func.sum(moment_counts.c.many).label("many"))
            .join(moment_labels, moment_labels.c.id == moment_counts.c.label)
            .where(
                moment_counts.c.span == -max(SPANS),
                moment_counts.c.place.in_(own_places(self._device)),
                moment_labels.c.label == WHOLE,
            )
            .group_by(moment_counts.c.start)
            .order_by(moment_counts.c.start.desc())
        )
        total = 0
        for hour in connection.execute(hours):
            total += int(hour.many)
            if total > most:
                return (int(hour.start) + max(SPANS)) * 1000
        return 0

    def _log_end(self, connection: Connection) -> int:
        wanted = select(devices.c.position).where(devices.c.id == self._device)
        return int(connection.execute(wanted).scalar() or 0)

    def _cursor_at(self, connection: Connection, name: str) -> int:
        wanted = select(moment_cursors.c.position).where(*self._of_cursor(name))
        return int(connection.execute(wanted).scalar() or 0)

    def _of_cursor(self, name: str) -> tuple[Any, Any]:
        return moment_cursors.c.device == self._device, moment_cursors.c.name == name

    def _lock_cursor(self, connection: Connection, name: str) -> None:
        """Let nobody else move this cursor until the end of the transaction.

        Whoever writes moments locks `KEPT`: so they become visible in the order of their numbers, by which
        sinks follow them.
        """
        wanted = select(moment_cursors.c.position).where(*self._of_cursor(name)).with_for_update()
        if connection.execute(wanted).first() is not None:
            return
        fresh = {
            "device": self._device,
            "name": name,
            "position": 0,
            "many": 0,
            "changed_at": self._clock.wall(),
        }
        if connection.dialect.name == "postgresql":
            connection.execute(postgresql.insert(moment_cursors).values(fresh).on_conflict_do_nothing())
            connection.execute(wanted)
        else:
            connection.execute(insert(moment_cursors).values(fresh))

    def _put_cursor(
        self,
        connection: Connection,
        name: str,
        position: int,
        *,
        more: int = 0,
        many: int | None = None,
        trouble: str | None = None,
    ) -> None:
        connection.execute(
            update(moment_cursors)
            .where(*self._of_cursor(name))
            .values(
                position=position,
                many=moment_cursors.c.many + more if many is None else many,
                trouble=trouble,
                changed_at=self._clock.wall(),
            )
        )


def forget_moments(connection: Connection, subject: str) -> None:
    """Somebody is removed: the documents of their stays go, of every device.

    Args:
        connection: In the transaction that removes them.
        subject: Opaque id.
    """
    wanted = (
        select(moments, moment_places.c.device)
        .join(moment_places, moment_places.c.id == moments.c.place)
        .where(moments.c.subject == subject)
    )
    by_device: dict[str, list[Any]] = {}
    for row in connection.execute(wanted).mappings():
        by_device.setdefault(row["device"], []).append(row)
    for device, rows in by_device.items():
        MomentRows(connection, device).take_away(rows)


def take_over_moments(connection: Connection, other: str, keep: str) -> None:
    """Two were one person: the other's stays are those of who is kept."""
    connection.execute(update(moments).where(moments.c.subject == other).values(subject=keep))


def _every_count() -> ColumnElement[bool]:
    """Spans and labels, all of them: so that counts are looked up by when they begin."""
    spans = (*SPANS, *(-each for each in SPANS))
    return and_(moment_counts.c.span.in_(spans), moment_counts.c.label.in_(select(moment_labels.c.id)))


def _number(value: int) -> Any:
    """A number that stands in the statement itself: PostgreSQL groups by no expression with a parameter."""
    return literal_column(str(value), Integer)
