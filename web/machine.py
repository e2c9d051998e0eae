"""The machine in the browser: its processes, and what the last examination found.

Shows what the desk knows of them. Starting and stopping is the supervisor's.
"""

from typing import Final

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from appliance.errors import ThrottledError
from appliance.permissions import Permission
from web.access import permission
from web.asking import ask

blueprint = Blueprint("machine", __name__, url_prefix="/system")

_EXAMINATION_S: Final = 120.0


@blueprint.get("")
@permission(Permission.SETTINGS)
def index() -> str:
    """The processes, and what the last examination found."""
    return render_template("machine/index.html", state=ask("system.state").result)


@blueprint.post("/examine")
@permission(Permission.SETTINGS)
def examine() -> Response:
    """Look at everything now; takes some seconds."""
    try:
        ask("system.examine", timeout_s=_EXAMINATION_S)
    except ThrottledError:
        flash("It is being looked at right now. Load this page again in a moment.")
    return redirect(url_for("machine.index"), code=303)
