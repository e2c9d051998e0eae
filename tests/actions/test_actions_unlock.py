"""Unlocking: decided, put on record, and only then told to the lock; what cannot be known stays shut."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from decided import SURE, event_of, stay
from unlocks import ANN, BEN, MORNING, NotingLock, fine

from appliance.actions.unlock import Looked, UnlockAction
from appliance.actions.unlock_pins import Pins
from appliance.actions.unlock_policy import Person, PinWord, Strictly, Terms
from appliance.clock import ManualClock
from appliance.errors import ActionError, StoreError
from appliance.events import DoorChanged, Event, SubjectIdentified, UnlockDecided
from appliance.values import DoorState, Grade

EVENT = "01900000-0000-7000-8000-0000000000e1"


@dataclass
class Ledger:
    """A memory that is told: implements `Knowing`.

    Attributes:
        person: Whom it knows; None: it cannot be asked.
        full: Nothing can be written any more.
        slow_s: How long writing takes.
    """

    clock: ManualClock
    person: Person | None = field(default_factory=lambda: Person(active=True, agreed=True, undisputed=True))
    full: bool = False
    slow_s: float = 0.0
    written: list[UnlockDecided] = field(default_factory=list)

    def look(self, event_id: str, event: SubjectIdentified) -> Looked:
        """What it was told."""
        del event_id, event
        if self.person is None:
            raise StoreError("the database is locked")
        return Looked("box", self.person)

    def record(self, event: UnlockDecided) -> str:
        """Keep it."""
        if self.full:
            raise StoreError("no space is left")
        self.clock.advance(self.slow_s)
        self.written.append(event)
        return f"granted-{len(self.written)}"


@dataclass(frozen=True)
class Row:
    """A delivery as dispatch hands it over."""

    event: Event
    at: datetime = MORNING
    event_id: str = EVENT
    attempt: int = 1
    idempotency_key: str = f"{EVENT}:rule:0"
    parameters: Any = field(default_factory=lambda: {"lock": "front"})


@dataclass
class Door:
    """A lock with everything around it, at half a second after Ann was recognised."""

    clock: ManualClock = field(
        default_factory=lambda: ManualClock(MORNING + timedelta(seconds=0.5), monotonic=100.5)
    )
    terms: Terms = field(default_factory=lambda: fine("face_alone").terms)
    lock: NotingLock = field(default_factory=NotingLock)
    strictly: Strictly | None = field(default_factory=lambda: fine().strictly)

    def __post_init__(self) -> None:
        """What is around it."""
        self.ledger = Ledger(self.clock)
        self.pins = Pins(self.clock)

    def unlock(self, row: Row) -> None:
        """Perform it."""
        UnlockAction(
            "front",
            self.terms,
            self.lock,
            clock=self.clock,
            knowing=self.ledger,
            strict=lambda _: self.strictly,
            pins=self.pins,
        ).perform(row)

    @property
    def said(self) -> list[tuple[str, str]]:
        """Types and reasons of what was put on record."""
        return [(each.type, each.reason) for each in self.ledger.written]


def recognised(grade: Grade = Grade.CONFIRMED, frame_s: float = 100.0) -> SubjectIdentified:
    """Ann before the front door, by three frames, the last of them at that second."""
    frames = [(frame_s - 0.2 + i / 10, {ANN: SURE, BEN: -0.5}) for i in range(3)]
    decision = next(each for each in stay(frames) if each.grade is Grade.CONFIRMED)
    event = event_of(replace(decision, grade=grade), "encounter")
    assert isinstance(event, SubjectIdentified)

    return event.model_copy(update={"camera": "entrance", "door": "front"})


def test_it_is_put_on_record_before_the_lock_is_told() -> None:
    """Granted stands in the log with its reasons; the lock is told once, with the time that is left."""
    door = Door()
    door.unlock(Row(recognised()))

    assert [("unlock_granted", "granted")] == door.said
    assert ["granted-1"] == [each.event_id for each in door.lock.told]
    assert [2.5] == [each.left_s for each in door.lock.told]
    assert (EVENT, "encounter", ANN) == (
        door.ledger.written[0].cause,
        door.ledger.written[0].encounter,
        door.ledger.written[0].subject,
    )


def test_a_refusal_is_on_record_and_no_failure() -> None:
    """Refused and why is in the log; the row in the outbox is done, and the lock heard nothing."""
    door = Door(terms=replace(fine("face_alone").terms, policy="off"))
    door.unlock(Row(recognised()))

    assert [("unlock_refused", "off")] == door.said
    assert [] == door.lock.told


@pytest.mark.parametrize("grade", [Grade.GREETING, Grade.FINAL])
def test_other_grades_open_nothing(grade: Grade) -> None:
    """One frame, or somebody who has gone, is not enough."""
    door = Door()
    door.unlock(Row(recognised(grade)))

    assert [("unlock_refused", "not_confirmed")] == door.said
    assert [] == door.lock.told


def test_an_event_that_is_no_recognition_opens_nothing() -> None:
    """However a rule came to ask: a door that opens is nobody."""
    door = Door()
    opened = DoorChanged(type="door_opened", state=DoorState.OPEN, fraction=0.2, door="front")
    door.unlock(Row(opened))

    assert [("unlock_refused", "no_decision")] == door.said
    assert [] == door.lock.told


def test_what_cannot_be_found_out_opens_nothing() -> None:
    """A database that does not answer is a refusal."""
    door = Door()
    door.ledger.person = None
    door.unlock(Row(recognised()))

    assert [("unlock_refused", "not_known")] == door.said
    assert [] == door.lock.told


def test_what_cannot_be_written_opens_nothing() -> None:
    """A log that takes nothing leaves the door shut, and says so as a failure."""
    door = Door()
    door.ledger.full = True
    with pytest.raises(ActionError, match="cannot be put on record") as caught:
        door.unlock(Row(recognised()))

    assert caught.value.permanent
    assert [] == door.lock.told


def test_a_log_that_takes_long_leaves_the_door_shut() -> None:
    """Granted in time and written too late is not told to the lock."""
    door = Door()
    door.ledger.slow_s = 2.6
    with pytest.raises(ActionError, match="too long"):
        door.unlock(Row(recognised()))

    assert [] == door.lock.told


@pytest.mark.parametrize(
    "changes", [{"attempt": 2}, {"parameters": {"lock": "back"}}, {"parameters": {}}], ids=str
)
def test_a_row_that_was_begun_before_or_is_anothers_opens_nothing(changes: dict[str, Any]) -> None:
    """At most once, and the rule's own lock: else not even a look."""
    door = Door()
    with pytest.raises(ActionError):
        door.unlock(replace(Row(recognised()), **changes))

    assert [] == door.lock.told
    assert [] == door.said


def test_a_lock_that_fails_is_a_failed_action() -> None:
    """Granted is in the log; that the lock did not do it is the action's outcome."""
    door = Door(lock=NotingLock(fails=True))
    with pytest.raises(ActionError):
        door.unlock(Row(recognised()))

    assert [("unlock_granted", "granted")] == door.said


def test_with_a_pin_it_opens_once() -> None:
    """The same PIN opens for the decision it was compared with, and not for the next one."""
    door = Door(terms=fine().terms)
    door.pins.typed("front", "turn")
    door.pins.judged("front", "turn", EVENT, PinWord.FITS)
    door.unlock(Row(recognised()))
    door.unlock(Row(recognised(), event_id=EVENT.replace("e1", "e2")))

    assert [("unlock_granted", "granted"), ("unlock_refused", "no_pin")] == door.said
    assert [True, False] == [each.pin for each in door.ledger.written]
    assert 1 == len(door.lock.told)


@pytest.mark.parametrize(
    ("word", "reason"),
    [(PinWord.WRONG, "pin_wrong"), (PinWord.NOT_SET, "pin_not_set"), (PinWord.PAUSED, "pin_paused")],
)
def test_a_pin_that_does_not_fit_is_a_refusal_with_its_reason(word: PinWord, reason: str) -> None:
    """What was wrong with the PIN stands in the log, for the admin."""
    door = Door(terms=fine().terms)
    door.pins.typed("front", "turn")
    door.pins.judged("front", "turn", EVENT, word)
    door.unlock(Row(recognised()))

    assert [("unlock_refused", reason)] == door.said


def test_a_pin_is_not_looked_at_for_whom_the_door_would_not_open() -> None:
    """Who is refused anyway uses up no PIN, and learns nothing of it."""
    door = Door(terms=replace(fine().terms, open_at=lambda _: False))
    door.pins.typed("front", "turn")
    door.pins.judged("front", "turn", EVENT, PinWord.FITS)
    door.unlock(Row(recognised()))

    assert [("unlock_refused", "outside_hours")] == door.said
    assert PinWord.FITS is door.pins.take("front", EVENT, 1e9)


def test_strict_judging_that_fails_is_a_refusal() -> None:
    """Frames that cannot be judged again open nothing."""
    door = Door(strictly=None)
    door.unlock(Row(recognised()))

    assert [("unlock_refused", "not_recomputed")] == door.said


def test_the_age_is_that_of_the_last_frame_too() -> None:
    """An event logged late about frames taken long before opens nothing."""
    door = Door()
    door.unlock(Row(recognised(frame_s=97.0)))

    assert [("unlock_refused", "too_old")] == door.said
