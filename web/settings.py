"""Settings in the browser: what holds, from where, a change looked at before it is made.

Turns what was typed into values and shows what the desk says of them. What may be changed from here at all
is the desk's decision.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.errors import FormError
from appliance.permissions import Permission
from web.access import permission
from web.asking import ask
from web.saved import parts, restarting, told_pending

blueprint = Blueprint("settings", __name__)

SCOPES: Final[Mapping[str, str]] = {
    "live": "at once",
    "loop": "restarts the watching, a few seconds",
    "models": "restarts the part that reads photos",
    "dispatch": "restarts the part that acts",
    "functions": "restarts the hosted functions",
    "search": "restarts the search for alike pictures",
    "video": "restarts the recording of video",
    "desk": "restarts the part behind these pages",
    "web": "restarts these pages",
    "all": "restarts everything, some seconds",
}
"""By restart scope: what a change costs."""
PAGES: Final = (
    ("/set-up", "check", "Setting up", "Every step again, one by one."),
    ("/cameras", "camera", "Cameras", "Which there are, and what they see."),
    ("/doors", "door", "Doors", "Where each door is in the picture."),
    ("/recipients", "key", "Keys", "Who may open pictures of strangers."),
    ("/operators", "account", "Admins", "Who may sign in."),
    ("/devices", "screen", "Screens and programs", "The office screen, and tokens."),
    ("/people/safety", "shield", "How safe it is", "How often somebody is mistaken."),
    ("/connections", "broadcast", "Broker and webhooks", "Who outside the box is told what happens."),
    ("/system", "settings", "The machine", "Is everything well?"),
)
"""Pages of their own: address, symbol, title, words; those that there are, are shown."""
_SLOW_S: Final = 60.0
_SENT_ELSEWHERE: Final = {"secret", "tables"}
"""Kinds of values that are not filled in here: a camera's source has its own page."""


@blueprint.get("/settings")
@permission(Permission.SETTINGS)
def index() -> str:
    """Every part of the settings, and what fits a search."""
    wanted = request.args.get("q", "").strip()
    rooms = ask("settings.describe").result["rooms"]
    read = ask("settings.read").result
    changed = sorted(key for key, each in read["values"].items() if each["source"] == "overlay")
    return render_template(
        "settings/index.html",
        rooms=rooms,
        read=read,
        changed=changed,
        called=_called(rooms),
        q=wanted,
        found=_found(rooms, wanted.casefold()) if wanted else None,
        pages=PAGES,
    )


@blueprint.get("/settings/<room>")
@permission(Permission.SETTINGS)
def show(room: str) -> str:
    """One part: each setting with its words, what holds and where that comes from."""
    return _room(room)


@blueprint.post("/settings/<room>")
@permission(Permission.SETTINGS)
def change(room: str) -> Response:
    """Look at a change, or make the one that was looked at."""
    form = request.form
    described, read = _described(room), ask("settings.read").result
    resets = [key for key in (*form.getlist("resets"), form.get("reset", "")) if key]
    changes = _changes(described, read, resets)
    try:
        if form.get("step") == "save":
            return _save(room, changes, resets, form.get("revision", ""))
        proposed = ask("settings.propose", changes=changes, resets=resets).result
    except FormError as error:
        return make_response(_room(room, error=error, typed=_as_typed(changes), resets=resets), 422)
    return make_response(_room(room, typed=_as_typed(changes), resets=resets, proposed=proposed))


def _as_typed(changes: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, as it was: a 7 comes back as 7, and not as 7.0."""
    numbers = {key for key, value in changes.items() if isinstance(value, int | float) and value is not True}
    return {
        key: request.form.get(key, value) if key in numbers and value is not False else value
        for key, value in changes.items()
    }


def _save(room: str, changes: Mapping[str, Any], resets: list[str], revision: str) -> Response:
    saved = ask(
        "settings.save", changes=dict(changes), resets=resets, revision=revision, timeout_s=_SLOW_S
    ).result
    if not saved["changed"]:
        flash("Nothing was changed.")
    else:
        called = _called(ask("settings.describe").result["rooms"])
        titles = ", ".join(dict.fromkeys(called(key) for key in saved["changed"]))
        flash(f"Saved: {titles}.{restarting(saved)}", "good")
        told_pending(saved)
    return redirect(url_for("settings.show", room=room), code=303)


def _room(
    room: str,
    *,
    error: FormError | None = None,
    typed: Mapping[str, Any] | None = None,
    resets: list[str] | None = None,
    proposed: Mapping[str, Any] | None = None,
) -> str:
    described, read = _described(room), ask("settings.read").result
    name = described["name"]
    elements = read["elements"][name] if described["list"] else [""]
    return render_template(
        "settings/room.html",
        room=described,
        path=room,
        read=read,
        elements=[(each, _prefix(name, each)) for each in elements],
        typed=typed or {},
        resets=resets or [],
        proposed=proposed,
        error=error,
        scopes=SCOPES,
        called=_called(ask("settings.describe").result["rooms"]),
        parts=parts,
    )


def _called(rooms: list[dict[str, Any]]) -> Callable[[str], str]:
    """What a key is called on these pages, with the camera's or the door's name before it."""

    def called(key: str) -> str:
        # The longest first: `captures.s3` is not `captures`.
        for room in sorted(rooms, key=lambda each: -len(each["name"])):
            prefix = f"{room['name']}." if room["name"] else ""
            if not key.startswith(prefix):
                continue
            element, _, name = key.removeprefix(prefix).rpartition(".")
            title = next((each["title"] for each in room["fields"] if each["name"] == name), None)
            if title is None:
                return f"{room['title']}: {key.removeprefix(prefix)}" if prefix else key
            return f"{element}: {title}" if element else str(title)
        return key

    return called


def _described(room: str) -> dict[str, Any]:
    """A part of the settings, by its name in the address."""
    rooms: list[dict[str, Any]] = ask("settings.describe").result["rooms"]
    found = next((each for each in rooms if (each["name"] or "site") == room), None)
    return found if found is not None else abort(404)


def _prefix(room: str, element: str) -> str:
    """What stands before a field's name in its key."""
    return "".join(f"{part}." for part in (room, element) if part)


def _changes(room: Mapping[str, Any], read: Mapping[str, Any], resets: list[str]) -> dict[str, Any]:
    """What was typed and is not what holds, by key."""
    elements = read["elements"][room["name"]] if room["list"] else [""]
    changes: dict[str, Any] = {}
    for element in elements:
        for field in room["fields"]:
            key = f"{_prefix(room['name'], element)}{field['name']}"
            holds = read["values"].get(key)
            if field["closed"] or field["kind"] in _SENT_ELSEWHERE or holds is None or key in resets:
                continue
            if (room["list"] and field["name"] == "id") or f"shown:{key}" not in request.form:
                continue
            value = typed_value(field, request.form.get(key, ""))
            if value != holds["value"]:
                changes[key] = value
    return changes


def typed_value(field: Mapping[str, Any], text: str) -> Any:
    """What somebody typed, as the kind of value it is to be; what is none is left as typed, to be told so.

    Args:
        field: As `settings.describe` gives it.
        text: As typed; of a switch empty when it is off.
    """
    kind, text = field["kind"], text.strip()
    if kind == "switch":
        return bool(text)
    if kind == "lines":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if kind == "numbers":
        return [_number(part, whole=False) for part in text.replace(",", " ").split()]
    if not text and field.get("optional"):
        return None
    if kind in {"integer", "number"}:
        return _number(text, whole=kind == "integer")
    return text


def _number(text: str, *, whole: bool) -> Any:
    try:
        return int(text) if whole else _plain(float(text))
    except (ValueError, OverflowError):
        return text


def _plain(number: float) -> Any:
    """Infinity and what is no number are no values of settings; they stay words."""
    return number if abs(number) < float("inf") else str(number)


def _found(rooms: list[Mapping[str, Any]], wanted: str) -> list[dict[str, Any]]:
    """Fields whose name, words or part hold every word of a search."""
    words = wanted.split()
    return [
        {"room": room, "field": field}
        for room in rooms
        for field in room["fields"]
        if all(
            word
            in f"{room['name']} {room['title']} {field['name']} {field['title']} {field['words']}".casefold()
            for word in words
        )
    ]
