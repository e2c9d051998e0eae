"""Operations of keypads: pairing one with a lock, and a PIN typed at it.

A PIN opens nothing. It is compared, one to one, with that of whoever the camera before the lock recognises
within some seconds after it was typed, and what comes of it is told to dispatch for that decision alone. So a
keypad asks for no name, finds out about nobody who does not stand there, and cannot be asked whose PIN some
digits are. Whether the door opened is all that it hears: not whether a face was known, nor which of both was
wrong. Every PIN that opened nothing counts, and the keypad has to wait ever longer.
"""

import secrets
import threading
from typing import Any, Final

from pydantic import Field, SecretStr

from appliance.actions.unlock_pins import HELD_S
from appliance.app.desk.applying import Source
from appliance.app.desk.feed import Feed
from appliance.app.desk.guarding import Guard
from appliance.app.desk.operations import PUBLIC, Answer, Arguments, Asked, Nothing, Operation
from appliance.app.desk.pairing import Pair, code_told, device_facts, paired
from appliance.app.desk.passwords import Passwords
from appliance.app.desk.throttle import Throttle
from appliance.app.desk.typed_pins import Holding, Outcome, TypedPin
from appliance.app.unlocking import camera_of
from appliance.errors import DeniedError, FormError
from appliance.events import PinThrottled
from appliance.permissions import Permission
from appliance.services import Services
from appliance.settings import LockSettings
from appliance.store import CodePurpose, Keypad, NewEvent

_ID: Final = Field(max_length=36)
_LOCK: Final = Field(max_length=32)
SHORTEST, LONGEST = 4, 10


class NewKeypad(Arguments):
    """Attributes: label: which device it is, e.g. where it hangs; lock: id of the lock."""

    label: str = Field(max_length=200)
    lock: str = _LOCK


class WhichKeypad(Arguments):
    """Attributes: keypad: id."""

    keypad: str = _ID


class Typed(Arguments):
    """Attributes: pin: as it was typed; turn: as `keypad.now` or the last answer said it, good once."""

    pin: SecretStr = Field(max_length=64)
    turn: str = Field(max_length=64)


class Keypads:
    """Carries out what is asked about keypads, and at them.

    Args:
        services: Log, people, PINs, clocks, and where the other processes listen.
        source: The settings as they are.
        feed: Tells that the log grew.
        passwords: Compares.
        guard: The one that codes are guarded by.
        held_s: Seconds for which a PIN is held.
    """

    def __init__(
        self,
        services: Services,
        source: Source,
        feed: Feed,
        passwords: Passwords,
        guard: Guard,
        *,
        held_s: float = HELD_S,
    ) -> None:
        self._store = services.store
        self._source = source
        self._guard = guard
        self._holding = Holding(services, source, feed, passwords, held_s=held_s)
        self._throttle = Throttle(services.clock)
        self._lock = threading.Lock()
        self._turns: dict[str, str] = {}
        """By keypad: what the next PIN has to come with."""

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("keypads.list", Nothing, Permission.LOCKS, self.list_keypads),
            Operation("keypads.begin_pairing", NewKeypad, Permission.LOCKS, self.begin_pairing),
            Operation("keypads.pair", Pair, PUBLIC, self.pair),
            Operation("keypads.revoke", WhichKeypad, Permission.LOCKS, self.revoke),
            Operation("keypad.now", Nothing, Permission.KEYPAD, self.now),
            Operation("keypad.enter", Typed, Permission.KEYPAD, self.enter, waits=True),
        ]

    # ------------------------------------------------------------ pairing

    def list_keypads(self, asked: Asked[Nothing]) -> Answer:
        """Every keypad, revoked ones included: `[{id, label, lock, created_at, used_at, revoked_at}]`."""
        del asked
        return Answer([keypad_facts(each) for each in self._store.keypads()])

    def begin_pairing(self, asked: Asked[NewKeypad]) -> Answer:
        """Make a code to be typed on the keypad within ten minutes: `{code, lasts_s}`.

        Raises:
            FormError: A label that cannot be, or no lock of that id.
        """
        given = asked.arguments
        if given.lock not in {each.id for each in self._source.running().locks}:
            words = "there is no such lock in the settings"
            raise FormError(words, fields={"lock": words})
        code = self._store.keypad_code(given.label, given.lock, made_by=asked.who.id)
        return code_told(code, CodePurpose.KEYPAD)

    def pair(self, asked: Asked[Pair]) -> Answer:
        """Take a code for a keypad's secret: `{secret, keypad}`.

        Raises:
            NotSignedInError: The code is no good.
            ThrottledError: Codes were tried too often from there.
        """
        take = self._store.pair_keypad
        return paired(asked.arguments, self._guard, take, called="keypad", facts=keypad_facts)

    def revoke(self, asked: Asked[WhichKeypad]) -> Answer:
        """Let a keypad's link be good no more; a PIN typed at it a moment ago opens nothing any more.

        Raises:
            UnknownAccountError: There is none.
        """
        self._store.revoke_keypad(asked.arguments.keypad)
        return Answer()

    # ------------------------------------------------------------ at the keypad

    def now(self, asked: Asked[Nothing]) -> Answer:
        """What a keypad shows: `{label, ready, turn}`. Not ready: its lock takes no PIN."""
        keypad = self._store.keypad(asked.who.id)
        ready = self._ready(keypad.lock) is not None
        return Answer({"label": keypad.label, "ready": ready, "turn": self._next_turn(keypad.id)})

    def enter(self, asked: Asked[Typed]) -> Answer:
        """Hold a PIN for some seconds, in which its owner is to be recognised: `{outcome, turn}`.

        Answered when the door opened, or when the time is over. Outcomes: see `Outcome`.

        Raises:
            FormError: That is no PIN.
            DeniedError: The lock takes none.
            ThrottledError: PINs were typed too often.
            WireError: Dispatch cannot be reached, and so nothing would open.
        """
        keypad = self._store.keypad(asked.who.id)
        if not self._take_turn(keypad.id, asked.arguments.turn):
            return self._answer(keypad, "again")
        check_digits(asked.arguments.pin.get_secret_value())
        ready = self._ready(keypad.lock)
        if ready is None:
            raise DeniedError("this lock takes no PIN", hint="an admin chooses what opens it")
        lock, camera = ready
        typed = TypedPin(secrets.token_hex(16), keypad.id, lock, camera, asked.arguments.pin)
        key = ("keypad", keypad.id)
        self._throttle.admit(key)
        outcome: Outcome = "not_opened"
        try:
            outcome = self._holding.hold(typed)
        finally:
            if outcome in ("opened", "failed"):
                self._throttle.forgive(key)
            elif self._throttle.begun(key):
                self._store.append_all([NewEvent(PinThrottled(keypad=keypad.id))])
        return self._answer(keypad, outcome)

    def _ready(self, lock: str) -> tuple[LockSettings, str] | None:
        """The lock with its camera, if it takes PINs."""
        settings = self._source.running()
        found = next((each for each in settings.locks if each.id == lock), None)
        if found is None or found.policy != "face_and_pin":
            return None
        return found, camera_of(settings, found)

    def _answer(self, keypad: Keypad, outcome: Outcome) -> Answer:
        return Answer({"outcome": outcome, "turn": self._next_turn(keypad.id)})

    def _next_turn(self, keypad: str) -> str:
        with self._lock:
            turn = self._turns[keypad] = secrets.token_hex(16)
            return turn

    def _take_turn(self, keypad: str, turn: str) -> bool:
        """Use a turn up; whether it was the one."""
        with self._lock:
            known = self._turns.pop(keypad, "")
        return bool(known) and secrets.compare_digest(known.encode(), turn.encode(errors="replace"))


def check_digits(pin: str) -> None:
    """See that something can be a PIN.

    Raises:
        FormError: It cannot; never says what it was.
    """
    if not (pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST):
        words = f"a PIN has {SHORTEST} to {LONGEST} digits"
        raise FormError(words, fields={"pin": words})


def keypad_facts(keypad: Keypad) -> dict[str, Any]:
    """A keypad as JSON values."""
    return {**device_facts(keypad), "lock": keypad.lock}
