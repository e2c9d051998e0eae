"""The editor of a rule: a sentence whose parts open; rows are added and taken away by the same form.

Every button of the form sends all of it, so it works without a script; the script asks for the same page
and puts it in place. Whether a rule can be is said by the desk, at its fields.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.errors import DeniedError, FormError
from appliance.permissions import Permission
from appliance.settings.locks import POLICIES
from web.access import permission
from web.asking import ask
from web.rules import draft as drafts
from web.rules import words
from web.rules.examples import example
from web.rules.rehearsing import SLOW_S, by_day, does
from web.rules.site import blueprint

_CLAUSES: Final[Mapping[str, tuple[str, ...]]] = {
    "event": ("on", "when.grade"),
    "things": ("when.labels", "when.least_score"),
    "who": ("when.people", "when.groups"),
    "where": ("when.doors", "when.cameras"),
    "time": ("when.hours",),
    "often": ("when.first_of_day", "when.cool_down_s", "when.repetitions"),
}
"""The parts of the sentence and the fields in each."""


@blueprint.get("/rules/new")
@permission(Permission.RULES)
def new() -> str:
    """A rule to be, blank or like an example."""
    like = request.args.get("like", "")
    return _editor(drafts.draft_of(example(like)), opened=() if like else ("event",))


@blueprint.post("/rules/new")
@permission(Permission.RULES)
def add() -> Response:
    """Keep it, or go on writing."""
    return _sent(None)


@blueprint.get("/rules/<rule>")
@permission(Permission.RULES)
def show(rule: str) -> str:
    """One that is kept, in the editor."""
    kept = ask("rules.get", rule=rule).result
    if kept["body"] is None:
        return render_template("rules/unreadable.html", kept=kept)
    return _editor(drafts.draft_of(kept["body"]), kept=kept)


@blueprint.post("/rules/<rule>")
@permission(Permission.RULES)
def change(rule: str) -> Response:
    """Have it say something else, or go on writing."""
    return _sent(ask("rules.get", rule=rule).result)


def _sent(kept: Mapping[str, Any] | None) -> Response:
    """What becomes of the form: saved, tried on the last days, or shown again with a row more or less."""
    draft, what = drafts.read(request.form), request.form.get("do", "")
    verb, _, place = what.partition(":")
    try:
        if verb == "save":
            return _save(draft, kept)
        if verb == "dry-run":
            found = ask("rules.dry_run", body=drafts.rule_of(draft), timeout_s=SLOW_S).result
            return make_response(_editor(draft, kept=kept, rehearsal=found))
    except (FormError, DeniedError) as error:
        fault = error if isinstance(error, FormError) else FormError(error.message, fields={})
        return make_response(_editor(draft, kept=kept, error=_placed(fault)), 422)
    return make_response(
        _editor(drafts.changed(draft, what), kept=kept, opened=_opened(verb, place, len(draft["actions"])))
    )


def _save(draft: Mapping[str, Any], kept: Mapping[str, Any] | None) -> Response:
    body = drafts.rule_of(draft)
    if kept is None:
        ask("rules.add", body=body)
        flash("Saved. It holds from now on.", "good")
    else:
        version = request.form.get("version", "")
        ask("rules.change", rule=kept["id"], body=body, version=int(version) if version.isdecimal() else None)
        flash("Saved." if kept["enabled"] else "Saved. It is switched off still.", "good")
    return redirect(url_for("rules.index"), code=303)


def _opened(verb: str, place: str, actions: int) -> Collection[str]:
    """The part that a button belongs to stays open."""
    if verb == "look":
        return (place,)
    if verb in {"add-hours", "remove-hours"}:
        return ("time",)
    if verb == "add-action":
        return (f"action-{actions}",)
    return ()


def _placed(error: FormError) -> FormError:
    """Faults where the editor has a place for them: of one of several people at all of them."""
    fields: dict[str, str] = {}
    for name, words_ in error.fields.items():
        name_ = name.removeprefix("body.")
        listed = next((each for each in _lists() if name_.startswith(f"{each}.")), None)
        fields.setdefault(listed or name_, words_)
    return FormError(error.message, fields=fields, hint=error.hint)


def _lists() -> Collection[str]:
    return ("when.people", "when.groups", "when.doors", "when.cameras", "when.labels")


def _editor(
    draft: dict[str, Any],
    *,
    kept: Mapping[str, Any] | None = None,
    error: FormError | None = None,
    opened: Collection[str] = (),
    rehearsal: Mapping[str, Any] | None = None,
) -> str:
    choices = ask("rules.choices").result
    names = words.Names(
        {each["id"]: each["name"] or "somebody whose name is damaged" for each in choices["people"]},
        {each["id"]: each["label"] for each in choices["groups"]},
        {each["id"]: each["title"] for each in choices["songs"]},
    )
    offered = {
        "webhook": choices["webhooks"],
        "lock": [each["id"] for each in choices["locks"]],
        "command": choices["commands"],
    }
    draft = {**draft, "actions": drafts.chosen(draft["actions"], offered)}
    when = draft["when"]
    return render_template(
        "rules/editor.html",
        draft=draft,
        kept=kept,
        error=error,
        rehearsal=None if rehearsal is None else by_day(rehearsal),
        choices=choices,
        names=names,
        phrases={
            "event": words.event(draft),
            "things": words.things(when),
            "who": words.who(when, names),
            "where": words.where(when),
            "time": words.time(when),
            "often": words.often(when),
        },
        actions=[words.action(each, names) for each in draft["actions"]],
        asks={
            "who": words.asks_who(draft),
            "things": draft["on"] == "object_seen" or (words.asks_things(draft) and bool(when["labels"])),
            "grade": words.asks_grade(draft),
            "score": draft["on"] == "object_seen",
        },
        opened=opened,
        wrong=_wrong(error),
        fields=_fields(draft, error),
        policies=POLICIES,
        words=words,
        does=does(draft["actions"]),
        limits=drafts,
    )


def _wrong(error: FormError | None) -> set[str]:
    """The parts of the sentence in which something is wrong."""
    if error is None:
        return set()
    found = {
        clause
        for clause, names in _CLAUSES.items()
        for name in names
        if any(each == name or each.startswith(f"{name}.") for each in error.fields)
    }
    return found | {
        f"action-{each.split('.')[1]}"
        for each in error.fields
        if each.startswith("actions.") and each.count(".") > 1
    }


def _fields(draft: Mapping[str, Any], error: FormError | None) -> dict[str, tuple[str, str]]:
    """Of the fields that may be wrong: what each is called, and the id of what is filled in."""
    called = {"name": ("Name", "f-name"), "on": ("When", "f-on")}
    called |= {
        f"when.{name}": (words_, f"f-when.{name}")
        for name, words_ in (
            ("grade", "How certain"),
            ("people", "People"),
            ("groups", "Groups"),
            ("doors", "Doors"),
            ("cameras", "Cameras"),
            ("labels", "Things"),
            ("least_score", "At least so certain"),
            ("cool_down_s", "How often"),
        )
    }
    for place in range(len(draft["when"]["hours"])):
        for name, words_ in (("days", "Days"), ("start", "From"), ("end", "Until")):
            called[f"when.hours.{place}.{name}"] = (words_, f"f-when.hours.{place}.{name}")
    for place, action in enumerate(draft["actions"]):
        for name in action:
            title = words.FIELDS.get(name, name)
            called[f"actions.{place}.{name}"] = (f"{title} ({place + 1}.)", f"f-actions.{place}.{name}")
    return called if error else {}
