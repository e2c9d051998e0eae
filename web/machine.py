"""The machine in the browser: its processes, and what the last examination found.

Shows what the desk knows of them. Starting and stopping is the supervisor's.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from appliance.errors import ThrottledError
from appliance.permissions import Permission
from appliance.values import PARTS
from web.access import permission
from web.asking import ask
from web.words import Link

blueprint = Blueprint("machine", __name__, url_prefix="/system")

_EXAMINATION_S: Final = 120.0

_STEPS: Final[Mapping[str, Link]] = {
    "cameras": Link("The cameras", "/cameras"),
    "camera": Link("This camera", "/cameras/{}"),
    "doors": Link("The doors", "/doors"),
    "door": Link("Set up this door", "/doors/{}"),
    "people": Link("The people", "/people"),
    "safety": Link("How safe it is", "/people/safety"),
    "recipients": Link("The keys", "/recipients"),
    "log": Link("The log", "/log?kind=machine"),
}
"""By the kind of a finding's place; what of it comes after a colon goes into the address."""

_SUBJECTS: Final[Mapping[str, str]] = {
    "python": "the language it is written in",
    "models": "the networks that know faces",
    "state": "where everything is kept",
    "disk": "free space",
    "clock": "the clock",
    "log": "the log",
    "outbox": "what waits to be carried out",
    "recipients": "the keys for pictures of strangers",
    "keys": "the keys of the box",
    "credentials": "how it signs in where copies go",
    "copies": "copies of sealed pictures",
    "mqtt": "the broker that is told what happens",
    "index": "what was seen, to be searched",
    "recording": "what the watch at the door writes down",
    "recognition": "how well people are told apart",
}
"""What a finding is about, where its own word is one of the program's."""


@blueprint.get("")
@permission(Permission.SETTINGS)
def index() -> str:
    """The processes, and what the last examination found."""
    return render_template(
        "machine/index.html",
        state=ask("system.state").result,
        step=step,
        called=called,
        ended=ended,
        parts=PARTS,
    )


def step(finding: Mapping[str, Any]) -> Link | None:
    """Where a finding is seen to; None where that is on the machine, or there is nothing to do.

    Args:
        finding: As `system.examine` gives it.
    """
    kind, _, which = str(finding.get("place", "")).partition(":")
    if kind == "setting":
        room, _, rest = which.partition(".")
        room, anchor = (room, rest if "." not in rest else which) if rest else ("site", which)
        return Link("This setting", f"/settings/{quote(room)}#s-{quote(anchor)}")
    found = _STEPS.get(kind)
    return found and Link(found.words, found.href.format(quote(which, safe="")))


def called(subject: str) -> str:
    """What a finding is about, in words."""
    if subject.startswith("process "):
        return PARTS.get(subject.removeprefix("process "), subject)
    return _SUBJECTS.get(subject, subject)


def ended(reason: str) -> str:
    """How a process ended last, in words; empty where somebody wanted it so, and there is nothing to tell.

    Args:
        reason: As the supervisor says it: `exit 3`, `killed by SIGKILL`.
    """
    if not reason or reason.startswith("restarted on request"):
        return ""
    if reason == "exit 0":
        return "it had ended by itself"
    return f"it had failed ({reason})"


@blueprint.post("/examine")
@permission(Permission.SETTINGS)
def examine() -> Response:
    """Look at everything now; takes some seconds."""
    try:
        ask("system.examine", timeout_s=_EXAMINATION_S)
    except ThrottledError:
        flash("It is being looked at right now. Load this page again in a moment.")
    return redirect(url_for("machine.index"), code=303)
