"""Setting doors up: click the door, see what the fill covers, show it shut and open, save.

The page asks for pictures as it needs them, each with what the fill covers painted by the models process.
Nothing is decided here.
"""

from collections.abc import Collection
from typing import Any, Final

from flask import Blueprint, Response, abort, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as AnyResponse

from appliance.errors import CameraError, FormError, PeerGoneError
from appliance.permissions import Permission
from web.access import permission
from web.asking import ask
from web.forms import redirected_to
from web.saved import told
from web.words import sentence

blueprint = Blueprint("doors", __name__, url_prefix="/doors")

_NEW: Final = {
    "id": "",
    "region": [0.3, 0.05, 0.7, 0.35],
    "seed": [0.5, 0.2],
    "tolerance": 12,
    "shut_fraction": 0.6,
    "open_below": 0.5,
    "shut_above": 0.8,
}
"""What a new door begins with: the upper middle of the picture."""
_TAKEN: Final = ("new", "paint", "look", "propose", "save")
"""Names that are addresses of pages."""
_NAMES: Final = ("front", "back", "kitchen")
"""Names for new doors, in order."""
_GUESSES: Final = "Whenever the appliance starts, it has to guess what the shut door looks like."
_UNKEPT: Final = {
    "not_shown": "No picture of the shut door is kept: it was not shown shut in the last quarter of an hour. "
    f"{_GUESSES} Show it shut, and save again.",
    "moved": "No picture of the shut door is kept: something moved there while it was shown shut. "
    f"{_GUESSES} Show it shut with nobody before it, and save again.",
}
"""What is said where the door was saved without a picture of it shut."""
_PAINTED: Final = ("camera", "region", "seed", "tolerance", "after", "width_px")
_SHOWN: Final = ("camera", "door", "state")
_SETTINGS: Final = ("region", "seed", "tolerance", "shut_fraction", "open_below", "shut_above")


@blueprint.get("")
@permission(Permission.DOORS)
def index() -> str:
    """All of them."""
    found = ask("doors.list").result
    return render_template("doors/index.html", doors=found["doors"], cameras=found["cameras"])


@blueprint.get("/new")
@permission(Permission.DOORS)
def add() -> str:
    """A new one."""
    found = ask("doors.list").result
    wanted = request.args.get("camera", "")
    cameras = found["cameras"]
    camera = next((each for each in cameras if each["id"] == wanted), cameras[0] if cameras else None)
    return _page({**_NEW, "camera": camera["id"] if camera else ""}, found, fresh=True)


@blueprint.get("/<door>")
@permission(Permission.DOORS)
def show(door: str) -> str:
    """One of them, set up anew."""
    found = ask("doors.list").result
    wanted = next((each for each in found["doors"] if each["id"] == door), None)
    if wanted is None:
        abort(404)
    return _page(wanted, found, fresh=False)


@blueprint.post("/paint")
@permission(Permission.DOORS)
def paint() -> Response:
    """A picture with what the fill covers; how much that is stands in the headers.

    Where there is no picture, why in words, as JSON: for a page that asks again and again that is no fault.
    """
    try:
        answer = ask("doors.paint", **_given(_PAINTED))
    except (CameraError, PeerGoneError) as error:
        return jsonify({"message": error.message, "hint": error.hint})
    response = Response(answer.blob, mimetype="image/jpeg")
    response.headers["Door-Sequence"] = str(answer.result["sequence"])
    response.headers["Door-Fraction"] = str(answer.result["fraction"])
    response.headers["Door-Spills"] = str(answer.result["spills"])
    return response


@blueprint.post("/look")
@permission(Permission.DOORS)
def look() -> Response:
    """It is shut now, or open."""
    return jsonify(ask("doors.look", timeout_s=30, **_given(_SHOWN)).result)


@blueprint.post("/propose")
@permission(Permission.DOORS)
def propose() -> Response:
    """How to watch it, and how well that works."""
    return jsonify(
        ask("doors.propose", timeout_s=45, **_given(("camera", "door", "keep", *_SETTINGS))).result
    )


@blueprint.post("/save")
@permission(Permission.DOORS)
def save() -> Response:
    """Have it watched so."""
    wanted = ("door", "fresh", "camera", "read_faces", "separation", "sure", "revision", *_SETTINGS)
    given = _given(wanted)
    if given.get("door") in _TAKEN:
        raise FormError("taken", fields={"door": "this name is an address of these pages"})
    saved = ask("doors.save", timeout_s=45, **given).result
    there = redirected_to(request.get_json().get("next"), url_for("doors.show", door=given["door"]))
    told(saved)
    if saved["picture"] in _UNKEPT:
        flash(_UNKEPT[saved["picture"]], "warn")
    return jsonify({**saved, "there": there})


@blueprint.post("/<door>/remove")
@permission(Permission.DOORS)
def remove(door: str) -> AnyResponse:
    """Take one away."""
    try:
        ask("doors.remove", door=door, revision=request.form.get("revision", ""))
    except FormError as error:
        flash(f"{sentence(error.message)} It is still watched.", "bad")
        gone = "door" in error.fields
        return redirect(url_for("doors.index") if gone else url_for("doors.show", door=door), 303)
    flash(f"The door {door} is no longer watched.", "good")
    return redirect(url_for("doors.index"), code=303)


def _given(names: tuple[str, ...]) -> dict[str, Any]:
    """What was sent under these names; the desk checks it.

    Raises:
        BadRequest: It is no JSON object.
    """
    body = request.get_json()
    if not isinstance(body, dict):
        raise BadRequest
    return {name: body[name] for name in names if body.get(name) is not None}


def _page(door: dict[str, Any], found: dict[str, Any], *, fresh: bool) -> str:
    camera = next((each for each in found["cameras"] if each["id"] == door["camera"]), None)
    return render_template(
        "doors/door.html",
        door=door,
        camera=camera,
        cameras=found["cameras"],
        revision=found["revision"],
        fresh=fresh,
        proposed=_free({each["id"] for each in found["doors"]}),
        next=redirected_to(request.args.get("next"), ""),
    )


def _free(taken: Collection[str]) -> str:
    """A name that no door has."""
    numbered = (f"door-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in (*_NAMES, *numbered) if name not in taken)
