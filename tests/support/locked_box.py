"""A box with a lock: its desk, its dispatch process and its database are real, and so is the lock's program.

The loop is the test's: asked to look again, it logs that it recognised whoever stands before the camera.
So is the pace of its clocks, a tenth of this machine's: the seconds that policy and keypad count are enough
for a busy one, and those that nobody is to wait for are skipped.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from decided import LOW, SURE, event_of, stay
from desk_box import quick_passwords

from appliance.actions.unlock_pins import HELD_S
from appliance.app.desk.applying import Applying, source_of
from appliance.app.desk.feed import Feed
from appliance.app.desk.guarding import Guard
from appliance.app.desk.keypads import Keypads
from appliance.app.desk.locks import Locks
from appliance.app.desk.operations import Desk
from appliance.app.dispatching import run_dispatch
from appliance.clock import SystemClock
from appliance.events import SubjectIdentified
from appliance.rules import parse_rule
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings
from appliance.store import Consent, OutboxState, StoredEvent
from appliance.values import Grade, SubjectId
from appliance.wire import Client, Reply, Request, Server
from appliance.wire.messages import DecideAgain, Done, WakeDispatch

SETTINGS = """
[[cameras]]
id = "outside"
source = "rtsp://10.0.0.5/main"
when = "approach"

[[doors]]
id = "front"
camera = "outside"

[[locks]]
id = "front"
door = "front"
policy = "{policy}"
driver = "command"
argv = {argv}
pin_attempts = 3
"""
RULE = {
    "name": "Open for whoever is recognised",
    "on": "subject_identified",
    "actions": [{"kind": "unlock", "lock": "front"}],
}
AGREED = Consent(purposes=("identify", "unlock"), text_version="2026-01", given_by="on paper")
ANNS, BENS = "4711", "2580"
PATIENCE_S = 60.0
_PACE = 0.1


class SlowClock(SystemClock):
    """Goes at a tenth of the pace, and forward when told to."""

    def __init__(self) -> None:
        self._began_s, self._began = super().monotonic(), super().wall()
        self._skipped_s = 0.0

    def monotonic(self) -> float:
        """Seconds, from this machine's when it was made."""
        return self._began_s + (super().monotonic() - self._began_s) * _PACE + self._skipped_s

    def wall(self) -> datetime:
        """From this machine's when it was made; goes with the other."""
        return self._began + timedelta(seconds=self.monotonic() - self._began_s)

    def skip(self, seconds: float) -> None:
        """They are over."""
        self._skipped_s += seconds


@dataclass
class Standing:
    """Who stands before the camera of a box, and the loop that recognises them.

    Attributes:
        services: Of the box.
        ann: Enrolled.
        ben: Likewise.
        before: Who stands there when the loop is asked to look.
        door: At which it says it recognised them.
        camera: Which it is that does.
        clock: Of all of it.
        looked: How often the loop was asked.
        repeated: Whether whoever is recognised was there a moment ago.
    """

    services: Services
    ann: SubjectId
    ben: SubjectId
    clock: SystemClock
    before: list[SubjectId] = field(default_factory=list)
    door: str | None = "front"
    camera: str = "outside"
    looked: int = 0
    repeated: bool = False

    def recognise(
        self, subject: SubjectId, *, grade: Grade = Grade.CONFIRMED, ago_s: float = 0.0
    ) -> StoredEvent:
        """Log that the camera has just recognised somebody, and wake dispatch."""
        other = self.ben if subject == self.ann else self.ann
        at_s = self.clock.monotonic() - 0.3 - ago_s
        scores: dict[str, float] = {subject: SURE, other: LOW}
        frames = [(at_s + i / 10, scores) for i in range(3)]
        decision = next(each for each in stay(frames) if each.grade is grade)
        event = event_of(decision, f"encounter-{time.monotonic_ns()}")
        placed = event.model_copy(
            update={"camera": self.camera, "door": self.door, "repeated": self.repeated}
        )
        stored = self.services.store.append(placed)
        self.client("dispatch").call(WakeDispatch(), Done)
        return stored

    def asked_to_look(self, request: Request[DecideAgain]) -> Reply[Done]:
        """The loop: recognises whoever stands there."""
        if request.message.camera == self.camera:
            self.looked += 1
            for each in self.before:
                self.recognise(each)
        return Reply(Done())

    def client(self, process: str) -> Client:
        """To one of the box's processes."""
        return Client(self.services.layout.socket(process))


@dataclass
class LockedBox(Standing):
    """What a test has to do with it.

    Attributes:
        desk: With what is asked about locks and keypads.
        folder: Where the lock's program takes note.
    """

    desk: Desk = field(kw_only=True)
    folder: Path = field(kw_only=True)

    def ask(self, operation: str, credential: str = "admin", **arguments: Any) -> Any:
        """The result of an operation."""
        return self.desk.ask(operation, arguments, credential=credential).result

    def paired(self) -> str:
        """A keypad of the lock; its secret."""
        secret, _ = self.services.store.pair_keypad(self.services.store.keypad_code("By the door", "front"))
        return secret

    def type(self, keypad: str, pin: str) -> str:
        """Type a PIN; what the keypad hears."""
        turn = self.ask("keypad.now", keypad)["turn"]
        return str(self.ask("keypad.enter", keypad, pin=pin, turn=turn)["outcome"])

    def type_in_vain(self, keypad: str, pin: str, *reasons: str) -> str:
        """Type a PIN whose time is over once that was refused for these reasons; what the keypad hears."""
        looked, before = self.looked, len(self.said())
        heard: list[str] = []
        typing = threading.Thread(target=lambda: heard.append(self.type(keypad, pin)))
        typing.start()
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and (
            self.looked == looked or len(self.said()) < before + len(reasons)
        ):
            time.sleep(0.02)
        self.clock.skip(HELD_S)
        typing.join(PATIENCE_S)
        assert list(reasons) == self.said()[before:]
        return heard[0]

    @property
    def opened(self) -> int:
        """How often the lock was told."""
        told = self.folder / "told"
        return len(told.read_text(encoding="utf-8").splitlines()) if told.exists() else 0

    def said(self) -> list[str]:
        """The reasons of all that was decided about the lock, once nothing is under way any more."""
        until = time.monotonic() + PATIENCE_S
        busy = (OutboxState.PENDING, OutboxState.RUNNING)
        while self.services.store.outbox(states=busy) and time.monotonic() < until:
            time.sleep(0.02)
        found = self.services.store.events(types=("unlock_granted", "unlock_refused"))
        return [str(getattr(each.event, "reason", "")) for each in found]

    def identified(self) -> list[StoredEvent]:
        """Every recognition in the log."""
        found = self.services.store.events(types=("subject_identified",))
        return [each for each in found if isinstance(each.event, SubjectIdentified)]


def lock_program(folder: Path) -> tuple[str, ...]:
    """A real program that is a lock: it notes each time that it was told."""
    return ("/bin/sh", "-c", 'read -r told; printf "%s\\n" "$told" >> "$0"', str(folder / "told"))


@contextmanager
def locked_box(
    folder: Path,
    *,
    policy: str = "face_and_pin",
    held_s: float = HELD_S,
    more: str = "",
    dispatching: bool = True,
) -> Iterator[LockedBox]:
    """The box, with Ann and Ben, both of whom agreed and have a PIN, and a rule that asks for the lock.

    Args:
        folder: For everything.
        policy: Of the lock.
        held_s: How long a PIN is held.
        more: Of the settings.
        dispatching: Whether the dispatch process runs.
    """
    layout = Layout(folder / "state")
    layout.state.mkdir(mode=0o700)
    argv = json.dumps(list(lock_program(folder)))
    layout.settings_file.write_text(SETTINGS.format(policy=policy, argv=argv) + more, encoding="utf-8")
    with ExitStack() as stack:
        clock = SlowClock()
        services = stack.enter_context(open_services(Settings(), layout, create=True, clock=clock))
        source = source_of(services)
        settings = source.running()
        store, passwords = services.store, quick_passwords()
        passwords.prepare()
        feed = stack.enter_context(Feed(store.position, every_s=0.02))
        keypads = Keypads(services, source, feed, passwords, Guard(store, services.clock), held_s=held_s)
        locks = Locks(services, source, Applying(services, source), passwords)
        desk = Desk(store.recognise, [*keypads.operations(), *locks.operations()], store.acting)
        ann, ben = (store.add_subject(name, consent=AGREED).id for name in ("Ann", "Ben"))
        box = LockedBox(services, ann, ben, clock, desk=desk, folder=folder)
        for subject, pin in ((ann, ANNS), (ben, BENS)):
            store.set_pin(subject, passwords.hash(pin))
        store.add_rule(parse_rule(RULE).body())
        stack.enter_context(Server(layout.socket("loop"), {DecideAgain: box.asked_to_look}))
        if not dispatching:
            yield box
            return
        stop = threading.Event()
        dispatch = threading.Thread(target=run_dispatch, args=(settings, services, stop), daemon=True)
        dispatch.start()
        stack.callback(dispatch.join)
        stack.callback(stop.set)
        until = time.monotonic() + PATIENCE_S
        while not layout.socket("dispatch").exists() and time.monotonic() < until:
            time.sleep(0.01)
        yield box
