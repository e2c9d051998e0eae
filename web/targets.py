"""The broker and the webhooks: set up, tried out, taken away again.

Shows and asks; what a change may be, and whether it is taken over the network at all, is the desk's to say.
A password, a webhook's address and its key go one way only: in. A key that is made here is shown once.
"""

import re
import secrets
from collections.abc import Mapping
from typing import Any, Final

from flask import (
    Blueprint,
    abort,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response

from appliance.errors import FormError, SettingsError
from appliance.permissions import Permission
from web.access import credential, permission
from web.asking import ask
from web.saved import restarting, told_pending
from web.settings import typed_value
from web.surroundings import surroundings

blueprint = Blueprint("targets", __name__, url_prefix="/connections")

TEXTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "host": {"kind": "text"},
    "port": {"kind": "integer", "optional": True},
    "username": {"kind": "text", "optional": True},
    "prefix": {"kind": "text"},
    "picture_s": {"kind": "number"},
}
"""What is typed of the broker, and as which kind of value it is taken."""
SWITCHES: Final = ("tls", "publish_events", "coffees", "last_person", "pictures", "home_assistant")
_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_KEY_BYTES: Final = 32
_SAVING_S: Final = 60.0
_TRYING_S: Final = 75.0
_IN_FILE: Final = "this stands in the settings file on the machine; it is taken out there"


@blueprint.get("")
@permission(Permission.SETTINGS)
def index() -> str:
    """Both; once, the key that was just made, or what came of a test."""
    # Who asks for the head alone is shown nothing.
    seen = request.method == "GET"
    name, tried = request.args.get("made", ""), request.args.get("tried", "")
    shown_once = surroundings().shown_once
    made = shown_once.take(credential(), name) if name and seen else None
    if name and made is None:
        flash("A key is shown once only. You did not copy it? Have another one made.", "warn")
    return _page(made=made, tried=shown_once.take(credential(), tried) if tried and seen else None)


@blueprint.post("/broker")
@permission(Permission.SETTINGS)
def broker() -> Response:
    """Save what is said of the broker; a password that is left empty stays as it is."""
    form, read = request.form, ask("settings.read").result
    try:
        saved = _save(_broker_changes(read["values"]), form.get("revision", ""))
    except FormError as error:
        return make_response(_page(error=_worded(error, "mqtt"), typed=form), 422)
    _told(saved)
    return redirect(url_for("targets.index"), code=303)


@blueprint.post("/broker/try")
@permission(Permission.SETTINGS)
def try_broker() -> Response:
    """Publish a test message by what is saved; the page that follows says what came of it."""
    return _tried("mqtt", "mqtt.check")


@blueprint.get("/add-webhook")
@permission(Permission.SETTINGS)
def new() -> str:
    """The form of one more."""
    return render_template("targets/webhook.html", webhook=None, error=None, typed={})


@blueprint.post("/add-webhook")
@permission(Permission.SETTINGS)
def add() -> Response:
    """One more; a key that was made for it stands on the page that follows, this once."""
    form, read = request.form, ask("settings.read").result
    name = form.get("id", "").strip()
    key, made = _key(form.get("secret", ""))
    try:
        if not _ID.fullmatch(name):
            raise _wrong("id", "lower-case letters, digits, - and _, 32 at most, beginning with no - or _")
        if name in read["elements"]["webhooks"]:
            raise _wrong("id", "there is a webhook of this name already")
        said = {"url": form.get("url", "").strip(), "secret": key, "aliases": bool(form.get("aliases"))}
        saved = _save({f"webhooks.{name}": said}, read["revision"])
    except FormError as error:
        return _again(_worded(error, f"webhooks.{name}"), None)
    _told(saved)
    return _back(name, key if made else "")


@blueprint.get("/webhooks/<webhook>")
@permission(Permission.SETTINGS)
def show(webhook: str) -> str:
    """One of them, to be changed."""
    found = _webhook(ask("settings.read").result, webhook)
    return render_template("targets/webhook.html", webhook=found, error=None, typed={})


@blueprint.post("/webhooks/<webhook>")
@permission(Permission.SETTINGS)
def change(webhook: str) -> Response:
    """Say something else of it; what is left empty stays as it is."""
    form, read = request.form, ask("settings.read").result
    now = _webhook(read, webhook)
    url, typed, fresh = form.get("url", "").strip(), form.get("secret", ""), bool(form.get("fresh"))
    key, _ = ("", False) if not (typed or fresh) else _key(typed)
    changes: dict[str, Any] = {f"webhooks.{webhook}.url": url} if url else {}
    changes |= {f"webhooks.{webhook}.secret": key} if key else {}
    if bool(form.get("aliases")) != now["aliases"]:
        changes[f"webhooks.{webhook}.aliases"] = not now["aliases"]
    try:
        if typed and fresh:
            raise _wrong("secret", "either a key of your own, or one that is made")
        saved = _save(changes, form.get("revision", ""))
    except FormError as error:
        return _again(_worded(error, f"webhooks.{webhook}"), now)
    _told(saved)
    return _back(webhook, key if fresh else "")


@blueprint.post("/webhooks/<webhook>/remove")
@permission(Permission.SETTINGS)
def remove(webhook: str) -> Response:
    """Take one away."""
    read = ask("settings.read").result
    now = _webhook(read, webhook)
    try:
        saved = _save({f"webhooks.{webhook}": None}, read["revision"])
    except FormError as error:
        return _again(FormError(error.message, fields={}, hint=error.hint), now)
    flash(f"{webhook} is gone.{restarting(saved)}", "good")
    told_pending(saved)
    return redirect(url_for("targets.index", _anchor="webhooks"), code=303)


@blueprint.post("/webhooks/<webhook>/try")
@permission(Permission.SETTINGS)
def try_webhook(webhook: str) -> Response:
    """Post a test to one; the page that follows says what came of it."""
    _webhook(ask("settings.read").result, webhook)
    return _tried(f"webhook-{webhook}", "webhooks.test", webhook=webhook)


def _tried(what: str, operation: str, **arguments: Any) -> Response:
    try:
        told = ask(operation, timeout_s=_TRYING_S, **arguments).result
    except SettingsError as error:
        told = {"ok": False, "message": error.message, "hint": error.hint}
    name = surroundings().shown_once.put(credential(), {"what": what, **told})
    return redirect(url_for("targets.index", tried=name, _anchor=what), code=303)


def _broker_changes(values: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed of the broker and is not what holds, by key.

    Raises:
        FormError: Something cannot be taken back from here, for the settings file says it.
    """
    form = request.form
    said = {name: typed_value(kind, form[name]) for name, kind in TEXTS.items() if name in form}
    if "shown" in form:
        said |= {name: bool(form.get(name)) for name in SWITCHES}
    changes = {
        f"mqtt.{name}": value for name, value in said.items() if value != values[f"mqtt.{name}"]["value"]
    }
    if form.get("password"):
        changes["mqtt.password"] = form["password"]
    elif form.get("forget"):
        changes["mqtt.password"] = None
    wrong = {
        key.removeprefix("mqtt."): _IN_FILE
        for key, value in changes.items()
        if value is None and values[key].get("in_file")
    }
    if wrong:
        raise FormError(_IN_FILE, fields=wrong)
    kept = values["mqtt.password"]["set"] and not form.get("forget")
    if said.get("username", "") is None and (form.get("password") or kept):
        raise _wrong("username", "a password needs a name to log on with")
    return changes


def _save(changes: Mapping[str, Any], revision: str) -> dict[str, Any]:
    saved: dict[str, Any] = ask(
        "settings.save", changes=dict(changes), resets=[], revision=revision, timeout_s=_SAVING_S
    ).result
    return saved


def _told(saved: Mapping[str, Any]) -> None:
    if saved["changed"]:
        flash(f"Saved.{restarting(saved)}", "good")
    else:
        flash("Nothing was changed.")
    told_pending(saved)


def _key(typed: str) -> tuple[str, bool]:
    """What requests are signed with, and whether it was made here."""
    return (typed, False) if typed else (secrets.token_urlsafe(_KEY_BYTES), True)


def _back(webhook: str, key: str) -> Response:
    """To the page of all, which shows a key that was made, once."""
    name = surroundings().shown_once.put(credential(), {"webhook": webhook, "secret": key}) if key else None
    return redirect(url_for("targets.index", made=name, _anchor="made" if key else "webhooks"), code=303)


def _again(error: FormError, webhook: Mapping[str, Any] | None) -> Response:
    """The form once more, without what is secret of what was typed: address and key."""
    typed = {"id": request.form.get("id", ""), "aliases": bool(request.form.get("aliases")), "again": True}
    text = render_template("targets/webhook.html", webhook=webhook, error=error, typed=typed)
    return make_response(text, 422)


def _wrong(name: str, words: str) -> FormError:
    return FormError(words, fields={name: words})


def _worded(error: FormError, prefix: str) -> FormError:
    """What is wrong, by the names that the fields of a form have; of a webhook as a whole: its address."""
    fields = {name.removeprefix(f"{prefix}."): words for name, words in error.fields.items()}
    if prefix != "mqtt" and prefix in fields:
        fields["url"] = fields.pop(prefix)
    return FormError(error.message, fields=fields, hint=error.hint)


def _webhook(read: Mapping[str, Any], webhook: str) -> dict[str, Any]:
    """One webhook without what is secret of it; no such one: not found."""
    if webhook not in read["elements"]["webhooks"]:
        abort(404)
    values = read["values"]
    private = bool(values[f"webhooks.{webhook}.allow_private"]["value"])
    return {
        "id": webhook,
        "aliases": bool(values[f"webhooks.{webhook}.aliases"]["value"]),
        "private": private,
        # What says more of it than pages may is taken away where it was written.
        "kept": private or values[f"webhooks.{webhook}.ca_file"]["value"] is not None,
        "rules": _rules().get(webhook, []),
        "revision": read["revision"],
    }


def _rules() -> dict[str, list[dict[str, Any]]]:
    """Webhook → the rules that name it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for rule in ask("rules.list").result["rules"]:
        actions = (rule["body"] or {}).get("actions", [])
        for webhook in dict.fromkeys(each["webhook"] for each in actions if each["kind"] == "webhook"):
            found.setdefault(webhook, []).append(rule)
    return found


def _page(
    *,
    made: Mapping[str, Any] | None = None,
    tried: Mapping[str, Any] | None = None,
    error: FormError | None = None,
    typed: Mapping[str, str] | None = None,
) -> str:
    """The page of both.

    Args:
        made: A webhook's key that is shown this once.
        tried: What came of a test.
        error: What is wrong with the broker's form.
        typed: What was filled in there; the password is left out.
    """
    read = ask("settings.read").result
    values = {name: read["values"][f"mqtt.{name}"] for name in (*TEXTS, *SWITCHES, "password")}
    filled: dict[str, Any] = {name: values[name]["value"] for name in (*TEXTS, *SWITCHES)}
    if typed is not None:
        filled |= {name: typed[name] for name in TEXTS if name in typed}
        filled |= {name: bool(typed.get(name)) for name in SWITCHES}
    return render_template(
        "targets/index.html",
        broker=filled,
        host=values["host"]["value"],
        password=values["password"],
        revision=read["revision"],
        webhooks=[_webhook(read, each) for each in read["elements"]["webhooks"]],
        made=made,
        tried=tried,
        error=error,
    )
