"""A rule that is being written, in plain words: each part as a phrase of the sentence it becomes.

What does not fit yet is told as far as it does. A rule that is kept comes in words from the desk.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from appliance.phrases import lasting
from appliance.rules import wording
from appliance.rules.rule import Action, Hours

TRIGGERS: Final[Mapping[str, str]] = {
    "subject_identified": "somebody is recognised",
    "stranger_seen": "a stranger is seen",
    "coffee_taken": "somebody takes a coffee",
    "object_seen": "something is seen",
    "door_opened": "a door opens",
    "door_held_open": "a door stays open",
    "door_shut": "a door shuts",
}
"""Event types as they stand behind “when”, in the order in which they are offered."""

GRADES: Final[Mapping[str, tuple[str, str]]] = {
    "greeting": ("At first sight, of one good picture", "at first sight"),
    "confirmed": ("For sure, when three pictures agree", "for sure"),
    "final": ("Once they are gone, of all pictures", "once they are gone"),
}
"""How certain a decision has to be: as a choice, and in the sentence."""

KINDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "song": ("song", "Song", "Play a song"),
    "screen": ("screen", "Screen", "Show a line on the office screens"),
    "webhook": ("link", "Webhook", "Tell a webhook"),
    "mqtt": ("broadcast", "MQTT", "Publish by MQTT"),
    "unlock": ("unlock", "Lock", "Open a lock"),
    "command": ("command", "Command", "Run a command"),
    "record": ("film", "Video", "Record video"),
}
"""Kinds of actions: symbol, what such a one is called, and as a choice."""

LONG_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

PAUSES: Final[Mapping[float, str]] = {
    0.0: "As often as it happens",
    30.0: "Not again within 30 seconds",
    60.0: "Not again within a minute",
    300.0: "Not again within 5 minutes",
    900.0: "Not again within a quarter of an hour",
    3600.0: "Not again within an hour",
    14400.0: "Not again within 4 hours",
    43200.0: "Not again within 12 hours",
    86400.0: "Not again within a day",
}
"""Cool-downs that are offered, in seconds."""

FIELDS: Final[Mapping[str, str]] = {
    "kind": "What",
    "song": "Song",
    "output": "Where",
    "text": "Text",
    "seconds": "Seconds",
    "webhook": "Webhook",
    "topic": "Topic",
    "lock": "Lock",
    "command": "Command",
    "camera": "Camera",
}
"""Fields of actions, as the editor calls them."""

STATES: Final[Mapping[str, tuple[str, str, str]]] = {
    "pending": ("Waiting", "", "It is done as soon as it can be."),
    "running": ("Being done", "accent", ""),
    "delivered": ("Done", "good", ""),
    "unknown": ("Interrupted", "warn", "It may have been done; it is never done twice."),
    "expired": ("Too late", "warn", "Its time had passed, so it was left undone."),
    "dead": ("Failed", "bad", "It was given up."),
}
"""What becomes of an action: word, kind of its badge, and what that means."""

_UNFINISHED: Final[Mapping[str, str]] = {
    "song": "play a song",
    "screen": "show a line on the office screens",
    "webhook": "tell a webhook",
    "mqtt": "publish it by MQTT",
    "unlock": "open a lock, if its own policy allows it",
    "command": "run a command",
    "record": "record video",
}
_FEW: Final = 4
_ACTION: Final[TypeAdapter[Action]] = TypeAdapter(Action)


@dataclass(frozen=True, slots=True)
class Names:
    """What things are called, by id.

    Attributes:
        people: Of those enrolled.
        groups: Of groups.
        songs: Of songs.
    """

    people: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    songs: Mapping[str, str] = field(default_factory=dict)


def asks_who(rule: Mapping[str, Any]) -> bool:
    """Whether a rule is about somebody by name."""
    return rule.get("on") in {"subject_identified", "coffee_taken"}


def asks_things(rule: Mapping[str, Any]) -> bool:
    """Whether a rule is about a thing that is seen."""
    return rule.get("on") in {"object_seen", "coffee_taken"}


def asks_grade(rule: Mapping[str, Any]) -> bool:
    """Whether a rule is about a decision, which comes in grades."""
    return rule.get("on") in {"subject_identified", "stranger_seen"}


def event(rule: Mapping[str, Any]) -> str:
    """What has to happen, with how certain it has to be: `somebody is recognised for sure`."""
    on = str(rule.get("on", ""))
    words = TRIGGERS.get(on, "something happens")
    if not asks_grade(rule):
        return words
    grade = GRADES.get(str(rule["when"].get("grade") or "confirmed"))
    return f"{words} {grade[1]}" if grade else words


def things(when: Mapping[str, Any]) -> str:
    """Which things: `a dog or a cup, at least 60 % certain`; empty: any."""
    words = _or([_a(str(each)) for each in when["labels"]])
    least = when["least_score"]
    if not isinstance(least, float) or least <= 0:
        return words
    return f"{words or 'anything'}, at least {least:.0%} certain"


def who(when: Mapping[str, Any], names: Names) -> str:
    """Whom it is about; empty: anybody."""
    people = [names.people.get(each, "somebody who is no longer enrolled") for each in when["people"]]
    if len(people) > _FEW:
        people = [*people[: _FEW - 1], f"{len(people) - _FEW + 1} more"]
    groups = [f"somebody of {names.groups.get(each, 'no group')}" for each in when["groups"]]
    return _or([*people, *groups])


def where(when: Mapping[str, Any]) -> str:
    """At which doors, by which cameras; empty: any."""
    doors, cameras = when["doors"], when["cameras"]
    parts = (f"at {_or(doors)}" if doors else "", f"by camera {_or(cameras)}" if cameras else "")
    return " ".join(each for each in parts if each)


def time(when: Mapping[str, Any]) -> str:
    """At which hours; empty: any."""
    return _or([_span(each) for each in when["hours"]])


def often(when: Mapping[str, Any]) -> str:
    """How often; empty: as often as it happens."""
    first = "for the first time that day" if when["first_of_day"] else ""
    pause = when["cool_down_s"]
    cooling = f"not again within {lasting(pause)}" if isinstance(pause, float) and pause > 0 else ""
    again = "also when they were here a moment before" if when["repetitions"] else ""
    return ", ".join(each for each in (first, cooling, again) if each)


def action(asked: Mapping[str, Any], names: Names) -> str:
    """What an action does: `play their own song on the box`; what is not filled in yet is left out."""
    called = wording.Called(names.people.get, names.groups.get, names.songs.get)
    try:
        return wording.doing(_ACTION.validate_python(asked), called)
    except ValidationError:
        return _UNFINISHED.get(str(asked.get("kind")), "do something")


def pauses(holds: Any) -> list[tuple[str, str]]:
    """The cool-downs that are offered, and the one that holds."""
    offered = dict(PAUSES)
    if isinstance(holds, float):
        offered.setdefault(holds, f"Not again within {lasting(holds)}")
    return [(f"{seconds:g}", words) for seconds, words in sorted(offered.items())]


def output(where_to: str) -> str:
    """Where a song is played, as a choice."""
    kind, _, target = where_to.partition(":")
    return {
        "box": "On the box",
        "screen": "On the office screens",
        "mqtt": "Told by MQTT, for another player",
        "webhook": f"Told to the webhook {target}",
        "home_assistant": "On a player of Home Assistant",
    }.get(kind, where_to)


def grades(rule: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How certain a decision may be asked to be; nobody is called a stranger at first sight."""
    strangers = rule.get("on") == "stranger_seen"
    return [(each, words) for each, (words, _) in GRADES.items() if not (strangers and each == "greeting")]


def times(many: int) -> str:
    """`once`, `twice`, `12 times`."""
    return {1: "once", 2: "twice"}.get(many, f"{many:,} times")


def _span(hours: Mapping[str, Any]) -> str:
    try:
        return wording.hours(Hours.model_validate(hours))
    except ValidationError:
        return "at some time"


def _or(words: Iterable[str]) -> str:
    """`a`, `a or b`, `a, b or c`; nothing of nothing."""
    *before, last = [*words] or [""]
    return f"{', '.join(before)} or {last}" if before else last


def _a(label: str) -> str:
    """With its article: `a dog`, `an apple`."""
    return f"{'an' if label[:1].lower() in {*'aeiou'} else 'a'} {label}"
