"""From a camera to a subscriber: the loop looks and hands over, dispatch publishes at a real broker."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path

import cv2
import pytest
from broker_box import Box
from mosquitto import Mosquitto, listening

from appliance.app.loop import LoopProcess
from appliance.events import ObjectSeen
from appliance.settings import Settings
from appliance.values import ImageArray

pytestmark = pytest.mark.debian(reason="mosquitto")

TOPIC = "$aws/things/deeplens_kitchen/infer"


def test_a_subscriber_of_the_sample_project_is_told_of_each_frame_with_a_cat(
    tmp_path: Path, pictures: Mapping[str, ImageArray]
) -> None:
    """On its topic, in its form; frames without anything are not told of; the trigger is in the log once."""
    film = tmp_path / "film"
    film.mkdir()
    for number in range(16):
        cv2.imwrite(str(film / f"{number:03}.png"), pictures["cat"] * (number < 8))
    broker = Mosquitto(tmp_path)
    broker.start()
    box = Box(broker, tmp_path / "box", thing="deeplens_kitchen")
    trigger = {"id": "cat-there", "label": "cat", "dwell_s": 0}
    settings = Settings.model_validate(
        {
            "cameras": [{"id": "kitchen", "source": str(film), "when": "always"}],
            "objects": [{"id": "pets", "camera": "kitchen", "fps": 10, "triggers": [trigger]}],
            "mqtt": box.settings.mqtt.model_dump(),
        }
    )
    try:
        with listening(broker, TOPIC, box.topics.status) as listener, box.dispatching():
            listener.wait(lambda got: [each for each in got if each.payload == b"online"])
            LoopProcess(settings, box.services, once=True).run(threading.Event())
            listener.wait(lambda got: [each for each in got if each.topic == TOPIC])
            heard = [json.loads(each.payload) for each in listener.messages if each.topic == TOPIC]
        seen = [each.event for each in box.services.store.events(types=("object_seen",), limit=10)]
    finally:
        box.close()
        broker.stop()

    assert 1 <= len(heard) <= 8
    assert {("cat", "timestamp")} == {tuple(each) for each in heard}
    assert all(0.99 < each["cat"] <= 1 for each in heard)
    assert ["cat-there"] == [each.trigger for each in seen if isinstance(each, ObjectSeen)]
