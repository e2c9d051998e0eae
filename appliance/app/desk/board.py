"""What the office screen shows, worked out from events as they come; pure, but for what people are called.

Who is greeted, for how long and how often; how each door is; whose places the leaderboard holds. Reading the
log and telling screens is `screen`.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from appliance.app.desk.leaderboard import Row
from appliance.events import (
    CoffeeAdded,
    CoffeeCorrected,
    CoffeeTaken,
    ConsentChanged,
    DecisionCorrected,
    DoorChanged,
    DoorHeldOpen,
    ProcessChanged,
    StrangerSeen,
    SubjectChanged,
    SubjectIdentified,
    SubjectMerged,
)
from appliance.store import StoredEvent
from appliance.values import Grade

MOST_GREETINGS: Final = 6
"""People greeted at once; of more, those who came last."""
NEWEST_S: Final = 20.0
"""Seconds for which it is told who took the newest coffee."""


DOORS: Final = (
    *("door_opened", "door_shut", "door_unsure", "door_held_open"),
    *("process_stopped", "process_restarted"),
)
"""The event types that say how doors are."""
PEOPLE: Final = ("subject_identified", "stranger_seen", "decision_corrected")
"""Those that say who comes in, or who it really was."""
COFFEES: Final = ("coffee_taken", "coffee_added", "coffee_corrected")
"""Those that move the leaderboard of coffees."""
CHANGES: Final = (
    *("consent_given", "consent_withdrawn", "subject_merged", "subject_removed"),
    *("subject_renamed", "subject_paused", "subject_resumed"),
)
"""Those after which somebody may be called otherwise, or not at all."""


@dataclass(slots=True)
class _Greeting:
    """Somebody is greeted.

    Attributes:
        key: Tells this greeting from others; says nothing of the person.
        subject: Whom; never told.
        encounter: In which stay.
        text: What they are called.
        until_s: Monotonic seconds at which it goes.
    """

    key: str
    subject: str
    encounter: str
    text: str
    until_s: float


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest coffee.

    Attributes:
        event: Its id; never told.
        subject: Whose; None: a visitor's. Never told.
        visitor: Their number.
        until_s: Monotonic seconds until which it is told.
    """

    event: str
    subject: str | None
    visitor: int | None
    until_s: float


class Board:
    """What is to be seen.

    Args:
        doors: Ids of the doors, in order.
        called: What to call somebody by their id; None: they are not greeted.
        greeting_s: Seconds that a greeting stays.
        repeat_s: Seconds within which nobody is greeted twice.
    """

    def __init__(
        self,
        doors: Sequence[str],
        called: Callable[[str], str | None],
        *,
        greeting_s: float,
        repeat_s: float,
    ) -> None:
        self._called = called
        self._greeting_s = greeting_s
        self._repeat_s = repeat_s
        self._doors = dict.fromkeys(doors, "unknown")
        self._greetings: list[_Greeting] = []
        self._greeted_s: dict[str, float] = {}
        self.rows: list[Row] | None = None
        self.boards: list[dict[str, Any]] = []
        self.day = ""
        self.newest: Newest | None = None
        self._newest_row: Row | None = None

    def take(self, stored: StoredEvent, now: datetime, seconds: float) -> bool:
        """Take an event in, in the order of the log.

        Args:
            stored: It.
            now: Aware time.
            seconds: The same moment on a monotonic clock.

        Returns:
            Whether something else may be to be seen now.
        """
        self._greetings = [each for each in self._greetings if each.until_s > seconds]
        event = stored.event
        if isinstance(event, SubjectIdentified):
            return self._identified(stored, event, now, seconds)
        if isinstance(event, StrangerSeen | DecisionCorrected):
            return self._mistaken(event)
        if isinstance(event, DoorChanged | DoorHeldOpen):
            return self._door(event)
        if isinstance(event, ProcessChanged):
            return self._process(event)
        if isinstance(event, ConsentChanged | SubjectChanged | SubjectMerged):
            for each in self._greetings:
                each.text = self._called(each.subject) or ""
            self._leave_out(lambda each: not each.text)
            return True
        return self._coffee(stored, now, seconds)

    def ranked(
        self,
        rows: list[Row] | None,
        day: str,
        boards: list[dict[str, Any]] | None = None,
        newest: Row | None = None,
    ) -> None:
        """The leaderboards as they are on a day.

        Args:
            rows: Of greetings; None: there is none.
            day: It.
            boards: Of coffees.
            newest: The row of whoever took the newest coffee on the first of those, whether it is shown there
                or not; None: they are not on it.
        """
        self.rows, self.day, self.boards, self._newest_row = rows, day, boards or [], newest

    def just_now(self, seconds: float) -> dict[str, Any] | None:
        """Who took the newest coffee: `{key, row, left_s}`, the key of that coffee; None after a while."""
        newest, row = self.newest, self._newest_row
        if newest is None or row is None or newest.until_s <= seconds:
            return None
        key = hashlib.sha256(f"newest {newest.event}".encode()).hexdigest()[:12]
        return {"key": key, "row": row, "left_s": round(newest.until_s - seconds, 3)}

    def greetings(self, seconds: float) -> list[dict[str, Any]]:
        """Who is greeted at this moment, those who came last at the end."""
        return [
            {"key": each.key, "text": each.text, "left_s": round(each.until_s - seconds, 3)}
            for each in self._greetings
            if each.until_s > seconds
        ]

    def doors(self) -> list[dict[str, str]]:
        """Each door and how it is: `open`, `held_open`, `shut`, `unsure`, or `unknown`."""
        return [{"id": door, "state": state} for door, state in self._doors.items()]

    def _coffee(self, stored: StoredEvent, now: datetime, seconds: float) -> bool:
        event = stored.event
        if isinstance(event, CoffeeTaken | CoffeeAdded):
            age_s = max((now - stored.at).total_seconds(), 0.0)
            visitor = event.visitor if isinstance(event, CoffeeTaken) else None
            self.newest = Newest(stored.id, event.subject, visitor, seconds - age_s + NEWEST_S)
        elif isinstance(event, CoffeeCorrected):
            if self.newest is not None and self.newest.event == event.corrects:
                self.newest = None
        else:
            return False
        return True

    def _identified(
        self, stored: StoredEvent, event: SubjectIdentified, now: datetime, seconds: float
    ) -> bool:
        if event.grade is not Grade.GREETING or event.repeated:
            return False
        # In this stay somebody else was greeted: that was a mistake, and goes.
        self._leave_out(lambda each: each.encounter == event.encounter and each.subject != event.subject)
        age_s = max((now - stored.at).total_seconds(), 0.0)  # a clock that was set back makes nobody older
        last_s = self._greeted_s.get(event.subject)
        at_s = seconds - age_s
        if last_s is None or at_s - last_s >= self._repeat_s:
            self._greet(stored, event, at_s, seconds)
        # The leaderboard may have moved in any case.
        return True

    def _greet(self, stored: StoredEvent, event: SubjectIdentified, at_s: float, seconds: float) -> None:
        text = self._called(event.subject)
        until_s = at_s + self._greeting_s
        if text is None:
            return
        self._greeted_s = {
            who: when for who, when in self._greeted_s.items() if at_s - when < self._repeat_s
        } | {event.subject: at_s}
        if until_s <= seconds:
            return
        key = hashlib.sha256(f"screen {stored.id}".encode()).hexdigest()[:12]
        self._greetings.append(_Greeting(key, event.subject, event.encounter, text, until_s))
        del self._greetings[:-MOST_GREETINGS]

    def _mistaken(self, event: StrangerSeen | DecisionCorrected) -> bool:
        """Whoever was greeted by mistake goes; whose stay it was by somebody's word is not greeted now."""
        corrected = isinstance(event, DecisionCorrected)
        really = event.subject if isinstance(event, DecisionCorrected) else None
        gone = self._leave_out(lambda each: each.encounter == event.encounter and each.subject != really)
        # The leaderboard moves with a correction.
        return gone or corrected

    def _leave_out(self, gone: Callable[[_Greeting], bool]) -> bool:
        kept = [each for each in self._greetings if not gone(each)]
        changed = len(kept) != len(self._greetings)
        self._greetings = kept
        return changed

    def _door(self, event: DoorChanged | DoorHeldOpen) -> bool:
        if event.door not in self._doors:
            return False
        state = "held_open" if isinstance(event, DoorHeldOpen) else event.state.value
        changed = self._doors[event.door] != state
        self._doors[event.door] = state
        return changed

    def _process(self, event: ProcessChanged) -> bool:
        """What doors did while nobody watched is not known."""
        if event.process != "loop" or not any(state != "unknown" for state in self._doors.values()):
            return False
        self._doors = dict.fromkeys(self._doors, "unknown")
        return True
