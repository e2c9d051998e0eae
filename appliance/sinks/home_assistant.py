"""What Home Assistant is told there is, so that it shows the box by itself: one announcement. Pure.

Doors, who was recognised last, coffees, what happens, and pictures, as far as each is switched on. Never a
lock, a button or anything else that would let a broker do something here: this box takes no orders by MQTT.
Ids of entities are made of opaque ids; what people are called is their entities' name alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from appliance.sinks.mqtt_topics import Topics

_IS_OPEN: Final = (
    "{{ 'ON' if value_json.state in ('open', 'held_open') else 'OFF' if value_json.state == 'shut' "
    "else 'None' }}"
)
_IS_LEFT_OPEN: Final = (
    "{{ 'ON' if value_json.state == 'held_open' else 'OFF' if value_json.state in ('open', 'shut') "
    "else 'None' }}"
)


_COUNTED_TODAY: Final = {
    # Corrections take coffees away: of a total that only grows, less would be a new day.
    "state_class": "total",
    "last_reset_value_template": "{{ value_json.since }}",
}


@dataclass(frozen=True, slots=True)
class Box:
    """What there is to announce.

    Attributes:
        device: Id of the box.
        site: What the place is called.
        version: Of the program.
        doors: Ids of the doors.
        cameras: Ids of the cameras whose pictures are published.
        events: Types of events that are published.
        last_person: Whether is told who was recognised last.
        coffees: Whether coffees are told.
        drinkers: What stands for each who has coffees of their own to show, which is not their id, and alias.
    """

    device: str
    site: str
    version: str
    doors: Sequence[str] = ()
    cameras: Sequence[str] = ()
    events: Sequence[str] = ()
    last_person: bool = False
    coffees: bool = False
    drinkers: Sequence[tuple[str, str]] = ()


def announcement(box: Box, topics: Topics) -> dict[str, Any]:
    """The announcement: the device, who says so, whether it is there, and its entities by opaque key."""
    found = {key: {"unique_id": f"{box.device}_{key}", **entity} for key, entity in _entities(box, topics)}
    return {
        "device": {
            "identifiers": [box.device],
            "name": f"Office door {box.site}",
            "manufacturer": "office-door-appliance",
            "model": "Office door appliance",
            "sw_version": box.version,
        },
        "origin": {"name": "office-door-appliance", "sw_version": box.version},
        "availability": [{"topic": topics.status}],
        "qos": 1,
        "components": found,
    }


def platforms(announced: Mapping[str, Any]) -> dict[str, str]:
    """The entities of an announcement, by key: of which platform each is; of what is none, nothing."""
    entities = announced.get("components")
    if not isinstance(entities, Mapping):
        return {}
    return {
        str(key): str(each["platform"])
        for key, each in entities.items()
        if isinstance(each, Mapping) and "platform" in each
    }


def without(announced: Mapping[str, Any], gone: Mapping[str, str]) -> dict[str, Any]:
    """The announcement by which entities go: their platform stands in it, and nothing else of them.

    Args:
        announced: With those that stay.
        gone: Key → platform of those that go.
    """
    entities = {**announced["components"], **{key: {"platform": each} for key, each in gone.items()}}
    return {**announced, "components": entities}


def _entities(box: Box, topics: Topics) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for door in box.doors:
        topic = topics.door(door)
        at = {"state_topic": topic, "json_attributes_topic": topic}
        found += [
            (
                f"door_{door}",
                {
                    "platform": "binary_sensor",
                    "name": f"Door {door}",
                    "device_class": "door",
                    "value_template": _IS_OPEN,
                    **at,
                },
            ),
            (
                f"left_open_{door}",
                {
                    "platform": "binary_sensor",
                    "name": f"Door {door} left open",
                    "device_class": "problem",
                    "value_template": _IS_LEFT_OPEN,
                    "state_topic": topic,
                },
            ),
        ]
    if box.events:
        event = {
            "platform": "event",
            "name": "Happened",
            "icon": "mdi:door",
            "event_types": list(box.events),
            "state_topic": topics.event("+"),
            "value_template": "{{ {'event_type': value_json.type, 'id': value_json.id} | tojson }}",
        }
        found.append(("happened", event))
    if box.last_person:
        found.append(("last_person", _sensor("Last person", "mdi:account", topics.last_person, "alias")))
    if box.coffees:
        total = _sensor("Coffees today", "mdi:coffee", topics.coffees, "today")
        found.append(("coffees", {**total, **_COUNTED_TODAY}))
    for subject, alias in box.drinkers if box.coffees else ():
        own = _sensor(f"Coffees today {alias}", "mdi:coffee", topics.coffee(subject), "today")
        found.append((f"coffees_{subject}", {**own, **_COUNTED_TODAY}))
    for camera in box.cameras:
        picture = {"platform": "camera", "name": f"Camera {camera}", "topic": topics.picture(camera)}
        found.append((f"camera_{camera}", picture))
    return found


def _sensor(name: str, icon: str, topic: str, field: str) -> dict[str, Any]:
    return {
        "platform": "sensor",
        "name": name,
        "icon": icon,
        "state_topic": topic,
        "value_template": f"{{{{ value_json.{field} }}}}",
        "json_attributes_topic": topic,
    }
