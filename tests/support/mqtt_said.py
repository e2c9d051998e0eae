"""What one box says by MQTT, all of it: `tests/sinks/mqtt_said.json`. Run it to write that file anew."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deliveries import delivery
from memory_broker import MemoryBroker
from stores import identified

from appliance.events import CoffeeCorrected, CoffeeTaken, DoorChanged
from appliance.settings import MqttSettings
from appliance.sinks.home_assistant import Box, announcement
from appliance.sinks.mqtt_action import MqttAction
from appliance.sinks.mqtt_topics import Topics
from appliance.values import DoorState

FILE = Path(__file__).parents[1] / "sinks" / "mqtt_said.json"
DEVICE = "0190aaaa-0000-7000-8000-000000000001"
ANN = "0190bbbb-0000-7000-8000-000000000002"
DRINKER = "a8f5f167f44f4964e6c998dee827110c"
"""What stands for Ann where coffees are told."""
AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
OPENED = DoorChanged(type="door_opened", door="front", camera="entrance", state=DoorState.OPEN, fraction=0.25)


def said() -> dict[str, Any]:
    """Topic → what is said there."""
    topics = Topics.of(MqttSettings(host="broker"), DEVICE)
    broker = MemoryBroker()
    action = MqttAction(broker, topics, DEVICE, {ANN: DRINKER}.__getitem__, aliases={ANN: "Annie"}.get)
    action.perform(delivery(OPENED, event_id="e1", at=AT))
    action.perform(delivery(identified(ANN), event_id="e2", at=AT))
    action.perform(delivery(OPENED, event_id="e1", at=AT, parameters={"topic": "light/on"}))
    action.perform(delivery(CoffeeTaken(encounter="n1", subject=ANN), event_id="e3", at=AT))
    action.perform(
        delivery(CoffeeCorrected(corrects="e3", was_subject=ANN, subject=ANN), event_id="e4", at=AT)
    )
    box = Box(
        device=DEVICE,
        site="office",
        version="1.0",
        doors=("front",),
        cameras=("entrance",),
        events=("subject_identified", "door_opened"),
        last_person=True,
        coffees=True,
        drinkers=((DRINKER, "Annie"),),
    )
    return {
        **{topic: json.loads(payload) for topic, payload in broker.said},
        topics.discovery: announcement(box, topics),
        topics.infer: {"dog": 0.97, "timestamp": "2026-01-05 09:00:00"},
    }


def text() -> str:
    """The file."""
    return json.dumps(said(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
