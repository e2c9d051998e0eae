"""Enrolling somebody: the page, and what its script asks. Pictures pass through to the desk and are gone.

Every answer to the script is the draft as it stands, for a picture's verdict may change with the others.
"""

import base64
from typing import Any, Final

from flask import Response, jsonify, render_template, request

from appliance.errors import FormError
from appliance.permissions import Permission
from web import headers
from web.access import permission
from web.asking import ask
from web.forms import redirected_to
from web.people.pages import checked
from web.people.site import blueprint
from web.requests import UPLOAD_BYTES, takes

GLANCE_BYTES: Final = 200_000
"""Of the small pictures that the webcam's guide sends."""
_LOOK_S: Final = 60.0
"""Seconds a picture may take: 40 megapixels on a slow box, and a models process that has to start again."""


@blueprint.get("/people/enrol")
@permission(Permission.ENROL)
def enrol() -> str:
    """The page, for somebody new or, with `to`, for more pictures of somebody."""
    to = request.args.get("to", "")
    headers.may_use_camera()
    return render_template(
        "people/enrol.html",
        text=ask("people.consent_text").result,
        to=ask("people.show", person=checked(to), timeout_s=_LOOK_S).result if to else None,
        cameras=ask("enrol.cameras").result["cameras"],
        next=redirected_to(request.args.get("next"), ""),
    )


@blueprint.post("/people/enrol")
@permission(Permission.ENROL)
def begin() -> Response:
    """Begin, with who it is and what they agreed to."""
    said = _said()
    given = {
        key: said[key] for key in ("name", "initials", "alias", "to", "namesake", "consent") if key in said
    }
    return jsonify(ask("enrol.begin", **given).result)


@blueprint.get("/people/enrol/<draft>")
@permission(Permission.ENROL)
def show(draft: str) -> Response:
    """The draft as it stands."""
    return jsonify(ask("enrol.show", draft=draft).result)


@blueprint.delete("/people/enrol/<draft>")
@permission(Permission.ENROL)
def discard(draft: str) -> Response:
    """Forget it."""
    return jsonify(ask("enrol.discard", draft=draft).result)


@blueprint.post("/people/enrol/<draft>/photos")
@permission(Permission.ENROL)
@takes(UPLOAD_BYTES)
def add_photo(draft: str) -> Response:
    """Have another picture looked at.

    Raises:
        FormError: No file came.
    """
    file = request.files.get("photo")
    if file is None:
        raise FormError("no picture came", fields={"photo": "choose one"})
    origin = "webcam" if request.form.get("origin") == "webcam" else "photo"
    return jsonify(ask("enrol.judge", draft=draft, origin=origin, blob=file.read(), timeout_s=_LOOK_S).result)


@blueprint.post("/people/enrol/<draft>/look")
@permission(Permission.ENROL)
@takes(GLANCE_BYTES)
def look(draft: str) -> Response:
    """How somebody stands before the webcam: the body is a small picture, which nobody keeps."""
    return jsonify(ask("enrol.look", draft=draft, blob=request.get_data(cache=False)).result)


@blueprint.post("/people/enrol/<draft>/leave")
@permission(Permission.ENROL)
def leave(draft: str) -> Response:
    """The page is left, or loaded again."""
    return jsonify(ask("enrol.leave", draft=draft).result)


@blueprint.post("/people/enrol/<draft>/snapshot")
@permission(Permission.ENROL)
def snapshot(draft: str) -> Response:
    """Take a picture with a camera of the box; it comes along once, to choose a face."""
    taken = ask("enrol.snapshot", draft=draft, camera=str(_said().get("camera", "")), timeout_s=_LOOK_S)
    return jsonify({**taken.result, "picture": base64.b64encode(taken.blob).decode()})


@blueprint.post("/people/enrol/<draft>/photos/<photo>/face")
@permission(Permission.ENROL)
def choose_face(draft: str, photo: str) -> Response:
    """Say which face is meant."""
    return jsonify(ask("enrol.choose_face", draft=draft, photo=photo, face=_said().get("face")).result)


@blueprint.post("/people/enrol/<draft>/photos/<photo>/answer")
@permission(Permission.ENROL)
def answer(draft: str, photo: str) -> Response:
    """Answer what is asked about a picture."""
    said = _said()
    return jsonify(
        ask(
            "enrol.answer",
            draft=draft,
            photo=photo,
            although=said.get("although"),
            known=said.get("known", True),
        ).result
    )


@blueprint.delete("/people/enrol/<draft>/photos/<photo>")
@permission(Permission.ENROL)
def drop_photo(draft: str, photo: str) -> Response:
    """Leave a picture out."""
    return jsonify(ask("enrol.drop_photo", draft=draft, photo=photo).result)


@blueprint.post("/people/enrol/<draft>/add-to")
@permission(Permission.ENROL)
def add_to(draft: str) -> Response:
    """It is somebody enrolled already."""
    return jsonify(ask("enrol.add_to", draft=draft, person=_said().get("person")).result)


@blueprint.post("/people/enrol/<draft>/commit")
@permission(Permission.ENROL)
def commit(draft: str) -> Response:
    """Keep what was accepted."""
    return jsonify(ask("enrol.commit", draft=draft, timeout_s=_LOOK_S).result)


def _said() -> dict[str, Any]:
    """What the script sends; anything but an object is nothing."""
    found = request.get_json(silent=True)
    return found if isinstance(found, dict) else {}
