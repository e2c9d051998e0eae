"""The machine in the browser: its processes, and what the last examination found.

Shows what the desk knows of them. Starting and stopping is the supervisor's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from appliance.errors import ThrottledError
from appliance.permissions import Permission
from web.access import permission
from web.asking import ask

blueprint = Blueprint("machine", __name__, url_prefix="/system")

_EXAMINATION_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Step:
    """What to do about a finding, in these pages.

    Attributes:
        words: Of the link.
        href: Where it leads.
    """

    words: str
    href: str


_STEPS: Final[Mapping[str, Step]] = {
    "cameras": Step("The cameras", "/cameras"),
    "camera": Step("This camera", "/cameras/{}"),
    "doors": Step("The doors", "/doors"),
    "door": Step("Set up this door", "/doors/{}"),
    "people": Step("The people", "/people"),
    "safety": Step("How safe it is", "/people/safety"),
    "recipients": Step("The keys", "/recipients"),
    "log": Step("The log", "/log?kind=machine"),
}
"""By the kind of a finding's place; what of it comes after a colon goes into the address."""


@blueprint.get("")
@permission(Permission.SETTINGS)
def index() -> str:
    """The processes, and what the last examination found."""
    return render_template("machine/index.html", state=ask("system.state").result, step=step)


def step(finding: Mapping[str, Any]) -> Step | None:
    """Where a finding is seen to; None where that is on the machine, or there is nothing to do.

    Args:
        finding: As `system.examine` gives it.
    """
    kind, _, which = str(finding.get("place", "")).partition(":")
    if kind == "setting":
        room, _, rest = which.partition(".")
        room, anchor = (room, rest if "." not in rest else which) if rest else ("site", which)
        return Step("This setting", f"/settings/{quote(room)}#s-{quote(anchor)}")
    found = _STEPS.get(kind)
    return found and Step(found.words, found.href.format(quote(which, safe="")))


@blueprint.post("/examine")
@permission(Permission.SETTINGS)
def examine() -> Response:
    """Look at everything now; takes some seconds."""
    try:
        ask("system.examine", timeout_s=_EXAMINATION_S)
    except ThrottledError:
        flash("It is being looked at right now. Load this page again in a moment.")
    return redirect(url_for("machine.index"), code=303)
