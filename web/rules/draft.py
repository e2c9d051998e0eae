"""A rule in the editor: what a form says of it, rows that come and go, and what of it is a rule.

What was typed stays as it was typed, fit or not; whether it fits says the desk, at fields that are called
as here. Fields are called by their place in the rule: `when.hours.0.start`, `actions.1.topic`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from web.rules.words import asks_grade, asks_things, asks_who

MOST_HOURS: Final = 14
MOST_ACTIONS: Final = 8
WORKING_WEEK: Final[Mapping[str, Any]] = {"days": [0, 1, 2, 3, 4], "start": "07:00", "end": "10:00"}
"""What a new span of hours begins with."""
HOME_ASSISTANT: Final = "home_assistant"
"""An output that needs the name of a player, which is typed."""

_LISTS: Final = ("people", "groups", "doors", "cameras", "labels")
_PERCENT: Final = 100

FIRST: Final[Mapping[str, Mapping[str, Any]]] = {
    "song": {"song": "theme", "output": "box"},
    "screen": {"text": "Welcome, {alias}", "seconds": 8},
    "webhook": {"webhook": ""},
    "mqtt": {"topic": ""},
    "unlock": {"lock": ""},
    "command": {"command": ""},
    "record": {"camera": "", "seconds": 60},
}
"""Each kind of action as it is first shown."""


Form = MultiDict[str, str]
"""What a browser sent: one value of a name, or all."""


def read(form: Form) -> dict[str, Any]:
    """A rule as somebody filled it in; what does not fit stays as typed."""
    when: dict[str, Any] = {name: _all(form, f"when.{name}") for name in _LISTS}
    when |= {
        "grade": _grade(form.get("when.grade", "")),
        "least_score": _share(form.get("when.least_score", "")),
        "hours": _hours(form),
        "first_of_day": bool(form.get("when.first_of_day", "")),
        "cool_down_s": number(form.get("when.cool_down_s", "")),
        "repetitions": bool(form.get("when.repetitions", "")),
    }
    actions = []
    for place in range(MOST_ACTIONS):
        kind = form.get(f"actions.{place}.kind", "")
        if kind:
            actions.append(_action(form, place, kind))
    return {
        "name": form.get("name", "").strip(),
        "on": form.get("on", ""),
        "when": when,
        "actions": actions,
    }


def _action(form: Form, place: int, kind: str) -> dict[str, Any]:
    """An action as filled in; one whose kind was changed has nothing of its new kind yet."""
    found: dict[str, Any] = {"kind": kind}
    for name, first in FIRST.get(kind, {}).items():
        typed = form.get(f"actions.{place}.{name}", str(first)).strip()
        found[name] = number(typed) if isinstance(first, int) else typed
    if found.get("output") == HOME_ASSISTANT:
        entity = form.get(f"actions.{place}.entity", "").strip()
        found["output"] = f"{HOME_ASSISTANT}:{entity}"
    if kind == "record" and not found["seconds"]:
        found["seconds"] = None  # as the settings say
    return found


def _hours(form: Form) -> list[dict[str, Any]]:
    spans = []
    for place in range(MOST_HOURS):
        at = f"when.hours.{place}"
        if form.get(f"{at}.shown", ""):
            days = [int(each) for each in form.getlist(f"{at}.days") if each.isdecimal() and len(each) == 1]
            spans.append(
                {"days": days, "start": form.get(f"{at}.start", ""), "end": form.get(f"{at}.end", "")}
            )
    return spans


def _grade(chosen: str) -> str | None:
    """What a rule says where it does not say how certain a decision has to be is nothing."""
    return None if chosen in {"", "confirmed"} else chosen


def _all(form: Form, name: str) -> list[str]:
    """Every value, once each."""
    return [each for each in dict.fromkeys(form.getlist(name)) if each]


def number(typed: str) -> Any:
    """A number, or what was typed where it is none; nothing is 0."""
    try:
        found = float(typed.strip().replace(",", ".") or 0)
    except ValueError:
        return typed
    return found if abs(found) < float("inf") else typed


def _share(percent: str) -> Any:
    found = number(percent.strip().removesuffix("%"))
    return found / _PERCENT if isinstance(found, float) else found


def changed(draft: dict[str, Any], what: str) -> dict[str, Any]:
    """The same with a row more, a row less, or one moved up.

    Args:
        draft: As read.
        what: `add-hours`, `remove-hours:0`, `add-action`, `remove-action:1`, `raise-action:1`; anything else
            changes nothing.
    """
    verb, _, place = what.partition(":")
    at = int(place) if place.isdecimal() and len(place) <= len(str(MOST_HOURS)) else 0
    hours, actions = list(draft["when"]["hours"]), list(draft["actions"])
    if verb == "add-hours" and len(hours) < MOST_HOURS:
        hours.append(dict(WORKING_WEEK))
    elif verb == "remove-hours":
        del hours[at : at + 1]
    elif verb == "add-action" and len(actions) < MOST_ACTIONS:
        actions.append({"kind": "screen", **FIRST["screen"]})
    elif verb == "remove-action" and len(actions) > 1:
        del actions[at : at + 1]
    elif verb == "raise-action" and 0 < at < len(actions):
        actions[at - 1], actions[at] = actions[at], actions[at - 1]
    return {**draft, "when": {**draft["when"], "hours": hours}, "actions": actions}


def rule_of(draft: Mapping[str, Any]) -> dict[str, Any]:
    """What of a draft is asked of the desk: without what the chosen event cannot be asked for."""
    when = {name: value for name, value in draft["when"].items() if value not in (None, "", [], False)}
    if not asks_who(draft):
        when = _without(when, "people", "groups")
    if not asks_things(draft):
        when = _without(when, "labels")
    if draft.get("on") != "object_seen":
        when = _without(when, "least_score")
    if not asks_grade(draft):
        when = _without(when, "grade", "repetitions")
    return {"name": draft["name"], "on": draft["on"], "when": when, "actions": list(draft["actions"])}


def draft_of(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as the editor shows it, with everything that it does not ask."""
    when = rule.get("when") or {}
    whole: dict[str, Any] = {name: list(when.get(name) or ()) for name in (*_LISTS, "hours")}
    whole |= {
        "grade": when.get("grade"),
        "least_score": when.get("least_score") or 0.0,
        "first_of_day": bool(when.get("first_of_day")),
        "cool_down_s": when.get("cool_down_s") or 0.0,
        "repetitions": bool(when.get("repetitions")),
    }
    actions = [dict(each) for each in rule.get("actions") or ()]
    return {"name": rule.get("name", ""), "on": rule.get("on", ""), "when": whole, "actions": actions}


def chosen(
    actions: Sequence[Mapping[str, Any]], offered: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Actions with their target chosen where only one is offered, or none was.

    Args:
        actions: Of a draft.
        offered: Ids of what there is, by the field that names one: `webhook`, `lock`, `command`.
    """
    return [
        {**each, **{name: ids[0] for name, ids in offered.items() if ids and each.get(name) == ""}}
        for each in actions
    ]


def _without(when: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in when.items() if name not in names}
