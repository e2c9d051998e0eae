"""The log: who came by and what else happened, page by page; why, on one click; setting a decision right.

Shows and asks. What an entry is, who may be named and what a correction may say is the desk's business.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.errors import FormError
from appliance.permissions import Permission
from web.access import permission, who
from web.asking import ask

blueprint = Blueprint("log", __name__)

PAGE: Final = 40
_PLAIN_ID: Final = 64
_POSITION: Final = re.compile("[1-9][0-9]{0,17}")

KINDS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "": ("Everything", ()),
    "people": ("People", ("people",)),
    "door": ("Door", ("door",)),
    "office": ("Office", ("coffee", "songs", "locks", "objects", "video", "search")),
    "pictures": ("Pictures", ("captures",)),
    "admins": ("Admins", ("enrolment", "access", "settings")),
    "machine": ("Machine", ("camera", "processes", "actions", "functions")),
}
"""The tabs of the page: word, and the desk's kinds that are in it."""

VERDICTS: Final = (
    ("", "Whoever it was"),
    ("identified", "People it knew"),
    ("stranger", "Strangers"),
    ("undecided", "Left open"),
)
FILTERS: Final = ("kind", "verdict", "person", "door", "since", "until", "corrected")
_KNOWN: Final = frozenset({*FILTERS, "before"})
_UNPLACED: Final = ("kind", "corrected", "before", "other")
"""Faults of an address that have no field to stand at."""


@blueprint.get("/log")
@permission(Permission.LOG)
def index() -> str | Response:
    """A page of the log, the newest first, by what the address asks for."""
    wanted: dict[str, Any] = {
        name: value for name in FILTERS if (value := request.args.get(name, "").strip())
    }
    choices = ask("log.choices").result
    accuracy = ask("log.accuracy").result
    faults = _faults(wanted, choices)
    try:
        page = ask("log.page", limit=PAGE, **_question(wanted, faults), **_before()).result
    except FormError as found:  # the end is before the beginning
        faults |= found.fields
        page = ask("log.page", limit=PAGE, **_question(wanted, faults), **_before()).result
    error = FormError("this was left out of the filter", fields=faults) if faults else None
    older = url_for("log.index", **wanted, before=page["next"]) if page["next"] else None
    text = render_template(
        "log/index.html",
        days=_days(page["groups"]),
        older=older,
        first=not request.args.get("before"),
        wanted=wanted,
        filtered=bool(set(wanted) - {"kind"}),
        kinds=KINDS,
        verdicts=VERDICTS,
        choices=choices,
        accuracy=accuracy,
        error=error,
        unplaced=[words for name, words in faults.items() if name in _UNPLACED],
    )
    return make_response(text, 422) if error is not None else text


@blueprint.get("/log/<event>")
@permission(Permission.LOG)
def explain(event: str) -> str:
    """Why a decision came out as it did."""
    return _explained(event, None)


@blueprint.post("/log/<event>/correct")
@permission(Permission.ENROL)
def correct(event: str) -> Response:
    """That was somebody else."""
    form = request.form
    verdict = form.get("verdict", "")
    person = form.get("person", "") if verdict == "identified" else ""
    try:
        ask(
            "log.correct",
            event=event,
            verdict=verdict,
            person=person or None,
            note=form.get("note", "").strip(),
        )
    except FormError as error:
        return make_response(_explained(event, error), 422)
    flash("Noted, beside what the box decided. Nothing was learned from it.", "good")
    return redirect(url_for("log.explain", event=event), code=303)


def _explained(event: str, error: FormError | None) -> str:
    said = ask("log.explain", event=event).result
    correction, note = said["entry"].get("correction"), None
    choices = ask("log.choices").result
    if correction is not None and correction["noted"] and _may_correct():
        note = ask("log.note", event=correction["event"]).result["note"]
    return render_template(
        "log/explain.html",
        said=said,
        entry=said["entry"],
        correction=correction,
        note=note,
        people=choices["people"],
        detail=json.dumps(said["detail"], indent=1, ensure_ascii=False),
        error=error,
    )


def _may_correct() -> bool:
    caller = who()
    return caller is not None and caller.may(Permission.ENROL)


def _before() -> dict[str, Any]:
    """Where the page begins; anything but a position is the beginning."""
    given = request.args.get("before", "")
    return {"before": int(given)} if _POSITION.fullmatch(given) else {}


def _faults(wanted: Mapping[str, str], choices: Mapping[str, Any]) -> dict[str, str]:
    """What of an address fits no filter, by field, in words; the rest of it is asked for all the same."""
    known = {
        "kind": set(KINDS),
        "verdict": {key for key, _ in VERDICTS},
        "person": {each["id"] for each in choices["people"]},
        "door": set(choices["doors"]),
        "corrected": {"0", "1"},
    }
    words = {
        "kind": "there is nothing of that name to show",
        "verdict": "the log has no such answer",
        "person": "there is nobody of that id, or you are not told of them",
        "door": "there is no door of that name",
        "corrected": "this is 1 or nothing",
    }
    found = {name: words[name] for name in known if name in wanted and wanted[name] not in known[name]}
    found |= {name: "not a date" for name in ("since", "until") if name in wanted and not _day(wanted[name])}
    if "door" in found and ask("log.page", door=wanted["door"][:_PLAIN_ID], limit=1).result["groups"]:
        del found["door"]  # a door that was there once
    foreign = sorted(set(request.args) - _KNOWN)
    if foreign:
        found["other"] = f"the log has no filter of this name: {', '.join(foreign)[:_PLAIN_ID]}"
    if request.args.get("before") and not _before():
        found["before"] = "not a place in the log; these are the newest"
    return found


def _question(wanted: Mapping[str, str], faults: Collection[str]) -> dict[str, Any]:
    """What is asked of the desk: everything that fits."""
    given = {name: value for name, value in wanted.items() if name not in faults}
    _, kinds = KINDS[given.get("kind", "")]
    asked: dict[str, Any] = {"kinds": kinds, "corrected": given.get("corrected") == "1"}
    asked |= {name: given[name] for name in ("verdict", "person", "door") if name in given}
    since, until = (_day(given.get(name, "")) for name in ("since", "until"))
    if since is not None:
        asked["since"] = since.isoformat()
    if until is not None:
        asked["until"] = (until + timedelta(days=1)).isoformat()
    return asked


def _day(text: str) -> datetime | None:
    """The beginning of a day, by the box's own clock; None: it is no date, or none that has a next day."""
    try:
        begin = datetime.combine(date.fromisoformat(text), time()).astimezone()
        begin + timedelta(days=1)
    except (ValueError, OverflowError):
        return None
    return begin


def _days(groups: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Groups under the day on which they began, by the box's own clock, in the order they come in.

    After the clock was set back a day comes twice; each has a key of its own all the same.
    """
    days: list[dict[str, Any]] = []
    times: Counter[date] = Counter()
    for group in groups:
        at = datetime.fromisoformat(group["entries"][0]["at"]).astimezone()
        if not days or days[-1]["date"] != at.date():
            times[at.date()] += 1
            days.append(
                {"date": at.date(), "key": f"{at:%Y-%m-%d}-{times[at.date()]}", "at": at, "groups": []}
            )
        days[-1]["groups"].append(group)
    return days
