"""One question about moments, in a transaction: where what is wanted stands, and how much there is of it.

What is asked by time, label, score and camera is counted from sums per quarter of an hour, exactly, whatever
the number of moments; what only the log knows (doors, verdicts, people) is counted from its few rows. Of what
it finds `moments_found` makes a `Moment`.
"""

import heapq
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from appliance.store.moment_records import By, MomentsWanted
from appliance.store.moment_rows import SPANS, WHOLE, millis
from appliance.store.moment_tables import (
    SEEN,
    moment_counts,
    moment_cursors,
    moment_labels,
    moment_marks,
    moment_places,
    moments,
)
from appliance.store.moments_kept import KEPT

_QUARTER, _HOUR = SPANS
_CHUNK: Final = 64
"""Marks that are read at once of one label and camera."""
FOR_EVER_MS: Final = 1 << 50


class MomentPlace(NamedTuple):
    """Where a moment stands among all: by time, then in the order in which they were written."""

    at_ms: int
    number: int


class MomentQuestion:
    """One question, in a transaction.

    Attributes:
        cameras: The device's cameras, by number.
    """

    def __init__(self, connection: Connection, device: str, wanted: MomentsWanted) -> None:
        self._connection = connection
        self._wanted = wanted
        self.cameras = cameras_of(connection, device)
        self._places = [
            number
            for number, camera in self.cameras.items()
            if not wanted.cameras or camera in wanted.cameras
        ]
        names = wanted.labels or (WHOLE,)
        known = select(moment_labels.c.id).where(moment_labels.c.label.in_(names))
        self._labels = list(connection.execute(known).scalars())
        kept = select(moment_cursors.c.position).where(
            moment_cursors.c.device == device, moment_cursors.c.name == KEPT
        )
        self._kept = int(connection.execute(kept).scalar() or 0)

    # ------------------------------------------------------------ pages

    def newest(self, before: MomentPlace | None) -> Iterator[MomentPlace]:
        """The places of what is wanted, the newest first, read as far as somebody asks."""
        since, until = self._times()
        if before is not None:
            until = min(until, before.at_ms + 1)
        if not self._places or not self._labels or since >= until:
            return
        if self._wanted.of_the_log:
            yield from self._of_the_log(since, until, before)
            return
        last: MomentPlace | None = None
        for begin, end in self._windows(since, until):
            sources = [
                self._marks(label, place, begin, end, before)
                for label in self._labels
                for place in self._places
            ]
            for found in heapq.merge(*sources, reverse=True):
                if found != last:  # with two of the labels it comes twice, one after the other
                    yield found
                last = found

    def _times(self) -> tuple[int, int]:
        since = self._kept if self._wanted.since is None else millis(self._wanted.since)
        until = FOR_EVER_MS if self._wanted.until is None else millis(self._wanted.until)
        return max(since, self._kept), until

    def _windows(self, since: int, until: int) -> Iterator[tuple[int, int]]:
        """Spans of time, the newest first, outside of which there is nothing: found in the counts."""
        if self._wanted.min_percent <= 0:
            yield since, until
            return
        for hour in self._starts(_HOUR, since, until):
            for quarter in self._starts(_QUARTER, max(since, hour), min(until, hour + _HOUR * 1000)):
                yield max(since, quarter), min(until, quarter + _QUARTER * 1000)

    def _starts(self, span: int, since: int, until: int) -> list[int]:
        """Beginnings of the spans with something in it, in ms, the newest first."""
        wanted = (
            select(moment_counts.c.start)
            .where(
                *self._sums(span, since // 1000 // span * span, -(-until // 1000)), moment_counts.c.many > 0
            )
            .distinct()
            .order_by(moment_counts.c.start.desc())
        )
        return [start * 1000 for start in self._connection.execute(wanted).scalars()]

    def _marks(
        self, label: int, place: int, since: int, until: int, before: MomentPlace | None
    ) -> Iterator[MomentPlace]:
        """What one camera saw of one label, the newest first."""
        behind = before
        while True:
            conditions = [
                moment_marks.c.label == label,
                moment_marks.c.place == place,
                moment_marks.c.at >= since,
                moment_marks.c.at < until,
                moment_marks.c.score >= self._wanted.min_percent * 100,
            ]
            if behind is not None:
                conditions += [
                    moment_marks.c.at <= behind.at_ms,
                    _behind(moment_marks.c.at, moment_marks.c.moment, behind),
                ]
            wanted = (
                select(moment_marks.c.at, moment_marks.c.moment)
                .where(*conditions)
                .order_by(moment_marks.c.at.desc(), moment_marks.c.moment.desc())
                .limit(_CHUNK)
            )
            found = [MomentPlace(at, number) for at, number in self._connection.execute(wanted)]
            yield from found
            if len(found) < _CHUNK:
                return
            behind = found[-1]

    def _of_the_log(self, since: int, until: int, before: MomentPlace | None) -> Iterator[MomentPlace]:
        behind = before
        while True:
            conditions = [*self._rows(), moments.c.at >= since, moments.c.at < until]
            if behind is not None:
                conditions += [moments.c.at <= behind.at_ms, _behind(moments.c.at, moments.c.id, behind)]
            wanted = (
                select(moments.c.at, moments.c.id)
                .where(*conditions)
                .order_by(moments.c.at.desc(), moments.c.id.desc())
                .limit(_CHUNK)
            )
            found = [MomentPlace(at, number) for at, number in self._connection.execute(wanted)]
            yield from found
            if len(found) < _CHUNK:
                return
            behind = found[-1]

    # ------------------------------------------------------------ counts

    def counted(self, since_s: int, until_s: int, step: int, by: By | None) -> Iterator[tuple[int, str, int]]:
        """Beginning of a span, key, how many: for spans of `step` seconds from `since_s` on."""
        since = max(since_s, self._kept // 1000)
        if not self._places or not self._labels or since >= until_s:
            return
        if self._wanted.of_the_log or by in {"door", "verdict", "kind"}:
            wanted, keys = self._of_rows(since, until_s, step, since_s, by)
        elif step in SPANS and self._sums_serve(by):
            wanted, keys = self._of_sums(since, until_s, step, by)
        else:
            wanted, keys = self._of_marks(since, until_s, step, since_s, by)
        for start, *key, many in self._connection.execute(wanted):
            name = "" if not key else keys.get(key[0], "") if keys is not None else key[0] or ""
            yield int(start), name, int(many)

    def _sums_serve(self, by: By | None) -> bool:
        """Whether the sums tell it: of several labels together, a moment that has two counts once."""
        return by == "label" or len(self._labels) == 1

    def _of_sums(
        self, since: int, until: int, span: int, by: By | None
    ) -> tuple[Select[Any], Mapping[Any, str] | None]:
        key, keys = self._key(moment_counts.c.label, moment_counts.c.place, by)
        wanted = (
            select(moment_counts.c.start, *key, func.sum(moment_counts.c.many))
            .where(*self._sums(span, since // span * span, until))
            .group_by(moment_counts.c.start, *key)
        )
        return wanted, keys

    def _of_marks(
        self, since: int, until: int, step: int, origin: int, by: By | None
    ) -> tuple[Select[Any], Mapping[Any, str] | None]:
        key, keys = self._key(moment_marks.c.label, moment_marks.c.place, by)
        start = _start(moment_marks.c.at, step, origin)
        once = by == "label" or len(self._labels) == 1
        many = func.count() if once else func.count(moment_marks.c.moment.distinct())
        wanted = (
            select(start, *key, many)
            .where(
                moment_marks.c.label.in_(self._labels),
                moment_marks.c.place.in_(self._places),
                moment_marks.c.at >= since * 1000,
                moment_marks.c.at < until * 1000,
                moment_marks.c.score >= self._wanted.min_percent * 100,
            )
            .group_by(start, *key)
        )
        return wanted, keys

    def _of_rows(
        self, since: int, until: int, step: int, origin: int, by: By | None
    ) -> tuple[Select[Any], Mapping[Any, str] | None]:
        start = _start(moments.c.at, step, origin)
        conditions = [*self._rows(), moments.c.at >= since * 1000, moments.c.at < until * 1000]
        columns: dict[By | None, Any] = {
            "door": moments.c.door,
            "verdict": moments.c.verdict,
            "kind": moments.c.kind,
        }
        of: Any = moments
        if by in columns:
            key, keys = [columns[by]], None
        else:
            key, keys = self._key(moment_marks.c.label, moments.c.place, by)
        if by == "label":
            of = moments.join(moment_marks, and_(*self._marked()))
        wanted = select(start, *key, func.count()).select_from(of).where(*conditions)
        return wanted.group_by(start, *key), keys

    def _key(self, label: Any, place: Any, by: By | None) -> tuple[list[Any], Mapping[Any, str] | None]:
        if by == "camera":
            return [place], self.cameras
        if by == "label":
            named = select(moment_labels.c.id, moment_labels.c.label).where(
                moment_labels.c.id.in_(self._labels)
                if self._wanted.labels
                else moment_labels.c.label != WHOLE
            )
            names = {row.id: row.label for row in self._connection.execute(named)}
            self._labels = list(names)
            return [label], names
        return [], None

    # ------------------------------------------------------------ conditions

    def _sums(self, span: int, since: int, until: int) -> list[ColumnElement[bool]]:
        return [
            moment_counts.c.span == (span if self._wanted.min_percent > 0 else -span),
            moment_counts.c.start >= since,
            moment_counts.c.start < until,
            moment_counts.c.place.in_(self._places),
            moment_counts.c.label.in_(self._labels),
            moment_counts.c.percent >= self._wanted.min_percent,
        ]

    def _rows(self) -> list[ColumnElement[bool]]:
        """Of rows that came of the log."""
        wanted = self._wanted
        # The kind stands in the statement itself: SQLite takes no index of some rows for a parameter.
        of_the_log = moments.c.kind != literal_column(f"'{SEEN}'")
        conditions: list[ColumnElement[bool]] = [of_the_log, moments.c.place.in_(self._places)]
        for column, values in (
            (moments.c.door, wanted.doors),
            (moments.c.verdict, wanted.verdicts),
            (moments.c.kind, wanted.kinds),
        ):
            if values:
                conditions.append(column.in_(values))
        if wanted.subject is not None:
            conditions.append(moments.c.subject == wanted.subject)
        if wanted.labels or wanted.min_percent > 0:
            conditions.append(exists().where(*self._marked()))
        return conditions

    def _marked(self) -> list[ColumnElement[bool]]:
        """Which marks of a row of `moments` count."""
        return [
            moment_marks.c.label.in_(self._labels),
            moment_marks.c.place == moments.c.place,
            moment_marks.c.at == moments.c.at,
            moment_marks.c.moment == moments.c.id,
            moment_marks.c.score >= self._wanted.min_percent * 100,
        ]


def cameras_of(connection: Connection, device: str) -> dict[int, str]:
    """A device's cameras, by number."""
    wanted = select(moment_places.c.id, moment_places.c.camera).where(moment_places.c.device == device)
    return {row.id: row.camera for row in connection.execute(wanted)}


def _behind(at: Any, number: Any, place: MomentPlace) -> ColumnElement[bool]:
    return or_(at < place.at_ms, number < place.number)


def _start(at: Any, step: int, origin: int) -> Any:
    """The beginning of the span that a time is in, seconds."""
    width, second, begin = (literal_column(str(each), BigInteger) for each in (step * 1000, step, origin))
    # Numbers stand in the statement itself: PostgreSQL groups by no expression with a parameter.
    return (at - literal_column(str(origin * 1000), BigInteger)) // width * second + begin
