"""What is of its moment, against a real broker that freezes: it is told at once, or never."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from queue import Queue

import pytest
from mosquitto import Mosquitto, listening
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from appliance.actions.locks import MqttLock, Opening
from appliance.errors import ActionError
from appliance.settings import LockSettings
from appliance.sinks.mqtt import Mqtt
from appliance.sinks.mqtt_moment import tell_at_once
from appliance.sinks.mqtt_topics import Topics

pytestmark = pytest.mark.debian(reason="mosquitto")

OPENING = Opening("front", "event", "event:rule:0", datetime(2026, 1, 5, 9, 0, tzinfo=UTC), 30.0)
LOCK = "locks/front/set"
PAYLOAD = LockSettings(id="front", door="front").payload


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One broker."""
    running = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(params=["5", "3.1.1"])
def connection(broker: Mosquitto, request: pytest.FixtureRequest) -> Iterator[tuple[Mqtt, Topics]]:
    """A box's connection, that stands."""
    settings = broker.settings(node=f"moment-{request.param[0]}", protocol=request.param, timeout_s=60)
    topics = Topics.of(settings, "box")
    mqtt = Mqtt(settings, topics, "box")
    mqtt.publish(f"{topics.base}/ready", b"1")
    yield mqtt, topics
    mqtt.close()


@contextlib.contextmanager
def hearing(broker: Mosquitto, *topics: str, kept_for: str = "") -> Iterator[Queue[MQTTMessage]]:
    """Somebody who hears by MQTT 5, and is told of each message what it was published with.

    Under a name the broker keeps what comes while they are away, until they are back.
    """
    heard: Queue[MQTTMessage] = Queue()
    ready = threading.Event()
    as_published = SubscribeOptions(qos=2, retainAsPublished=True)
    keeps = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho's is not typed
    keeps.SessionExpiryInterval = 600 if kept_for else 0
    listener = Client(CallbackAPIVersion.VERSION2, client_id=kept_for, protocol=MQTTProtocolVersion.MQTTv5)
    listener.on_message = lambda _client, _data, message: heard.put(message)
    listener.on_subscribe = lambda *_: ready.set()
    listener.on_connect = lambda client, *_: client.subscribe([(each, as_published) for each in topics])
    listener.connect("127.0.0.1", broker.port, clean_start=not kept_for, properties=keeps)
    listener.loop_start()
    try:
        assert ready.wait(30)
        yield heard
    finally:
        listener.disconnect()
        listener.loop_stop()


def test_a_lock_and_a_song_are_told_to_a_broker_that_answers(
    broker: Mosquitto, connection: tuple[Mqtt, Topics]
) -> None:
    """Both come, the lock's with the second after which it is too late."""
    mqtt, topics = connection
    with listening(broker, LOCK, topics.songs) as listener:
        MqttLock(mqtt, LOCK, PAYLOAD).open(OPENING)
        tell_at_once(mqtt, topics.songs, b"song")
        got = listener.wait(lambda got: len(got) == 2)

    said = f'{{"state":"OPEN","until":{OPENING.until}}}'.encode()
    assert [(LOCK, said), (topics.songs, b"song")] == [(each.topic, each.payload) for each in got]


def test_a_broker_that_freezes_is_told_nothing_that_comes_when_it_wakes(
    broker: Mosquitto, connection: tuple[Mqtt, Topics]
) -> None:
    """Lock and song fail while it stands still, and neither is heard of afterwards."""
    mqtt, topics = connection
    marker = f"{topics.base}/marker"
    with listening(broker, LOCK, topics.songs, marker) as listener:
        with broker.frozen():
            there = mqtt.connected
            with pytest.raises(ActionError, match="does not answer") as lock:
                MqttLock(mqtt, LOCK, PAYLOAD).open(OPENING)
            with pytest.raises(ActionError, match="does not answer"):
                tell_at_once(mqtt, topics.songs, b"song")
        mqtt.publish(marker, b"awake")  # comes behind whatever lay before the broker
        got = listener.wait(lambda got: got)

    assert there  # nothing told the connection that the broker stands still
    assert lock.value.permanent
    assert [marker] == [each.topic for each in got]


def test_what_a_broker_that_is_away_was_to_be_told_it_is_not_told_when_it_is_back(tmp_path: Path) -> None:
    """Lock and song failed, and stay so: nothing of them waits for the connection."""
    away = Mosquitto(tmp_path)
    away.start()
    settings = away.settings(node="away", timeout_s=60)
    topics = Topics.of(settings, "box")
    mqtt = Mqtt(settings, topics, "box")
    mqtt.publish(f"{topics.base}/ready", b"1")
    marker = f"{topics.base}/marker"
    with listening(away, LOCK, topics.songs, marker) as listener:
        away.stop()
        with pytest.raises(ActionError, match="was not told") as lock:
            MqttLock(mqtt, LOCK, PAYLOAD).open(OPENING)
        with pytest.raises(ActionError):
            tell_at_once(mqtt, topics.songs, b"song")
        away.start()
        mqtt.publish(marker, b"back", connect_s=60)
        got = listener.wait(lambda got: got)
    mqtt.close()
    away.stop()

    assert (True, False) == (lock.value.permanent, lock.value.unknown)
    assert [marker] == [each.topic for each in got]


def test_a_lock_is_told_once_and_no_broker_keeps_it(
    broker: Mosquitto, connection: tuple[Mqtt, Topics]
) -> None:
    """QoS 0, not retained, and by MQTT 5 over with the decision: as the broker itself hands it on."""
    mqtt, topics = connection
    marker = f"{topics.base}/marker"
    with hearing(broker, LOCK, marker) as heard:
        MqttLock(mqtt, LOCK, PAYLOAD).open(OPENING)
        mqtt.publish(marker, b"told")
        told, end = heard.get(timeout=30), heard.get(timeout=30)
    with hearing(broker, LOCK, marker) as later:
        mqtt.publish(marker, b"later")
        first = later.get(timeout=30)

    assert [LOCK, marker, marker] == [told.topic, end.topic, first.topic]
    assert (0, False) == (told.qos, told.retain)
    expiry_s = getattr(told.properties, "MessageExpiryInterval", None)
    if topics.base.endswith("5"):
        assert expiry_s is not None
        assert 0 < expiry_s <= OPENING.left_s
    else:
        assert expiry_s is None


def test_a_lock_that_was_away_hears_nothing_of_it_when_it_is_back(
    broker: Mosquitto, connection: tuple[Mqtt, Topics]
) -> None:
    """It asks its broker to keep what it misses; what opens a door is not kept."""
    mqtt, topics = connection
    marker = f"{topics.base}/marker"
    name = f"lock-{topics.base[-1]}"
    with hearing(broker, LOCK, marker, kept_for=name):
        pass
    MqttLock(mqtt, LOCK, PAYLOAD).open(OPENING)
    mqtt.publish(marker, b"missed")
    with hearing(broker, LOCK, marker, kept_for=name) as heard:
        first = heard.get(timeout=30)

    assert (marker, b"missed") == (first.topic, first.payload)


def test_what_was_told_ends_with_its_time_at_the_broker(broker: Mosquitto) -> None:
    """By MQTT 5 a message bears the seconds after which nobody is handed it any more."""
    settings = broker.settings(node="ends", client_id="ends")
    mqtt = Mqtt(settings, Topics.of(settings, "box"), "box")
    mqtt.publish("ends/ready", b"1")
    with hearing(broker, "ends/told") as heard:
        went = [mqtt.offer("ends/told", b"1", wait_s=30, expiry_s=each) for each in (None, 1000.7)]
        seconds = [getattr(heard.get(timeout=30).properties, "MessageExpiryInterval", None) for _ in went]
    mqtt.close()

    assert [True, True] == went
    assert seconds[0] is None
    assert seconds[1] is not None
    assert 900 < seconds[1] <= 1000
