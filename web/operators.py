"""Who may sign in: admitting somebody by a one-time link, their role, shutting them out, removing them."""

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.errors import ApplianceError, DeniedError, FormError
from appliance.permissions import Permission, Role
from web.access import permission
from web.asking import ask
from web.reach import reach

blueprint = Blueprint("operators", __name__, url_prefix="/operators")


@blueprint.get("")
@permission(Permission.OPERATORS)
def index() -> str:
    """Everybody who may sign in."""
    return _page()


@blueprint.post("")
@permission(Permission.OPERATORS)
def add() -> Response:
    """Admit somebody; the page that follows shows their link, this once."""
    name, role = request.form.get("name", ""), request.form.get("role", Role.VIEWER)
    try:
        made = ask("operators.add", name=name, role=role).result
    except FormError as error:
        return make_response(_page(error=error, name=name, role=role), 422)
    return make_response(_page(link=_link(made)))


@blueprint.post("/<operator>/link")
@permission(Permission.OPERATORS)
def renew(operator: str) -> Response:
    """A new link, for who forgot their password."""
    return make_response(_page(link=_link(ask("operators.reset", operator=operator).result)))


@blueprint.post("/<operator>/role")
@permission(Permission.OPERATORS)
def change_role(operator: str) -> Response:
    """Another role."""
    role = request.form.get("role", "")
    return _changed(operator, "The role was changed.", role=role)


@blueprint.post("/<operator>/shut-out")
@permission(Permission.OPERATORS)
def shut_out(operator: str) -> Response:
    """Let them in no more, until they are let in again."""
    return _changed(operator, "They are signed out and may not sign in.", disabled=True)


@blueprint.post("/<operator>/let-in")
@permission(Permission.OPERATORS)
def let_in(operator: str) -> Response:
    """Let them in again."""
    return _changed(operator, "They may sign in again.", disabled=False)


@blueprint.post("/<operator>/remove")
@permission(Permission.OPERATORS)
def remove(operator: str) -> Response:
    """Remove them; what they did stays in the log, without their name."""
    return _done("operators.remove", "They were removed, and their name forgotten.", operator=operator)


def _changed(operator: str, words: str, **change: Any) -> Response:
    return _done("operators.change", words, operator=operator, **change)


def _done(operation: str, words: str, **arguments: Any) -> Response:
    try:
        ask(operation, **arguments)
    except (DeniedError, FormError) as error:
        flash(f"{error.message[:1].upper()}{error.message[1:]}.", "bad")
    else:
        flash(words, "good")
    return redirect(url_for("operators.index"), code=303)


def _link(made: Any) -> dict[str, Any]:
    """Who the link is for, and the link; its code stands in the fragment, so that no log ever holds it."""
    where = reach()
    address = f"{where.base}{url_for('accounts.password_link')}"
    days = round(made["lasts_s"] / 86400)
    return {
        "name": made["operator"]["name"],
        "url": f"{address}#{made['code']}",
        "days": days,
        "reach": where,
    }


def _page(
    *,
    link: dict[str, Any] | None = None,
    error: ApplianceError | None = None,
    name: str = "",
    role: str = Role.VIEWER,
) -> str:
    operators = ask("operators.list").result
    return render_template(
        "accounts/operators.html", operators=operators, link=link, error=error, name=name, role=role
    )
