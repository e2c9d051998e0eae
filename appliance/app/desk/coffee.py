"""Operations of coffees: who leads, who took one lately, and putting right what the camera got wrong.

On the leaderboard are those who agreed to it, by alias or initials, as on the office screen. Who took a
coffee at which time is told as the log tells who came by: to admins, and to others of those alone who agreed
to that. A correction is an event; the count moves with it, in its transaction.
"""

import secrets
from datetime import timedelta
from typing import Any, Final

from pydantic import Field

from appliance.app.desk.leaderboard import PERIODS, Period, first_day
from appliance.app.desk.naming import People
from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.app.desk.tallies import Tallies, visitor_text
from appliance.app.desk.times import moment
from appliance.errors import ApplianceError, FormError
from appliance.events import CoffeeAdded, CoffeeCorrected
from appliance.permissions import Permission
from appliance.services import Services
from appliance.settings import Settings
from appliance.store import LEADERBOARD, KeptCoffee, NewEvent, SubjectState

_ID: Final = 64
_MOST_ROWS: Final = 1000
_MOST_COFFEES: Final = 200
_HOURS: Final = 24


class Board(Arguments):
    """Attributes: period: of the leaderboard; limit: places told at most."""

    period: Period = "day"
    limit: int = Field(default=_MOST_ROWS, ge=1, le=_MOST_ROWS)


class Lately(Arguments):
    """Attributes: limit: coffees told at most."""

    limit: int = Field(default=50, ge=1, le=_MOST_COFFEES)


class Correct(Arguments):
    """Attributes: coffee: id of its event; person: whose it was, by id; None: there was none."""

    coffee: str = Field(max_length=_ID)
    person: str | None = Field(default=None, max_length=_ID)


class Add(Arguments):
    """Attributes: person: whose coffee the camera missed, by id."""

    person: str = Field(max_length=_ID)


class CoffeePages:
    """Carries out what is asked about coffees.

    Args:
        services: The store and the clock.
        settings: Whether any are counted.
    """

    def __init__(self, services: Services, settings: Settings) -> None:
        self._store = services.store
        self._clock = services.clock
        self._settings = settings
        self._salt = secrets.token_bytes(16)

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("coffee.board", Board, Permission.LOG, self.board),
            Operation("coffee.lately", Lately, Permission.LOG, self.lately),
            Operation("coffee.hours", Nothing, Permission.LOG, self.hours),
            Operation("coffee.people", Nothing, Permission.ENROL, self.people),
            Operation("coffee.correct", Correct, Permission.ENROL, self.correct),
            Operation("coffee.add", Add, Permission.ENROL, self.add),
        ]

    def board(self, asked: Asked[Board]) -> Answer:
        """A leaderboard: `{period, periods, since, coffees, people, rows, counted_by}`.

        `rows` are `{key, place, text, count}`, no two with the same text; `key` tells one from another until
        tomorrow, and says nothing of anybody; `people` is how many are on it, told or not; `counted_by` the
        cameras that count, none if none does.
        """
        period = asked.arguments.period
        tallies = Tallies(self._store, self._clock, salt=self._salt)
        found = tallies.coffees(period)
        return Answer(
            {
                "period": period,
                "periods": list(PERIODS),
                "since": None if period == "all" else first_day(period, tallies.today()).isoformat(),
                "coffees": sum(each.counted.count for each in found),
                "people": len(found),
                "rows": tallies.rows(found[: asked.arguments.limit]),
                "counted_by": list(self._settings.coffee.cameras),
            }
        )

    def lately(self, asked: Asked[Lately]) -> Answer:
        """The newest coffees: `[{id, at, person, text, visitor, holds, moved}]`.

        `person` is `{id, name, called}`, or None where it is a visitor, nobody, or who asks is not told;
        `moved`: somebody said that it was not whose the camera took it for.
        """
        people = People(self._store, asked.who)
        found = self._store.coffees(limit=asked.arguments.limit)
        return Answer([_told(each, people) for each in found])

    def hours(self, asked: Asked[Nothing]) -> Answer:
        """Coffees of the last 24 hours, oldest hour first: `[{at, count}]`; the last is the present one."""
        del asked
        now = self._clock.wall()
        last = now.replace(minute=0, second=0, microsecond=0)
        first = last - timedelta(hours=_HOURS - 1)
        counts = [0] * _HOURS
        for each in self._store.coffees(since=first, held=True):
            hour = int((each.at - first).total_seconds() // 3600)
            counts[min(hour, _HOURS - 1)] += 1
        told = [{"at": moment(first + timedelta(hours=i)), "count": many} for i, many in enumerate(counts)]
        return Answer(told)

    def people(self, asked: Asked[Nothing]) -> Answer:
        """Whose coffee it may have been, by name: those who agreed to be counted: `[{id, name}]`."""
        del asked
        return Answer(
            [
                {"id": str(person.id), "name": person.name}
                for person in sorted(self._store.subjects(), key=lambda each: (each.name or "").casefold())
                if LEADERBOARD in person.purposes and person.state is not SubjectState.REMOVED and person.name
            ]
        )

    def correct(self, asked: Asked[Correct]) -> Answer:
        """Say whose coffee it was, or that there was none: `{event, position}`.

        Raises:
            FormError: There is no such coffee, it says so already, or that person is not counted.
        """
        given = asked.arguments
        found = self._store.coffee(given.coffee)
        if found is None:
            words = "there is no such coffee; whoever took it is not counted any more, or it is too long ago"
            raise FormError(words, fields={"coffee": words})
        if (found.subject, found.holds) == (given.person, given.person is not None):
            words = "that is what it says already"
            raise FormError(words, fields={"person": words})
        if given.person is not None:
            self._counted(given.person)
        event = CoffeeCorrected(corrects=found.event, was_subject=found.subject, subject=given.person)
        stored = self._store.append_all([NewEvent(event)])[0]
        return Answer({"event": stored.id, "position": stored.position})

    def add(self, asked: Asked[Add]) -> Answer:
        """Count a coffee that no camera saw: `{event, position}`.

        Raises:
            FormError: That person is not counted.
        """
        self._counted(asked.arguments.person)
        stored = self._store.append_all([NewEvent(CoffeeAdded(subject=asked.arguments.person))])[0]
        return Answer({"event": stored.id, "position": stored.position})

    def _counted(self, person: str) -> None:
        """Whether somebody is enrolled and agreed to be counted.

        Raises:
            FormError: No.
        """
        try:
            counted = LEADERBOARD in self._store.subject_by_id(person).purposes
        except ApplianceError:
            counted = False
        if not counted:
            words = "this person did not agree to be counted"
            raise FormError(words, hint="ask them, and record it on their page", fields={"person": words})


def _told(coffee: KeptCoffee, people: People) -> dict[str, Any]:
    if coffee.subject is not None:
        person, text = people.of(coffee.subject), people.called(coffee.subject)
    elif coffee.visitor is not None and coffee.holds:
        person, text = None, visitor_text(coffee.visitor)
    else:
        person, text = None, "nobody"
    return {
        "id": coffee.event,
        "at": moment(coffee.at),
        "person": person,
        "text": text,
        "visitor": coffee.visitor,
        "holds": coffee.holds,
        "moved": not coffee.holds or (coffee.said is not None and coffee.said != coffee.subject),
    }
