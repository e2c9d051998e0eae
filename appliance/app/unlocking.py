"""Unlocking, put together for the dispatch process: each lock's policy, its driver, the log, PINs typed.

A lock is known to the outbox as `unlock:ID`. Nothing here can be asked for from outside but two things, both
about a PIN that was typed at a paired keypad: that there is one, and what it says of a decision.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from appliance.actions.locks import CommandLock, HttpLock, LockDriver, MqttLock, Offering, UntoldLock
from appliance.actions.unlock import Looked, Strict, UnlockAction
from appliance.actions.unlock_pins import Pins
from appliance.actions.unlock_policy import Person, PinWord, Strictly, Terms
from appliance.app.error_tables import read_tables
from appliance.decision import Changes, ErrorTables, obstacle, recompute
from appliance.dispatch import Plan
from appliance.errors import ActionError, StoreError
from appliance.events import (
    DecisionCorrected,
    PersonUndecided,
    StrangerSeen,
    SubjectIdentified,
    UnlockDecided,
)
from appliance.services import Services
from appliance.settings import LockSettings, Settings, WebhookSettings, When
from appliance.store import Store, StoredEvent, SubjectState
from appliance.values import Grade, Verdict
from appliance.weekly import within
from appliance.wire import Handler, Message, Reply, Request
from appliance.wire.messages import Done, PinGone, PinJudged, PinTyped

LANE: Final = "unlock:"
"""How the names of locks begin in the outbox."""
PURPOSE: Final = "unlock"
"""What somebody has to have agreed to."""


class Memory:
    """The log and the people, as unlocking asks them: see `appliance.actions.unlock.Knowing`.

    Args:
        store: Both.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def look(self, event_id: str, event: SubjectIdentified) -> Looked:
        """What is known now of a decision and of whom it names.

        Raises:
            ApplianceError: It cannot be found out.
        """
        stored = self._store.event(event_id)
        if stored.id != event_id or stored.event != event:
            raise StoreError("the log has another event under that id")
        whole = self._store.whole(stored.position)
        later = [] if whole is None else [each for each in whole.events if each.position > stored.position]
        person = self._store.subject_by_id(event.subject)
        return Looked(
            stored.device,
            Person(
                active=person.state is SubjectState.ACTIVE,
                agreed=PURPOSE in person.purposes,
                undisputed=whole is not None and not any(_disputes(each, event.subject) for each in later),
            ),
        )

    def record(self, event: UnlockDecided) -> str:
        """Put on record what was decided; the event's id.

        Raises:
            StoreError: It cannot be written.
        """
        return self._store.append(event).id


def _disputes(stored: StoredEvent, subject: str) -> bool:
    """Whether a later event of the same stay says that it was somebody else, or nobody who is known."""
    said = stored.event
    if isinstance(said, SubjectIdentified | DecisionCorrected):
        return said.subject != subject
    return isinstance(said, StrangerSeen | PersonUndecided)


def strictly(settings: Settings, lock: LockSettings, tables: ErrorTables) -> Strict:
    """Judges a decision's stored frames again, for the share of strangers that a lock accepts.

    The rarer of two shares counts, that of the decision and that of today's settings, and the wider margin.
    """

    def again(event: SubjectIdentified) -> Strictly | None:
        facts = event.facts
        changes = Changes(
            fpir=min(facts.fpir, settings.recognition.fpir) / lock.strictness,
            margin=max(facts.margin_wanted, settings.recognition.margin, lock.margin),
        )
        if obstacle(facts, tables, changes) is not None:
            return None
        try:
            would = recompute(facts, Grade.CONFIRMED, tables, changes)
        except ValueError:  # a score that is missing
            return None
        found = would.facts
        if found.score is None or not found.candidates:
            return None
        return Strictly(
            identified=would.verdict is Verdict.IDENTIFIED,
            subject=found.candidates[0].subject,
            score=found.score,
            threshold=max(found.threshold, found.stricter_threshold or found.threshold),
            margin=found.margin,
            margin_wanted=found.margin_wanted,
        )

    return again


def terms_of(settings: Settings, lock: LockSettings, device: str) -> Terms:
    """What a lock asks for. A camera that is not there, or sees too late, leaves it shut."""
    camera = camera_of(settings, lock)
    when = next((each.when for each in settings.cameras if each.id == camera), None)
    return Terms(
        policy=lock.policy,
        device=device,
        door=lock.door,
        camera=camera,
        sees_in_time=when in (When.APPROACH, When.ALWAYS),
        decision_s=lock.decision_s,
        open_at=hours_of(lock),
    )


def camera_of(settings: Settings, lock: LockSettings) -> str:
    """The camera that sees who stands before a lock; empty: there is none."""
    door = next((each.camera for each in settings.doors if each.id == lock.door), "")
    return lock.camera or door


def hours_of(lock: LockSettings) -> Callable[[datetime], bool]:
    """Whether a moment is within a lock's hours, by this machine's clock on the wall."""
    return lambda at: not lock.spans or within(lock.spans, at)


def driver_of(lock: LockSettings, services: Services, broker: Offering | None) -> LockDriver:
    """What tells a lock.

    Raises:
        ActionError: The settings do not say how.
    """
    if lock.driver == "mqtt" and lock.topic:
        if broker is None:
            raise ActionError("there is no broker in the settings", hint="set mqtt.host")
        return MqttLock(broker, lock.topic, lock.payload)
    if lock.driver == "http" and lock.url is not None and lock.secret is not None:
        from appliance.sinks.webhook import WebhookAction  # noqa: PLC0415 - a box without one loads none

        webhook = WebhookSettings(
            id=lock.id,
            url=lock.url,
            secret=lock.secret,
            timeout_s=max(1.0, lock.timeout_s),
            attempts=1,
            allow_private=lock.allow_private,
            ca_file=lock.ca_file,
        )
        return HttpLock(WebhookAction(webhook, services.device, services.clock))
    if lock.driver == "command" and lock.argv:
        return CommandLock(lock.argv, lock.timeout_s)
    raise ActionError(f"the settings do not say how lock {lock.id!r} is told")


class Unlocking:
    """Every lock of the box, for the dispatch process.

    Args:
        settings: Locks, cameras, doors, recognition.
        services: The log and the clocks.
    """

    def __init__(self, settings: Settings, services: Services) -> None:
        self._settings = settings
        self._services = services
        self._pins = Pins(services.clock)

    def plans(self, broker: Offering | None) -> dict[str, Plan]:
        """The actions, by their names in the outbox.

        Args:
            broker: For locks that listen to one; None: there is none.
        """
        locks = self._settings.locks
        tables = read_tables() if locks else ErrorTables({})
        return {f"{LANE}{lock.id}": Plan(self._action(lock, tables, broker), 1) for lock in locks}

    def handlers(self) -> Mapping[type[Message], Handler]:
        """What the desk may say, about PINs and nothing else."""
        return {PinTyped: self._typed, PinJudged: self._judged, PinGone: self._gone}

    def _action(self, lock: LockSettings, tables: ErrorTables, broker: Offering | None) -> UnlockAction:
        services = self._services
        try:
            driver = driver_of(lock, services, broker)
        except ActionError as error:
            driver = UntoldLock(error)
        return UnlockAction(
            lock.id,
            terms_of(self._settings, lock, services.device),
            driver,
            clock=services.clock,
            knowing=Memory(services.store),
            strict=strictly(self._settings, lock, tables),
            pins=self._pins,
        )

    def _typed(self, request: Request[PinTyped]) -> Reply[Done]:
        self._pins.typed(request.message.lock, request.message.turn)
        return Reply(Done())

    def _judged(self, request: Request[PinJudged]) -> Reply[Done]:
        said = request.message
        self._pins.judged(said.lock, said.turn, said.decision, PinWord(said.word))
        return Reply(Done())

    def _gone(self, request: Request[PinGone]) -> Reply[Done]:
        self._pins.gone(request.message.lock, request.message.turn)
        return Reply(Done())
