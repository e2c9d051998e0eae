"""The connection to a broker outlives what is asked of it: topics that are none, and faults in its thread."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from mosquitto import Mosquitto
from paho.mqtt.publish import single

from appliance.settings import MqttSettings
from appliance.sinks.mqtt import Mqtt
from appliance.sinks.mqtt_topics import Topics

pytestmark = pytest.mark.debian(reason="mosquitto")

WAIT_S = 20.0
BAD = ("#a", "a/#/b", "b+", "")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that runs at the beginning."""
    running = Mosquitto(tmp_path)
    running.start()
    yield running
    running.stop()


class Heard:
    """What a connection heard."""

    def __init__(self) -> None:
        self._topics: set[str] = set()
        self._came = threading.Condition()

    def __call__(self, topic: str, payload: bytes, kept: bool) -> None:  # noqa: FBT001 - as it is called
        """Note it."""
        del payload, kept
        with self._came:
            self._topics.add(topic)
            self._came.notify_all()

    def hears(self, broker: Mosquitto, topic: str) -> bool:
        """Whether what is published there comes; said again until it does, for subscribing takes a moment."""
        for _ in range(40):
            single(topic, b"x", hostname="127.0.0.1", port=broker.port)
            with self._came:
                if self._came.wait_for(lambda: topic in self._topics, WAIT_S / 40):
                    return True
        return False


def connection(settings: MqttSettings, heard: Heard) -> Mqtt:
    """A box's connection."""
    return Mqtt(settings, Topics.of(settings, "box"), "box", heard=heard, connect_s=WAIT_S)


def test_topics_that_are_none_cost_nothing_else(broker: Mosquitto) -> None:
    """Asked for before a connection, in one, and over a restart: the rest is heard, and said."""
    heard = Heard()
    mqtt = connection(broker.settings(), heard)
    mqtt.listen(frozenset({*BAD, "before"}))
    mqtt.publish("said", b"1")

    assert heard.hears(broker, "before")

    mqtt.listen(frozenset({*BAD, "#b", "while/+", "more"}))

    assert heard.hears(broker, "while/x")
    assert heard.hears(broker, "more")

    mqtt.listen(frozenset({"#c", "left"}))
    broker.stop()
    broker.start()
    mqtt.publish("said", b"2")

    assert heard.hears(broker, "left")
    mqtt.close()


def test_a_fault_in_the_connections_thread_costs_one_connection(broker: Mosquitto) -> None:
    """Whatever is raised there: it is said, the connection is made anew, and what was to be said goes out."""
    faults = iter([ValueError("one"), KeyError("two")])

    def came() -> None:
        for fault in faults:
            raise fault

    settings = broker.settings()
    mqtt = Mqtt(settings, Topics.of(settings, "box"), "box", came=came, connect_s=WAIT_S)
    mqtt.start()
    for _ in range(400):
        if mqtt.connections == 3:
            break
        threading.Event().wait(0.05)
    mqtt.publish("said", b"1")

    assert 3 == mqtt.connections
    assert mqtt.alive(WAIT_S)
    assert "a fault of our own" in mqtt.trouble.message
    mqtt.close()
