"""Counters: how often something happened to a person on a day, counted in the transaction of the event.

So that each event counts once or not at all, whatever is killed when. Only who agreed is counted: nobody
without the counter's purpose has a row here, and taking the consent back or being removed deletes them, in
that transaction too. What somebody says afterwards, that it was somebody else, moves what the encounter
counted, in the transaction of that correction; taken back, it is as it was. Nothing here names or ranks
people for show; that is for who asks. Coffees, of which a stay may have several, are in `coffees`.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from appliance.events import (
    ConsentChanged,
    DecisionCorrected,
    Event,
    SubjectChanged,
    SubjectMerged,
    parse_event,
)
from appliance.store.adding import add, agreed, matches, upsert
from appliance.store.coffees import count_coffee, forget_coffees, take_over
from appliance.store.database import reading
from appliance.store.opened import Opened
from appliance.store.records import Counter, Standing
from appliance.store.tables import counted, counters, events
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
    connection: Connection, counting: Sequence[Counter], happened: Sequence[tuple[Event, Mapping[str, Any]]]
) -> None:
    """Count what was just appended, in the same transaction, and forget who is to be counted no more.

    Args:
        connection: In the transaction, in which the events' rows are inserted already.
        counting: What counts; forgetting is done without any, too.
        happened: Each event with its row.
    """
    for event, row in happened:
        if isinstance(event, SubjectMerged):
            _merge(connection, event.merged, event.subject)
        elif isinstance(event, ConsentChanged) and event.type == "consent_withdrawn":
            if not agreed(connection, event.subject):
                _forget(connection, event.subject)
        elif isinstance(event, SubjectChanged) and event.type == "subject_removed":
            _forget(connection, event.subject)
        elif isinstance(event, DecisionCorrected):
            _correct(connection, counting, event)
        else:
            count_coffee(connection, event, row)
        for counter in counting:
            if counter.wants(event) and _first(connection, row) and agreed(connection, row["subject"]):
                _count(connection, counter, row)


def _count(connection: Connection, counter: Counter, row: Mapping[str, Any]) -> None:
    """Count an event; where somebody said already who it was, their word stands and this waits beneath."""
    place = {"device": row["device"], "subject": row["subject"], "counter": counter.name}
    day = counter.day(row["at"]).isoformat()
    if row["encounter"] is None:
        add(connection, {**place, "day": day}, 1)
        return
    key = {**place, "encounter": row["encounter"]}
    known = connection.execute(select(counted).where(*matches(counted, key))).mappings().first()
    if known is not None:  # by a correction
        connection.execute(update(counted).where(*matches(counted, key)).values(decided=1))
        return
    said = _last_word(connection, row["device"], row["encounter"])
    holds = 1 if said is None or _takes_back(said) else 0
    connection.execute(insert(counted).values({**key, "day": day, "decided": 1, "holds": holds}))
    if holds:
        add(connection, {**place, "day": day}, 1)


def _correct(connection: Connection, counting: Sequence[Counter], event: DecisionCorrected) -> None:
    """It was somebody else: what the encounter counts is theirs, if they agreed; nobody's of a stranger."""
    decision = connection.execute(
        select(events.c.device, events.c.at).where(events.c.id == event.corrects)
    ).first()
    if decision is None:
        return
    of_it = (counted.c.device == decision.device, counted.c.encounter == event.encounter)
    rows = connection.execute(select(counted).where(*of_it).with_for_update()).mappings().all()
    back = _takes_back(event)
    for row in rows:
        really = event.verdict == "identified" and row["subject"] == event.subject
        holds = row["decided"] if back else int(really)
        place = {name: row[name] for name in ("device", "subject", "counter", "day")}
        if holds != row["holds"]:
            add(connection, place, holds - row["holds"])
        key = {name: row[name] for name in ("device", "encounter", "counter", "subject")}
        if holds or row["decided"]:
            connection.execute(update(counted).where(*matches(counted, key)).values(holds=holds))
        else:
            connection.execute(delete(counted).where(*matches(counted, key)))
    if (
        back
        or event.subject is None
        or event.verdict != "identified"
        or not agreed(connection, event.subject)
    ):
        return
    for counter in counting:
        own = [row for row in rows if row["counter"] == counter.name]
        if any(row["subject"] == event.subject for row in own):
            continue
        day = own[0]["day"] if own else counter.day(decision.at).isoformat()
        place = {"device": decision.device, "subject": event.subject, "counter": counter.name, "day": day}
        fresh = {**place, "encounter": event.encounter, "decided": 0, "holds": 1}
        connection.execute(insert(counted).values(fresh))
        add(connection, place, 1)


def _takes_back(event: DecisionCorrected) -> bool:
    """Whether a correction says what the box said."""
    return (event.verdict, event.subject) == (event.was.value, event.was_subject)


def _last_word(connection: Connection, device: str, encounter: str) -> DecisionCorrected | None:
    """The newest correction of an encounter."""
    wanted = (
        select(events.c.body)
        .where(
            events.c.device == device, events.c.encounter == encounter, events.c.type == "decision_corrected"
        )
        .order_by(events.c.position.desc())
        .limit(1)
    )
    body = connection.execute(wanted).scalar()
    event = None if body is None else parse_event(json.loads(body))
    return event if isinstance(event, DecisionCorrected) else None


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


def _merge(connection: Connection, other: str, keep: str) -> None:
    """Two were one person: their counts are added up, if that person agrees to be counted."""
    rows = connection.execute(select(counters).where(counters.c.subject == other)).mappings().all()
    stays = connection.execute(select(counted).where(counted.c.subject == other)).mappings().all()
    take_over(connection, other, keep)
    _forget(connection, other)
    if not agreed(connection, keep):
        _forget(connection, keep)
        return
    for row in rows:
        place = {name: row[name] for name in ("device", "counter", "day")}
        add(connection, {**place, "subject": keep}, row["count"])
    for stay in stays:
        upsert(connection, counted, {**stay, "subject": keep}, ("decided", "holds"))


def _forget(connection: Connection, subject: str) -> None:
    forget_coffees(connection, subject)
    for table in (counters, counted):
        connection.execute(delete(table).where(table.c.subject == subject))
