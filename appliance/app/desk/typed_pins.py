"""A PIN that was typed, held against whoever is recognised before its lock; dispatch is told what it says.

The PIN is in the memory of one call, for some seconds, and compared with the hash of nobody but who stands
there. It opens nothing: whether the lock is told is dispatch's to decide, by the whole policy.
"""

import contextlib
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal

import structlog
from pydantic import SecretStr

from appliance.app.desk.applying import Source
from appliance.app.desk.feed import Feed
from appliance.app.desk.passwords import Passwords
from appliance.app.unlocking import LANE, PURPOSE, camera_of
from appliance.errors import UnknownSubjectError, VaultError, WireError
from appliance.events import SubjectIdentified, UnlockDecided
from appliance.services import Services
from appliance.settings import LockSettings
from appliance.store import OutboxState, StoredEvent, SubjectState
from appliance.values import Grade
from appliance.wire import Client, Message
from appliance.wire.messages import DecideAgain, Done, PinGone, PinJudged, PinTyped

_log = structlog.get_logger()

_MOST_PEOPLE: Final = 4
"""People whom one typed PIN is compared with: those who stand before the camera."""
_ENDS: Final = frozenset(OutboxState) - {OutboxState.PENDING, OutboxState.RUNNING}
_ANSWER_S: Final = 12.0
"""How long a lock that was told is waited for."""
_TELL_S: Final = 2.0
_LOOK_S: Final = 0.5
"""How soon a PIN that was replaced by another is let go."""
_POLL_S: Final = 0.1
_AT_ONCE: Final = 50

Word = Literal["fits", "wrong", "not_set", "paused"]

Outcome = Literal["opened", "failed", "not_opened", "again", "replaced"]
"""The lock was told to open and did, as far as it says; it was told and failed; it was not told; the page is
too old, and nothing was looked at; another PIN was typed meanwhile."""


@dataclass(slots=True)
class TypedPin:
    """A PIN that was typed, until it is used or its time is over.

    Attributes:
        turn: Names it.
        keypad: Where.
        lock: Of which lock.
        camera: That sees who stands before it.
        pin: Itself; nowhere else.
        words: By subject.
        told: Decisions that dispatch was told of.
    """

    turn: str
    keypad: str
    lock: LockSettings
    camera: str
    pin: SecretStr
    words: dict[str, Word] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)


class Holding:
    """Holds PINs against recognitions.

    Args:
        services: Log, people, PINs, clocks, and where the other processes listen.
        source: The settings as they are.
        feed: Tells that the log grew.
        passwords: Compares.
        held_s: Seconds for which a PIN is held.
    """

    def __init__(
        self, services: Services, source: Source, feed: Feed, passwords: Passwords, *, held_s: float
    ) -> None:
        self._store = services.store
        self._clock = services.clock
        self._source = source
        self._feed = feed
        self._passwords = passwords
        self._held_s = held_s
        self._dispatch = Client(services.layout.socket("dispatch"), timeout_s=_TELL_S)
        self._loop = Client(services.layout.socket("loop"), timeout_s=_TELL_S)
        self._lock = threading.Lock()
        self._newest: dict[str, str] = {}
        """By lock: the turn of the PIN that was typed last."""

    def hold(self, typed: TypedPin) -> Outcome:
        """Hold a PIN until the door opens or its time is over; one typed at the same lock before is void.

        Raises:
            WireError: Dispatch cannot be reached, and so nothing would open.
            StoreError: The database cannot.
        """
        with self._lock:
            self._newest[typed.lock.id] = typed.turn
        began = self._store.position()
        try:
            outcome = self._hold(typed, began)
        finally:
            self._told(PinGone(lock=typed.lock.id, turn=typed.turn))
        return self._of_the_last_moment(typed, began) if outcome == "not_opened" else outcome

    def _hold(self, typed: TypedPin, position: int) -> Outcome:
        """Compare the PIN with whoever is recognised, until the door opens or the time is over."""
        until_s = self._clock.monotonic() + self._held_s
        just_now = self._clock.wall() - timedelta(seconds=typed.lock.decision_s)
        self._dispatch.call(PinTyped(lock=typed.lock.id, turn=typed.turn), Done)
        self._look_anew(typed)
        for stored in self._store.events(
            before=position + 1, types=("subject_identified",), since=just_now, limit=_AT_ONCE
        ):
            self._judge(typed, stored)
        while (left_s := until_s - self._clock.monotonic()) > 0:
            newest = self._feed.wait(position, min(left_s, _LOOK_S))
            if not self._current(typed):
                return "replaced"
            if newest <= position:
                continue
            for stored in self._store.events(after=position, before=newest + 1, limit=_AT_ONCE):
                position = stored.position
                if isinstance(stored.event, SubjectIdentified):
                    self._judge(typed, stored)
                elif self._granted(typed, stored):
                    return self._opened(typed, str(getattr(stored.event, "cause", "")))
        return "not_opened"

    def _judge(self, typed: TypedPin, stored: StoredEvent) -> None:
        """Say what the PIN is to whoever a decision names, if it is one that could open this lock."""
        event = stored.event
        if (
            not isinstance(event, SubjectIdentified)
            or event.grade is not Grade.CONFIRMED
            or event.camera != typed.camera
            or event.door not in (None, typed.lock.door)
            or stored.id in typed.told
        ):
            return
        typed.told.add(stored.id)
        word = self._word(typed, event.subject)
        if word is not None and self._current(typed):
            self._told(PinJudged(lock=typed.lock.id, turn=typed.turn, decision=stored.id, word=word))

    def _word(self, typed: TypedPin, subject: str) -> Word | None:
        """What the PIN is to somebody, found out once; None: the door opens for them in no case."""
        if subject in typed.words:
            return typed.words[subject]
        if len(typed.words) >= _MOST_PEOPLE or not self._may(subject):
            return None
        lock = typed.lock
        try:
            held = self._store.begin_pin_try(subject, attempts=lock.pin_attempts, pause_s=lock.pin_pause_s)
        except VaultError as error:
            _log.error("pin_damaged", reason=error.message, hint="set another one for them")
            return None
        # Nobody's hash is compared, too, so that it takes as long.
        fits = self._passwords.fits(held.hash, typed.pin.get_secret_value())
        word: Word = "wrong"
        if held.hash is None:
            word = "paused" if held.paused else "not_set"
        elif fits:
            self._store.pin_fitted(subject)
            word = "fits"
            for other, said in typed.words.items():
                if said == "wrong":  # it was never meant for them
                    self._store.take_back_pin_try(other)
        elif "fits" in typed.words.values():
            self._store.take_back_pin_try(subject)
        typed.words[subject] = word
        return word

    def _may(self, subject: str) -> bool:
        """Whether anything opens for them at all; else their PIN is no business of this keypad's."""
        try:
            person = self._store.subject_by_id(subject)
        except (UnknownSubjectError, VaultError):
            return False
        return person.state is SubjectState.ACTIVE and PURPOSE in person.purposes

    def _current(self, typed: TypedPin) -> bool:
        """Whether this is still the PIN typed last, at a keypad that is still good."""
        with self._lock:
            if self._newest.get(typed.lock.id) != typed.turn:
                return False
        return self._store.keypad(typed.keypad).revoked_at is None

    @staticmethod
    def _granted(typed: TypedPin, stored: StoredEvent) -> bool:
        event = stored.event
        return (
            isinstance(event, UnlockDecided)
            and event.type == "unlock_granted"
            and event.lock == typed.lock.id
            and event.cause in typed.told
        )

    def _of_the_last_moment(self, typed: TypedPin, began: int) -> Outcome:
        """What became of a PIN whose time is over: dispatch takes it no more, but may have taken it before.

        So a keypad never says that it did not open while it opens.
        """
        lane, until_s = f"{LANE}{typed.lock.id}", self._clock.monotonic() + _ANSWER_S
        while self._clock.monotonic() < until_s:
            running = self._store.outbox(states=(OutboxState.RUNNING,))
            under_way = [each for each in running if each.action == lane and each.event.id in typed.told]
            for stored in self._store.events(after=began, types=("unlock_granted",)):
                if self._granted(typed, stored):
                    return self._opened(typed, str(getattr(stored.event, "cause", "")))
            if not under_way:
                break
            time.sleep(_POLL_S)
        return "not_opened"

    def _opened(self, typed: TypedPin, decision: str) -> Outcome:
        """What became of it once it was granted: the lock may not have answered."""
        lane, until_s = f"{LANE}{typed.lock.id}", self._clock.monotonic() + _ANSWER_S
        while self._clock.monotonic() < until_s:
            rows = [each for each in self._store.outbox(event=decision) if each.action == lane]
            states = {each.state for each in rows}
            if OutboxState.DELIVERED in states:
                return "opened"
            if states and states <= _ENDS:
                return "failed"
            time.sleep(_POLL_S)
        return "failed"

    def _look_anew(self, typed: TypedPin) -> None:
        """Have whoever stands there recognised again, unless that might open another lock without a PIN."""
        settings = self._source.running()
        for other in settings.locks:
            if other.policy == "face_alone" and camera_of(settings, other) == typed.camera:
                return
        with contextlib.suppress(WireError):  # a loop that is away recognises nobody anyway
            self._loop.call(DecideAgain(camera=typed.camera), Done)

    def _told(self, message: Message) -> None:
        """Tell dispatch; what it does not hear opens nothing."""
        try:
            self._dispatch.call(message, Done)
        except WireError as error:
            _log.warning("dispatch_not_told", message=type(message).__name__, reason=error.message)
