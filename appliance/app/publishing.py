"""What dispatch publishes: events and states to the broker, events to webhooks. Puts the parts together.

Nothing of a broker or a webhook is loaded by a box that has none. Who is named is decided here: whoever is
enrolled, not paused, and agreed that others see when they were recognised, or to be in the leaderboard.
"""

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from importlib.metadata import version
from typing import Any, Final, Protocol

import structlog

from appliance.app.desk.board import CHANGES
from appliance.app.desk.door_states import door_states
from appliance.app.desk.naming import LAST_SEEN
from appliance.app.function_hearing import FunctionHearing
from appliance.app.picturing import Pictures
from appliance.deeplens.topics import matches
from appliance.dispatch import Plan
from appliance.errors import ActionError, UnknownSubjectError, VaultError
from appliance.events import SubjectIdentified, event_types
from appliance.services import MQTT_EVENTS, Services
from appliance.settings import Settings
from appliance.sinks.home_assistant import Box, announcement
from appliance.sinks.mqtt_infer import InferTopic
from appliance.sinks.mqtt_states import Kept, Present
from appliance.sinks.mqtt_topics import Topics, published
from appliance.store import COFFEES, LEADERBOARD, Store, Subject, SubjectState
from appliance.vault import Vault
from appliance.wire import Client
from appliance.wire.messages import BrokerTold

_log = structlog.get_logger()

MQTT: Final = "mqtt"
"""Name in the outbox of what rules publish."""
WEBHOOK: Final = "webhook:"
"""How the names of webhooks begin in the outbox."""
_FOR_EVER: Final = 1_000_000_000
"""Attempts: a broker that was away for a month still gets everything."""
_AMONG: Final = 200
"""Newest recognitions among which the last one that may be told is looked for."""
_LEAVE_S: Final = 2.0
_DRINKER_LABEL: Final = b"office-door appliance, coffees by MQTT v1\n"
"""What is signed for this begins as nothing else does that the box signs."""


class Offering(Protocol):
    """The connection to the broker, for what is said at once or not at all."""

    def alive(self, wait_s: float) -> bool:
        """Whether the broker answers within so many seconds."""

    def offer(self, topic: str, payload: bytes, *, wait_s: float, expiry_s: float | None = None) -> bool:
        """Publish without a receipt, if there is a connection; whether it went out."""


class Named:
    """What people are called to others.

    Args:
        store: The people.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def alias(self, subject: str) -> str | None:
        """Alias, or else initials, of somebody who agreed that others see when they were recognised."""
        return self.for_purpose(subject, LAST_SEEN)

    def for_purpose(self, subject: str, purpose: str) -> str | None:
        """The same of somebody who agreed to a purpose; None: they did not, or are not there any more."""
        try:
            person: Subject = self._store.subject_by_id(subject)
        except (UnknownSubjectError, VaultError):
            return None
        if person.state is not SubjectState.ACTIVE or purpose not in person.purposes:
            return None
        return person.alias or person.initials or None


def drinker_of(vault: Vault, subject: str) -> str:
    """What stands for somebody where coffees are told: always the same, and only this box can tell what.

    Under their id everything else is told, their arrivals too; who agreed to have their coffees told by name
    did not agree to those. Made of the box's signature of the id, which is always the same and which nobody
    without the key can make: it need not be kept anywhere, and a change of the device key leaves it.

    Args:
        vault: Unlocked.
        subject: Opaque id.
    """
    return hashlib.sha256(vault.sign(_DRINKER_LABEL + subject.encode())).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class _Drinker:
    """Somebody with their coffees.

    Attributes:
        drinker: What stands for them where coffees are told; see `drinker_of`.
        alias: What they are called.
        today: Of this day.
        total: Of all days that are kept.
    """

    drinker: str
    alias: str
    today: int
    total: int


class States:
    """Reads what holds at present.

    Args:
        settings: What is published.
        services: The log, the people, the counters.
        topics: Of the box.
    """

    def __init__(self, settings: Settings, services: Services, topics: Topics) -> None:
        self._settings = settings
        self._services = services
        self._topics = topics
        self._named = Named(services.store)
        self._doors = [door.id for door in settings.doors]
        self._coffees = settings.mqtt.coffees and bool(settings.coffee.cameras)
        self._called: dict[str, str | None] = {}
        self._read = 0

    def drinker(self, subject: str) -> str:
        """What stands for somebody where coffees are told."""
        return drinker_of(self._services.vault, subject)

    def moved(self) -> tuple[int, date]:
        """Another pair whenever something may hold that did not: the log grew, or a day began."""
        return self._services.store.position(), self._today()

    def present(self) -> Present:
        """What holds, and what there is.

        Raises:
            StoreError: The database cannot be read.
        """
        mqtt, topics = self._settings.mqtt, self._topics
        states: dict[str, Mapping[str, Any]] = {}
        for door in door_states(self._services.store, self._doors):
            at = door.at.isoformat(timespec="seconds") if door.at is not None else None
            states[topics.door(door.id)] = {"state": door.state or "unknown", "at": at}
        if mqtt.last_person and (last := self._last_person()) is not None:
            states[topics.last_person] = last
        # The day is read once: what is counted and since when go together, whenever midnight comes.
        today = self._today()
        since = datetime.combine(today, time.min).astimezone().isoformat()
        drinkers = self._drinkers(today) if self._coffees else []
        if self._coffees:
            states[topics.coffees] = {"today": sum(each.today for each in drinkers), "since": since}
        for each in drinkers:
            states[topics.coffee(each.drinker)] = {
                "alias": each.alias,
                "today": each.today,
                "since": since,
                "total": each.total,
            }
        if not mqtt.home_assistant:
            return Present(states, None)
        box = Box(
            device=self._services.device,
            site=self._settings.site,
            version=version("office-door-appliance"),
            doors=self._doors,
            events=[each for each in event_types() if each in published(mqtt, event_types())],
            last_person=mqtt.last_person,
            coffees=self._coffees,
            drinkers=[(each.drinker, each.alias) for each in drinkers],
            cameras=[camera.id for camera in self._settings.cameras] if mqtt.pictures else (),
        )
        return Present(states, announcement(box, topics))

    def _last_person(self) -> dict[str, Any] | None:
        """The last one who may be told of."""
        found = self._services.store.events(types=["subject_identified"], limit=_AMONG, newest_first=True)
        for stored in found:
            event = stored.event
            if isinstance(event, SubjectIdentified) and (alias := self._named.alias(event.subject)):
                at = stored.at.isoformat(timespec="seconds")
                return {"alias": alias, "door": event.door, "at": at}
        return None

    def _drinkers(self, day: date) -> list[_Drinker]:
        """Everybody who ever took a coffee and agreed to the leaderboard, the most first."""
        store = self._services.store
        self._follow()
        today = {str(each.subject): each.count for each in store.standings(COFFEES, since=day)}
        found: list[_Drinker] = []
        for each in store.standings(COFFEES, since=date.min):
            subject = str(each.subject)
            if subject not in self._called:
                self._called[subject] = self._named.for_purpose(subject, LEADERBOARD)
            if alias := self._called[subject]:
                found.append(
                    _Drinker(
                        drinker_of(self._services.vault, subject), alias, today.get(subject, 0), each.count
                    )
                )
        return found

    def _follow(self) -> None:
        """Forget what people are called once somebody may be called otherwise: looking it up takes time."""
        store = self._services.store
        now = store.position()
        if now < self._read or store.events(after=self._read, types=CHANGES, limit=1):
            self._called = {}
        self._read = now

    def _today(self) -> date:
        return self._services.clock.wall().astimezone().date()


@dataclass(frozen=True, slots=True)
class Published:
    """What can be done by way of the broker and of webhooks.

    Attributes:
        plans: Who performs which rows of the outbox.
        tells: How to tell another device something at once, or not at all: kind of output → what takes
            the target (empty, the entity of a media player, the id of a webhook) and JSON, and raises
            ActionError.
        broker: What is said at once and without a receipt; None: there is no broker.
        health: Tells how the connection to the broker is.
    """

    plans: Mapping[str, Plan]
    tells: Mapping[str, Callable[[str, bytes], None]]
    broker: Offering | None = None
    health: Callable[[], BrokerTold] = lambda: BrokerTold(connected=True)


@contextlib.contextmanager
def publishing(
    settings: Settings,
    services: Services,
    stop: threading.Event,
    seen: InferTopic,
    hearing: FunctionHearing | None = None,
) -> Iterator[Published]:
    """The broker and the webhooks, the connection kept up until the end of the block.

    Args:
        settings: Which.
        services: What holds, and who is named.
        stop: Set at the end.
        seen: What is seen, as it comes; nobody publishes it where there is no broker.
        hearing: What hosted functions want to hear.
    """
    plans, tells = _webhooks(settings, services)
    if not settings.mqtt.host:
        yield Published(plans, tells)
        return
    hearing = hearing or FunctionHearing(Client(services.layout.socket("functions")))
    with _broker(settings, services, stop, seen, hearing) as more:
        yield Published({**plans, **more.plans}, {**tells, **more.tells}, more.broker, more.health)


@contextlib.contextmanager
def _broker(
    settings: Settings,
    services: Services,
    stop: threading.Event,
    seen: InferTopic,
    hearing: FunctionHearing,
) -> Iterator[Published]:
    from appliance.sinks.mqtt import Mqtt  # noqa: PLC0415 - a box without a broker loads no client
    from appliance.sinks.mqtt_action import MqttAction  # noqa: PLC0415
    from appliance.sinks.mqtt_moment import tell_at_once  # noqa: PLC0415

    topics = Topics.of(settings.mqtt, services.device)
    states = States(settings, services, topics)
    kept = Kept(topics, states.present, states.moved)

    def heard(topic: str, payload: bytes, retained: bool) -> None:  # noqa: FBT001 - as the connection calls it
        # What functions subscribe to may be anybody's: only the box's own states are taken for those.
        if matches(topics.states, topic) or topic in {topics.discovery, topics.discovery_status}:
            kept.heard(topic, payload, retained)
        hearing.heard(topic, payload)

    mqtt = Mqtt(settings.mqtt, topics, services.device, heard=heard, came=kept.nudge)
    hearing.attach(mqtt)
    aliases = Named(services.store).alias if settings.mqtt.last_person else None
    action = MqttAction(mqtt, topics, services.device, states.drinker, aliases=aliases, after=kept.nudge)
    threads = [
        threading.Thread(target=kept.run, args=(mqtt, stop), name="mqtt-states", daemon=True),
        threading.Thread(target=seen.run, args=(mqtt, topics.infer, stop), name="mqtt-infer", daemon=True),
        threading.Thread(target=hearing.run, args=(stop,), name="mqtt-hearing", daemon=True),
    ]
    if settings.mqtt.pictures:
        places = {camera.id: topics.picture(camera.id) for camera in settings.cameras}
        pictures = Pictures(services.layout, places, settings.mqtt.picture_s)
        given = (lambda: mqtt.connected, lambda topic, jpeg, s: mqtt.offer(topic, jpeg, wait_s=s), stop)
        threads.append(threading.Thread(target=pictures.run, args=given, name="mqtt-pictures", daemon=True))
    try:
        mqtt.start()
    except ActionError as error:  # said again, and tried again, with each event
        _log.warning("mqtt_not_started", reason=error.message, hint=error.hint)
    for thread in threads:
        thread.start()

    try:
        yield Published(
            {MQTT: Plan(action, _FOR_EVER), MQTT_EVENTS: Plan(action, _FOR_EVER)},
            {
                "mqtt": lambda _, payload: tell_at_once(mqtt, topics.songs, payload),
                "home_assistant": lambda entity, payload: tell_at_once(mqtt, topics.player(entity), payload),
            },
            mqtt,
            lambda: (
                BrokerTold(connected=True)
                if mqtt.connected
                else BrokerTold(connected=False, trouble=mqtt.trouble.message, hint=mqtt.trouble.hint)
            ),
        )
    finally:
        stop.set()
        mqtt.close()
        kept.nudge()
        seen.nudge()
        hearing.nudge()
        for thread in threads:
            thread.join(_LEAVE_S)


def _webhooks(
    settings: Settings, services: Services
) -> tuple[dict[str, Plan], dict[str, Callable[[str, bytes], None]]]:
    if not settings.webhooks:
        return {}, {}
    from appliance.sinks.webhook import WebhookAction  # noqa: PLC0415 - a box without one loads none

    named = Named(services.store)
    plans = {
        f"{WEBHOOK}{each.id}": Plan(
            WebhookAction(each, services.device, services.clock, named.alias), each.attempts
        )
        for each in settings.webhooks
    }
    by_id = {each.id: each for each in settings.webhooks}

    def tell(webhook: str, payload: bytes) -> None:
        if webhook not in by_id:
            raise ActionError(f"the settings have no webhook {webhook!r}", permanent=True)
        # Its own: that of the outbox may be busy with an older event.
        action = WebhookAction(by_id[webhook], services.device, services.clock)
        action.send(payload, key=services.ids(services.clock.wall()), kind="song")

    return plans, {"webhook": tell}
