"""Groups of people, for rules: which there are, who is in each, making and removing one."""

from typing import Any, Final

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.errors import FormError, UnknownSubjectError
from appliance.permissions import Permission
from web.access import permission
from web.asking import ask
from web.requests import takes

blueprint = Blueprint("groups", __name__)

EVERYBODY_BYTES: Final = 256 << 10
"""A form in which five thousand people are ticked."""


@blueprint.get("/groups")
@permission(Permission.RULES)
def index() -> str:
    """All of them."""
    return _index()


@blueprint.post("/groups")
@permission(Permission.RULES)
def add() -> Response:
    """A new one, with nobody in it yet; its page comes next."""
    label = request.form.get("label", "")
    try:
        made = ask("groups.add", label=label).result
    except FormError as error:
        return make_response(_index(error=error, label=label), 422)
    return redirect(url_for("groups.show", group=made["id"]), code=303)


@blueprint.get("/groups/<group>")
@permission(Permission.RULES)
def show(group: str) -> str:
    """One of them: its name and who is in it."""
    return _shown(group)


@blueprint.post("/groups/<group>")
@takes(EVERYBODY_BYTES)
@permission(Permission.RULES)
def change(group: str) -> Response:
    """Another name, and others in it."""
    before = _found(group)
    label, members = request.form.get("label", ""), list(dict.fromkeys(request.form.getlist("members")))
    try:
        if label != before["label"]:
            ask("groups.rename", group=group, label=label)
        if set(members) != {each["id"] for each in before["members"]}:
            ask("groups.members", group=group, members=members)
    except FormError as error:
        return make_response(_shown(group, error=error, label=label, members=members), 422)
    except UnknownSubjectError:
        flash("Somebody of those was removed meanwhile. Look at it again.", "warn")
        return redirect(url_for("groups.show", group=group), code=303)
    flash("Saved.", "good")
    return redirect(url_for("groups.index"), code=303)


@blueprint.post("/groups/<group>/remove")
@permission(Permission.RULES)
def remove(group: str) -> Response:
    """Let one go; nobody in it is removed."""
    ask("groups.remove", group=group)
    flash("The group is removed. Nobody who was in it is.", "good")
    return redirect(url_for("groups.index"), code=303)


def _index(*, error: FormError | None = None, label: str = "") -> str:
    groups = ask("groups.list").result["groups"]
    return render_template("groups/index.html", groups=groups, error=error, label=label)


def _found(group: str) -> dict[str, Any]:
    """One of them, by its id in the address."""
    groups: list[dict[str, Any]] = ask("groups.list").result["groups"]
    found = next((each for each in groups if each["id"] == group), None)
    return found if found is not None else abort(404)


def _shown(
    group: str, *, error: FormError | None = None, label: str | None = None, members: list[str] | None = None
) -> str:
    found = _found(group)
    inside = [each["id"] for each in found["members"]] if members is None else members
    return render_template(
        "groups/group.html",
        group=found,
        people=ask("rules.choices").result["people"],
        inside=inside,
        label=found["label"] if label is None else label,
        error=error,
    )
