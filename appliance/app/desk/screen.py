"""Operations of the office screen: what is to be seen on it now, and waiting until that is something else.

An answer holds the present and nothing besides: no name that is not to be read on the screen at this moment,
no id of a person or an event, no position in the log. There is nothing to page through and nothing to ask for
by name, so a screen, or whoever took its cookie, can enumerate nobody.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Final

from pydantic import Field

from appliance.app.desk.board import CHANGES, COFFEES, DOORS, PEOPLE, Board, Newest
from appliance.app.desk.coffee_line import CoffeeLine, Heard
from appliance.app.desk.feed import LONGEST_S, Feed
from appliance.app.desk.leaderboard import Placed, Row
from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.app.desk.screen_lines import LINES, LONGEST_LINE_S, RULES, Lines
from appliance.app.desk.screen_songs import SONGS, YOUNG_S, ScreenSongs
from appliance.app.desk.tallies import Tallies, is_shown, shown_as, visitor_text
from appliance.errors import UnknownRuleError, UnknownSongError, UnknownSubjectError, VaultError
from appliance.permissions import Permission
from appliance.services import Services
from appliance.settings import AudioSettings, Settings
from appliance.store import GREETINGS, KeptRule, Subject

GREET: Final = "greet"
"""The purpose without which nobody is greeted on a screen."""
MOST_ROWS: Final = 5
"""Places of the leaderboard of greetings that are shown."""
_READ: Final = (*DOORS, *PEOPLE, *CHANGES, *COFFEES, *LINES, *RULES, *SONGS)
_AT_ONCE: Final = 500
_DOOR_EVENTS: Final = 100
"""Events among which each door's last state is looked for at the start."""


class Wait(Arguments):
    """Attributes: after: the position that was answered last, None: the present one; timeout_s: at most."""

    after: int | None = Field(default=None, ge=0)
    timeout_s: float = Field(default=LONGEST_S, ge=0, le=LONGEST_S)


class Key(Arguments):
    """Attributes: key: of a song that is told to screens just now."""

    key: str = Field(pattern=r"^[0-9a-f]{12}$")


class Screens:
    """Carries out what screens ask.

    Args:
        services: The log, the people and the clock.
        settings: Doors, and what the screen shows.
        feed: Tells that the log grew.
        corners: What coffee corners show just now; None: there is none.
        audio: The settings of sound as they are now; those of the start if None.
        seconds: A monotonic clock, seconds.
    """

    def __init__(
        self,
        services: Services,
        settings: Settings,
        feed: Feed,
        *,
        corners: CoffeeLine | None = None,
        audio: Callable[[], AudioSettings] | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = services.store
        self._clock = services.clock
        self._screen = settings.screen
        self._doors = [door.id for door in settings.doors]
        self._repeat_s = max(settings.encounters.repeat_after_s, settings.screen.greeting_s)
        self._feed = feed
        self._corners = corners
        self._audio = audio or (lambda: settings.audio)
        self._heard = Heard()
        self._tallies = Tallies(services.store, services.clock, salt=secrets.token_bytes(16))
        self._seconds = seconds
        self._lock = threading.Lock()
        self._board: Board | None = None
        self._lines = Lines(self._called, self._rule)
        self._songs = ScreenSongs()
        self._read = 0
        self._position = 0

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("screen.now", Nothing, Permission.SCREEN, self.now),
            Operation("screen.wait", Wait, Permission.SCREEN, self.wait, waits=True),
            Operation("screen.song", Key, Permission.SCREEN, self.song),
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
                heard = self._heard.number
            left = until - self._seconds()
            if after is None or left <= 0:
                return Answer({"position": position, "events": []})
            newest = self._feed.wait(read, left, partial(self._heard_more, heard))
            if newest == read and self._seconds() < until and not self._heard_more(heard):  # it is closing
                return Answer({"position": position, "events": []})

    def song(self, asked: Asked[Key]) -> Answer:
        """A song that is told to screens just now, in the blob.

        Raises:
            UnknownSongError: None is, under this key.
        """
        with self._lock:
            self._caught_up(self._store.position())
            found = self._songs.song(asked.arguments.key, self._seconds())
        if found is None:
            raise UnknownSongError("no such song is played on screens now")
        return Answer({"media_type": self._store.song(found).media_type}, self._store.song_audio(found))

    def _heard_more(self, number: int) -> bool:
        return self._corners is not None and self._corners.now().number != number

    def _caught_up(self, newest: int) -> Board:
        """The board with all that was logged up to a position; begun anew if the log was set back."""
        board = self._board
        if self._corners is not None and (heard := self._corners.now()).number != self._heard.number:
            self._heard = heard
            self._moved()
        if board is None or newest < self._read:
            board = self._begun(newest)
            self._board, self._read = board, newest
            self._moved()
        while self._read < newest:
            found = self._store.events(after=self._read, before=newest + 1, types=_READ, limit=_AT_ONCE)
            changed = [board.take(event, self._clock.wall(), self._seconds()) for event in found]
            asked = [self._lines.take(event, self._clock.wall(), self._seconds()) for event in found]
            asked += [self._songs.take(event, self._clock.wall(), self._seconds()) for event in found]
            self._read = found[-1].position if len(found) == _AT_ONCE else newest
            if any(event.type in CHANGES for event in found):
                self._tallies.changed()
            others = any(event.type in RULES for event in found)
            if others or any(event.type in CHANGES for event in found):
                self._lines.changed()
            if any(changed):
                self._rank(board)
            if others or any(changed) or any(asked):
                self._moved()
        if board.day != self._today():
            self._rank(board)
            self._moved()
        return board

    def _begun(self, newest: int) -> Board:
        """A board of how things stand: each door's last word, and who came in just now."""
        now = self._clock.wall()
        self._tallies.changed()
        board = Board(self._doors, self._called, greeting_s=self._screen.greeting_s, repeat_s=self._repeat_s)
        doors = self._store.events(before=newest + 1, types=DOORS, limit=_DOOR_EVENTS, newest_first=True)
        just_now = now - timedelta(seconds=self._repeat_s)
        recent = self._store.events(before=newest + 1, types=PEOPLE, since=just_now, limit=_AT_ONCE)
        for event in sorted([*doors, *recent], key=lambda each: each.position):
            board.take(event, now, self._seconds())
        self._lines = Lines(self._called, self._rule)
        a_minute = now - timedelta(seconds=LONGEST_LINE_S)
        for event in self._store.events(before=newest + 1, types=LINES, since=a_minute, limit=_AT_ONCE):
            self._lines.take(event, now, self._seconds())
        self._songs = ScreenSongs()
        young = now - timedelta(seconds=YOUNG_S)
        for event in self._store.events(before=newest + 1, types=SONGS, since=young, limit=_AT_ONCE):
            self._songs.take(event, now, self._seconds())
        self._rank(board)
        return board

    def _moved(self) -> None:
        """Something else is to be seen. Begun from the clock, so that a desk that restarts goes on higher."""
        self._position = max(self._position + 1, int(self._clock.wall().timestamp() * 1000))

    def _today(self) -> str:
        return self._tallies.today().isoformat()

    def _state(self, board: Board) -> dict[str, Any]:
        return {
            "greetings": board.greetings(self._seconds()),
            "doors": board.doors(),
            "leaderboard": self._leaderboard(board),
            "coffee": self._coffee(),
            "lines": self._lines.shown(self._seconds()),
            "song": self._songs.shown(self._seconds(), self._audio().volume),
            "theme": self._screen.theme,
        }

    def _leaderboard(self, board: Board) -> dict[str, Any] | None:
        """Greetings as `{kind, days, rows}`; coffees as `{kind, boards, newest}`, a board for each period.

        `newest` is who took the newest coffee, whether their place is shown or not: see `Board.just_now`.
        """
        if self._screen.leaderboard == "off":
            return None
        if self._screen.leaderboard == "greetings":
            return {"kind": "greetings", "days": self._screen.leaderboard_days, "rows": board.rows or []}
        return {"kind": "coffee", "boards": board.boards, "newest": board.just_now(self._seconds())}

    def _coffee(self) -> list[dict[str, Any]]:
        """What coffee corners show: of those who are on the leaderboard, by what they are called there."""
        told = []
        ago_s = self._seconds() - self._heard.at_s
        for each in self._heard.people:
            text = visitor_text(each.visitor) if each.subject is None else self._tallies.called(each.subject)
            if text is None or (each.phase != "counting" and each.over_s <= ago_s):
                continue
            key = hashlib.sha256(f"coffee {each.key}".encode()).hexdigest()[:12]
            left_s = round(max(0.0, each.left_s - ago_s), 2)
            over_s = left_s + 1 if each.phase == "counting" else round(each.over_s - ago_s, 2)
            told.append({"key": key, "text": text, "phase": each.phase, "left_s": left_s, "over_s": over_s})
        return told

    def _called(self, subject: str) -> str | None:
        """What the screen calls somebody who comes in; None: it does not greet them."""
        try:
            person: Subject = self._store.subject_by_id(subject)
        except (UnknownSubjectError, VaultError):
            return None
        return shown_as(person) if is_shown(person, GREET) else None

    def _rule(self, rule: str) -> KeptRule | None:
        """A rule as it is kept; None: it is gone."""
        try:
            return self._store.rule(rule)
        except UnknownRuleError:
            return None

    def _rank(self, board: Board) -> None:
        """Read the leaderboard anew. Only who agreed is counted, and they are asked again here."""
        kind = self._screen.leaderboard
        rows: list[Row] | None = None
        boards: list[dict[str, Any]] = []
        newest: Row | None = None
        if kind == "greetings":
            since = self._tallies.today() - timedelta(days=self._screen.leaderboard_days - 1)
            rows = self._tallies.rows(self._tallies.greetings(GREETINGS, since)[:MOST_ROWS])
        if kind == "coffee":
            most = self._screen.leaderboard_rows
            for period in self._screen.leaderboard_periods:
                found = self._tallies.coffees(period)
                if not boards and board.newest is not None:
                    newest = self._row_of(board.newest, found)
                boards.append(
                    {
                        "period": period,
                        "rows": self._tallies.rows(found[:most]),
                        "more": max(0, len(found) - most),
                        "coffees": sum(each.counted.count for each in found),
                    }
                )
        board.ranked(rows, self._today(), boards, newest)

    def _row_of(self, newest: Newest, found: list[Placed]) -> Row | None:
        """The row of whoever took a coffee; None: they are not on this leaderboard."""
        text = visitor_text(newest.visitor) if newest.subject is None else None
        for each in found:
            if each.counted.subject == newest.subject and text in (None, each.counted.text):
                (row,) = self._tallies.rows([each])
                return row
        return None
