"""`kill -9` between decision and delivery, at a hundred random moments: what each action was promised holds.

Real processes on a real database: one appends decisions and coffees, one is dispatch with its webhook, its
broker, its lock, its command, its screens, and its songs, which are decoded into a file.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hook_server import Receiver, receiving
from mosquitto import Mosquitto, listening
from rule_bodies import rule

from appliance.events import CoffeeTaken, ScreenAsked, SongStarted, SubjectIdentified, UnlockDecided
from appliance.rules import Rule
from appliance.services import Layout, Services, open_services
from appliance.settings import load
from appliance.store import COFFEES, GREETINGS, Consent, OutboxRow, OutboxState, StoredEvent
from appliance.values import Grade

KILLS = 100
SEED = 20260106
PEOPLE = ("Ann", "Ben", "Cas")
PURPOSES = ("identify", "leaderboard", "song", "unlock", "greet")
AT_MOST_ONCE = {"song", "screen", "unlock:front"}
AT_LEAST_ONCE = {"webhook:chat", "mqtt", "command:chime"}

DING_DONG = Path(__file__).parents[2] / "data" / "sounds" / "ding-dong.mp3"

pytestmark = [pytest.mark.slow, pytest.mark.debian, pytest.mark.timeout(300)]

SETTINGS = """
[[cameras]]
id = "entrance"
source = "scene:door"
when = "always"

[[doors]]
id = "main"
camera = "entrance"

[screen]
leaderboard = "coffee"

[audio]
output = "file:played.wav"
queue = "latest"

[mqtt]
host = "127.0.0.1"
port = {broker}
tls = false
events = ["coffee_taken"]

[[webhooks]]
id = "chat"
url = "http://127.0.0.1:{receiver}/hook"
secret = "0123456789abcdef"
allow_private = true

[[locks]]
id = "front"
door = "main"
driver = "command"
policy = "face_alone"
argv = ["/bin/sh", "-c", "echo $APPLIANCE_IDEMPOTENCY_KEY >> {done}/unlocked"]

[[actions]]
id = "chime"
kind = "command"
on = []
attempts = 100
argv = ["/bin/sh", "-c", "echo $APPLIANCE_IDEMPOTENCY_KEY >> {done}/chimed"]
"""

RULES: tuple[Rule, ...] = (
    rule(
        "subject_identified",
        {"kind": "webhook", "webhook": "chat"},
        {"kind": "unlock", "lock": "front"},
        {"kind": "song"},
        {"kind": "mqtt", "topic": "came"},
        {"kind": "screen", "text": "hello {alias}"},
        {"kind": "command", "command": "chime"},
    ),
    rule("coffee_taken", {"kind": "webhook", "webhook": "chat"}, {"kind": "screen", "text": "cheers"}),
)


class Box:
    """The processes, killed and begun again.

    Args:
        settings: The settings file.
        layout: Where its state is.
        kept: Where the ids of durable events are noted.
    """

    def __init__(self, settings: Path, layout: Layout, kept: Path) -> None:
        program = Path(__file__).parents[1] / "support" / "killed_box.py"
        root = Path(__file__).parents[2]
        self._settings, self._layout = settings, layout
        self._seeds = iter(range(1_000_000))
        self._parent = subprocess.Popen(
            [sys.executable, str(program), str(settings), str(layout.state), str(kept)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                **os.environ,
                "PYTHONPATH": f"{root}:{root / 'tests' / 'support'}",
                "OPENBLAS_NUM_THREADS": "1",
            },
            text=True,
        )
        self.running: dict[str, int] = {}

    def begin(self, process: str) -> None:
        """Begin `decide` or `dispatch`."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(f"{process} {next(self._seeds)}\n")
        self._parent.stdin.flush()
        self.running[process] = int(self._parent.stdout.readline())

    def kill(self, process: str) -> None:
        """End it at once, and wait until it is gone."""
        number = self.running.pop(process)
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
            while True:
                os.kill(number, 0)
                time.sleep(0.001)

    def close(self) -> None:
        """End all of it."""
        for process in list(self.running):
            self.kill(process)
        assert self._parent.stdin is not None
        with self._parent:
            self._parent.stdin.close()

    @contextlib.contextmanager
    def services(self) -> Iterator[Services]:
        """The same database, seen from here."""
        with open_services(load(self._settings), self._layout) as opened:
            yield opened


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Where the webhook posts to."""
    with receiving() as made:
        yield made


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A real one."""
    folder = tmp_path / "broker"
    folder.mkdir()
    made = Mosquitto(folder)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def box(tmp_path: Path, receiver: Receiver, broker: Mosquitto) -> Iterator[Box]:
    """With its people and rules, before anything happens; nothing runs."""
    settings, layout = tmp_path / "appliance.toml", Layout(tmp_path / "state")
    text = SETTINGS.format(broker=broker.port, receiver=receiver.port, done=tmp_path)
    settings.write_text(text, encoding="utf-8")
    with open_services(load(settings), layout, create=True) as services:
        song = services.store.add_song("Ding dong", "CC0-1.0", 2.6, "audio/mpeg", DING_DONG.read_bytes())
        for name in PEOPLE:
            person = services.store.add_subject(name, consent=Consent(PURPOSES, "1", "on paper"))
            services.store.give_song(person.id, song.id)
        for each in RULES:
            services.store.add_rule(each.body())
    made = Box(settings, layout, tmp_path / "kept")
    yield made
    made.close()


def lines(path: Path) -> list[str]:
    """Of a file that may not be there."""
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def until(that: Callable[[], object], seconds: float) -> bool:
    """Wait for something; whether it came."""
    end = time.monotonic() + seconds
    while not that():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def everything(services: Services) -> list[StoredEvent]:
    """The whole log."""
    found: list[StoredEvent] = []
    while page := services.store.events(after=found[-1].position if found else 0, limit=1000):
        found += page
    return found


def keys(rows: list[OutboxRow], *lanes: str) -> set[str]:
    """Of the rows of these actions."""
    return {row.idempotency_key for row in rows if row.action in lanes}


def test_what_was_promised_holds_at_a_hundred_kills(
    box: Box, receiver: Receiver, broker: Mosquitto, tmp_path: Path
) -> None:
    """Counters exact; a lock, a song, a line at most once; all else delivered under one key each."""
    chance = random.Random(SEED)
    progress = {
        "decide": lambda: len(lines(tmp_path / "kept")),
        "dispatch": lambda: receiver.taken,
    }
    with listening(broker, "#") as heard:
        box.begin("decide")
        box.begin("dispatch")
        for _ in range(KILLS):
            process = chance.choice(["dispatch", "dispatch", "decide"])
            before = progress[process]()
            until(lambda process=process, before=before: progress[process]() > before, 5)
            time.sleep(chance.uniform(0, 0.05))
            box.kill(process)
            box.begin(process)
        box.kill("decide")
        with box.services() as services:
            store = services.store
            done = until(lambda: not store.outbox(states=[OutboxState.PENDING, OutboxState.RUNNING]), 60)
            box.kill("dispatch")
            rows, log = store.outbox(limit=1_000_000), everything(services)
            held = {
                name: {each.subject: each.count for each in store.standings(name, since=date.min)}
                for name in (GREETINGS, COFFEES)
            }
            store.verify()
        published = [json.loads(each.payload) for each in heard.messages if each.topic.endswith("rules/came")]

    # Nothing that was committed is lost, and the log says what was counted.
    greeted = Counter(
        each.event.subject
        for each in log
        if isinstance(each.event, SubjectIdentified) and each.event.grade is Grade.GREETING
    )
    drunk = Counter(each.event.subject for each in log if isinstance(each.event, CoffeeTaken))
    assert done
    assert set(lines(tmp_path / "kept")) <= {each.id for each in log}
    assert {GREETINGS: dict(greeted), COFFEES: dict(drunk)} == held

    # Every confirmed decision and every coffee has its rows, each once, and each came to its end.
    confirmed = {
        each.id
        for each in log
        if isinstance(each.event, SubjectIdentified) and each.event.grade is Grade.CONFIRMED
    }
    coffees = {each.id for each in log if isinstance(each.event, CoffeeTaken)}
    wanted = Counter({(each, "webhook:chat"): 1 for each in confirmed | coffees})
    wanted.update({(each, "screen"): 1 for each in confirmed | coffees})
    wanted.update(
        {(each, lane): 1 for each in confirmed for lane in ("unlock:front", "song", "mqtt", "command:chime")}
    )
    assert wanted == Counter((row.event.id, row.action) for row in rows if row.rule is not None)
    assert len(confirmed) > len(PEOPLE)

    # At least once: delivered, all of it, under one key each, whatever was repeated.
    assert {OutboxState.DELIVERED} == {row.state for row in rows if row.action in AT_LEAST_ONCE}
    assert keys(rows, "webhook:chat") == set(receiver.bodies)
    assert {1} == {len(bodies) for bodies in receiver.bodies.values()}
    assert keys(rows, "command:chime") == set(lines(tmp_path / "chimed"))
    assert keys(rows, "mqtt") == {each["idempotency_key"] for each in published}

    # At most once: no cause twice, nothing done that was not recorded first, and what was cut off is unknown.
    granted = [
        each.event.cause
        for each in log
        if isinstance(each.event, UnlockDecided) and each.event.type == "unlock_granted"
    ]
    asked = [(each.event.rule, each.event.cause) for each in log if isinstance(each.event, ScreenAsked)]
    songs = [each.event.cause for each in log if isinstance(each.event, SongStarted)]
    unlocked = lines(tmp_path / "unlocked")
    ended = {row.idempotency_key: row.state for row in rows if row.action == "unlock:front"}
    for causes in (granted, asked, songs, unlocked):
        assert len(causes) == len(set(causes))
    assert set(unlocked) <= set(ended)
    assert len(unlocked) <= len(granted)
    assert {key for key, state in ended.items() if state is OutboxState.DELIVERED} >= {
        key for key in unlocked if ended[key] not in {OutboxState.UNKNOWN, OutboxState.DEAD}
    }
    assert len(unlocked) > 0
    assert len(asked) > 0
    assert len(songs) > 0
    states = Counter((row.action, row.state.value) for row in rows if row.action in AT_MOST_ONCE)
    assert {"delivered", "unknown", "expired", "dead"} >= {state for _, state in states}
    sys.stdout.write(
        f"{datetime.now(UTC):%H:%M:%S} {len(confirmed)} decisions, {len(coffees)} coffees, "
        f"{receiver.taken - len(receiver.bodies)} posts repeated, {len(unlocked)} unlocked, "
        f"{len(songs)} songs; {dict(states)}\n"
    )
