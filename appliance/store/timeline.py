"""The log as entries: all events of one encounter together, every other event by itself.

An entry stands where its first event stands and stays there, so that a page that was read once reads
the same later, whatever was appended meanwhile. What an entry means is for who shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select

from appliance.store.database import reading
from appliance.store.log import EventLog, parsed
from appliance.store.records import StoredEvent
from appliance.store.tables import events

CORRECTED = "decision_corrected"
"""The type that says what an encounter really was."""

_e, _f, _g = events, events.alias("f"), events.alias("g")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log.

    Attributes:
        position: Of its first event; names the entry and never changes.
        encounter: Whose stay it is; None: an event of its own.
        events: In the order of the log.
    """

    position: int
    encounter: str | None
    events: tuple[StoredEvent, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries. All that is said must hold.

    Attributes:
        encounters: Whether encounters are among them.
        within: Only encounters with an event of one of these types; None: all of them.
        types: Types of other events that are; None: all.
        subject: Encounters in which this person was named, or is said to have been; events about them.
        verdicts: Encounters whose last decision is an event of one of these types; empty: any. Leaves no
            other event.
        corrected: Only encounters that somebody corrected.
        door: Only those that began at this door.
        since: Only those that began at or after this time, aware.
        until: Only those that began before this time, aware.
    """

    encounters: bool = True
    within: tuple[str, ...] | None = None
    types: tuple[str, ...] | None = None
    subject: str | None = None
    verdicts: tuple[str, ...] = ()
    corrected: bool = False
    door: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many encounters of a time ended how.

    Attributes:
        by_type: Type of the last decision → encounters.
        corrections: The newest correction of each encounter that has one, with the decision it is about.
    """

    by_type: dict[str, int]
    corrections: tuple[StoredEvent, ...]


class Timeline(EventLog):
    """Pages of the log, the newest entry first."""

    def entries(
        self, wanted: Wanted, decided: Sequence[str], *, before: int | None = None, after: int = 0, limit: int
    ) -> list[Entry]:
        """Entries of this device, newest first.

        Args:
            wanted: Which.
            decided: The event types that are decisions.
            before: Only those that stand before this position.
            after: Only those that stand after this position.
            limit: At most so many.
        """
        begins = [_e.c.device == self._device, _e.c.position > after, *self._conditions(wanted, decided)]
        if before is not None:
            begins.append(_e.c.position < before)
        chosen = (
            select(_e.c.position, _e.c.encounter).where(*begins).order_by(_e.c.position.desc()).limit(limit)
        )
        with reading(self._engine) as connection:
            anchors = [(row.position, row.encounter) for row in connection.execute(chosen)]
            encounters = [encounter for _, encounter in anchors if encounter is not None]
            alone = [position for position, encounter in anchors if encounter is None]
            found: dict[tuple[str, Any], list[StoredEvent]] = {}
            # Two questions, put into order here: asked for both in order, SQLite walks through the whole log.
            for those in (events.c.position.in_(alone), events.c.encounter.in_(encounters)):
                rows = connection.execute(select(events).where(events.c.device == self._device, those))
                for row in sorted(rows.mappings(), key=_place):
                    stay = row["encounter"] is not None
                    key = ("stay", row["encounter"]) if stay else ("event", row["position"])
                    found.setdefault(key, []).append(parsed(row))
        return [
            Entry(
                position,
                encounter,
                tuple(found[("event", position) if encounter is None else ("stay", encounter)]),
            )
            for position, encounter in anchors
        ]

    def whole(self, position: int) -> Entry | None:
        """The entry that an event belongs to; None: there is no such event on this device."""
        own = _e.c.device == self._device
        with reading(self._engine) as connection:
            row = connection.execute(select(_e).where(own, _e.c.position == position)).mappings().first()
            if row is None:
                return None
            if row["encounter"] is None:
                return Entry(position, None, (parsed(row),))
            rows = connection.execute(
                select(_e).where(own, _e.c.encounter == row["encounter"]).order_by(_e.c.position)
            ).mappings()
            found = tuple(parsed(each) for each in rows)
        return Entry(found[0].position, row["encounter"], found)

    def visits(self, visits: Sequence[str], types: Sequence[str]) -> dict[str, list[StoredEvent]]:
        """Of each of these visits, its events of these types, in the order of the log."""
        found: dict[str, list[StoredEvent]] = {visit: [] for visit in visits}
        wanted = select(events).where(
            events.c.device == self._device, events.c.visit.in_(list(found)), events.c.type.in_(types)
        )
        with reading(self._engine) as connection:
            for row in sorted(connection.execute(wanted).mappings(), key=_place):
                found[row["visit"]].append(parsed(row))
        return found

    def counted(self, decided: Sequence[str], *, since: datetime) -> Counts:
        """How many encounters that began since then ended how, and which of them were corrected."""
        begun = [
            _e.c.device == self._device,
            _e.c.at >= since,
            _e.c.type.in_(decided),
            _e.c.encounter.is_not(None),
            ~self._exists(
                _f,
                _f.c.encounter == _e.c.encounter,
                _f.c.position > _e.c.position,
                _f.c.type.in_(decided),
            ),
        ]
        newest = func.max(_e.c.position).label("position")
        corrected = (
            select(newest)
            .where(_e.c.device == self._device, _e.c.type == CORRECTED, _e.c.at >= since)
            .group_by(_e.c.encounter)
            .subquery()
        )
        with reading(self._engine) as connection:
            by_type = {
                row.type: int(row.many)
                for row in connection.execute(
                    select(_e.c.type, func.count().label("many")).where(*begun).group_by(_e.c.type)
                )
            }
            rows = connection.execute(
                select(events)
                .where(events.c.device == self._device, events.c.position.in_(select(corrected.c.position)))
                .order_by(events.c.position)
            ).mappings()
            return Counts(by_type, tuple(parsed(row) for row in rows))

    def _conditions(self, wanted: Wanted, decided: Sequence[str]) -> list[ColumnElement[bool]]:
        """What must hold of an event that an entry begins with."""
        stay: list[ColumnElement[bool]] = [_e.c.encounter.is_not(None)]
        alone: list[ColumnElement[bool]] = [_e.c.encounter.is_(None)]
        if wanted.types is not None:
            alone.append(_e.c.type.in_(wanted.types))
        # Sets, made once: asked for each event anew, a database may look in the wrong index.
        if wanted.subject is not None:
            stay.append(self._among(_f.c.subject == wanted.subject))
            alone.append(_e.c.subject == wanted.subject)
        if wanted.within is not None:
            stay.append(self._among(_f.c.type.in_(wanted.within)))
        if wanted.corrected:
            stay.append(self._among(_f.c.type == CORRECTED))
        if wanted.verdicts:
            superseded = self._exists(
                _g, _g.c.encounter == _f.c.encounter, _g.c.position > _f.c.position, _g.c.type.in_(decided)
            )
            stay.append(self._among(_f.c.type.in_(wanted.verdicts), ~superseded))
        stay.append(~self._exists(_f, _f.c.encounter == _e.c.encounter, _f.c.position < _e.c.position))
        kinds = [and_(*stay)] if wanted.encounters else []
        kinds += [] if wanted.verdicts or wanted.corrected else [and_(*alone)]
        conditions: list[ColumnElement[bool]] = []
        if wanted.door is not None:
            conditions.append(_e.c.door == wanted.door)
        if wanted.since is not None:
            conditions.append(_e.c.at >= wanted.since)
        if wanted.until is not None:
            conditions.append(_e.c.at < wanted.until)
        conditions.append(or_(*kinds) if kinds else false())
        return conditions

    def _among(self, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        """Whether the encounter is one of those with an event of which this holds."""
        stays = select(_f.c.encounter).where(
            _f.c.device == self._device, _f.c.encounter.is_not(None), *conditions
        )
        return _e.c.encounter.in_(stays)

    def _exists(self, of: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        return select(of.c.position).where(of.c.device == self._device, *conditions).exists()


def _place(row: Any) -> int:
    position: int = row["position"]
    return position
