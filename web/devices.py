"""What comes in without signing in: paired screens, and tokens for programs. A secret is shown once.

A pairing link holds its code in the fragment, so that no log ever holds it. A token's secret stands on the
page that its making leads to, and nowhere else: loaded again, that page makes nothing and shows it no more.
"""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.errors import ApplianceError, FormError
from appliance.permissions import Permission
from web.access import credential, permission
from web.asking import ask
from web.reach import reach
from web.surroundings import surroundings

blueprint = Blueprint("devices", __name__, url_prefix="/devices")

SCOPES: Final = (
    (Permission.LIVE, "Watch", "Look through the cameras, and how the doors are."),
    (Permission.LOG, "Read the log", "Who came by and why the box says so, with names."),
    (Permission.PEOPLE, "See who is enrolled", "Names, and how well each is recognised."),
    (Permission.ENROL, "Change who is enrolled", "Enrol, rename, remove, correct decisions."),
    (Permission.CAPTURES, "Fetch sealed pictures", "They open with your private key only."),
    (Permission.CLIPS, "Watch clips", "See and download recorded video; delete none of it."),
    (Permission.DOORS, "Set doors up", "Where each door is, and when it is shut."),
    (Permission.RULES, "Change rules", "Rules and groups of people, and trying again what failed; no locks."),
    (Permission.SEARCH, "Search by picture", "What is alike to a picture or before a camera; the catalogue."),
    (Permission.CATALOGUE, "Change the catalogue", "Add, import and remove items of visual search."),
    (Permission.SETTINGS, "Change settings", "Read and change what the box does."),
)
"""What a token may be given, in words; whoever uses it may do that and nothing else."""
LASTS: Final = (("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "until it is revoked"))
_LASTS_USUALLY: Final = "365"


@blueprint.get("")
@permission(Permission.OPERATORS)
def index() -> str:
    """Screens and tokens; once, what was just made."""
    name = request.args.get("made", "")
    # Who asks for the head alone is shown nothing.
    made = surroundings().shown_once.take(credential(), name) if name and request.method == "GET" else None
    if name and made is None:
        words = "What was made is shown once only. You did not copy it? Revoke it and make another."
        flash(words, "warn")
    return _page(**(made or {}))


@blueprint.post("/screens")
@permission(Permission.OPERATORS)
def begin_pairing() -> Response:
    """Make a code; the page that follows shows it and the link, this once."""
    label = request.form.get("label", "")
    try:
        made = ask("screens.begin_pairing", label=label).result
    except FormError as error:
        return make_response(_page(screen_error=error, screen_label=label), 422)
    where = reach()
    address = f"{where.base}{url_for('screen.pair')}"
    code = {
        "label": label,
        "code": made["code"],
        "url": f"{address}#{made['code']}",
        "address": address,
        "minutes": round(made["lasts_s"] / 60),
        "reach": where,
    }
    return _made({"code": code})


@blueprint.post("/screens/<screen>/revoke")
@permission(Permission.OPERATORS)
def revoke_screen(screen: str) -> Response:
    """Let a screen's link be good no more."""
    ask("screens.revoke", screen=screen)
    flash("That screen shows nothing any more.", "good")
    return redirect(url_for("devices.index"), code=303)


@blueprint.post("/tokens")
@permission(Permission.OPERATORS)
def add_token() -> Response:
    """Make a token; the page that follows shows its secret, this once."""
    form = request.form
    label, scopes, lasts = form.get("purpose", ""), form.getlist("scopes"), form.get("lasts", "")
    try:
        days = int(lasts) if lasts else None
        made = ask("tokens.create", label=label, scopes=scopes, lasts_days=days).result
    except (FormError, ValueError) as error:
        return make_response(_page(token_error=_worded(error), token={"label": label, "scopes": scopes}), 422)
    return _made({"secret": {"label": made["token"]["label"], "secret": made["secret"]}})


@blueprint.post("/tokens/<token>/revoke")
@permission(Permission.OPERATORS)
def revoke_token(token: str) -> Response:
    """Let a token be good no more."""
    ask("tokens.revoke", token=token)
    flash("That token was revoked.", "good")
    return redirect(url_for("devices.index"), code=303)


def _made(what: Mapping[str, Any]) -> Response:
    """To the page that shows what was made; it makes nothing when it is loaded again."""
    name = surroundings().shown_once.put(credential(), what)
    return redirect(url_for("devices.index", made=name), code=303)


def _worded(error: Exception) -> FormError:
    """What is wrong with the form of a token, by the names that its fields have there."""
    if not isinstance(error, FormError):
        return FormError("choose how long it is good", fields={"lasts": "choose one"})
    names = {"label": "purpose", "lasts_days": "lasts"}
    fields = {names.get(name, name): words for name, words in error.fields.items()}
    return FormError(error.message, fields=fields, hint=error.hint)


def _page(
    *,
    code: dict[str, Any] | None = None,
    secret: dict[str, Any] | None = None,
    screen_error: ApplianceError | None = None,
    screen_label: str = "",
    token_error: ApplianceError | None = None,
    token: dict[str, Any] | None = None,
) -> str:
    words = {scope.value: title for scope, title, _ in SCOPES}
    return render_template(
        "devices/index.html",
        screens=_in_use(ask("screens.list").result),
        tokens=_in_use(ask("tokens.list").result),
        scopes=SCOPES,
        words=words,
        lasts=LASTS,
        usually=_LASTS_USUALLY,
        code=code,
        secret=secret,
        screen_error=screen_error,
        screen_label=screen_label,
        token_error=token_error,
        token=token or {"label": "", "scopes": []},
    )


def _in_use(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that were not revoked; that they were is in the log."""
    return [each for each in found if each["revoked_at"] is None]
