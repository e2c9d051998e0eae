"""Topics and messages: as the page says, as the snapshot has them, never made of what somebody typed."""

import json
import re
from pathlib import Path

import mqtt_said
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from appliance.app.desk.describing import rooms
from appliance.errors import ActionError
from appliance.events import event_types
from appliance.settings import MqttSettings
from appliance.sinks.home_assistant import Box, announcement, platforms, without
from appliance.sinks.mqtt_topics import QUIET, Topics, fit_to_publish, published
from web.settings import typed_value

PAGE = Path(__file__).parents[2] / "appliance" / "sinks" / "MQTT.md"
SETTINGS = MqttSettings(host="broker")
TOPICS = Topics.of(SETTINGS, "<box>")


def test_what_is_said_is_what_it_was() -> None:
    """Others build on topics and fields: a change of either is seen here (`tests/support/mqtt_said.py`)."""
    assert mqtt_said.FILE.read_text() == mqtt_said.text()


def test_every_topic_stands_on_the_page() -> None:
    """With its levels by name, and nothing else does."""
    topics = Topics(
        "<base>", TOPICS.discovery, TOPICS.discovery_status, TOPICS.infer.replace(SETTINGS.thing, "<thing>")
    )
    there = {
        *(topics.status, topics.last_person, topics.coffees, topics.songs, topics.check, topics.infer),
        *(topics.event("<type>"), topics.door("<door>"), topics.coffee("<drinker>")),
        *(topics.picture("<camera>"), topics.discovery),
        *("<base>/rules/<topic>", "<base>/media_player/<entity>"),
    }

    assert there == set(re.findall(r"^\| `([^`]+/[^`]+)` \|", PAGE.read_text(), re.MULTILINE))


def test_each_kept_topic_is_below_what_the_box_listens_to() -> None:
    """What the broker keeps of the box is found again at the next connection, but for its status."""
    kept = re.findall(r"^\| `([^`]+)` \|[^|]*\| yes", PAGE.read_text(), re.MULTILINE)
    below = TOPICS.states.removesuffix("#").replace(TOPICS.base, "<base>")
    found = {topic for topic in kept if topic.startswith(below)}

    assert {"<base>/status", TOPICS.discovery} == set(kept) - found


def test_no_entity_takes_an_order() -> None:
    """Home Assistant is told of sensors, events and cameras alone, and of no topic to say anything on."""
    told = json.loads(mqtt_said.text())[f"homeassistant/device/{mqtt_said.DEVICE}/config"]

    assert {"binary_sensor", "sensor", "event", "camera"} == set(platforms(told).values())
    assert "command" not in json.dumps(told)


def test_ids_of_entities_are_made_of_opaque_ids() -> None:
    """A new alias is a new name for the same entity."""
    by_alias = [
        announcement(Box("box", "office", "1", coffees=True, drinkers=(("s1", alias),)), TOPICS)["components"]
        for alias in ("Annie", "Anna")
    ]
    ids = [{key: each["unique_id"] for key, each in found.items()} for found in by_alias]

    assert ids[0] == ids[1]
    assert [["Coffees today", f"Coffees today {alias}"] for alias in ("Annie", "Anna")] == [
        [each["name"] for each in found.values()] for found in by_alias
    ]


def test_coffees_are_a_total_that_corrections_may_lessen() -> None:
    """Of a total that only grows, Home Assistant takes less for a new day and counts the rest again.

    When the day began comes in the same message as the number, and of no other sensor is it said.
    """
    told = json.loads(mqtt_said.text())
    entities = told[f"homeassistant/device/{mqtt_said.DEVICE}/config"]["components"].values()
    counted = [each for each in entities if "state_class" in each or "last_reset_value_template" in each]

    assert ["Coffees today", "Coffees today Annie"] == [each["name"] for each in counted]
    assert {("total", "{{ value_json.since }}")} == {
        (each["state_class"], each["last_reset_value_template"]) for each in counted
    }


def test_entities_go_by_their_platform_alone() -> None:
    """Home Assistant removes what is announced so, and keeps the others."""
    now = announcement(Box("box", "office", "1", doors=("front",)), TOPICS)
    leaving = without(now, {"coffees": "sensor"})["components"]

    assert {"platform": "sensor"} == leaving.pop("coffees")
    assert now["components"] == leaving


def test_what_is_published_by_default_is_what_happens_in_the_office() -> None:
    """Doors, people, things; not how the box is kept. Every rule of what is left out leaves something out."""
    types = published(SETTINGS, event_types())
    office = {"door_opened", "subject_identified", "stranger_seen", "object_seen", "coffee_taken"}

    assert office <= types
    assert not types & {"process_started", "camera_lost", "password_changed", "consent_given", "action_dead"}
    assert [] == [each for each in QUIET if not any(kind.startswith(each) for kind in event_types())]


def test_what_the_settings_name_is_published_and_nothing_else() -> None:
    """Switched off, nothing is."""
    named = MqttSettings(host="broker", events=("camera_lost",))
    none = MqttSettings(host="broker", events=("camera_lost",), publish_events=False)

    assert frozenset({"camera_lost"}) == published(named, event_types())
    assert frozenset() == published(none, event_types())


@given(st.text(max_size=80))
def test_whatever_a_rule_says_its_topic_stays_below_the_boxs_own(suffix: str) -> None:
    """It is below `rules/` and can be published to, or it is refused for good."""
    try:
        topic = TOPICS.rule(suffix)
    except ActionError as error:
        assert error.permanent  # noqa: PT017 - either of two ends
        return

    assert topic == f"{TOPICS.base}/rules/{suffix}" == fit_to_publish(topic)


@pytest.mark.parametrize(
    "suffix", ["", "#", "a/#", "+", "../status", "a//b", "/a", "a/", "$SYS", "a b", "é", "a/b/c/d/e", "a\n"]
)
def test_what_is_no_topic_of_a_rule_is_refused(suffix: str) -> None:
    """No wildcard, no empty level, no way out."""
    with pytest.raises(ActionError):
        TOPICS.rule(suffix)


@pytest.mark.parametrize("entity", ["", "a/b", "media_player.#", "Media.Player", "a.b.c", "x" * 300])
def test_what_is_no_media_player_is_refused(entity: str) -> None:
    """Its name becomes part of a topic."""
    with pytest.raises(ActionError):
        TOPICS.player(entity)

    assert f"{TOPICS.base}/media_player/media_player.kitchen" == TOPICS.player("media_player.kitchen")


@pytest.mark.parametrize(
    "wrong",
    [
        {"prefix": "a/#"},
        {"prefix": "/a"},
        {"prefix": "$aws"},
        {"node": "a/b"},
        {"infer_topic": "$aws/things/x/infer"},
        {"infer_topic": "a/+"},
        {"thing": "a/b"},
        {"discovery_prefix": ""},
        {"host": "a" * 64 + ".example.org"},
        {"host": "a..b"},
        {"host": "mqtt://broker"},
        {"certificate": "/c.pem"},
        {"tls": False, "ca_file": "/ca.pem"},
        {"password": "p"},
        {"events": ["Door Opened"]},
        {"client_id": "a b"},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    """Before anything is connected."""
    with pytest.raises(ValidationError):
        MqttSettings.model_validate({"host": "broker", **wrong})


def test_a_page_that_is_saved_as_it_was_changes_nothing() -> None:
    """Each setting of the broker survives being shown in a form and read back from it."""
    fields = {field["name"]: field for room in rooms() if room["name"] == "mqtt" for field in room["fields"]}
    plain = MqttSettings().model_dump(mode="json")
    shown = {
        name: "1" if value is True else "\n".join(value) if isinstance(value, list) else str(value or "")
        for name, value in plain.items()
    }

    assert plain == {name: typed_value(fields[name], text) for name, text in shown.items()}


def test_who_has_coffees_is_not_known_by_the_id_of_their_arrivals() -> None:
    """Nothing that is said of coffees, and nothing that bears an alias for them, joins the other events."""
    told = json.loads(mqtt_said.text())
    coffees = {topic: content for topic, content in told.items() if "/events/coffee_" in topic}
    config = told[f"homeassistant/device/{mqtt_said.DEVICE}/config"]

    assert 2 == len(coffees)
    assert mqtt_said.ANN in json.dumps(told[TOPICS_SAID.event("subject_identified")])
    assert mqtt_said.ANN not in json.dumps([coffees, config])
    assert {mqtt_said.DRINKER} == {content["subject"] for content in coffees.values()}
    assert not any({"encounter", "alias"} & set(content) for content in coffees.values())


TOPICS_SAID = Topics.of(MqttSettings(host="broker"), mqtt_said.DEVICE)
