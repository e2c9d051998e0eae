"""What somebody says of a function that cannot be: refused when it is deployed, in words."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hosted_functions import project
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client as Paho
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import ValidationError

from appliance.app.function_wishes import cameras_of, check_wishes
from appliance.deeplens.project import Project
from appliance.deeplens.project_fault import fault_of
from appliance.deeplens.topics import fault_of_pattern, fault_of_topic, matches
from appliance.errors import FunctionError
from appliance.services import Layout
from appliance.settings import MqttSettings, Settings
from appliance.wire.messages import DeployFunction

PAHO = Paho(CallbackAPIVersion.VERSION2)


def taken(pattern: str) -> bool:
    """Whether the client library subscribes to it."""
    try:
        PAHO.subscribe(pattern)
    except ValueError:
        return False
    return True


@given(st.text(alphabet="ab+#/", max_size=20))
def test_a_pattern_is_one_as_the_client_library_has_it(text: str) -> None:
    """What is refused here is refused there, and the other way round."""
    assert taken(text) is (fault_of_pattern(text) == "")


@given(st.text(max_size=300))
def test_no_pattern_that_is_taken_costs_the_connection(text: str) -> None:
    """Whatever somebody types: what is taken here is taken there, and is what MQTT calls a text."""
    if fault_of_pattern(text):
        return

    assert taken(text)
    assert text.isprintable()
    assert len(text.encode()) <= 256


@given(st.text(max_size=40))
def test_a_topic_to_publish_to_means_itself(text: str) -> None:
    """It is a pattern as well, and the only topic that pattern means."""
    if fault_of_topic(text):
        return

    assert "" == fault_of_pattern(text)
    assert matches(text, text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#a", "# stands alone"),
        ("a/#/b", "# stands alone"),
        ("a+/b", "+ stands alone"),
        ("", "one character"),
        ("a\x00b", "control"),
        ("a\ufdd0", "cannot be seen"),
        ("a\ud800", "cannot be seen"),
        ("é" * 129, "256 bytes"),
        ("/" * 32, "32 levels"),
        ("$share/g/a", "without $share"),
    ],
)
def test_a_subscription_that_is_none_is_refused_in_words(text: str, words: str) -> None:
    """A broker hangs up on the whole box for some of them."""
    with pytest.raises(ValidationError) as caught:
        project("little", subscriptions=("fine/#", text))

    where, told = fault_of(caught.value)
    assert "subscriptions, number 2" == where
    assert words in told


@pytest.mark.parametrize(
    ("changes", "where", "words"),
    [
        ({"name": "bad name"}, "name", "64 letters"),
        ({"handler": "a" * 400 + ".b"}, "handler", "module.function"),
        ({"network": ("http://a.example",)}, "network, number 1", "example.com:8443"),
        ({"network": ("a.example:99999",)}, "network, number 1", "example.com:8443"),
        ({"network": ("[::g]",)}, "network, number 1", "example.com:8443"),
        ({"publishes": ("a",) * 33}, "publishes", "33 are given, and 32 are the most"),
        ({"publishes": ("a/+",)}, "publishes, number 1", "in full"),
        ({"limits": {"memory_mb": 1}}, "memory_mb", "128 to 65536"),
        ({"camera": "c" * 40}, "camera", "32 characters"),
    ],
)
def test_what_is_wrong_is_said_in_words(changes: dict[str, Any], where: str, words: str) -> None:
    """Where it is and how it is written, without patterns and without what was typed."""
    given_ = {"name": "little", "thing": "x", "deployed_at": datetime(2026, 1, 2, tzinfo=UTC), **changes}
    with pytest.raises(ValidationError) as caught:
        Project.model_validate(given_)

    found, told = fault_of(caught.value)
    assert where == found
    assert words in told
    assert "^" not in told


@pytest.mark.parametrize(
    "topic", ["$SYS/a", "appliance/x/state/door", "homeassistant/device/x", "appliance", "$share/g/a"]
)
def test_topics_that_are_not_a_functions_are_refused_at_once(topic: str) -> None:
    """By the rule by which dispatch would refuse each message."""
    asked = DeployFunction(name="dogs", file="x.py", publishes=("office/dogs", topic))
    with pytest.raises(FunctionError, match="publishes, number 2: that topic is not a function's") as caught:
        check_wishes(asked, MqttSettings(), ())

    assert "office/dogs" in caught.value.hint


def test_a_camera_that_there_is_not_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    """The function would wait for ever; the first camera and a known one are taken."""
    settings = Settings.model_validate(
        {"cameras": [{"id": each, "source": "scene:door", "when": "always"} for each in ("yard", "entrance")]}
    )
    cameras = cameras_of(settings, Layout(tmp_path))()
    for camera in ("", "yard"):
        check_wishes(DeployFunction(name="dogs", file="x.py", camera=camera), settings.mqtt, cameras)
    with pytest.raises(FunctionError, match="no camera 'nocam'; there are: entrance, yard"):
        check_wishes(DeployFunction(name="dogs", file="x.py", camera="nocam"), settings.mqtt, cameras)
