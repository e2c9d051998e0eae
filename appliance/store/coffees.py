"""Coffees: each with whose it is by the last word, and what it adds to that person's counter.

A coffee counts in the transaction of its event, once. A correction moves it to somebody else, or to nobody,
in the transaction of the correction; another moves it on, or back. No setting switches that off, and no
`Counter` stands for it. Only who agreed is counted. Who takes the
consent back, or is removed, has no coffees any more; of two who become one the coffees are added up.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from appliance.events import CoffeeAdded, CoffeeCorrected, CoffeeTaken, Event
from appliance.store.adding import add, agreed
from appliance.store.database import reading
from appliance.store.opened import Opened
from appliance.store.records import COFFEES
from appliance.store.tables import coffees, consents
from appliance.values import EventId, SubjectId


@dataclass(frozen=True, slots=True)
class KeptCoffee:
    """A coffee.

    Attributes:
        event: Id of the event that said so first.
        device: By which device.
        at: When, aware, UTC.
        said: Who the box, or whoever added it, said took it; None: a visitor, or it is known no more.
        subject: Whose it is by the last word; None: a visitor's or nobody's.
        visitor: The visitor's number, if it was one's.
        holds: Whether there was a coffee at all, by the last word.
    """

    event: EventId
    device: str
    at: datetime
    said: SubjectId | None
    subject: SubjectId | None
    visitor: int | None
    holds: bool


@dataclass(frozen=True, slots=True)
class VisitorStanding:
    """How many coffees a visitor had.

    Attributes:
        visitor: The number.
        count: At least 1.
    """

    visitor: int
    count: int


class Coffees(Opened):
    """The coffees, to be read."""

    def coffees(
        self, *, since: datetime | None = None, limit: int | None = None, held: bool = False
    ) -> list[KeptCoffee]:
        """Coffees by all devices, newest first.

        Args:
            since: Those at or after this moment, aware; None: all.
            limit: At most so many; None: all.
            held: Only those that there were, by the last word.
        """
        wanted = select(coffees).order_by(coffees.c.at.desc(), coffees.c.event.desc())
        if since is not None:
            wanted = wanted.where(coffees.c.at >= since)
        if held:
            wanted = wanted.where(coffees.c.holds)
        with reading(self._engine) as connection:
            return [_kept(row) for row in connection.execute(wanted.limit(limit)).mappings()]

    def coffee(self, event: str) -> KeptCoffee | None:
        """One, by its event's id; None: there is none, or it is of somebody who is counted no more."""
        with reading(self._engine) as connection:
            row = connection.execute(select(coffees).where(coffees.c.event == event)).mappings().one_or_none()
        return None if row is None else _kept(row)

    def visitor_standings(self, *, since: date) -> list[VisitorStanding]:
        """Visitors who had a coffee since a day, that day included; most first, then by number."""
        many = func.count()
        wanted = (
            select(coffees.c.visitor, many)
            .where(
                coffees.c.visitor.is_not(None),
                coffees.c.subject.is_(None),
                coffees.c.holds,
                coffees.c.day >= since.isoformat(),
            )
            .group_by(coffees.c.visitor)
            .order_by(many.desc(), coffees.c.visitor)
        )
        with reading(self._engine) as connection:
            return [VisitorStanding(int(who), int(count)) for who, count in connection.execute(wanted)]

    def last_visitor(self) -> int:
        """The highest number that a visitor was ever given here; 0: none was."""
        with reading(self._engine) as connection:
            return int(connection.execute(select(func.max(coffees.c.visitor))).scalar() or 0)

    def agreed_to(self, purpose: str) -> frozenset[SubjectId]:
        """Everybody who agreed to something and did not take it back."""
        wanted = select(consents.c.subject, consents.c.purposes).where(consents.c.withdrawn_at.is_(None))
        with reading(self._engine) as connection:
            rows = connection.execute(wanted).all()
        return frozenset(SubjectId(who) for who, purposes in rows if purpose in json.loads(purposes))


def count_coffee(connection: Connection, event: Event, row: Mapping[str, Any]) -> None:
    """Count what was just appended, if it is a coffee or a correction of one.

    Args:
        connection: In the transaction, in which the event's row is inserted already.
        event: What happened.
        row: Its row.
    """
    if isinstance(event, CoffeeTaken):
        _taken(connection, row, event.subject, event.visitor)
    elif isinstance(event, CoffeeAdded):
        _taken(connection, row, event.subject, None)
    elif isinstance(event, CoffeeCorrected):
        _corrected(connection, event)


def take_over(connection: Connection, other: str, keep: str) -> None:
    """Two were one person: the other's coffees are those of who is kept; `counters` moves the counts."""
    for column in (coffees.c.said, coffees.c.subject):
        connection.execute(update(coffees).where(column == other).values({column.name: keep}))


def forget_coffees(connection: Connection, subject: str) -> None:
    """Somebody is counted no more: their coffees go; what was taken for theirs no longer says so."""
    connection.execute(delete(coffees).where(coffees.c.subject == subject))
    # Not theirs by the last word: nobody's any more, or somebody else's, and it stays that.
    connection.execute(
        delete(coffees).where(coffees.c.said == subject, coffees.c.subject.is_(None), ~coffees.c.holds)
    )
    connection.execute(update(coffees).where(coffees.c.said == subject).values(said=None))


def _taken(connection: Connection, row: Mapping[str, Any], subject: str | None, visitor: int | None) -> None:
    if subject is not None and not agreed(connection, subject):
        return
    if subject is None and visitor is None:
        return
    # A day of this machine's clock, as the pages ask for it: one of UTC would end in the middle of work.
    day = row["at"].astimezone().date().isoformat()
    connection.execute(
        insert(coffees).values(
            event=row["id"],
            device=row["device"],
            at=row["at"],
            day=day,
            said=subject,
            subject=subject,
            visitor=visitor,
            holds=True,
        )
    )
    if subject is not None:
        add(connection, _place(row["device"], subject, day), 1)


def _corrected(connection: Connection, event: CoffeeCorrected) -> None:
    """It was somebody else's, or there was none: the count moves with it, on the day of the coffee."""
    found = (
        connection.execute(select(coffees).where(coffees.c.event == event.corrects).with_for_update())
        .mappings()
        .one_or_none()
    )
    if found is None:
        return
    really = event.subject if event.subject is not None and agreed(connection, event.subject) else None
    if found["subject"] is not None:
        add(connection, _place(found["device"], found["subject"], found["day"]), -1)
    if really is not None:
        add(connection, _place(found["device"], really, found["day"]), 1)
    connection.execute(
        update(coffees)
        .where(coffees.c.event == event.corrects)
        .values(subject=really, holds=really is not None)
    )


def _place(device: str, subject: str, day: str) -> dict[str, str]:
    return {"device": device, "subject": subject, "counter": COFFEES, "day": day}


def _kept(row: Mapping[Any, Any]) -> KeptCoffee:
    return KeptCoffee(
        EventId(row["event"]),
        row["device"],
        row["at"],
        None if row["said"] is None else SubjectId(row["said"]),
        None if row["subject"] is None else SubjectId(row["subject"]),
        row["visitor"],
        bool(row["holds"]),
    )
