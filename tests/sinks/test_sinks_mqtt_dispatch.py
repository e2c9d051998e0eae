"""From the log to a subscriber: the dispatch process itself, a database, and a real broker."""

import contextlib
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from broker_box import Box, ids, newest, state_is
from hook_server import hook_server
from mosquitto import Mosquitto, listening
from stores import identified

from appliance.app.publishing import drinker_of
from appliance.errors import WireError
from appliance.events import CoffeeCorrected, CoffeeTaken, DoorChanged
from appliance.rules import Rule
from appliance.sinks.webhook_signature import signature
from appliance.wire import Client
from appliance.wire.messages import Done, PublishInference

pytestmark = pytest.mark.debian(reason="mosquitto")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One broker without TLS; running at the beginning of each test."""
    running = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def box(broker: Mosquitto, tmp_path: Path) -> Iterator[Box]:
    """A box of its own, which tells who was there last of those who agreed to it."""
    made = Box(broker, tmp_path, last_person=True)
    yield made
    made.close()


def test_an_event_is_published_and_the_states_follow(broker: Mosquitto, box: Box) -> None:
    """A door that opens: its event, its state, and the announcement to Home Assistant."""
    with listening(broker, f"{box.topics.base}/#", box.topics.discovery) as listener, box.dispatching():
        opened = box.door("open")
        listener.wait(lambda got: ids(got, box.topics) == [opened])
        listener.wait(state_is(listener, box.topics.door("front"), state="open"))
        shut = box.door("shut")
        listener.wait(lambda got: ids(got, box.topics) == [opened, shut])
        listener.wait(state_is(listener, box.topics.door("front"), state="shut"))
        announced = listener.wait(lambda got: any(m.topic == box.topics.discovery for m in got))

    (config,) = [json.loads(m.payload) for m in announced if m.topic == box.topics.discovery]
    entities = {"door_front", "left_open_front", "last_person", "coffees", "happened"}
    assert entities == set(config["components"])
    assert b"offline" == newest(listener, box.topics.status)


def test_what_happened_while_broker_and_box_were_down_comes_once_and_in_order(
    broker: Mosquitto, box: Box
) -> None:
    """Nothing is lost, nothing comes again as new, whichever of the two was restarted."""
    first = box.door("open")
    with listening(broker, f"{box.topics.base}/#") as listener:
        with box.dispatching():
            listener.wait(lambda got: ids(got, box.topics) == [first])
            broker.stop()
            missed = [box.door("shut" if i % 2 else "open", i / 10) for i in range(4)]
            broker.start()
            listener.wait(lambda got: ids(got, box.topics)[-1] == missed[-1])
        missed.append(box.door("shut"))
        with box.dispatching():
            last = box.door("open")
            listener.wait(lambda got: ids(got, box.topics)[-1] == last)

    assert [first, *missed, last] == ids(listener.messages, box.topics)
    assert not any(m.retained for m in listener.messages if "/events/" in m.topic)


def test_who_was_there_last_is_told_of_those_who_agreed_until_they_take_it_back(
    broker: Mosquitto, box: Box
) -> None:
    """By alias, never by name; taken back, the broker keeps nothing of it."""
    ann = box.enrolled("Annie", "last_seen")
    ben = box.enrolled("Benno")
    topic = box.topics.last_person
    with listening(broker, f"{box.topics.base}/#") as listener, box.dispatching():
        box.log(identified(ann, encounter="e1"))
        listener.wait(state_is(listener, topic, alias="Annie"))
        told = box.log(identified(ben, encounter="e2"))
        listener.wait(lambda got: told in ids(got, box.topics))
        box.services.store.withdraw_purposes(ann, ["last_seen"])
        listener.wait(state_is(listener, topic))

    everything = b"".join(m.payload for m in listener.messages)
    events = [json.loads(m.payload) for m in listener.messages if "subject_identified" in m.topic]
    assert ["Annie", None] == [each.get("alias") for each in events]
    assert b"of the office" not in everything
    assert b"Benno" not in everything


def test_home_assistant_that_starts_is_told_everything_again(broker: Mosquitto, box: Box) -> None:
    """On its birth message the announcement and the states go out once more."""
    wanted = (f"{box.topics.base}/state/#", box.topics.discovery)
    with listening(broker, *wanted) as listener, box.dispatching():
        listener.wait(lambda got: len(got) == 3)
        listener.client.publish(box.topics.discovery_status, b"online", qos=1)
        listener.wait(lambda got: len(got) == 6)

    said = [each.topic for each in listener.messages]
    assert {box.topics.discovery, box.topics.door("front"), box.topics.coffees} == set(said[3:])
    assert said[:3] == said[3:]


def test_what_the_box_does_not_tell_any_more_goes_from_the_broker(broker: Mosquitto, box: Box) -> None:
    """Switched off while the box was down: the announcement is taken back, not left to grow old."""
    with box.dispatching(), listening(broker, box.topics.discovery) as there:
        there.wait(lambda got: got)
    with listening(broker, box.topics.discovery) as listener, box.dispatching(home_assistant=False):
        listener.wait(lambda got: got and got[-1].payload == b"")
    with listening(broker, box.topics.discovery, box.topics.status) as late:
        late.wait(lambda got: got)

    assert [box.topics.status] == [m.topic for m in late.messages]


def test_what_is_seen_goes_to_the_topic_of_deeplens(broker: Mosquitto, box: Box) -> None:
    """`$aws/things/NAME/infer` on a local broker, as it came from the loop."""
    client = Client(box.services.layout.socket("dispatch"))
    said = PublishInference(camera="entrance", payload='{"dog": 0.97}')
    with listening(broker, "$aws/things/appliance/infer") as listener, box.dispatching():
        until = time.monotonic() + 20
        while not listener.messages and time.monotonic() < until:
            with contextlib.suppress(WireError):  # it starts
                client.call(said, Done)
            time.sleep(0.05)

    assert b'{"dog": 0.97}' == listener.messages[0].payload


def test_the_state_of_a_door_is_that_of_now_however_old_the_backlog(broker: Mosquitto, box: Box) -> None:
    """An hour of events that the broker missed does not open a door that is shut."""
    broker.stop()
    clock = box.services.clock
    for minutes, state in ((50, "open"), (40, "shut"), (30, "open"), (20, "shut")):
        event = DoorChanged.model_validate(
            {"type": "door_opened" if state == "open" else "door_shut", "state": state, "fraction": 0.5}
        ).model_copy(update={"door": "front"})
        box.services.store.append(event, at=clock.wall() - timedelta(minutes=minutes))
    broker.start()
    with listening(broker, f"{box.topics.base}/#") as listener, box.dispatching():
        listener.wait(lambda got: len(ids(got, box.topics)) == 4)
        listener.wait(state_is(listener, box.topics.door("front"), state="shut"))

    states = [json.loads(m.payload)["state"] for m in listener.messages if "/state/door/" in m.topic]
    assert {"shut"} == set(states)


def test_coffees_are_told_of_those_who_agreed_and_follow_a_correction(broker: Mosquitto, box: Box) -> None:
    """Today's and all, by alias and by the last word; nobody else's, and nothing once taken back."""
    ann, ben = box.enrolled("Annie", "leaderboard"), box.enrolled("Benno")
    drinker = drinker_of(box.services.vault, ann)
    everything = (f"{box.topics.base}/#", box.topics.discovery)
    with listening(broker, *everything) as listener, box.dispatching():
        first = box.log(CoffeeTaken(encounter="e1", subject=ann))
        box.log(CoffeeTaken(encounter="e2", subject=ann))
        box.log(identified(ann))
        box.log(CoffeeTaken(encounter="e3", subject=ben))
        listener.wait(state_is(listener, box.topics.coffee(drinker), alias="Annie", today=2, total=2))
        box.log(CoffeeCorrected(corrects=first, was_subject=ann))
        listener.wait(state_is(listener, box.topics.coffee(drinker), today=1, total=1))
        listener.wait(state_is(listener, box.topics.coffees, today=1))
        box.services.store.withdraw_purposes(ann, ["leaderboard"])
        listener.wait(state_is(listener, box.topics.coffee(drinker)))
        config = listener.wait(
            lambda _: (
                f"coffees_{drinker}"
                not in json.loads(newest(listener, box.topics.discovery) or b"{}")["components"]
            )
        )

    others = [m for m in listener.messages if m.topic == box.topics.event("subject_identified")]
    announced = [json.loads(m.payload)["components"] for m in config if m.topic == box.topics.discovery]
    assert any(each.get(f"coffees_{drinker}") == {"platform": "sensor"} for each in announced)
    assert not any(ben in m.topic or b"Benno" in m.payload for m in listener.messages)
    # Under their id arrivals are told: no message about coffees, and none by alias, may bear it.
    assert not any(ann in m.topic or ann.encode() in m.payload for m in listener.messages if m not in others)
    assert others
    assert not any(b"Annie" in m.payload for m in others)


def test_a_rule_publishes_and_posts_each_once_under_one_key(broker: Mosquitto, tmp_path: Path) -> None:
    """To its own topic and to a webhook whose signature fits, with the event's id in both."""
    with hook_server(tmp_path, tls=False, name="127.0.0.1") as hooks:
        webhook = {"id": "chat", "url": hooks.url, "secret": "of sixteen signs", "allow_private": True}
        box = Box(broker, tmp_path, webhooks=[webhook])
        actions = ({"kind": "mqtt", "topic": "light/on"}, {"kind": "webhook", "webhook": "chat"})
        rule = Rule.model_validate({"name": "Light", "on": "door_opened", "actions": actions})
        box.services.store.add_rule(rule.body())
        wanted = (box.topics.rule("light/on"), box.topics.event("door_opened"))
        with listening(broker, *wanted) as listener, box.dispatching():
            opened = box.door("open")
            box.door("shut")
            listener.wait(lambda got: len(got) == 2)
            until = time.monotonic() + 20
            while not hooks.posted and time.monotonic() < until:
                time.sleep(0.01)
        box.close()

    (posted,) = hooks.posted
    documents = {m.topic: json.loads(m.payload) for m in listener.messages}
    said = [*documents.values(), json.loads(posted.body)]
    signed = signature(b"of sixteen signs", int(posted.headers["x-appliance-timestamp"]), posted.body)
    assert set(wanted) == set(documents)
    assert [opened] * 3 == [each["id"] for each in said]
    assert 3 == len({each["idempotency_key"] for each in said})
    assert signed == posted.headers["x-appliance-signature"]
