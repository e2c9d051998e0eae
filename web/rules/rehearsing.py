"""A rule before it is relied on: what it would have done lately, and its actions tried on somebody."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from flask import Response, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.errors import FormError, UnknownSubjectError
from appliance.permissions import Permission
from web.access import credential, permission
from web.asking import ask
from web.rules.site import blueprint
from web.rules.words import KINDS, LONG_DAYS, STATES
from web.surroundings import surroundings

_ID: Final = 36
SLOW_S: Final = 60.0
"""Seconds that the log may take to be read."""
DAYS: Final = (
    (1, "Last 24 hours"),
    (7, "Last 7 days"),
    (30, "Last 30 days"),
    (90, "Last 90 days"),
)
"""How far back may be looked."""


def by_day(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the desk says of a dry run, with what happened by the box's days, and whom each was about.

    Args:
        found: As `rules.dry_run` answers.
    """
    return {
        **found,
        "shown": len(found["firings"]),
        "firings": _days(found["firings"]),
        "near": _days(found["near"]),
    }


def does(actions: Iterable[Mapping[str, Any]]) -> str:
    """What a rule does, in a few words: `song, webhook slack`.

    Args:
        actions: Of a rule's body.
    """
    told = []
    for each in actions:
        kind = str(each["kind"])
        called = KINDS[kind][1] if kind in KINDS else kind
        target = each.get("webhook") or each.get("lock") or each.get("command") or each.get("camera") or ""
        told.append(f"{called if called.isupper() else called.lower()} {target}".strip())
    return ", ".join(told)


def _days(happened: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    named = [{**each, "whom": _whom(each)} for each in happened]
    days = groupby(named, lambda each: datetime.fromisoformat(each["at"]).astimezone().date())
    return [
        {"at": entries[0]["at"], "weekday": LONG_DAYS[day.weekday()], "entries": entries}
        for day, group in days
        if (entries := list(group))
    ]


def _whom(each: Mapping[str, Any]) -> str:
    """Whom or what it was about: a person, a thing, or the door it was at."""
    if each["subject"]:
        return str(each["name"] or "Somebody who is no longer enrolled")
    label = str(each["label"] or "")
    return label[:1].upper() + label[1:] or str(each["door"] or each["camera"] or "The box")


@blueprint.get("/rules/<rule>/dry-run")
@permission(Permission.RULES)
def dry_run(rule: str) -> str | AnyResponse:
    """What it would have done, and why it would not; of one that cannot be read its own page says why."""
    asked = request.args.get("days", "")
    days = int(asked) if asked in {str(each) for each, _ in DAYS} else 7
    kept = ask("rules.get", rule=rule).result
    if kept["body"] is None:
        return redirect(url_for("rules.show", rule=rule))
    found = ask("rules.dry_run", rule=rule, days=days, timeout_s=SLOW_S).result
    return render_template(
        "rules/dry_run.html",
        kept=kept,
        does=does(kept["body"]["actions"]),
        rehearsal=by_day(found),
        days=days,
        offered=DAYS,
    )


@blueprint.get("/rules/<rule>/try")
@permission(Permission.RULES)
def trial(rule: str) -> str | AnyResponse:
    """Choose somebody; or see what became of it."""
    if ask("rules.get", rule=rule).result["body"] is None:
        return redirect(url_for("rules.show", rule=rule))
    return _page(rule, event=request.args.get("event", "")[:_ID])


@blueprint.post("/rules/<rule>/try")
@permission(Permission.RULES)
def begin(rule: str) -> AnyResponse:
    """Do its actions once, about somebody."""
    subject = request.form.get("subject", "")
    if not subject:
        nobody = FormError("nobody is chosen", fields={"subject": "choose somebody"})
        return make_response(_page(rule, error=nobody), 422)
    try:
        event = ask("rules.try", rule=rule, subject=subject).result["event"]
    except FormError as error:
        return make_response(_page(rule, error=error), 422)
    except UnknownSubjectError:
        gone = FormError("they cannot be tried on", fields={"subject": "they are not recognised at present"})
        return make_response(_page(rule, error=gone), 422)
    return redirect(url_for("rules.trial", rule=rule, event=event), code=303)


@blueprint.get("/rules/<rule>/try/<event>")
@permission(Permission.RULES)
def outcome(rule: str, event: str) -> Response:
    """What became of each action up to now, for the page's script."""
    found = _looked(event)
    html = render_template(
        "rules/outcomes.html", actions=_actions(rule, found), unplayed=found["unplayed"], states=STATES
    )
    return jsonify(html=html, done=found["done"])


def _looked(event: str) -> dict[str, Any]:
    # The operation's own `timeout_s`: it would wait for news, and the page asks again by itself.
    at_once = {"event": event, "timeout_s": 0}
    found: dict[str, Any] = surroundings().desk.ask("rules.trial", at_once, credential=credential()).result
    return found


def _actions(rule: str, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Each action of the rule with what became of it; of one that was not tried nothing did."""
    became = {each["number"]: each for each in found["actions"]}
    actions = ask("rules.get", rule=rule).result["actions"]
    return [{**each, "became": became.get(number)} for number, each in enumerate(actions)]


def _page(rule: str, *, event: str = "", error: FormError | None = None) -> str:
    kept = ask("rules.get", rule=rule).result
    people = ask("rules.choices").result["people"]
    found = _looked(event) if event else None
    return render_template(
        "rules/try.html",
        kept=kept,
        people=people,
        event=event,
        actions=_actions(rule, found) if found else [],
        unplayed=found["unplayed"] if found else [],
        done=found is not None and found["done"],
        error=error,
        states=STATES,
    )
