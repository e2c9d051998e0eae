"""Locks: what opens each, in words; what is missing; who has a PIN; keypads; what was decided, and why.

No view opens a lock, and none asks for it.
"""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.errors import FormError
from appliance.permissions import Permission
from web import saved
from web.access import credential, permission
from web.asking import ask
from web.reach import reach
from web.surroundings import surroundings

blueprint = Blueprint("locks", __name__, url_prefix="/locks")

TITLES: Final = {
    "off": "Nothing opens it",
    "face_and_pin": "Face and PIN",
    "face_alone": "Face alone",
}
"""Policy → what it is called; what it accepts is said by the desk."""
DRIVERS: Final = {"mqtt": "a message by MQTT", "http": "a signed request", "command": "a program on the box"}


@blueprint.get("")
@permission(Permission.LOCKS)
def index() -> str:
    """All of it; once, the code of a keypad that is to be paired."""
    name = request.args.get("made", "")
    # Who asks for the head alone is shown nothing.
    made = surroundings().shown_once.take(credential(), name) if name and request.method == "GET" else None
    if name and made is None:
        flash("That code is shown once only. You did not use it? Make another.", "warn")
    return _page(code=made)


@blueprint.post("/<lock>/policy")
@permission(Permission.LOCKS)
def choose(lock: str) -> Response:
    """Choose what opens a lock."""
    form = request.form
    policy = form.get("policy", "")
    hours = tuple(line.strip() for line in form.get("hours", "").splitlines() if line.strip())
    try:
        told = ask(
            "locks.choose",
            lock=lock,
            policy=policy,
            understood=form.get(f"understood-{policy}") == "1",
            hours=hours,
            revision=form.get("revision", ""),
        ).result
    except FormError as error:
        fields = {name.partition(".")[0]: words for name, words in error.fields.items()}
        wrong = FormError(error.message, fields=fields, hint=error.hint)
        text = _page(wrong=lock, error=wrong, filled={"policy": policy, "hours": form.get("hours", "")})
        return make_response(text, 422)
    if told["changed"]:
        flash(f"{TITLES.get(policy, policy)}: saved for {lock}.{saved.restarting(told)}", "good")
    else:
        flash("Nothing was changed.")
    saved.told_pending(told)
    return redirect(url_for("locks.index"), code=303)


@blueprint.post("/pins/<person>")
@permission(Permission.LOCKS)
def set_pin(person: str) -> Response:
    """Give somebody a PIN; it stands on no page afterwards."""
    try:
        ask("locks.set_pin", subject=person, pin=request.form.get("pin", "").strip())
    except FormError as error:
        return make_response(_page(wrong=person, error=error), 422)
    flash("The PIN is set. It is shown nowhere: whoever forgets it gets another.", "good")
    return redirect(url_for("locks.index", _anchor="pins"), code=303)


@blueprint.post("/pins/<person>/remove")
@permission(Permission.LOCKS)
def remove_pin(person: str) -> Response:
    """Let somebody have none any more."""
    ask("locks.remove_pin", subject=person)
    flash("They have no PIN any more.", "good")
    return redirect(url_for("locks.index", _anchor="pins"), code=303)


@blueprint.post("/keypads")
@permission(Permission.LOCKS)
def begin_pairing() -> Response:
    """Make a code; the page that follows shows it and the link, this once."""
    label, lock = request.form.get("label", ""), request.form.get("lock", "")
    try:
        made = ask("keypads.begin_pairing", label=label, lock=lock).result
    except FormError as error:
        return make_response(_page(wrong="keypads", error=error, filled={"label": label, "lock": lock}), 422)
    where = reach()
    address = f"{where.base}{url_for('keypad.pair')}"
    name = surroundings().shown_once.put(
        credential(),
        {
            "label": label,
            "lock": lock,
            "code": made["code"],
            "url": f"{address}#{made['code']}",
            "address": address,
            "minutes": round(made["lasts_s"] / 60),
            "reach": where,
        },
    )
    return redirect(url_for("locks.index", made=name), code=303)


@blueprint.post("/keypads/<keypad>/revoke")
@permission(Permission.LOCKS)
def revoke_keypad(keypad: str) -> Response:
    """Let a keypad's link be good no more."""
    ask("keypads.revoke", keypad=keypad)
    flash("What is typed at that keypad counts for nothing any more.", "good")
    return redirect(url_for("locks.index"), code=303)


def _page(
    *,
    code: Mapping[str, Any] | None = None,
    wrong: str = "",
    error: FormError | None = None,
    filled: Mapping[str, str] | None = None,
) -> str:
    """The page.

    Args:
        code: Of a keypad that is to be paired.
        wrong: Which form was: a lock's id, a person's, or `keypads`.
        error: What is wrong with it.
        filled: What was filled in there.
    """
    told = ask("locks.list").result
    return render_template(
        "locks/index.html",
        locks=told["locks"],
        policies=[(key, TITLES.get(key, key), words) for key, words in told["policies"].items()],
        titles=TITLES,
        drivers=DRIVERS,
        revision=told["revision"],
        people=ask("locks.people").result,
        decisions=ask("locks.decisions").result,
        code=code,
        wrong=wrong,
        error=error,
        filled=filled or {},
    )
