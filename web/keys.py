"""Whose keys open the sealed pictures of strangers: shown, added, taken away.

A private key never comes here; one that is made in the browser stays there, and only its public half is sent.
"""

from typing import Final

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.errors import FormError
from appliance.permissions import Permission
from web import set_up
from web.access import permission, who
from web.asking import ask
from web.forms import redirected_to
from web.saved import told_pending

blueprint = Blueprint("keys", __name__, url_prefix="/recipients")

_SLOW_S: Final = 60.0


@blueprint.get("")
@permission(Permission.CAPTURES)
def index() -> str:
    """Whose keys open what is sealed from now on."""
    return _page(None)


@blueprint.post("")
@permission(Permission.SETTINGS)
def add() -> Response:
    """One more key: its public half."""
    key = request.form.get("key", "")
    try:
        added = ask("recipients.add", key=key, timeout_s=_SLOW_S).result
    except FormError as error:
        # What was pasted may be a private key by mistake, so it is not put back into the page.
        return make_response(_page(error), 422)
    flash(f"From now on, pictures of strangers are sealed to {added['fingerprint']} too.", "good")
    told_pending(added["saved"])
    return redirect(url_for("keys.index", next=_next() or None), code=303)


@blueprint.post("/remove")
@permission(Permission.SETTINGS)
def remove() -> Response:
    """Seal to one of them no more."""
    try:
        gone = ask(
            "recipients.remove", fingerprint=request.form.get("fingerprint", ""), timeout_s=_SLOW_S
        ).result
    except FormError as error:
        return make_response(_page(error), 422)
    words = "" if gone["left"] else " There is no key now, so no picture is kept."
    flash(f"Nothing more is sealed to that key.{words}", "good")
    told_pending(gone["saved"])
    return redirect(url_for("keys.index"), code=303)


def _next() -> str:
    """Where the page leads on to; empty: nowhere."""
    return redirected_to(request.values.get("next"), "")


def _page(error: FormError | None) -> str:
    caller = who()
    recipients = ask("recipients.list").result
    return render_template(
        "keys/index.html",
        recipients=recipients,
        next=_next(),
        onwards=set_up.onwards() if recipients and not error else None,
        may_change=caller is not None and caller.may(Permission.SETTINGS),
        error=error,
    )
