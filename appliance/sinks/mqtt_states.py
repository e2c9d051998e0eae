"""What the broker keeps for the box: its states and its announcement to Home Assistant, as they are now.

States are no events: after a restart, of the box or of the broker, what holds is said anew, and only that.
What the broker still keeps from before and does not hold any more (somebody took a consent back meanwhile) is
taken back. What holds is read by whoever is handed in.
"""

import json
import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog

from appliance.errors import ApplianceError
from appliance.sinks.documents import written
from appliance.sinks.home_assistant import platforms, without
from appliance.sinks.mqtt_topics import Topics

_log = structlog.get_logger()

_LOOK_S: Final = 1.0
"""How soon a change of what holds is noticed."""
_THERE: Final = b"online"


class Broker(Protocol):
    """The connection; see `appliance.sinks.mqtt.Mqtt`."""

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""

    @property
    def connections(self) -> int:
        """How often one came about."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, key: str = "") -> None:
        """Publish, and wait for the receipt. Raises ActionError."""


@dataclass(frozen=True, slots=True)
class Present:
    """What holds.

    Attributes:
        states: Topic → JSON values.
        announcement: To Home Assistant; None: it is told nothing.
    """

    states: Mapping[str, Mapping[str, Any]]
    announcement: Mapping[str, Any] | None


class Kept:
    """Keeps what the broker keeps as it ought to be.

    Args:
        topics: Of the box.
        present: Reads what holds; may raise ApplianceError.
        moved: Something else whenever what holds may have changed; cheap to ask.
    """

    def __init__(self, topics: Topics, present: Callable[[], Present], moved: Callable[[], Hashable]) -> None:
        self._topics = topics
        self._present = present
        self._moved = moved
        self._lock = threading.Lock()
        self._nudged = threading.Event()
        self._anew = False
        self._heard = False
        self._found: set[str] = set()
        self._found_announced: dict[str, str] = {}
        self._connection = 0
        self._seen: Hashable = None
        self._said: dict[str, bytes] = {}
        self._announced: dict[str, str] = {}

    def heard(self, topic: str, payload: bytes, kept: bool) -> None:  # noqa: FBT001 - as the connection says it
        """Take in what the broker sends: what it kept, and that Home Assistant has just started."""
        if topic == self._topics.discovery_status:
            self._anew = self._anew or payload == _THERE
        elif kept and payload:
            with self._lock:
                if topic == self._topics.discovery:
                    self._found_announced = _platforms(payload)
                self._found.add(topic)
                self._heard = True
        else:
            return
        self.nudge()

    def nudge(self) -> None:
        """Look now: something happened."""
        self._nudged.set()

    def run(self, broker: Broker, stop: threading.Event) -> None:
        """Look again and again until `stop` is set."""
        while not stop.is_set():
            self._nudged.wait(_LOOK_S)
            self._nudged.clear()
            if stop.is_set():
                return
            try:
                self.look(broker)
            except ApplianceError as error:
                # The broker is away again, or the database is: what holds is said once both are back.
                _log.debug("states_not_published", reason=error.message)

    def look(self, broker: Broker) -> None:
        """Say what is to be said, if there is a connection, and anything that may be new.

        Args:
            broker: The connection.

        Raises:
            ApplianceError: What holds cannot be read, or the broker does not take it.
        """
        if not broker.connected:
            return
        fresh = broker.connections != self._connection
        if fresh or self._anew:
            # A broker that was started anew may have forgotten everything.
            self._connection, self._anew = broker.connections, False
            self._said, self._seen = {}, None
        moved = self._moved()
        with self._lock:
            heard, self._heard = self._heard, False
        if moved == self._seen and not heard:
            return
        self._seen = None  # until all of it was said
        present = self._present()
        self._announce(broker, present.announcement)
        wanted = {topic: written(state) for topic, state in present.states.items()}
        with self._lock:
            stale = (self._found | set(self._said)) - set(wanted) - {self._topics.discovery}
        for topic in sorted(stale):
            broker.publish(topic, b"", retain=True)
            self._drop(topic)
        for topic, payload in wanted.items():
            if self._said.get(topic) != payload:
                broker.publish(topic, payload, retain=True)
                self._said[topic] = payload
        self._seen = moved

    def _announce(self, broker: Broker, announcement: Mapping[str, Any] | None) -> None:
        topic = self._topics.discovery
        with self._lock:
            there = topic in self._found or topic in self._said
            before = {**self._found_announced, **self._announced}
        if announcement is None:
            if there:
                broker.publish(topic, b"", retain=True)
                self._drop(topic)
            return
        now = platforms(announcement)
        gone = {key: platform for key, platform in before.items() if key not in now}
        if gone:
            broker.publish(topic, written(without(announcement, gone)), retain=True)
        payload = written(announcement)
        if gone or self._said.get(topic) != payload:
            broker.publish(topic, payload, retain=True)
            self._said[topic] = payload
        self._announced = now
        with self._lock:
            self._found_announced = {}

    def _drop(self, topic: str) -> None:
        self._said.pop(topic, None)
        if topic == self._topics.discovery:
            self._announced = {}
        with self._lock:
            self._found.discard(topic)
            if topic == self._topics.discovery:
                self._found_announced = {}


def _platforms(payload: bytes) -> dict[str, str]:
    """The entities that were announced; of what is no announcement, none."""
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return platforms(said) if isinstance(said, dict) else {}
