"""What a connection to a broker promises: the suite for the real one and for the one that tests use."""

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from memory_broker import MemoryBroker
from mosquitto import Mosquitto, listening

from appliance.errors import ActionError
from appliance.settings import MqttSettings
from appliance.sinks.mqtt import Mqtt
from appliance.sinks.mqtt_infer import InferTopic
from appliance.sinks.mqtt_topics import Topics

_NUMBERS = itertools.count(1)


@dataclass
class Bench:
    """A connection, and a look at what the broker keeps.

    Attributes:
        connection: Connected.
        topics: Of its own.
        kept: What somebody who comes now is told of a topic; None: nothing.
    """

    connection: Mqtt | MemoryBroker
    topics: Topics
    kept: Callable[[str], bytes | None]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One broker."""
    running = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    running.start()
    yield running
    running.stop()


@contextlib.contextmanager
def real(broker: Mosquitto) -> Iterator[Bench]:
    """The real connection to a real broker."""
    node = f"contract{next(_NUMBERS)}"
    settings = broker.settings(node=node, client_id=node)
    topics = Topics.of(settings, "box")
    mqtt = Mqtt(settings, topics, "box")
    mqtt.publish(f"{topics.base}/ready", b"1")

    def kept(topic: str) -> bytes | None:
        # The second is not retained, and comes behind whatever is.
        with listening(broker, topic, f"{topic}/end") as listener:
            listener.client.publish(f"{topic}/end", b"end", qos=1)
            listener.wait(lambda got: got[-1:] and got[-1].topic.endswith("/end"))
            found = [each.payload for each in listener.messages if each.topic == topic]
        return found[0] if found else None

    yield Bench(mqtt, topics, kept)
    mqtt.close()


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.debian(reason="mosquitto"))])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Either of the two."""
    if request.param == "memory":
        memory = MemoryBroker()
        topics = Topics.of(MqttSettings(host="broker"), "box")
        yield Bench(memory, topics, memory.kept.get)
        return
    with real(request.getfixturevalue("broker")) as made:
        yield made


def test_what_is_retained_is_kept_until_it_is_taken_back(bench: Bench) -> None:
    """The newest word holds; an empty one takes it back."""
    topic = bench.topics.door("front")
    bench.connection.publish(topic, b"1", retain=True)
    bench.connection.publish(topic, b"2", retain=True)
    before = bench.kept(topic)
    bench.connection.publish(topic, b"", retain=True)

    assert (b"2", None) == (before, bench.kept(topic))


def test_what_is_not_retained_is_not_kept(bench: Bench) -> None:
    """Events are of their moment, and what is seen is, too."""
    topic = bench.topics.event("door_opened")
    bench.connection.publish(topic, b"1")
    went = bench.connection.offer(bench.topics.infer, b"2", wait_s=5)

    assert went
    assert (None, None) == (bench.kept(topic), bench.kept(bench.topics.infer))


@pytest.mark.parametrize("topic", ["", "a/#", "a/+/b", "a\x00b", "a\nb", "x" * 1025])
def test_what_is_no_topic_is_refused_for_good(bench: Bench, topic: str) -> None:
    """No wildcard, no control character, no topic without end reaches a broker."""
    with pytest.raises(ActionError) as found:
        bench.connection.publish(topic, b"1")

    assert found.value.permanent


def test_a_connection_that_was_closed_takes_nothing(bench: Bench) -> None:
    """What comes too late is told so, and left to the next start."""
    assert bench.connection.connected
    bench.connection.close()
    with pytest.raises(ActionError, match="the dispatcher stops") as found:
        bench.connection.publish(bench.topics.door("front"), b"1")

    assert not found.value.permanent
    assert not bench.connection.offer(bench.topics.infer, b"2", wait_s=1)
    assert not bench.connection.connected


def test_what_is_seen_is_dropped_rather_than_kept_the_oldest_first(bench: Bench) -> None:
    """However much comes: it is taken at once, and the newest of it is published."""
    seen, stop = InferTopic(), threading.Event()
    for number in range(1000):
        seen.publish_inference(b"%d" % number)
    dropped, kept = seen.dropped, seen.waiting
    sending = threading.Thread(target=seen.run, args=(bench.connection, bench.topics.infer, stop))
    sending.start()
    while seen.waiting:
        stop.wait(0.01)
    stop.set()
    sending.join(60)

    assert (1000 - 64, 64) == (dropped, kept)
    assert not sending.is_alive()


def test_what_is_seen_without_a_broker_is_gone() -> None:
    """Nothing of it waits for a broker that comes later."""
    away, seen, stop = MemoryBroker(), InferTopic(), threading.Event()
    away.connected = False
    for number in range(3):
        seen.publish_inference(b"%d" % number)
    sending = threading.Thread(target=seen.run, args=(away, "t", stop))
    sending.start()
    while seen.waiting:
        stop.wait(0.01)
    stop.set()
    sending.join(10)

    assert (3, []) == (seen.dropped, away.offered)
