"""Setting cameras up: which there are, adding one, changing one, taking one away.

An address may hold a password: it is sent once, when it is saved, and never shown again. Pictures are the
live view's.
"""

from typing import Any, Final

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.errors import FormError
from appliance.permissions import Permission
from web import set_up
from web.access import permission
from web.asking import ask
from web.forms import redirected_to
from web.saved import told
from web.words import sentence

blueprint = Blueprint("cameras", __name__, url_prefix="/cameras")

WHEN: Final = (
    ("door", "When its door opens"),
    ("approach", "When somebody comes near"),
    ("always", "Always"),
)
"""When faces are read, in words."""

_TAKEN: Final = ("new",)
"""Names that are addresses of pages."""
_TAKEN_WORDS: Final = "choose another name; this one is a page of its own"


@blueprint.get("")
@permission(Permission.SETTINGS)
def index() -> str:
    """All of them."""
    return render_template(
        "cameras/index.html", cameras=ask("cameras.list").result["cameras"], when=dict(WHEN)
    )


@blueprint.get("/new")
@permission(Permission.SETTINGS)
def add() -> str:
    """A new one."""
    return _form(None)


@blueprint.post("/new")
@permission(Permission.SETTINGS)
def create() -> Response:
    """Save a new one."""
    return _save(request.form.get("camera", ""), None)


@blueprint.get("/<camera>")
@permission(Permission.SETTINGS)
def show(camera: str) -> str:
    """One of them, with its picture."""
    return _form(_found(camera))


@blueprint.post("/<camera>")
@permission(Permission.SETTINGS)
def change(camera: str) -> Response:
    """Save a changed one."""
    return _save(camera, _found(camera))


@blueprint.post("/<camera>/remove")
@permission(Permission.SETTINGS)
def remove(camera: str) -> Response:
    """Take one away, with its doors."""
    try:
        ask("cameras.remove", camera=camera, revision=request.form.get("revision", ""))
    except FormError as error:
        flash(f"{sentence(error.message)} The camera was not taken away.", "bad")
        gone = "camera" in error.fields
        return redirect(url_for("cameras.index") if gone else url_for("cameras.show", camera=camera), 303)
    flash(f"The camera {camera} was taken away.", "good")
    return redirect(url_for("cameras.index"), code=303)


def _found(camera: str) -> dict[str, Any]:
    listed: list[dict[str, Any]] = ask("cameras.list").result["cameras"]
    found = next((each for each in listed if each["id"] == camera), None)
    if found is None:
        abort(404)
    return found


def _save(camera: str, now: dict[str, Any] | None) -> Response:
    form = request.form
    given: dict[str, Any] = {name: form.get(name, "") for name in ("source", "user", "password", "revision")}
    picked = form.get("device", "")
    if picked:
        given["source"] = picked
    if form.get("when"):
        given["when"] = form["when"]
    name = camera.strip().lower()
    if name in _TAKEN:
        return make_response(_form(now, FormError(_TAKEN_WORDS, fields={"camera": _TAKEN_WORDS})), 422)
    try:
        saved = ask("cameras.save", camera=name, fresh=now is None, **given).result
    except FormError as error:
        return make_response(_form(now, error), 422)
    told(saved)
    there = redirected_to(form.get("next"), url_for("cameras.show", camera=name))
    if there == set_up.HERE:
        # Its picture first, and from there to the next step.
        there = url_for("cameras.show", camera=name, next=there)
    return redirect(there, 303)


def _form(camera: dict[str, Any] | None, error: FormError | None = None) -> str:
    """The page of one; what was typed is shown again, but for passwords and what may hold one."""
    typed = request.form if error else {}
    source = typed.get("source", "")
    listed = ask("cameras.list").result
    return render_template(
        "cameras/camera.html",
        camera=camera,
        devices=ask("cameras.find").result["devices"],
        revision=listed["revision"],
        proposed="" if listed["cameras"] else "entrance",
        when=WHEN,
        typed=typed,
        source="" if any(mark in source for mark in "@?") else source,
        error=error,
        next=redirected_to(request.values.get("next"), ""),
        onwards=set_up.onwards() if camera and not error else None,
    )
