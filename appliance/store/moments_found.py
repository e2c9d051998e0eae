"""Moments found: pages, the newest first; how many there were per span of time; what there is to choose from.

Where they stand and how many there are, `moment_question` finds. Writes nothing; who may ask for a person is
for others.
"""

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice, pairwise
from typing import Any, Final

from sqlalchemy import Connection, func, select

from appliance.store.database import reading
from appliance.store.moment_question import FOR_EVER_MS, MomentPlace, MomentQuestion, cameras_of
from appliance.store.moment_records import Bar, By, LabelCount, Moment, MomentsWanted
from appliance.store.moment_rows import SPANS, WHOLE, millis, time_of
from appliance.store.moment_showing import MomentShowing
from appliance.store.moment_tables import moment_counts, moment_labels, moment_places, moments
from appliance.store.opened import Opened

_QUARTER, _HOUR = SPANS
_SOME: Final = 500
"""Values of one list in a statement."""
MOST_FINE: Final = 400
"""Bars of less than a quarter of an hour: they are counted one by one."""


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
            question = MomentQuestion(connection, self._device, wanted)
            found = list(islice(question.newest(before), limit))
            return list(zip(found, self._moments_at(connection, found, question.cameras), strict=True))

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
            question = MomentQuestion(connection, self._device, wanted)
            step = _step(seconds, of_the_log=wanted.of_the_log or by in {"door", "verdict", "kind"})
            many: Counter[tuple[int, str]] = Counter()
            for start, key, count in question.counted(seconds[0], seconds[-1], step, by):
                many[bisect_right(seconds, start) - 1, key] += count
        return [Bar(edges[at], key, count) for (at, key), count in sorted(many.items()) if count > 0]

    def label_counts(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> list[LabelCount]:
        """How often which label was seen by which camera, the most frequent first; to whole hours."""
        begin = -FOR_EVER_MS if since is None else millis(since) // 1000 // _HOUR * _HOUR
        end = FOR_EVER_MS if until is None else -(-millis(until) // 1000 // _HOUR) * _HOUR
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
            return self._moments_at(connection, found, cameras_of(connection, self._device))

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
        showing = MomentShowing(connection, self._device, cameras, [rows[each.number] for each in places])
        return [self._made_moment(rows[each.number], cameras, showing) for each in places]

    def _made_moment(self, row: Any, cameras: Mapping[int, str], showing: MomentShowing) -> Moment:
        return Moment(
            number=row["id"],
            id=row["about"] or f"{self._device}-{row['id']}",
            at=time_of(row["at"]),
            device=self._device,
            camera=cameras[row["place"]],
            kind=row["kind"],
            labels=json.loads(row["body"]),
            source=row["source"] or "",
            door=row["door"],
            verdict=row["verdict"],
            subject=row["subject"],
            event=row["event"],
            clip=showing.clip(row),
        )


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
