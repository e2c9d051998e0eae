"""What is being done about events: what waits, what was done, what failed for good and may be tried again."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.errors import UnknownDeliveryError
from appliance.permissions import Permission
from web.access import permission
from web.asking import ask
from web.rules.words import KINDS, STATES, TRIGGERS
from web.words import sentence

blueprint = Blueprint("outbox", __name__)

PAGE: Final = 50
TABS: Final = (
    ("", "Everything", ()),
    ("failed", "Failed", ("dead",)),
    ("doing", "Being done", ("pending", "running")),
    ("undone", "Left undone", ("expired", "unknown")),
    ("done", "Done", ("delivered",)),
)
"""The tabs of the page: in the address, word, and the states that are in it."""
_LONGEST: Final = 18
_TO_BROKER: Final = "mqtt:events"
"""What every event is published by, where the settings say so."""
_EXPLAINED: Final = ("subject_identified", "stranger_seen", "person_undecided")


@blueprint.get("/outbox")
@permission(Permission.RULES)
def index() -> str:
    """A page of it, the newest first."""
    shown = request.args.get("show", "")
    tab = next((each for each in TABS if each[0] == shown), TABS[0])
    before = _number(request.args.get("before", ""))
    found = ask("outbox.list", states=list(tab[2]), limit=PAGE, before=before).result
    counts = found["counts"]
    return render_template(
        "outbox/index.html",
        rows=found["rows"],
        tab=tab[0],
        tabs=[
            (key, words, sum(counts[each] for each in states) if states else sum(counts.values()))
            for key, words, states in TABS
        ],
        dead=counts["dead"],
        older=url_for("outbox.index", show=tab[0] or None, before=found["next"]) if found["next"] else None,
        first=before is None,
        states=STATES,
        called=_called,
        happened=_happened,
        explained=_EXPLAINED,
    )


@blueprint.post("/outbox/<row>/retry")
@permission(Permission.RULES)
def retry(row: str) -> Response:
    """Try what failed for good once more, with all of its tries."""
    number = _number(row)
    if number is None:
        abort(404)
    try:
        ask("outbox.retry", row=number)
    except UnknownDeliveryError as error:
        flash(sentence(error.message), "warn")
    else:
        flash("It is tried again now.", "good")
    return redirect(url_for("outbox.index", show=_tab(request.form.get("show", ""))), code=303)


def _called(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """What a row is about: symbol, what such a thing is called, and which."""
    if row["kind"] in KINDS:
        symbol, title, _ = KINDS[row["kind"]]
        return symbol, title, str(row["target"] or "")
    if row["action"] == _TO_BROKER:
        return KINDS["mqtt"][0], KINDS["mqtt"][1], "every event"
    return "settings", "By the settings", str(row["action"])


def _number(typed: str) -> int | None:
    """The number of a row; None: that is none."""
    plain = typed.isascii() and typed.isdecimal() and len(typed) <= _LONGEST
    return int(typed) or None if plain else None


def _tab(asked: str) -> str | None:
    """A tab of ours that a form names; None: the first."""
    return asked if asked and asked in {key for key, _, _ in TABS} else None


def _happened(event_type: str) -> str:
    """What an event was, in words."""
    others = {"rule_tried": "a rule was tried", "settings": "of the settings"}
    return TRIGGERS.get(event_type) or others.get(event_type) or event_type.replace("_", " ")
