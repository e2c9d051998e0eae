"""The connection to a broker: Debian's Mosquitto with TLS and client certificates, through its restarts."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from deliveries import Handed, delivery
from mosquitto import Certificates, Mosquitto, certificates, listening

from appliance.errors import ActionError
from appliance.events import DoorChanged
from appliance.settings import MqttSettings
from appliance.sinks.mqtt import Mqtt
from appliance.sinks.mqtt_action import MqttAction
from appliance.sinks.mqtt_topics import Topics
from appliance.values import DoorState

pytestmark = pytest.mark.debian(reason="mosquitto")

DEVICE = "0190aaaa-0000-7000-8000-000000000001"
BOX = Path(__file__).with_name("mqtt_box.py")
AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates of a broker and a client."""
    return certificates(tmp_path_factory.mktemp("papers"))


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, papers: Certificates) -> Iterator[Mosquitto]:
    """One broker with TLS that asks for certificates; running at the beginning of each test."""
    running = Mosquitto(tmp_path_factory.mktemp("mosquitto"), tls=papers)
    running.start()
    yield running
    running.stop()


def connection(settings: MqttSettings, node: str, *, connect_s: float = 15.0) -> tuple[Mqtt, Topics]:
    """A box's connection, each under topics of its own."""
    named = settings.model_copy(update={"node": node, "client_id": node})
    topics = Topics.of(named, DEVICE)
    return Mqtt(named, topics, DEVICE, connect_s=connect_s), topics


def opened(number: int) -> DoorChanged:
    """An event that is told from others by its fraction."""
    return DoorChanged(type="door_opened", door="front", state=DoorState.OPEN, fraction=number / 100)


def performed(action: MqttAction, row: Handed) -> bool:
    """Whether an event was published; if not, it may be tried again."""
    try:
        action.perform(row)
    except ActionError as error:
        if error.permanent:
            raise
        return False
    return True


def test_an_event_reaches_a_subscriber_with_its_id_and_is_not_kept(broker: Mosquitto) -> None:
    """Whoever listens gets the document; whoever comes later is not told of what was over before."""
    mqtt, topics = connection(broker.settings(), "one")
    action = MqttAction(mqtt, topics, DEVICE, str)
    with listening(broker, f"{topics.base}/#") as early:
        action.perform(delivery(opened(1), event_id="e1", at=AT))
        early.wait(lambda got: any(each.topic == topics.event("door_opened") for each in got))
        with listening(broker, f"{topics.base}/#") as late:
            late.wait(lambda got: got)
            action.close()
            told = late.wait(lambda got: len(got) == 2)

    (message,) = [each for each in early.messages if each.topic == topics.event("door_opened")]
    said = json.loads(message.payload)
    assert {"id": "e1", "at": "2026-01-05T09:00:00.000+00:00", "device": DEVICE, "door": "front"}.items() <= (
        said.items()
    )
    assert [(topics.status, b"online", True), (topics.status, b"offline", False)] == [
        (each.topic, each.payload, each.retained) for each in told
    ]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_broker_that_dies_loses_nothing_and_turns_nothing_round(broker: Mosquitto, protocol: str) -> None:
    """Restarted twice in the middle of a row of events: each comes, in order; a repetition is the same."""
    mqtt, topics = connection(broker.settings(protocol=protocol), f"row-{protocol[0]}", connect_s=20)
    action = MqttAction(mqtt, topics, DEVICE, str)
    rows = [delivery(opened(number), event_id=f"e{number:02}", at=AT) for number in range(1, 61)]

    def publish() -> None:
        for row in rows:
            while not performed(action, row):  # as the dispatcher does
                pass

    with listening(broker, topics.event("#")) as listener:
        sending = threading.Thread(target=publish)
        sending.start()
        for _ in range(2):
            there = len(listener.messages)
            listener.wait(lambda got: len(got) > there + 5)  # noqa: B023 - called in this turn only
            broker.stop()
            broker.start()
        sending.join(60)
        got = listener.wait(lambda got: json.loads(got[-1].payload)["id"] == "e60")
    action.close()

    ids = [json.loads(each.payload)["id"] for each in got]
    assert not sending.is_alive()
    assert [row.event_id for row in rows] == list(dict.fromkeys(ids))
    # What came twice is known by its key, and is told of as old as it is.
    assert len(rows) == len({each.payload for each in got})


def test_the_will_says_offline_when_the_box_is_killed(broker: Mosquitto) -> None:
    """A box that is gone without a word is offline for whoever looks, and online once it is back."""
    settings = broker.settings(node="cut", client_id="cut")
    topics = Topics.of(settings, DEVICE)
    with listening(broker, topics.status) as listener:
        for times in (1, 2):
            box = subprocess.Popen([sys.executable, str(BOX), settings.model_dump_json()])
            listener.wait(lambda got: [each.payload for each in got][-1:] == [b"online"])
            box.kill()
            box.wait()
            listener.wait(lambda got: len(got) == 2 * times)  # noqa: B023 - called in this turn only

    said = [each.payload for each in listener.messages]
    assert [b"online", b"offline"] * 2 == said


def test_no_broker_is_an_ordinary_state_said_in_words(tmp_path: Path) -> None:
    """Without a broker publishing fails for the time being, and says what to look at."""
    nobody = Mosquitto(tmp_path)
    mqtt, topics = connection(nobody.settings(), "alone", connect_s=0.7)
    with pytest.raises(ActionError) as found:
        mqtt.publish(f"{topics.base}/x", b"1")
    mqtt.close()

    assert "nobody listens at the broker's address" == found.value.message
    assert not found.value.permanent


def test_a_broker_of_another_authority_is_not_trusted(broker: Mosquitto, tmp_path: Path) -> None:
    """A certificate of somebody else's is refused in words, before a password is sent."""
    others = certificates(tmp_path)
    mqtt, topics = connection(broker.settings(ca_file=others.authority), "foreign", connect_s=0.7)
    with pytest.raises(ActionError) as found:
        mqtt.publish(f"{topics.base}/x", b"1")
    mqtt.close()

    assert "the broker's certificate is not trusted" in found.value.message
    assert "mqtt.ca_file" in found.value.hint


def test_without_its_own_certificate_the_box_is_not_let_in(broker: Mosquitto) -> None:
    """A broker that asks for certificates lets nobody in without, and the words say where to look."""
    bare = broker.settings().model_copy(update={"certificate": None, "private_key": None})
    mqtt, topics = connection(bare, "bare", connect_s=0.7)
    with pytest.raises(ActionError) as found:
        mqtt.publish(f"{topics.base}/x", b"1")
    mqtt.close()

    assert not found.value.permanent
    assert "mqtt.certificate" in found.value.hint


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_wrong_password_is_said_in_words(tmp_path: Path, protocol: str) -> None:
    """Who is not let in is told so, and not that the connection broke; it is tried again."""
    passwords = tmp_path / "passwords"
    passwords.touch()
    subprocess.run(["mosquitto_passwd", "-b", str(passwords), "box", "right"], check=True)
    strict = Mosquitto(tmp_path, lines=f"allow_anonymous false\npassword_file {passwords}\n")
    strict.start()
    wrong = strict.settings(username="box", password="wrong", protocol=protocol)  # noqa: S106 - of a test
    mqtt, topics = connection(wrong, "wrong", connect_s=0.7)
    with pytest.raises(ActionError) as found:
        mqtt.publish(f"{topics.base}/x", b"1")
    mqtt.close()
    right, _ = connection(strict.settings(username="box", password="right"), "right")  # noqa: S106
    right.publish(f"{topics.base}/x", b"1")
    right.close()
    strict.stop()

    assert "the broker does not let the box in" == found.value.message
    assert not found.value.permanent


def test_a_topic_that_the_broker_refuses_is_refused_for_good(tmp_path: Path) -> None:
    """What the broker's rights do not allow goes to the dead letters; what they allow still goes out."""
    (tmp_path / "acl").write_text("topic write appliance/allowed/#\n")
    strict = Mosquitto(tmp_path, lines=f"acl_file {tmp_path / 'acl'}\n")
    strict.start()
    mqtt, topics = connection(strict.settings(), "allowed")
    with pytest.raises(ActionError) as found:
        mqtt.publish("elsewhere/x", b"1")
    mqtt.publish(f"{topics.base}/x", b"1")
    mqtt.close()
    strict.stop()

    assert found.value.permanent
    assert "does not let the box publish there" in found.value.message


def test_what_waits_is_given_up_at_the_end(tmp_path: Path) -> None:
    """Closing ends a message that waits for a broker, at once."""
    nobody = Mosquitto(tmp_path)
    mqtt, topics = connection(nobody.settings(), "ending", connect_s=60)
    raised: list[ActionError] = []

    def publish() -> None:
        try:
            mqtt.publish(f"{topics.base}/x", b"1")
        except ActionError as error:
            raised.append(error)

    waiting = threading.Thread(target=publish)
    waiting.start()
    mqtt.close()
    waiting.join(10)

    assert not waiting.is_alive()
    assert ["not published: the dispatcher stops"] == [error.message for error in raised]
