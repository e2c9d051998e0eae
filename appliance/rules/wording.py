"""Rules in words: what one says as a sentence, and why it did not fire. Pure; who is who is handed in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from appliance.phrases import lasting
from appliance.rules.judging import Reason
from appliance.rules.rule import (
    Action,
    CallWebhook,
    Conditions,
    Hours,
    PlaySong,
    PublishMqtt,
    RecordVideo,
    Rule,
    RunCommand,
    ShowOnScreen,
    Unlock,
)

Call = Callable[[str], str | None]
"""An id → what it is called; None: there is none of that id any more."""

REASONS: Final[Mapping[Reason, str]] = {
    Reason.FIRES: "it would have fired",
    Reason.OTHER_EVENT: "something else happened",
    Reason.OTHER_GRADE: "the decision was not as certain as the rule asks, or more so",
    Reason.REPETITION: "they had been here a moment before",
    Reason.OTHER_PERSON: "it was somebody else",
    Reason.NOT_IN_GROUP: "it was somebody who is not in the group",
    Reason.OTHER_DOOR: "it was at another door",
    Reason.OTHER_CAMERA: "it was at another camera",
    Reason.OTHER_THING: "it was another thing",
    Reason.LOW_SCORE: "it was not certain enough",
    Reason.OUTSIDE_HOURS: "it was at another time",
    Reason.NOT_FIRST_TODAY: "it was not the first time that day",
    Reason.COOLING_DOWN: "it had fired a moment before",
}
"""Why a rule did not fire, in words; one for each reason."""

TRIGGERS: Final[Mapping[str, str]] = {
    "subject_identified": "is recognised",
    "stranger_seen": "a stranger is seen",
    "door_opened": "a door opens",
    "door_shut": "a door shuts",
    "door_held_open": "a door stays open",
    "object_seen": "is seen",
    "coffee_taken": "takes a coffee",
}
"""What happens, by event type; of somebody or something where a rule may say which."""

_MANY_DAYS: Final = 3
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Called:
    """What is called what.

    Attributes:
        person: People, by id.
        group: Groups, by id.
        song: Songs, by id.
    """

    person: Call
    group: Call
    song: Call


def sentence(rule: Rule, called: Called) -> str:
    """What a rule says: `when …: …`, without a capital and a full stop."""
    return f"when {occasion(rule, called)}: {', and '.join(doing(each, called) for each in rule.actions)}"


def occasion(rule: Rule, called: Called) -> str:
    """On what and under which conditions."""
    when = rule.when
    words = [_happening(rule, called)]
    if when.doors:
        words.append(f"at {_or(when.doors)}")
    if when.cameras:
        words.append(f"by camera {_or(when.cameras)}")
    if when.hours:
        words.append(f"on {_or([hours(each) for each in when.hours])}")
    if when.first_of_day:
        words.append("for the first time that day")
    if when.cool_down_s > 0:
        words.append(f"and not again within {lasting(when.cool_down_s)}")
    return " ".join(words)


def doing(action: Action, called: Called) -> str:
    """What an action does."""
    if isinstance(action, PlaySong):
        song = "their own song" if action.song == "theme" else f"“{called.song(action.song) or 'a song'}”"
        return f"play {song} {_where(action.output)}"
    if isinstance(action, ShowOnScreen):
        return f"show “{action.text}” on the office screens"
    if isinstance(action, CallWebhook):
        return f"tell the webhook {action.webhook}"
    if isinstance(action, PublishMqtt):
        return f"publish it by MQTT as rules/{action.topic}"
    if isinstance(action, RecordVideo):
        return _filming(action)
    return _turning_on(action)


def _filming(action: RecordVideo) -> str:
    """Video, how much of it and whose."""
    much = "" if action.seconds is None else f"{lasting(action.seconds)} of "
    return f"record {much}video{f' by camera {action.camera}' if action.camera else ''}"


def _turning_on(action: RunCommand | Unlock) -> str:
    """What the settings name, and nobody can make up."""
    if isinstance(action, RunCommand):
        return f"run the command {action.command}"
    return f"open the lock {action.lock}, if its own policy allows it"


def hours(span: Hours) -> str:
    """A time of some days: `Mon to Fri, 07:00 to 10:00`."""
    days = sorted(set(span.days))
    runs: list[list[int]] = []
    for day in days:
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    named = "every day" if len(days) == len(DAYS) else ", ".join(_run(run) for run in runs)
    return named if span.start == span.end else f"{named}, {span.start} to {span.end}"


def _run(days: Sequence[int]) -> str:
    """Days in a row."""
    if len(days) < _MANY_DAYS:
        return ", ".join(DAYS[day] for day in days)
    return f"{DAYS[days[0]]} to {DAYS[days[-1]]}"


def _happening(rule: Rule, called: Called) -> str:
    when, verb = rule.when, TRIGGERS[rule.on]
    if rule.on == "subject_identified":
        certain = {"greeting": " at first sight", "final": ", once they are gone,"}.get(rule.grade, "")
        again = ", also when they were here a moment before," if when.repetitions else ""
        return f"{_who(when, called)} {verb}{certain}{again}"
    if rule.on == "coffee_taken":
        return f"{_who(when, called)} {verb}"
    if rule.on == "object_seen":
        sure = f", at least {when.least_score:.0%} certain," if when.least_score else ""
        return f"a {_or(when.labels)}{sure} {verb}" if when.labels else f"something{sure} {verb}"
    return verb


def _who(when: Conditions, called: Called) -> str:
    people = [called.person(each) or "somebody who is no longer enrolled" for each in when.people]
    groups = [called.group(each) for each in when.groups]
    found = [*people, *(f"somebody of {each}" if each else "somebody of no group" for each in groups)]
    return _or(list(dict.fromkeys(found))) if found else "somebody"


def _where(output: str) -> str:
    kind, _, target = output.partition(":")
    return {
        "box": "on the box",
        "screen": "on the office screens",
        "mqtt": "by MQTT",
        "webhook": f"by the webhook {target}",
        "home_assistant": f"on {target} of Home Assistant",
    }.get(kind, f"on {output}")


def _or(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
