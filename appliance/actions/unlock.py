"""Unlocking: a rule's wish, held against the lock's policy, put on record, and only then told to the lock.

Begun once for a decision, never repeated: the outbox has committed that it runs before `perform` is called.
What cannot be found out, or not written down, does not open anything. Whether a lock may open is
`unlock_policy`'s, how it is told `locks`'s.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from appliance.actions.locks import LockDriver, Opening
from appliance.actions.unlock_pins import Pins
from appliance.actions.unlock_policy import (
    Decided,
    Now,
    Person,
    PinWord,
    Reason,
    Strictly,
    Terms,
    age,
    judge,
    judge_pin,
)
from appliance.clock import Clock
from appliance.deliveries import Delivery
from appliance.errors import ActionError, ApplianceError
from appliance.events import Event, SubjectIdentified, UnlockDecided

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Looked:
    """What the log and the people's list say at this moment.

    Attributes:
        device: In whose log the event stands.
        person: Of whom it names.
    """

    device: str
    person: Person


class Knowing(Protocol):
    """The box's memory, as unlocking asks it."""

    def look(self, event_id: str, event: SubjectIdentified) -> Looked:
        """What is known now of a decision and of whom it names.

        Raises:
            ApplianceError: It cannot be found out.
        """

    def record(self, event: UnlockDecided) -> str:
        """Put on record what was decided; its id. Durable when this returns.

        Raises:
            ApplianceError: It cannot be written.
        """


Strict = Callable[[SubjectIdentified], Strictly | None]
"""Judges a decision's stored frames again for what a lock asks; None: that cannot be done."""


class UnlockAction:
    """Opens one lock, or says why not.

    Args:
        lock: Its id.
        terms: What it asks for.
        driver: Tells it.
        clock: Both are used.
        knowing: Log and people.
        strict: Judges again.
        pins: What was typed at keypads.
    """

    def __init__(
        self,
        lock: str,
        terms: Terms,
        driver: LockDriver,
        *,
        clock: Clock,
        knowing: Knowing,
        strict: Strict,
        pins: Pins,
    ) -> None:
        self._lock = lock
        self._terms = terms
        self._driver = driver
        self._clock = clock
        self._knowing = knowing
        self._strict = strict
        self._pins = pins

    def perform(self, delivery: Delivery) -> None:
        """Decide, record, and tell the lock. A refusal is on record, and is no failure.

        Raises:
            ActionError: It could not be recorded, and so nothing was opened; or the lock was told and did
                not do it, or it is not known whether it did; or too much time passed before it was told.
        """
        event = delivery.event
        if delivery.attempt != 1 or delivery.parameters.get("lock") != self._lock:
            raise ActionError("begun before, or another lock's; nothing was opened", permanent=True)
        decided, reason, word = self._decide(delivery.event_id, event, delivery.at)
        granted = reason is Reason.GRANTED
        recorded = self._record(
            UnlockDecided(
                type="unlock_granted" if granted else "unlock_refused",
                lock=self._lock,
                subject=decided.subject,
                encounter=getattr(event, "encounter", None),
                cause=delivery.event_id,
                reason=reason.value,
                pin=word is PinWord.FITS,
                camera=event.camera,
                door=self._terms.door,
            )
        )
        if not granted:
            return
        # Writing may have waited for another process.
        if age(self._terms, decided, self._now()) is not Reason.GRANTED:
            raise ActionError("it took too long to put this on record; the lock was not told", permanent=True)
        left_s = self._terms.decision_s - (self._clock.wall() - decided.at).total_seconds()
        self._driver.open(Opening(self._lock, recorded, delivery.idempotency_key, self._clock.wall(), left_s))

    def close(self) -> None:
        """Wait for no PIN any more, and give up telling the lock."""
        self._pins.close()
        self._driver.close()

    def _decide(self, event_id: str, event: Event, at: datetime) -> tuple[Decided, Reason, PinWord]:
        """What the policy says, and what it rests on."""
        if not isinstance(event, SubjectIdentified):
            nobody = Decided(None, None, self._terms.device, event.camera, event.door, at, None)
            reason = Reason.OFF if self._terms.policy == "off" else Reason.NO_DECISION
            return nobody, reason, PinWord.NONE
        looked: Looked | None = None
        try:
            looked = self._knowing.look(event_id, event)
        except ApplianceError as error:
            _log.warning("unlock_not_known", lock=self._lock, reason=error.message)
        decided = Decided(
            subject=event.subject,
            grade=event.grade.value,
            device=self._terms.device if looked is None else looked.device,
            camera=event.camera,
            door=event.door,
            at=at,
            frame_s=max((frame.at_s for frame in event.facts.frames), default=None),
        )
        strictly = self._strict(event)
        person = None if looked is None else looked.person
        reason, word = judge(self._terms, decided, strictly, person, self._now()), PinWord.NONE
        if reason is Reason.GRANTED and self._terms.policy == "face_and_pin":
            now_s, age_s = self._clock.monotonic(), (self._clock.wall() - at).total_seconds()
            word = self._pins.take(self._lock, event_id, now_s + self._terms.decision_s - age_s)
            reason = judge_pin(self._terms, word)
            if reason is Reason.GRANTED:  # it may have been waited for
                reason = judge(self._terms, decided, strictly, person, self._now())
        return decided, reason, word

    def _record(self, event: UnlockDecided) -> str:
        try:
            return self._knowing.record(event)
        except ApplianceError as error:
            raise ActionError(
                "this cannot be put on record; nothing was opened", permanent=True, hint=error.message
            ) from error

    def _now(self) -> Now:
        return Now(self._clock.wall(), self._clock.monotonic())
