"""Who is shown with how many coffees or greetings: those who agreed, by what they are called.

What people are called is looked up once and kept until somebody's name, consent or state changes: with 300
people a coffee must be on the screen within a second. Names themselves are not kept here, only what a screen
shows. Of people who would be called the same, all but the first have a number, on every leaderboard the same.
"""

import hashlib
from collections.abc import Callable, Iterable
from datetime import date
from typing import Final

from appliance.app.desk.leaderboard import Counted, Period, Placed, Row, first_day, places, set_apart
from appliance.clock import Clock
from appliance.store import COFFEES, LEADERBOARD, Store, Subject, SubjectState

Today = Callable[[], date]

VISITORS_IN: Final[Period] = "day"
"""The only period in which visitors are shown: they are forgotten afterwards."""


def visitor_text(number: int | None) -> str:
    """What a visitor is called."""
    return "A visitor" if number is None else f"Visitor {number}"


def shown_as(person: Subject) -> str:
    """Their alias, else their initials; never their name."""
    return person.alias or person.initials or ""


def is_shown(person: Subject, purpose: str) -> bool:
    """Whether somebody may be shown for a purpose: enrolled, not paused, readable, and agreed."""
    return person.state is SubjectState.ACTIVE and bool(person.initials) and purpose in person.purposes


class Tallies:
    """The counts of those who may be shown.

    Args:
        store: The counts and the people.
        clock: For the day.
        salt: What nobody else knows, 32 bytes at most: of it and of the day are the keys of rows.
    """

    def __init__(self, store: Store, clock: Clock, *, salt: bytes) -> None:
        self._store = store
        self._clock = clock
        self._salt = salt
        self._called: dict[str, str] | None = None

    def today(self) -> date:
        """The day on the box's own clock."""
        return self._clock.wall().astimezone().date()

    def changed(self) -> None:
        """Somebody may be called otherwise, or not be shown at all, from now on."""
        self._called = None

    def called(self, subject: str) -> str | None:
        """What somebody is called on a leaderboard; None: they are not on it."""
        return self._names().get(subject)

    def coffees(self, period: Period) -> list[Placed]:
        """Everybody's place by their coffees in a period, visitors of today included."""
        since = first_day(period, self.today())
        counted = self._counted(COFFEES, since)
        if period == VISITORS_IN:
            counted += [
                Counted(visitor_text(each.visitor), each.count)
                for each in self._store.visitor_standings(since=since)
            ]
        return places(counted)

    def greetings(self, counter: str, since: date) -> list[Placed]:
        """Everybody's place by another counter, since a day."""
        return places(self._counted(counter, since))

    def rows(self, found: Iterable[Placed]) -> list[Row]:
        """Places as they are told."""
        day = self.today().isoformat()
        return [
            {
                "key": self._key(day, each.counted),
                "place": each.place,
                "text": each.counted.text,
                "count": each.counted.count,
            }
            for each in found
        ]

    def _key(self, day: str, counted: Counted) -> str:
        who = f"visitor {counted.text}" if counted.subject is None else f"subject {counted.subject}"
        return hashlib.blake2s(f"{day} {who}".encode(), key=self._salt, digest_size=6).hexdigest()

    def _counted(self, counter: str, since: date) -> list[Counted]:
        names = self._names()
        return [
            Counted(names[standing.subject], standing.count, standing.subject)
            for standing in self._store.standings(counter, since=since)
            if standing.subject in names
        ]

    def _names(self) -> dict[str, str]:
        if self._called is None:
            # By time of enrolment: whoever was here first has no number.
            self._called = set_apart(
                (str(person.id), shown_as(person))
                for person in self._store.subjects()
                if is_shown(person, LEADERBOARD)
            )
        return self._called
