"""What the broker keeps: as it is now, whatever was restarted, and nothing that does not hold any more."""

import json
from typing import Any

import pytest
from memory_broker import MemoryBroker

from appliance.errors import ActionError
from appliance.settings import MqttSettings
from appliance.sinks.home_assistant import Box, announcement
from appliance.sinks.mqtt_states import Kept, Present
from appliance.sinks.mqtt_topics import Topics

TOPICS = Topics.of(MqttSettings(host="broker"), "box")


class World:
    """What holds, as a test says.

    Attributes:
        doors: Door → its state.
        box: What is announced; None: nothing.
    """

    def __init__(self, **doors: str) -> None:
        self.doors = doors
        self.box: Box | None = Box("box", "office", "1", doors=tuple(doors))
        self.moves = 0
        self.reads = 0

    def present(self) -> Present:
        """The doors."""
        self.reads += 1
        states = {TOPICS.door(door): {"state": state} for door, state in self.doors.items()}
        return Present(states, announcement(self.box, TOPICS) if self.box is not None else None)

    def moved(self) -> int:
        """Told by the test."""
        return self.moves


def kept_doors(broker: MemoryBroker) -> dict[str, Any]:
    """The states that the broker keeps."""
    return {topic: json.loads(payload) for topic, payload in broker.kept.items() if "/state/" in topic}


def entities(payload: bytes) -> dict[str, Any]:
    """The entities of an announcement."""
    found: dict[str, Any] = json.loads(payload)["components"]
    return found


def test_what_holds_is_said_once_until_it_is_otherwise() -> None:
    """States and announcement go out, and again only when they are different."""
    broker, world = MemoryBroker(), World(front="shut")
    kept = Kept(TOPICS, world.present, world.moved)
    kept.look(broker)
    kept.look(broker)
    world.doors["front"] = "open"
    world.moves = 1
    kept.look(broker)

    assert [TOPICS.discovery, TOPICS.door("front"), TOPICS.door("front")] == [t for t, _ in broker.said]
    assert {TOPICS.door("front"): {"state": "open"}} == kept_doors(broker)


def test_nothing_is_read_while_nothing_moves() -> None:
    """An idle box asks its log for its end, and for no more."""
    broker, world = MemoryBroker(), World(front="shut")
    kept = Kept(TOPICS, world.present, world.moved)
    for _ in range(5):
        kept.look(broker)

    assert 1 == world.reads


def test_a_broker_that_forgot_everything_is_told_anew() -> None:
    """With each connection all of it is said again."""
    broker, world = MemoryBroker(), World(front="shut")
    kept = Kept(TOPICS, world.present, world.moved)
    kept.look(broker)
    broker.kept.clear()
    broker.connections = 2
    kept.look(broker)

    assert {TOPICS.discovery, TOPICS.door("front")} == set(broker.kept)


def test_home_assistant_that_starts_is_told_anew() -> None:
    """On its word `online` the announcement and the states go out again; on another word they do not."""
    broker, world = MemoryBroker(), World(front="shut")
    kept = Kept(TOPICS, world.present, world.moved)
    kept.look(broker)
    kept.heard(TOPICS.discovery_status, b"offline", False)  # noqa: FBT003 - as the connection says it
    kept.look(broker)
    before = len(broker.said)
    kept.heard(TOPICS.discovery_status, b"online", False)  # noqa: FBT003
    kept.look(broker)

    assert (2, 4) == (before, len(broker.said))


def test_what_the_broker_kept_from_before_and_does_not_hold_is_taken_back() -> None:
    """After a restart of the box: a door that is gone, and somebody's coffees that are not told any more."""
    broker, world = MemoryBroker(), World(front="shut")
    old = announcement(
        Box("box", "office", "0", doors=("front", "side"), coffees=True, drinkers=(("s1", "Ann"),)), TOPICS
    )
    broker.kept = {
        TOPICS.door("side"): b'{"state":"open"}',
        TOPICS.coffee("s1"): b'{"today":3}',
        TOPICS.discovery: json.dumps(old).encode(),
    }
    kept = Kept(TOPICS, world.present, world.moved)
    for topic, payload in dict(broker.kept).items():
        kept.heard(topic, payload, True)  # noqa: FBT003 - as the connection says it
    kept.look(broker)

    gone = {"door_side", "left_open_side", "coffees", "coffees_s1"}
    leaving, staying = (payload for topic, payload in broker.said if topic == TOPICS.discovery)
    assert {TOPICS.door("front"), TOPICS.discovery} == set(broker.kept)
    assert gone == {key for key, each in entities(leaving).items() if list(each) == ["platform"]}
    assert {"door_front", "left_open_front"} == set(entities(staying))


def test_what_is_published_live_is_not_taken_for_what_was_kept() -> None:
    """The box hears what it says itself, and takes none of it back."""
    broker, world = MemoryBroker(), World(front="shut")
    kept = Kept(TOPICS, world.present, world.moved)
    kept.heard(TOPICS.door("other"), b'{"state":"open"}', False)  # noqa: FBT003 - as the connection says it
    kept.look(broker)

    assert (TOPICS.door("other"), b"") not in broker.said


def test_without_home_assistant_its_announcement_is_taken_back() -> None:
    """Switched off, the box goes from Home Assistant; its states stay."""
    broker, world = MemoryBroker(), World(front="shut")
    kept = Kept(TOPICS, world.present, world.moved)
    kept.look(broker)
    world.box = None
    world.moves = 1
    kept.look(broker)

    assert {TOPICS.door("front")} == set(broker.kept)


@pytest.mark.parametrize("payload", [b"nonsense", b"[]", b'{"components": 7}', b"\xff", b"[" * 100_000])
def test_an_announcement_that_is_none_hurts_nobody(payload: bytes) -> None:
    """Whatever somebody else put there is replaced."""
    broker, world = MemoryBroker(), World(front="shut")
    kept = Kept(TOPICS, world.present, world.moved)
    kept.heard(TOPICS.discovery, payload, True)  # noqa: FBT003 - as the connection says it
    kept.look(broker)

    assert {"door_front", "left_open_front"} == set(entities(broker.kept[TOPICS.discovery]))


@pytest.mark.parametrize("failing", [1, 2])
def test_what_the_broker_did_not_take_is_said_again(failing: int) -> None:
    """A receipt that does not come leaves nothing unsaid."""
    broker, world = MemoryBroker(), World(front="shut")
    kept = Kept(TOPICS, world.present, world.moved)
    broker.failing = failing
    for _ in range(failing):
        with pytest.raises(ActionError):
            kept.look(broker)
    kept.look(broker)

    assert {TOPICS.discovery, TOPICS.door("front")} == set(broker.kept)


def test_without_a_connection_nothing_is_tried() -> None:
    """A broker that is away is an ordinary state."""
    broker, world = MemoryBroker(), World(front="shut")
    broker.connected = False
    Kept(TOPICS, world.present, world.moved).look(broker)

    assert ([], 0) == (broker.said, world.reads)
