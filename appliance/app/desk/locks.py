"""Operations of locks, for admins: what opens each, what is still missing, who has a PIN, what was decided.

None of them opens a lock, nor tells one anything: there is no such operation. Which policy holds is chosen
here in words; how a lock is told stands in the settings file alone.
"""

from itertools import pairwise
from typing import Any, Final

from pydantic import Field, SecretStr

from appliance.app.desk.applying import Applying, Source
from appliance.app.desk.forms import fields_of
from appliance.app.desk.keypads import check_digits, keypad_facts
from appliance.app.desk.naming import People
from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.app.desk.passwords import Passwords
from appliance.app.desk.times import moment
from appliance.app.lock_needs import asking, keeps_shut
from appliance.app.unlocking import PURPOSE, camera_of
from appliance.errors import FormError
from appliance.events import UnlockDecided
from appliance.permissions import Permission
from appliance.phrases import UNLOCKING
from appliance.services import Services
from appliance.settings import LockSettings, Settings
from appliance.settings.locks import POLICIES, Policy
from appliance.store import Keypad, StoredEvent, SubjectState

_ID: Final = Field(max_length=36)
_NEWEST: Final = 50
_FEWEST_DIFFERENT: Final = 2
_DECIDED: Final = ("unlock_granted", "unlock_refused")


class Chosen(Arguments):
    """What opens a lock, as an admin chose it.

    Attributes:
        lock: Its id.
        policy: Which.
        understood: They were shown what it accepts, and said so; needed for all but `off`.
        hours: When it may be opened; None: as it is.
        strictness: None: as it is.
        revision: Of the settings as seen.
    """

    lock: str = Field(max_length=32)
    policy: Policy
    understood: bool = False
    hours: tuple[str, ...] | None = Field(default=None, max_length=14)
    strictness: float | None = Field(default=None, ge=1, le=1000)
    revision: str = Field(default="", max_length=64)


class NewPin(Arguments):
    """Attributes: subject: whose; pin: 4 to 10 digits, never shown again."""

    subject: str = _ID
    pin: SecretStr = Field(max_length=64)


class WhichPin(Arguments):
    """Attributes: subject: whose."""

    subject: str = _ID


class Locks:
    """Carries out what admins ask about locks.

    Args:
        services: Log, people, PINs, rules.
        source: The settings.
        applying: Puts a policy in force.
        passwords: Hashes.
    """

    def __init__(self, services: Services, source: Source, applying: Applying, passwords: Passwords) -> None:
        self._services = services
        self._store = services.store
        self._source = source
        self._applying = applying
        self._passwords = passwords

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        may = Permission.LOCKS
        return [
            Operation("locks.list", Nothing, may, self.list_locks),
            Operation("locks.choose", Chosen, may, self.choose),
            Operation("locks.people", Nothing, may, self.people),
            Operation("locks.decisions", Nothing, may, self.decisions),
            Operation("locks.set_pin", NewPin, may, self.set_pin),
            Operation("locks.remove_pin", WhichPin, may, self.remove_pin),
        ]

    def list_locks(self, asked: Asked[Nothing]) -> Answer:
        """Every lock, with what opens it and what is missing.

        `{locks, policies, revision}`: a lock is `{id, door, camera, policy, words, driver, hours, strictness,
        margin, decision_s, pin_attempts, pin_pause_s, keypads, rules, missing}`; `rules` are names of rules
        that ask for it, `missing` sentences about what keeps it shut. `policies` is policy → what it accepts.
        """
        del asked
        settings = self._source.running()
        keypads = [each for each in self._store.keypads() if each.revoked_at is None]
        told = [self._lock(settings, lock, keypads) for lock in settings.locks]
        return Answer({"locks": told, "policies": dict(POLICIES), "revision": self._source.files.revision()})

    def choose(self, asked: Asked[Chosen]) -> Answer:
        """Choose what opens a lock; dispatch then reads the settings anew.

        Raises:
            FormError: No such lock, hours that cannot be, or it was not said that it is understood.
        """
        given = asked.arguments
        if given.lock not in {each.id for each in self._source.files.read().settings.locks}:
            words = "there is no such lock in the settings"
            raise FormError(words, fields={"lock": words})
        if given.policy != "off" and not given.understood:
            words = "read what it accepts, and say that you have"
            raise FormError(words, fields={"understood": words})
        key = f"locks.{given.lock}"
        changes: dict[str, Any] = {f"{key}.policy": given.policy}
        if given.hours is not None:
            changes[f"{key}.hours"] = list(given.hours)
        if given.strictness is not None:
            changes[f"{key}.strictness"] = given.strictness
        with fields_of(key, "lock"):
            saved = self._applying.save(changes, revision=given.revision)
        return Answer(saved.told())

    def people(self, asked: Asked[Nothing]) -> Answer:
        """Everybody enrolled: `[{id, name, active, agreed, pin}]`.

        `pin` is null, or `{changed_at, wrong, paused_until, spent}`, of which `spent` says that it was wrong
        so often that it is refused until they are given another one; never the PIN, nor how long it is.
        """
        del asked
        kept = {each.subject: each for each in self._store.pins()}
        now = self._services.clock.wall()
        return Answer(
            [
                {
                    "id": each.id,
                    "name": each.name,
                    "active": each.state is SubjectState.ACTIVE,
                    "agreed": PURPOSE in each.purposes,
                    "pin": None
                    if (pin := kept.get(each.id)) is None
                    else {
                        "changed_at": moment(pin.changed_at),
                        "wrong": pin.wrong,
                        "spent": pin.spent,
                        "paused_until": moment(pin.paused_until)
                        if pin.paused_until is not None and pin.paused_until > now
                        else None,
                    },
                }
                for each in self._store.subjects()
                if each.state is not SubjectState.REMOVED
            ]
        )

    def decisions(self, asked: Asked[Nothing]) -> Answer:
        """The newest decisions about locks: `[{position, at, lock, granted, reason, words, who, pin}]`."""
        people = People(self._store, asked.who)
        found = self._store.events(types=_DECIDED, limit=_NEWEST, newest_first=True)
        return Answer([told for each in found if (told := _decision(each, people)) is not None])

    def set_pin(self, asked: Asked[NewPin]) -> Answer:
        """Give somebody a PIN, or another one.

        Raises:
            FormError: It cannot be one, or is one that everybody tries first.
            UnknownSubjectError: Nobody, or removed.
        """
        given = asked.arguments
        check_pin(given.pin.get_secret_value())
        self._store.subject_by_id(given.subject)
        self._store.set_pin(given.subject, self._passwords.hash(given.pin.get_secret_value()))
        return Answer()

    def remove_pin(self, asked: Asked[WhichPin]) -> Answer:
        """Let somebody have no PIN any more: `{removed}`."""
        return Answer({"removed": self._store.remove_pin(asked.arguments.subject)})

    def _lock(self, settings: Settings, lock: LockSettings, keypads: list[Keypad]) -> dict[str, Any]:
        mine = [each for each in keypads if each.lock == lock.id]
        return {
            "id": lock.id,
            "door": lock.door,
            "camera": camera_of(settings, lock),
            "policy": lock.policy,
            "words": POLICIES[lock.policy],
            "driver": lock.driver,
            "hours": list(lock.hours),
            "strictness": lock.strictness,
            "margin": lock.margin,
            "decision_s": lock.decision_s,
            "pin_attempts": lock.pin_attempts,
            "pin_pause_s": lock.pin_pause_s,
            "keypads": [keypad_facts(each) for each in mine],
            "rules": [name for name, _ in asking(self._store, lock.id)],
            "missing": list(keeps_shut(settings, self._store, lock)),
        }


def check_pin(pin: str) -> None:
    """See that a new PIN is worth having.

    Raises:
        FormError: It is not.
    """
    check_digits(pin)
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    if len(set(pin)) < _FEWEST_DIFFERENT or steps in ({1}, {9}):
        words = "not one digit again and again, nor a row of the keyboard: those are tried first"
        raise FormError(words, fields={"pin": words})


def _decision(stored: StoredEvent, people: People) -> dict[str, Any] | None:
    event = stored.event
    if not isinstance(event, UnlockDecided):
        return None
    return {
        "position": stored.position,
        "at": moment(stored.at),
        "lock": event.lock,
        "granted": event.type == "unlock_granted",
        "reason": event.reason,
        "words": UNLOCKING.get(event.reason, event.reason.replace("_", " ")),
        "who": None if event.subject is None else people.of(event.subject),
        "pin": event.pin,
    }
