"""Operations of the office screen: what is to be seen on it now, and waiting until that is something else.

An answer holds the present and nothing besides: no name that is not to be read on the screen at this moment,
no id of a person or an event, no position in the log. There is nothing to page through and nothing to ask for
by name, so a screen, or whoever took its cookie, can enumerate nobody.
"""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from pydantic import Field

from appliance.app.desk.board import CHANGES, DOORS, PEOPLE, Board, Row
from appliance.app.desk.feed import LONGEST_S, Feed
from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.errors import UnknownSubjectError, VaultError
from appliance.permissions import Permission
from appliance.services import Services
from appliance.settings import Settings
from appliance.store import GREETINGS, LEADERBOARD, Subject, SubjectState

GREET: Final = "greet"
"""The purpose without which nobody is greeted on a screen."""
MOST_ROWS: Final = 5
"""Places of the leaderboard that are shown."""
_READ: Final = (*DOORS, *PEOPLE, *CHANGES)
_AT_ONCE: Final = 500
_DOOR_EVENTS: Final = 100
"""Events among which each door's last state is looked for at the start."""


class Wait(Arguments):
    """Attributes: after: the position that was answered last, None: the present one; timeout_s: at most."""

    after: int | None = Field(default=None, ge=0)
    timeout_s: float = Field(default=LONGEST_S, ge=0, le=LONGEST_S)


class Screens:
    """Carries out what screens ask.

    Args:
        services: The log, the people and the clock.
        settings: Doors, and what the screen shows.
        feed: Tells that the log grew.
        seconds: A monotonic clock, seconds.
    """

    def __init__(
        self,
        services: Services,
        settings: Settings,
        feed: Feed,
        *,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = services.store
        self._clock = services.clock
        self._screen = settings.screen
        self._doors = [door.id for door in settings.doors]
        self._repeat_s = max(settings.encounters.repeat_after_s, settings.screen.greeting_s)
        self._feed = feed
        self._seconds = seconds
        self._lock = threading.Lock()
        self._board: Board | None = None
        self._read = 0
        self._position = 0

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("screen.now", Nothing, Permission.SCREEN, self.now),
            Operation("screen.wait", Wait, Permission.SCREEN, self.wait, waits=True),
        ]

    def now(self, asked: Asked[Nothing]) -> Answer:
        """What is to be seen at this moment: `{position, state}`."""
        del asked
        with self._lock:
            board = self._caught_up(self._store.position())
            return Answer({"position": self._position, "state": self._state(board)})

    def wait(self, asked: Asked[Wait]) -> Answer:
        """Wait until something else is to be seen: `{position, events}`, at most one event with the state.

        A position is a number of the desk's own, that says nothing but which of two is the later.
        """
        after, until = asked.arguments.after, self._seconds() + asked.arguments.timeout_s
        while True:
            with self._lock:
                # Read within the lock: what another waiter read before would look like a log set back.
                board = self._caught_up(self._store.position())
                read, position = self._read, self._position
                if after is not None and position != after:
                    told = {"position": position, "state": self._state(board)}
                    return Answer({"position": position, "events": [told]})
            left = until - self._seconds()
            if after is None or left <= 0:
                return Answer({"position": position, "events": []})
            newest = self._feed.wait(read, left)
            if newest == read and self._seconds() < until:  # the desk is closing
                return Answer({"position": position, "events": []})

    def _caught_up(self, newest: int) -> Board:
        """The board with all that was logged up to a position; begun anew if the log was set back."""
        board = self._board
        if board is None or newest < self._read:
            board = self._begun(newest)
            self._board, self._read = board, newest
            self._moved()
        while self._read < newest:
            found = self._store.events(after=self._read, before=newest + 1, types=_READ, limit=_AT_ONCE)
            changed = [board.take(event, self._clock.wall(), self._seconds()) for event in found]
            self._read = found[-1].position if len(found) == _AT_ONCE else newest
            if any(changed):
                board.ranked(self._rows(), self._today())
                self._moved()
        if board.day != self._today():
            board.ranked(self._rows(), self._today())
            self._moved()
        return board

    def _begun(self, newest: int) -> Board:
        """A board of how things stand: each door's last word, and who came in just now."""
        now = self._clock.wall()
        board = Board(self._doors, self._called, greeting_s=self._screen.greeting_s, repeat_s=self._repeat_s)
        doors = self._store.events(before=newest + 1, types=DOORS, limit=_DOOR_EVENTS, newest_first=True)
        just_now = now - timedelta(seconds=self._repeat_s)
        recent = self._store.events(before=newest + 1, types=PEOPLE, since=just_now, limit=_AT_ONCE)
        for event in sorted([*doors, *recent], key=lambda each: each.position):
            board.take(event, now, self._seconds())
        board.ranked(self._rows(), self._today())
        return board

    def _moved(self) -> None:
        """Something else is to be seen. Begun from the clock, so that a desk that restarts goes on higher."""
        self._position = max(self._position + 1, int(self._clock.wall().timestamp() * 1000))

    def _today(self) -> str:
        return self._clock.wall().astimezone().date().isoformat()

    def _state(self, board: Board) -> dict[str, Any]:
        rows = board.rows
        shown = None if rows is None else {"days": self._screen.leaderboard_days, "rows": rows}
        return {
            "greetings": board.greetings(self._seconds()),
            "doors": board.doors(),
            "leaderboard": shown,
            "theme": self._screen.theme,
        }

    def _called(self, subject: str) -> str | None:
        """What the screen calls somebody who comes in; None: it does not greet them."""
        person = self._person(subject)
        return _shown_as(person) if person is not None and GREET in person.purposes else None

    def _rows(self) -> list[Row] | None:
        """The first places of the leaderboard; None: it is switched off.

        Who is level shares a place. Only who agreed is counted, and they are asked again here.
        """
        if self._screen.leaderboard == "off":
            return None
        today = self._clock.wall().astimezone().date()
        since = today - timedelta(days=self._screen.leaderboard_days - 1)
        rows: list[Row] = []
        for standing in self._store.standings(GREETINGS, since=since):
            person = self._person(standing.subject)
            if person is None or LEADERBOARD not in person.purposes:
                continue
            level = bool(rows) and rows[-1]["count"] == standing.count
            place = rows[-1]["place"] if level else len(rows) + 1
            rows.append({"place": place, "text": _shown_as(person), "count": standing.count})
            if len(rows) == MOST_ROWS:
                break
        return rows

    def _person(self, subject: str) -> Subject | None:
        """Somebody who is enrolled, not paused, and whose profile opens."""
        try:
            found = self._store.subject_by_id(subject)
        except (UnknownSubjectError, VaultError):
            return None
        return found if found.state is SubjectState.ACTIVE and found.initials else None


def _shown_as(person: Subject) -> str:
    """Their alias, else their initials; never their name."""
    return person.alias or person.initials or ""
