"""An office's day at a clock that is set by hand: people come and take coffee, others are away for an hour.

Real are the database, the dispatch process's own composition (in a thread of its own), the webhook with a
receiver on this machine, and the broker. What happened is drawn by chance and kept as the truth, to be held
against what was counted and what arrived.
"""

import json
import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import stores
from hook_server import Receiver, receiving
from mosquitto import Listener, Mosquitto, listening
from rule_bodies import rule

from appliance.app.desk.waking import Waking
from appliance.app.dispatching import run_dispatch
from appliance.clock import ManualClock
from appliance.events import CoffeeTaken, Event, StrangerSeen
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings
from appliance.store import COFFEES, GREETINGS, Consent, OutboxState
from appliance.values import Grade

MORNING = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
LASTS_S = 10 * 3600.0
_MIB = 2**20
_PATIENCE_S = 60.0
_DOOR = {"camera": "entrance", "door": "main"}
_RULES = (
    rule(
        "subject_identified",
        {"kind": "mqtt", "topic": "came"},
        {"kind": "screen", "text": "hello {alias}"},
    ),
    rule("subject_identified", {"kind": "webhook", "webhook": "chat"}, first_of_day=True),
    rule("coffee_taken", {"kind": "webhook", "webhook": "chat"}, {"kind": "screen", "text": "cheers"}),
    rule("stranger_seen", {"kind": "webhook", "webhook": "chat"}),
)


@dataclass(frozen=True)
class Plan:
    """What is to happen.

    Attributes:
        people: How many are enrolled; one in ten did not agree to be counted.
        encounters: How often somebody comes, one in twenty of them a stranger.
        away_s: How long webhook and broker are away, one after the other, seconds of the day.
        events: Which events are published besides.
        seed: Of chance.
    """

    people: int
    encounters: int
    away_s: float = 3600.0
    events: tuple[str, ...] = ("subject_identified", "stranger_seen", "coffee_taken", "door_opened")
    seed: int = 1


@dataclass
class Truth:
    """What happened.

    Attributes:
        greeted: Subject → greetings of those who agreed.
        coffees: Subject → coffees of those who agreed.
        came: Certain decisions about somebody enrolled.
        first: Who came at all.
        strangers: Certain decisions about strangers.
        all_coffees: Coffees, of whoever it was.
    """

    greeted: Counter[str] = field(default_factory=Counter)
    coffees: Counter[str] = field(default_factory=Counter)
    came: int = 0
    first: set[str] = field(default_factory=set)
    strangers: int = 0
    all_coffees: int = 0


@dataclass
class Arrived:
    """What came of it.

    Attributes:
        counted: Counter → subject → count.
        posted: Different keys that the webhook's receiver took.
        published: Different keys that a subscriber heard of rules.
        shown: Lines that the screens were asked to show.
        outbox: State → rows, at the end.
        refused: Posts that were refused while the receiver was away.
        waited: Action → the most rows that waited at once.
        memory: Time of the day and resident memory, MiB, again and again.
        seconds: What it took.
    """

    counted: dict[str, dict[str, int]]
    posted: int
    published: int
    shown: int
    outbox: dict[str, int]
    refused: int
    waited: dict[str, int]
    memory: list[tuple[datetime, float]]
    seconds: float


@dataclass(frozen=True)
class Outside:
    """What dispatch talks to.

    Attributes:
        receiver: The webhook's.
        broker: Running.
        heard: Subscribed to what rules publish.
    """

    receiver: Receiver
    broker: Mosquitto
    heard: Listener


class Day:
    """One day.

    Args:
        plan: What is to happen.
        services: A box at a clock that stands.
        clock: Its clock.
        outside: What dispatch talks to.
    """

    def __init__(self, plan: Plan, services: Services, clock: ManualClock, outside: "Outside") -> None:
        self.truth = Truth()
        self._plan = plan
        self._services, self._clock = services, clock
        self._receiver, self._broker, self._heard = outside.receiver, outside.broker, outside.heard
        self._broken = False
        self._keys: set[str] = set()
        self._waited: dict[str, int] = {}
        self._memory: list[tuple[datetime, float]] = []
        self._wake = Waking(services.layout.socket("dispatch")).wake
        self._reading = sqlite3.connect(services.layout.database, isolation_level=None)
        self._chance = random.Random(plan.seed)
        self._people: list[str] = []
        self._counted: set[str] = set()

    def run(self) -> Arrived:
        """All of it."""
        began = time.perf_counter()
        self._enrol()
        moments = sorted(self._chance.uniform(0, LASTS_S) for _ in range(self._plan.encounters))
        for number, at_s in enumerate(moments):
            self._until(at_s)
            self._encounter(f"e{number}")
            if number % max(1, self._plan.encounters // 40) == 0:
                self._memory.append((self._clock.wall(), resident_mib()))
        self._until(LASTS_S)
        self._empty()
        self._drain()
        self._reading.close()
        return self._arrived(time.perf_counter() - began)

    def _enrol(self) -> None:
        store = self._services.store
        for number in range(self._plan.people):
            counted = number % 10 != 0
            purposes = ("identify", "leaderboard") if counted else ("identify",)
            added = store.add_subject(f"Person {number}", consent=Consent(purposes, "1", "on paper"))
            self._people.append(str(added.id))
            if counted:
                self._counted.add(str(added.id))
        for each in _RULES:
            store.add_rule(each.body())

    def _until(self, at_s: float) -> None:
        """Let time pass, with what has to be tried again meanwhile, and who goes away and comes back."""
        webhook, broker = 0.5 * LASTS_S, 0.7 * LASTS_S
        self._receiver.away = webhook <= at_s < webhook + self._plan.away_s
        broken = broker <= at_s < broker + self._plan.away_s
        if broken != self._broken:
            (self._broker.stop if broken else self._broker.start)()
            self._broken = broken
        ahead = (MORNING + timedelta(seconds=at_s) - self._clock.wall()).total_seconds()
        if ahead > 0:
            self._clock.advance(ahead)
        self._settle()

    def _encounter(self, name: str) -> None:
        """Somebody comes in."""
        self._happens(stores.OPENED)
        if self._chance.random() < 0.05:
            facts = stores.identified().facts
            self._happens(StrangerSeen(encounter=name, grade=Grade.CONFIRMED, facts=facts, **_DOOR))
            self.truth.strangers += 1
        else:
            who = self._chance.choice(self._people)
            for grade in Grade:
                event = stores.identified(who, grade=grade, encounter=name).model_copy(update=_DOOR)
                self._happens(event)
            self.truth.came += 1
            self.truth.first.add(who)
            if who in self._counted:
                self.truth.greeted[who] += 1
            if self._chance.random() < 0.4:
                self._happens(CoffeeTaken(encounter=name, subject=who, camera="kitchen"))
                self.truth.all_coffees += 1
                if who in self._counted:
                    self.truth.coffees[who] += 1
        self._happens(stores.SHUT)
        self._settle()

    def _happens(self, event: Event) -> None:
        self._services.store.append(event, at=self._clock.wall())
        self._clock.advance(0.5)

    def _settle(self) -> None:
        """Wait until everything is done that can be done at this moment of the day."""
        self._wake()
        until = time.monotonic() + _PATIENCE_S
        while (left := self._left()) and time.monotonic() < until:
            time.sleep(0.002)
        assert not left, left
        self._drain()

    def _left(self) -> list[tuple[str, str]]:
        """Actions that have something to do now: none of those whose oldest row waits for its next try."""
        found: dict[str, dict[str, tuple[int, str]]] = {}
        rows = self._reading.execute(
            # With min(), SQLite takes what stands beside it from the same row: the oldest one.
            "SELECT action, state, count(*), not_before, min(id) FROM outbox "
            "WHERE state IN ('pending', 'running') GROUP BY action, state"
        )
        for action, state, many, first, _ in rows:
            found.setdefault(action, {})[state] = (many, first)
        for action, states in found.items():
            many = sum(each for each, _ in states.values())
            self._waited[action] = max(many, self._waited.get(action, 0))
        now = self._clock.wall().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return [
            (action, state)
            for action, states in found.items()
            if not (self._broken and action.startswith("mqtt"))
            for state, (_, first) in states.items()
            if (state == "pending" and first <= now) or (state == "running" and "pending" not in states)
        ]

    def _empty(self) -> None:
        """The day is over; time passes until nothing waits any more."""
        until = time.monotonic() + 2 * _PATIENCE_S
        while self._pending() and time.monotonic() < until:
            self._clock.advance(30)
            self._settle()
            time.sleep(0.05)

    def _pending(self) -> bool:
        counts = self._services.store.outbox_counts()
        return bool(counts.get(OutboxState.PENDING) or counts.get(OutboxState.RUNNING))

    def _drain(self) -> None:
        """Take what the subscriber heard: its keys are enough."""
        batch = self._heard.messages[:]
        del self._heard.messages[: len(batch)]
        self._keys |= {json.loads(each.payload)["idempotency_key"] for each in batch}

    def _arrived(self, seconds: float) -> Arrived:
        store = self._services.store
        shown = 0
        after = 0
        while found := store.events(after=after, types=["screen_asked"], limit=1000):
            shown, after = shown + len(found), found[-1].position
        standings: dict[str, dict[str, int]] = {
            name: {str(each.subject): each.count for each in store.standings(name, since=date.min)}
            for name in (GREETINGS, COFFEES)
        }
        return Arrived(
            counted=standings,
            posted=len(self._receiver.bodies),
            published=len(self._keys),
            shown=shown,
            outbox={state.value: many for state, many in store.outbox_counts().items()},
            refused=self._receiver.refused,
            waited=self._waited,
            memory=self._memory,
            seconds=seconds,
        )


def resident_mib() -> float:
    """Of this process, now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / _MIB


@contextmanager
def office_day(plan: Plan, folder: Path) -> Iterator[Day]:
    """A box, dispatch, a receiver and a broker, ready for a day; ended after the block."""
    clock = ManualClock(MORNING)
    (folder / "broker").mkdir()
    broker = Mosquitto(folder / "broker")
    broker.start()
    stop = threading.Event()
    with receiving() as receiver, listening(broker, "+/+/rules/#") as heard:
        settings = _settings(plan, broker, receiver)
        with open_services(settings, Layout(folder / "state"), create=True, clock=clock) as services:
            dispatch = threading.Thread(target=run_dispatch, args=(settings, services, stop))
            dispatch.start()
            try:
                yield Day(plan, services, clock, Outside(receiver, broker, heard))
            finally:
                stop.set()
                dispatch.join()
    broker.stop()


def _settings(plan: Plan, broker: Mosquitto, receiver: Receiver) -> Settings:
    given: dict[str, Any] = {
        "screen": {"leaderboard": "coffee"},
        "mqtt": {
            "host": "127.0.0.1",
            "port": broker.port,
            "tls": False,
            "timeout_s": 2,
            "events": plan.events,
        },
        "webhooks": [
            {
                "id": "chat",
                "url": f"http://127.0.0.1:{receiver.port}/hook",
                "secret": "0123456789abcdef",
                "allow_private": True,
            }
        ],
    }
    return Settings.model_validate(given)
