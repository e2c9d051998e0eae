"""Counters: how often something happened to a person on a day, counted in the transaction of the event.

So that each event counts once or not at all, whatever is killed when. Only who agreed is counted: nobody
without the counter's purpose has a row here, and taking the consent back or being removed deletes them, in
that transaction too. Nothing here names or ranks people for show; that is for who asks.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from appliance.events import ConsentChanged, Event, SubjectChanged, SubjectMerged
from appliance.store.database import reading
from appliance.store.opened import Opened
from appliance.store.records import LEADERBOARD, Counter, Standing
from appliance.store.tables import consents, counters, events
from appliance.values import SubjectId


class Counters(Opened):
    """The counters, to be read."""

    def standings(self, counter: str, *, since: date) -> list[Standing]:
        """Everybody who was counted since a day, that day included, by all devices; most first.

        Who is level stands in order of id, so that two looks agree.
        """
        total = func.sum(counters.c.count)
        wanted = (
            select(counters.c.subject, total)
            .where(counters.c.counter == counter, counters.c.day >= since.isoformat())
            .group_by(counters.c.subject)
            .order_by(total.desc(), counters.c.subject)
        )
        with reading(self._engine) as connection:
            return [Standing(SubjectId(whose), int(many)) for whose, many in connection.execute(wanted)]


def tally(
    connection: Connection, counted: Sequence[Counter], happened: Sequence[tuple[Event, Mapping[str, Any]]]
) -> None:
    """Count what was just appended, in the same transaction, and forget who is to be counted no more.

    Args:
        connection: In the transaction, in which the events' rows are inserted already.
        counted: What counts; forgetting is done without any, too.
        happened: Each event with its row.
    """
    for event, row in happened:
        if isinstance(event, SubjectMerged):
            _merge(connection, event.merged, event.subject)
        elif isinstance(event, ConsentChanged) and event.type == "consent_withdrawn":
            if not _agreed(connection, event.subject):
                _forget(connection, event.subject)
        elif isinstance(event, SubjectChanged) and event.type == "subject_removed":
            _forget(connection, event.subject)
        for counter in counted:
            if counter.wants(event) and _first(connection, row) and _agreed(connection, row["subject"]):
                place = {"device": row["device"], "subject": row["subject"], "counter": counter.name}
                _add(connection, {**place, "day": counter.day(row["at"]).isoformat()}, 1)


def _first(connection: Connection, row: Mapping[str, Any]) -> bool:
    """Whether it is the first event of its type about this person in this encounter.

    Who is taken for somebody else for a moment is greeted a second time, and counts once.
    """
    if row["encounter"] is None:
        return True
    before = select(events.c.position).where(
        events.c.device == row["device"],
        events.c.encounter == row["encounter"],
        events.c.position < row["position"],
        events.c.type == row["type"],
        events.c.subject == row["subject"],
    )
    return connection.execute(before.limit(1)).first() is None


def _agreed(connection: Connection, subject: str) -> bool:
    """Whether somebody agreed to be counted, and did not take it back; it cannot be taken back meanwhile."""
    wanted = (
        select(consents.c.purposes)
        .where(consents.c.subject == subject, consents.c.withdrawn_at.is_(None))
        .with_for_update(read=True)  # SQLite has no such clause and needs none: the transaction has the lock
    )
    return any(LEADERBOARD in json.loads(purposes) for (purposes,) in connection.execute(wanted))


def _add(connection: Connection, place: Mapping[str, Any], many: int) -> None:
    """Add to a counter. Each device has rows of its own, so that two never wait for each other."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(counters).values({**place, "count": many})
    connection.execute(
        fresh.on_conflict_do_update(
            index_elements=list(counters.primary_key.columns),
            set_={"count": counters.c.count + fresh.excluded.count},
        )
    )


def _merge(connection: Connection, other: str, keep: str) -> None:
    """Two were one person: their counts are added up, if that person agrees to be counted."""
    rows = connection.execute(select(counters).where(counters.c.subject == other)).mappings().all()
    _forget(connection, other)
    if not _agreed(connection, keep):
        _forget(connection, keep)
        return
    for row in rows:
        place = {name: row[name] for name in ("device", "counter", "day")}
        _add(connection, {**place, "subject": keep}, row["count"])


def _forget(connection: Connection, subject: str) -> None:
    connection.execute(delete(counters).where(counters.c.subject == subject))
