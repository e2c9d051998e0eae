"""Forms that change somebody: name, state, consent, strictness, a reference, a merge, the end.

Each asks the desk and shows the person's page again, with what is wrong at its field where something is.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from flask import flash, make_response, redirect, request, url_for
from werkzeug.wrappers import Response

from appliance.errors import EnrolmentError, FormError
from appliance.permissions import Permission
from web.access import permission
from web.asking import ask
from web.people.pages import checked, shown_profile
from web.people.site import blueprint

_SLOW_S: Final = 60.0
"""Seconds a change may take: everybody is compared with everybody again."""

Change = Callable[..., str | None]
"""Changes a person, by id and what else the address names; what is said of it, None: they are gone."""


def changes(path: str, form: str = "") -> Callable[[Change], Callable[..., Response]]:
    """Declare a form of a person's page.

    Args:
        path: Behind the person's own address.
        form: The part of the page that says what was wrong; the path unless said.
    """

    def declare(change: Change) -> Callable[..., Response]:
        @blueprint.post(f"/people/<person>/{path}")
        @permission(Permission.ENROL)
        @wraps(change)
        def view(person: str, **named: str) -> Response:
            checked(person)
            try:
                said = change(person, **{key: checked(value) for key, value in named.items()})
            except (FormError, EnrolmentError) as error:
                return make_response(shown_profile(person, error=error, form=form or path), 422)
            if said is None:
                return redirect(url_for("people.index"), code=303)
            flash(said, "good")
            return redirect(url_for("people.profile", person=person), code=303)

        return view

    return declare


def _ask(operation: str, person: str, **more: Any) -> dict[str, Any]:
    result: dict[str, Any] = ask(operation, person=person, timeout_s=_SLOW_S, **more).result
    return result


@changes("name")
def rename(person: str) -> str:
    """Name, initials and alias; only what was changed is asked for."""
    given = {name: request.form.get(name, "").strip() for name in ("name", "initials", "alias")}
    who = _ask("people.show", person)
    changed = {name for name, value in given.items() if value != (who[name] or "")}
    if "name" in changed:
        _ask("people.rename", person, name=given["name"], initials=given["initials"] or None)
    elif "initials" in changed:
        _ask("people.initials", person, initials=given["initials"])
    if "alias" in changed:
        _ask("people.alias", person, alias=given["alias"] or None)
    return "Saved."


@changes("pause", form="state")
def pause(person: str) -> str:
    """Recognise them no more, for now."""
    _ask("people.pause", person)
    return "Paused. The door knows them no more, within a second."


@changes("resume", form="state")
def resume(person: str) -> str:
    """Recognise them again."""
    _ask("people.resume", person)
    return "Recognised again, within a second."


@changes("strictness")
def strictness(person: str) -> str:
    """How rarely a stranger may be taken for them."""
    try:
        factor = float(request.form.get("factor", ""))
    except ValueError as error:
        raise FormError("factor: not a number", fields={"factor": "choose one"}) from error
    words = str(_ask("people.strictness", person, factor=factor)["words"])
    return f"{words[:1].upper()}{words[1:]}."


@changes("consent")
def give_consent(person: str) -> str:
    """Record that they agreed to more."""
    form = request.form
    text = {name: form.get(name, "") for name in ("text_version", "given_by")}
    _ask("people.give_consent", person, purposes=form.getlist("purposes"), **text)
    return "Their consent is recorded."


@changes("references/<reference>/remove", form="references")
def remove_reference(person: str, reference: str) -> str:
    """Delete one of their pictures' templates."""
    left = _ask("people.remove_reference", person, reference=reference)["references"]
    return "Deleted." if left else "Deleted. They are not recognised until there is another picture."


@changes("merge")
def do_merge(person: str) -> str:
    """Two enrolments become one."""
    other = checked(request.form.get("other", ""))
    moved = ask("people.merge", keep=person, other=other, timeout_s=_SLOW_S).result["references_moved"]
    pictures = "1 picture was" if moved == 1 else f"{moved} pictures were"
    return f"Merged. {pictures} taken over; the other enrolment is removed."


@changes("withdraw")
def withdraw(person: str) -> str | None:
    """Record that they took something back; all of it ends the enrolment."""
    return _ended(_ask("people.withdraw_consent", person, purposes=request.form.getlist("purposes")))


@changes("remove")
def remove(person: str) -> str | None:
    """Remove somebody for good."""
    return _ended(_ask("people.remove", person))


def _ended(told: dict[str, Any]) -> str | None:
    """What is said after something that may leave nobody to show."""
    if told["person"] is not None:
        return "Taken back. What else they agreed to goes on."
    flash("Removed. Their key, their name and all that was measured of their face are destroyed.", "good")
    for each in told["remains"]:
        flash(each, "")
    return None
