"""`appliance whatif`: what past decisions would be at other settings, or that they are reproduced.

Reads the log in batches and writes nothing. What is judged is what was stored: the kept frames
and the people who led then.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from appliance.decision import (
    DECIDED,
    Changes,
    Conclusion,
    Decided,
    ErrorTables,
    Obstacle,
    Rejudging,
    obstacle,
    recompute,
    verdict_of,
)
from appliance.events import DecisionFacts, PersonUndecided, StrangerSeen, SubjectIdentified
from appliance.store import StoredEvent
from appliance.values import Grade, SubjectId, Verdict

_BATCH = 500


class Unread(StrEnum):
    """Why a decision's event gives nothing to conclude from."""

    DROPPED = "body_dropped"
    """Retention dropped its body."""
    UNREADABLE = "unreadable"
    """Another version of the program wrote it, or somebody changed it."""


class Log(Protocol):
    """The log, as far as it is read here."""

    def events(
        self,
        *,
        after: int,
        types: Sequence[str],
        since: datetime | None,
        until: datetime | None,
        limit: int,
        newest_first: bool = False,
    ) -> list[StoredEvent]:
        """See `appliance.store.Store.events`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision, as was or as would be.

    Attributes:
        verdict: What it says of the person.
        subject: Who, when identified.
        facts: Its reasons.
    """

    verdict: Verdict
    subject: SubjectId | None
    facts: DecisionFacts


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision that would differ.

    Attributes:
        position: The event's number.
        id: The event's id.
        at: When, aware.
        encounter: Whose stay.
        grade: Which grade of decision.
        was: As stored.
        would: As concluded now.
        fields: Names of what differs: `verdict`, `subject`, or facts.
    """

    position: int
    id: str
    at: datetime
    encounter: str
    grade: Grade
    was: Outcome
    would: Outcome
    fields: tuple[str, ...]


@dataclass(slots=True)
class WhatIf:
    """What came of it; filled in as the log is read.

    Attributes:
        decisions: Decisions in the time asked for.
        examined: Those that were concluded again.
        encounters: Encounters these are of.
        differing: Those that would differ.
        differing_encounters: Encounters these are of.
        obstacles: Why the others were not concluded again, with how many.
        was: Verdicts as stored, of those examined.
        would: Verdicts as concluded now, of those examined.
        turned: (verdict, verdict it turned into) of those that differ.
        other_tables: Examined ones that other tables of error rates had decided.
    """

    decisions: int = 0
    examined: int = 0
    encounters: int = 0
    differing: int = 0
    differing_encounters: int = 0
    obstacles: Counter[Obstacle | Unread] = field(default_factory=Counter)
    was: Counter[Verdict] = field(default_factory=Counter)
    would: Counter[Verdict] = field(default_factory=Counter)
    turned: Counter[tuple[Verdict, Verdict]] = field(default_factory=Counter)
    other_tables: int = 0


def what_if(
    log: Log,
    tables: ErrorTables,
    changes: Changes,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    tell: Callable[[int], None] = lambda _: None,
    differs: Callable[[Difference], None] = lambda _: None,
) -> WhatIf:
    """Conclude the decisions of a time again.

    Args:
        log: Where they stand.
        tables: Measured error rates.
        changes: What is asked otherwise. Nothing: each decision is reproduced at its own settings, and
            differs if anything of it does, to the last bit; else it differs if verdict or person do.
        since: From then on, aware; None: from the beginning.
        until: Before then, aware; None: to the end.
        tell: Called with the number of each event looked at.
        differs: Called with each that would differ, in the order of the log.

    Raises:
        StoreError: The log cannot be read.
    """
    reproducing = changes == Changes()
    rejudging = Rejudging(tables, changes)
    found = WhatIf()
    seen: set[str] = set()
    differing: set[str] = set()
    for stored in _decisions(log, since, until):
        tell(stored.position)
        found.decisions += 1
        event = stored.event
        if not isinstance(event, SubjectIdentified | StrangerSeen | PersonUndecided):
            found.obstacles[Unread.UNREADABLE if stored.unreadable else Unread.DROPPED] += 1
            continue
        hindered = obstacle(event.facts, tables, changes)
        if hindered is not None:
            found.obstacles[hindered] += 1
            continue
        would = recompute(event.facts, event.grade, tables) if reproducing else rejudging.conclude(event)
        found.examined += 1
        found.other_tables += event.facts.tables != tables.fingerprint
        seen.add(event.encounter)
        difference = _difference(stored, event, would)
        found.was[difference.was.verdict] += 1
        found.would[difference.would.verdict] += 1
        if difference.fields if reproducing else {"verdict", "subject"} & set(difference.fields):
            found.differing += 1
            found.turned[difference.was.verdict, difference.would.verdict] += 1
            differing.add(event.encounter)
            differs(difference)
    found.encounters, found.differing_encounters = len(seen), len(differing)
    return found


def ends(log: Log) -> tuple[StoredEvent, StoredEvent] | None:
    """The first and the last decision of the log, whatever their time; None: it holds none."""
    first, last = (
        log.events(after=0, types=DECIDED, since=None, until=None, limit=1, newest_first=newest)
        for newest in (False, True)
    )
    return (first[0], last[0]) if first and last else None


def _decisions(log: Log, since: datetime | None, until: datetime | None) -> Iterator[StoredEvent]:
    """Every decision of the time, oldest first, read in batches."""
    after = 0
    while batch := log.events(after=after, types=DECIDED, since=since, until=until, limit=_BATCH):
        yield from batch
        after = batch[-1].position


def _difference(stored: StoredEvent, event: Decided, would: Conclusion) -> Difference:
    """A decision beside what it would be, with the names of what differs."""
    verdict, subject = verdict_of(event) or (Verdict.UNDECIDED, None)
    fields = [
        name
        for name, was, now in (("verdict", verdict, would.verdict), ("subject", subject, would.subject))
        if was != now
    ]
    if event.facts != would.facts:
        fields += [
            name
            for name in DecisionFacts.model_fields
            if getattr(event.facts, name) != getattr(would.facts, name)
        ]
    return Difference(
        position=stored.position,
        id=stored.id,
        at=stored.at,
        encounter=event.encounter,
        grade=event.grade,
        was=Outcome(verdict, subject, event.facts),
        would=Outcome(would.verdict, would.subject, would.facts),
        fields=tuple(fields),
    )
