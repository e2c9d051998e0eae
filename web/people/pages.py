"""Pages to look at: everybody, one person, what the gallery risks, what a merge would do."""

from typing import Any, Final

from flask import render_template, request
from werkzeug.exceptions import NotFound

from appliance.permissions import Permission
from web.access import permission
from web.asking import ask
from web.people import words
from web.people.site import blueprint

_PAGE: Final = 200
"""Cards of one page; more come when they are asked for, or searched."""
_SLOW_S: Final = 60.0
"""Comparing everybody with everybody takes a while in a large gallery."""


@blueprint.app_context_processor
def told() -> dict[str, Any]:
    """The words, for this subject's templates."""
    return {"people_words": words}


@blueprint.get("/people")
@permission(Permission.PEOPLE)
def index() -> str:
    """Everybody, as cards."""
    after = request.args.get("after") or None
    found = ask("people.list", limit=_PAGE, after=after).result
    return render_template(
        "people/index.html", everybody=found["people"], total=found["total"], next=found["next"]
    )


@blueprint.get("/people/safety")
@permission(Permission.PEOPLE)
def safety() -> str:
    """What the gallery risks."""
    return render_template("people/safety.html", report=ask("people.safety", timeout_s=_SLOW_S).result)


@blueprint.get("/people/<person>")
@permission(Permission.PEOPLE)
def profile(person: str) -> str:
    """One person."""
    return shown_profile(person)


def shown_profile(person: str, *, error: Exception | None = None, form: str = "") -> str:
    """One person's page, with what was wrong with one of its forms.

    Raises:
        UnknownSubjectError: There is nobody of that id.
    """
    return render_template(
        "people/profile.html",
        person=ask("people.show", person=checked(person), timeout_s=_SLOW_S).result,
        text=ask("people.consent_text").result,
        error=error,
        form=form,
        entered=request.form,
    )


@blueprint.get("/people/<person>/merge")
@permission(Permission.ENROL)
def merge(person: str) -> str:
    """Which two are one, how alike they look, and what a merge will do."""
    other = request.args.get("other", "")
    would = ask("people.merge_proposal", keep=checked(person), other=checked(other)).result if other else None
    return render_template(
        "people/merge.html",
        person=ask("people.show", person=checked(person), timeout_s=_SLOW_S).result,
        people_to_merge=[each for each in ask("people.list").result["people"] if each["id"] != person],
        other=other,
        would=would,
    )


def checked(person: str) -> str:
    """An id out of an address.

    Raises:
        NotFound: No id looks like that.
    """
    if not person.replace("-", "").isalnum() or not person.isascii() or len(person) > 64:  # noqa: PLR2004
        raise NotFound
    return person
