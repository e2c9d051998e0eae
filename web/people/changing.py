"""Forms that change somebody: name, state, consent, strictness, a reference, a merge, the end.

Each asks the desk and shows the person's page again, with what is wrong at its field where something is.
"""

from collections.abc import Callable
from typing import Any

from flask import flash, make_response, redirect, request, url_for
from werkzeug.wrappers import Response

from appliance.errors import EnrolmentError, FormError
from appliance.permissions import Permission
from web.access import permission
from web.asking import ask
from web.people.pages import checked, shown_profile
from web.people.site import blueprint

_SLOW_S = 60.0


@blueprint.post("/people/<person>/name")
@permission(Permission.ENROL)
def rename(person: str) -> Response:
    """Name, initials and alias; only what was changed is asked for."""

    def change() -> str:
        form = request.form
        who = ask("people.show", person=person, timeout_s=_SLOW_S).result
        name, initials = form.get("name", ""), form.get("initials", "").strip()
        if name.strip() != (who["name"] or ""):
            ask("people.rename", person=person, name=name, initials=initials or None)
        elif initials != (who["initials"] or ""):
            ask("people.initials", person=person, initials=initials)
        if form.get("alias", "").strip() != (who["alias"] or ""):
            ask("people.alias", person=person, alias=form.get("alias", "") or None)
        return "Saved."

    return _changed(person, "name", change)


@blueprint.post("/people/<person>/pause")
@permission(Permission.ENROL)
def pause(person: str) -> Response:
    """Recognise them no more, for now."""

    def change() -> str:
        ask("people.pause", person=person, timeout_s=_SLOW_S)
        return "Paused. The door knows them no more, within a second."

    return _changed(person, "state", change)


@blueprint.post("/people/<person>/resume")
@permission(Permission.ENROL)
def resume(person: str) -> Response:
    """Recognise them again."""

    def change() -> str:
        ask("people.resume", person=person, timeout_s=_SLOW_S)
        return "Recognised again, within a second."

    return _changed(person, "state", change)


@blueprint.post("/people/<person>/strictness")
@permission(Permission.ENROL)
def strictness(person: str) -> Response:
    """How rarely a stranger may be taken for them."""

    def change() -> str:
        try:
            factor = float(request.form.get("factor", ""))
        except ValueError as error:
            raise FormError("factor: not a number", fields={"factor": "choose one"}) from error
        told: str = ask("people.strictness", person=person, factor=factor, timeout_s=_SLOW_S).result["words"]
        return f"{told[:1].upper()}{told[1:]}."

    return _changed(person, "strictness", change)


@blueprint.post("/people/<person>/consent")
@permission(Permission.ENROL)
def give_consent(person: str) -> Response:
    """Record that they agreed to more."""

    def change() -> str:
        form = request.form
        ask(
            "people.give_consent",
            person=person,
            purposes=form.getlist("purposes"),
            text_version=form.get("text_version", ""),
            given_by=form.get("given_by", ""),
        )
        return "Their consent is recorded."

    return _changed(person, "consent", change)


@blueprint.post("/people/<person>/withdraw")
@permission(Permission.ENROL)
def withdraw(person: str) -> Response:
    """Record that they took something back; all of it ends the enrolment."""
    purposes = request.form.getlist("purposes")
    return _ended(person, "withdraw", lambda: _withdrawn(person, purposes))


def _withdrawn(person: str, purposes: list[str]) -> dict[str, Any]:
    told: dict[str, Any] = ask(
        "people.withdraw_consent", person=person, purposes=purposes, timeout_s=_SLOW_S
    ).result
    return told


@blueprint.post("/people/<person>/remove")
@permission(Permission.ENROL)
def remove(person: str) -> Response:
    """Remove somebody for good."""

    def end() -> dict[str, Any]:
        told: dict[str, Any] = ask("people.remove", person=person, timeout_s=_SLOW_S).result
        return told

    return _ended(person, "remove", end)


@blueprint.post("/people/<person>/references/<reference>/remove")
@permission(Permission.ENROL)
def remove_reference(person: str, reference: str) -> Response:
    """Delete one of their pictures' templates."""

    def change() -> str:
        left = ask(
            "people.remove_reference", person=person, reference=checked(reference), timeout_s=_SLOW_S
        ).result["references"]
        return "Deleted." if left else "Deleted. They are not recognised until there is another picture."

    return _changed(person, "references", change)


@blueprint.post("/people/<person>/merge")
@permission(Permission.ENROL)
def do_merge(person: str) -> Response:
    """Two enrolments become one."""

    def change() -> str:
        other = checked(request.form.get("other", ""))
        done = ask("people.merge", keep=person, other=other, timeout_s=_SLOW_S).result
        return (
            f"Merged. {done['references_moved']} picture(s) were taken over; the other enrolment is removed."
        )

    return _changed(person, "merge", change)


def _changed(person: str, form: str, change: Callable[[], str]) -> Response:
    """Do it and show the person again; or show what was wrong, at its form."""
    checked(person)
    try:
        said = change()
    except (FormError, EnrolmentError) as error:
        return make_response(shown_profile(person, error=error, form=form), 422)
    flash(said, "good")
    return redirect(url_for("people.profile", person=person), code=303)


def _ended(person: str, form: str, end: Callable[[], dict[str, Any]]) -> Response:
    """Likewise, for what may leave nobody to show."""
    checked(person)
    try:
        told = end()
    except (FormError, EnrolmentError) as error:
        return make_response(shown_profile(person, error=error, form=form), 422)
    if told["person"] is not None:
        flash("Taken back. What else they agreed to goes on.", "good")
        return redirect(url_for("people.profile", person=person), code=303)
    flash("Removed. Their key, name and templates are destroyed.", "good")
    for each in told["remains"]:
        flash(each, "")
    return redirect(url_for("people.index"), code=303)
