"""Sealed pictures of strangers. Nothing here is ever shown as a picture.

What is downloaded is what lies on the box: sealed. Whose keys open it is `keys`'.
"""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.permissions import Permission
from web.access import permission
from web.asking import ask

blueprint = Blueprint("captures", __name__)

SEALED = "application/octet-stream"
_SLOW_S = 60.0


@blueprint.get("/captures")
@permission(Permission.CAPTURES)
def index() -> str:
    """What is kept, the newest first."""
    before = request.args.get("before") or None
    page = ask("captures.list", before=before).result
    recipients = ask("recipients.list").result
    copies = ask("captures.copies").result
    return render_template(
        "captures/index.html", page=page, recipients=recipients, copies=copies, first=before is None
    )


@blueprint.get("/captures/<capture>.age")
@permission(Permission.CAPTURES)
def fetch(capture: str) -> Response:
    """The sealed file, under a name that says nothing about anybody."""
    answered = ask("captures.read", capture=capture, timeout_s=_SLOW_S)
    response = make_response(answered.blob)
    response.headers["Content-Type"] = SEALED
    response.headers["Content-Disposition"] = f'attachment; filename="{answered.result["file"]}"'
    return response


@blueprint.post("/captures/<capture>/remove")
@permission(Permission.CAPTURES)
def remove(capture: str) -> Response:
    """Delete one for good."""
    ask("captures.remove", capture=capture)
    flash("The sealed picture was removed.", "good")
    return redirect(url_for("captures.index"), code=303)
