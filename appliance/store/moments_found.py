"""Moments found: pages, the newest first; how many there were per span of time; what there is to choose from.

What is asked by time, label, score and camera is counted from sums per quarter of an hour, exactly, whatever
the number of moments; what only the log knows (doors, verdicts, people) is counted from its few rows. Writes
nothing; who may ask for a person is for others.
"""

import heapq
import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby, islice, pairwise
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

from appliance.store.database import reading
from appliance.store.moment_records import Bar, By, LabelCount, Moment, MomentClip, MomentsWanted
from appliance.store.moment_rows import SPANS, WHOLE, millis, time_of
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
from appliance.store.moments_kept import KEPT
from appliance.store.opened import Opened

_QUARTER, _HOUR = SPANS
_SOME: Final = 500
"""Values of one list in a statement."""
_CHUNK: Final = 64
"""Marks that are read at once of one label and camera."""
_FOR_EVER_MS: Final = 1 << 50


class MomentPlace(NamedTuple):
    """Where a moment stands among all: by time, then in the order in which they were written."""

    at_ms: int
    number: int


class MomentsFound(Opened):
    """This device's moments, to be searched."""

    def moments_page(
        self, wanted: MomentsWanted, *, before: MomentPlace | None = None, limit: int = 50
    ) -> list[tuple[MomentPlace, Moment]]:
        """Moments, the newest first, each with its place, behind which the next page begins.

        Args:
            wanted: Which.
            before: Only those behind this one, that is older.
            limit: At most so many.
        """
        with reading(self._engine) as connection:
            asking = _Asking(connection, self._device, wanted)
            found = list(islice(asking.newest(before), limit))
            return list(zip(found, self._moments_at(connection, found, asking.cameras), strict=True))

    def moment_bars(
        self, wanted: MomentsWanted, edges: Sequence[datetime], by: By | None = None
    ) -> list[Bar]:
        """How many moments there were from each edge to the next; those without any are left out.

        By label a moment counts once for each of its labels that is asked for, all else once.

        Args:
            wanted: Which; the edges take the place of its times.
            edges: Aware, ascending, two at least; whole quarters of hours. Those closer together are as far
                apart from each other all, in whole seconds, and at most `MOST_FINE` of them.
            by: What they are told apart by.

        Raises:
            ValueError: The edges are others.
        """
        seconds = [millis(each) // 1000 for each in edges]
        with reading(self._engine) as connection:
            asking = _Asking(connection, self._device, wanted)
            step = _step(seconds, of_the_log=wanted.of_the_log or by in {"door", "verdict", "kind"})
            many: Counter[tuple[int, str]] = Counter()
            for start, key, count in asking.counted(seconds[0], seconds[-1], step, by):
                many[bisect_right(seconds, start) - 1, key] += count
        return [Bar(edges[at], key, count) for (at, key), count in sorted(many.items()) if count > 0]

    def label_counts(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> list[LabelCount]:
        """How often which label was seen by which camera, the most frequent first; to whole hours."""
        begin = -_FOR_EVER_MS if since is None else millis(since) // 1000 // _HOUR * _HOUR
        end = _FOR_EVER_MS if until is None else -(-millis(until) // 1000 // _HOUR) * _HOUR
        many = func.sum(moment_counts.c.many)
        wanted = (
            select(moment_labels.c.label, moment_places.c.camera, many, func.max(moment_counts.c.start))
            .join(moment_labels, moment_labels.c.id == moment_counts.c.label)
            .join(moment_places, moment_places.c.id == moment_counts.c.place)
            .where(
                moment_counts.c.span == -_HOUR,
                moment_counts.c.start >= begin,
                moment_counts.c.start < end,
                moment_places.c.device == self._device,
                moment_labels.c.label != WHOLE,
                moment_counts.c.many > 0,
            )
            .group_by(moment_labels.c.label, moment_places.c.camera)
            .order_by(many.desc(), moment_labels.c.label, moment_places.c.camera)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(wanted).all()
        return [LabelCount(label, camera, int(n), time_of(last * 1000)) for label, camera, n, last in rows]

    def moment_count(self) -> int:
        """How many moments there are."""
        wanted = (
            select(func.coalesce(func.sum(moment_counts.c.many), 0))
            .join(moment_labels, moment_labels.c.id == moment_counts.c.label)
            .join(moment_places, moment_places.c.id == moment_counts.c.place)
            .where(
                moment_counts.c.span == -_HOUR,
                moment_labels.c.label == WHOLE,
                moment_places.c.device == self._device,
            )
        )
        with reading(self._engine) as connection:
            return int(connection.execute(wanted).scalar_one())

    def moments_after(self, number: int, limit: int) -> list[Moment]:
        """Moments in the order in which they were written, behind a number: for whoever copies them."""
        wanted = (
            select(moments.c.id, moments.c.at)
            .join(moment_places, moment_places.c.id == moments.c.place)
            .where(moments.c.id > number, moment_places.c.device == self._device)
            .order_by(moments.c.id)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            found = [MomentPlace(row.at, row.id) for row in connection.execute(wanted)]
            return self._moments_at(connection, found, _cameras(connection, self._device))

    def newest_moment(self) -> int:
        """The number of the moment that was written last, of any device; 0: there is none."""
        with reading(self._engine) as connection:
            return int(connection.execute(select(func.max(moments.c.id))).scalar() or 0)

    def _moments_at(
        self, connection: Connection, places: Sequence[MomentPlace], cameras: Mapping[int, str]
    ) -> list[Moment]:
        rows: dict[int, Any] = {}
        for first in range(0, len(places), _SOME):
            numbers = [each.number for each in places[first : first + _SOME]]
            found = connection.execute(select(moments).where(moments.c.id.in_(numbers)))
            rows.update((row["id"], row) for row in found.mappings())
        clips = self._clips_of(connection, [rows[each.number] for each in places], cameras)
        return [self._made_moment(rows[each.number], cameras, clips) for each in places]

    def _clips_of(
        self, connection: Connection, rows: Sequence[Any], cameras: Mapping[int, str]
    ) -> dict[int, list[MomentClip]]:
        """The clips of the cameras and the time of these rows, by camera's number."""
        found: dict[int, list[MomentClip]] = {}
        for place, of in groupby(sorted(rows, key=lambda row: row["place"]), key=lambda row: row["place"]):
            times = [row["at"] for row in of]
            wanted = (
                select(moment_clips)
                .where(
                    moment_clips.c.place == place,
                    moment_clips.c.begin_ms <= max(times),
                    func.coalesce(moment_clips.c.end_ms, _FOR_EVER_MS) > min(times),
                )
                .order_by(moment_clips.c.begin_ms)
            )
            found[place] = [
                MomentClip(
                    row["clip"],
                    cameras[place],
                    time_of(row["begin_ms"]),
                    None if row["end_ms"] is None else time_of(row["end_ms"]),
                )
                for row in connection.execute(wanted).mappings()
            ]
        return found

    def _made_moment(
        self, row: Any, cameras: Mapping[int, str], clips: Mapping[int, Sequence[MomentClip]]
    ) -> Moment:
        at = time_of(row["at"])
        shown = (each for each in reversed(clips.get(row["place"], ())) if each.shows(at))
        return Moment(
            number=row["id"],
            id=row["about"] or f"{self._device}-{row['id']}",
            at=at,
            device=self._device,
            camera=cameras[row["place"]],
            kind=row["kind"],
            labels=json.loads(row["body"]),
            source=row["source"] or "",
            door=row["door"],
            verdict=row["verdict"],
            subject=row["subject"],
            event=row["event"],
            clip=next(shown, None),
        )


class _Asking:
    """One question, in a transaction.

    Attributes:
        cameras: The device's cameras, by number.
    """

    def __init__(self, connection: Connection, device: str, wanted: MomentsWanted) -> None:
        self._connection = connection
        self._wanted = wanted
        self.cameras = _cameras(connection, device)
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
        until = _FOR_EVER_MS if self._wanted.until is None else millis(self._wanted.until)
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


def _cameras(connection: Connection, device: str) -> dict[int, str]:
    wanted = select(moment_places.c.id, moment_places.c.camera).where(moment_places.c.device == device)
    return {row.id: row.camera for row in connection.execute(wanted)}


def _behind(at: Any, number: Any, place: MomentPlace) -> ColumnElement[bool]:
    return or_(at < place.at_ms, number < place.number)


def _start(at: Any, step: int, origin: int) -> Any:
    """The beginning of the span that a time is in, seconds."""
    width, second, begin = (literal_column(str(each), BigInteger) for each in (step * 1000, step, origin))
    # Numbers stand in the statement itself: PostgreSQL groups by no expression with a parameter.
    return (at - literal_column(str(origin * 1000), BigInteger)) // width * second + begin


MOST_FINE: Final = 400
"""Bars of less than a quarter of an hour: they are counted one by one."""


def _step(edges: Sequence[int], *, of_the_log: bool) -> int:
    """Seconds of the spans that are counted for these edges.

    Raises:
        ValueError: Nothing can be counted for them.
    """
    steps = {later - earlier for earlier, later in pairwise(edges)}
    if not steps or min(steps) <= 0:
        raise ValueError("edges have to ascend, and there have to be two")
    if not any(edge % _HOUR for edge in edges) and not of_the_log:
        return _HOUR
    if not any((edge - edges[0]) % _QUARTER for edge in edges) and edges[0] % _QUARTER == 0:
        return _QUARTER
    if len(steps) == 1 and len(edges) <= MOST_FINE + 1:
        return steps.pop()
    raise ValueError("edges have to be whole quarters of an hour, or a few, equally far apart")
