"""Sealed pictures of strangers, and whose keys open them. Nothing here is ever shown as a picture.

What is downloaded is what lies on the box: sealed. A private key never comes here; one that is made in the
browser stays there, and only its public half is sent.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.errors import FormError
from appliance.permissions import Permission
from web.access import permission, who
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
    return render_template("captures/index.html", page=page, recipients=recipients, first=before is None)


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


@blueprint.get("/recipients")
@permission(Permission.CAPTURES)
def recipients() -> str:
    """Whose keys open what is sealed from now on."""
    return _recipients(None)


@blueprint.post("/recipients")
@permission(Permission.SETTINGS)
def add() -> Response:
    """One more key: its public half."""
    key = request.form.get("key", "")
    try:
        added = ask("recipients.add", key=key, timeout_s=_SLOW_S).result
    except FormError as error:
        # What was pasted may be a private key by mistake, so it is not put back into the page.
        return make_response(_recipients(error), 422)
    flash(f"From now on, pictures of strangers are sealed to {added['fingerprint']} too.", "good")
    told_pending(added["saved"])
    return redirect(url_for("captures.recipients"), code=303)


@blueprint.post("/recipients/remove")
@permission(Permission.SETTINGS)
def drop() -> Response:
    """Seal to one of them no more."""
    try:
        gone = ask(
            "recipients.remove", fingerprint=request.form.get("fingerprint", ""), timeout_s=_SLOW_S
        ).result
    except FormError as error:
        return make_response(_recipients(error), 422)
    words = "" if gone["left"] else " There is no key now, so no picture is kept."
    flash(f"Nothing more is sealed to that key.{words}", "good")
    told_pending(gone["saved"])
    return redirect(url_for("captures.recipients"), code=303)


def told_pending(saved: Mapping[str, Any]) -> None:
    """Say what has to be restarted by hand, where `appliance run` does not do it."""
    if saved["whole"]:
        flash("This holds once the whole appliance was started anew.", "warn")
    elif saved["pending"]:
        flash(f"It holds once these are restarted: {', '.join(saved['pending'])}.", "warn")


def _recipients(error: FormError | None) -> str:
    caller = who()
    return render_template(
        "captures/recipients.html",
        recipients=ask("recipients.list").result,
        may_change=caller is not None and caller.may(Permission.SETTINGS),
        error=error,
    )
