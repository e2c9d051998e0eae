"""The page of visual search: a camera's picture, what was found last as cards, asking by a picture or by now.

Cards come as server-sent events, each once. Pictures that are asked with go to the desk as they came, and are
kept nowhere.
"""

from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any, Final

from flask import Blueprint, Response, current_app, jsonify, make_response, render_template, request

from appliance.errors import ApplianceError, FormError, PeerGoneError, StoreError, WireError
from appliance.permissions import Permission
from web.access import credential, permission
from web.asking import ask
from web.events_stream import message
from web.requests import UPLOAD_BYTES, takes
from web.search.cameras import cameras_to_show, watched_cameras
from web.search.words import WORK, card
from web.streams import stream
from web.surroundings import Surroundings, surroundings

blueprint = Blueprint("search", __name__, url_prefix="/search")

Card = Callable[[dict[str, Any]], dict[str, Any]]

SHOWN: Final = 12
"""So many of the newest matches a page begins with."""
_WAIT_S: Final = 8.0
_AGAIN_S: Final = 2.0
_LOOK_S: Final = 35.0
_LONGEST_ID: Final = 15


@blueprint.get("")
@permission(Permission.SEARCH)
def index() -> str:
    """The page."""
    state = ask("search.state").result
    cameras = _cameras(state)
    wanted = request.args.get("camera", "")
    shown = next((each for each in cameras if each["id"] == wanted), cameras[0] if cameras else None)
    return render_template(
        "search/index.html",
        state=state,
        cameras=cameras,
        shown=shown,
        watched=watched_cameras(state),
        off=not state["there"] and not ask("catalogue.size").result["enabled"],
    )


@blueprint.get("/state")
@permission(Permission.SEARCH)
def state() -> Response:
    """How searching goes, for the page's script, with words."""
    found = ask("search.state").result
    for each in found.get("work", ()):
        each["doing"] = WORK.get(each["kind"], each["kind"])
    return jsonify(found)


@blueprint.get("/newest")
@permission(Permission.SEARCH)
def newest() -> Response:
    """What is found, as server-sent events: `found` once for each look-up, `away` while nobody searches."""
    last = request.headers.get("Last-Event-ID", "")
    after = int(last) if last.isdecimal() and len(last) <= _LONGEST_ID else None
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - it outlives the request

    def worded(found: dict[str, Any]) -> dict[str, Any]:
        with app.test_request_context():
            return card(found)

    flow = _newest(surroundings(), credential(), after, worded)
    return stream(flow, "text/event-stream", Permission.SEARCH)


@blueprint.post("/picture")
@permission(Permission.SEARCH)
@takes(UPLOAD_BYTES)
def by_picture() -> Response:
    """What is like a picture file: the field `file` of a form."""
    file = request.files.get("file")
    content = b"" if file is None else file.read()
    if not content:
        raise FormError("Choose a picture first.", fields={"file": "choose a picture"})
    view = "centre" if request.form.get("view") == "centre" else "all"
    found = ask("search.by_picture", blob=content, timeout_s=_LOOK_S, view=view).result
    return jsonify(card(found))


@blueprint.post("/cameras/<camera>")
@permission(Permission.SEARCH)
def by_camera(camera: str) -> Response:
    """What is like what a camera shows now."""
    return jsonify(card(ask("search.by_camera", camera=camera, timeout_s=_LOOK_S).result))


@blueprint.get("/pictures/<picture>")
@permission(Permission.SEARCH)
def picture(picture: str) -> Response:
    """A picture of an item, as it is kept."""
    response = make_response(ask("catalogue.picture", picture=picture).blob)
    response.headers["Content-Type"] = "image/jpeg"
    return response


def _newest(around: Surroundings, secret: str, after: int | None, worded: Card) -> Generator[bytes]:
    """What is found from now on, and before that the newest there are, or what came after `after`."""
    number, first, wait_s = after or 0, after is None, 0.0
    yield f"retry: {int(_AGAIN_S * 1000)}\nevent: beat\ndata:\n\n".encode()
    while not around.stopping.is_set():
        asked = {"after": number, "limit": SHOWN, "wait_s": wait_s}
        try:
            told = around.desk.ask("search.newest", asked, credential=secret, timeout_s=_WAIT_S * 2).result
        except (PeerGoneError, StoreError, WireError):
            told = {"there": False}
        if not told["there"]:
            yield message("away", {}).encode()
            around.stopping.wait(_AGAIN_S)
            continue
        if told["number"] < number:  # it began anew, and counts from the beginning
            number, first, wait_s = 0, True, 0.0
            continue
        lines = [message("found", worded(each)) for each in reversed(told["found"])]
        if not first:
            lines += [
                message("found", worded(each))
                for each in told["last"].values()
                if not each["known"] and each["number"] > number
            ]
        number, first, wait_s = told["number"], False, _WAIT_S
        # The number comes last: a line that breaks in the middle is told again from its beginning.
        yield "".join((*lines, f"id: {number}\nevent: beat\ndata:\n\n")).encode()


def _cameras(state: dict[str, Any]) -> list[dict[str, Any]]:
    with suppress(ApplianceError):  # the page is whole without them
        return cameras_to_show(state)
    return []
