"""The live view: what the cameras show, the doors' states, who is there and why. It decides nothing.

Pictures come as one answer of many parts, which an `<img>` shows as they come; what is seen in them comes
beside that as server-sent events. Both end with the session they began with.
"""

import json
import re
import threading
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, abort, current_app, jsonify, render_template, request

from appliance.errors import CameraLostError
from appliance.permissions import Permission
from web import static_files
from web.access import credential, permission
from web.asking import ask
from web.picture_parts import PictureParts
from web.static_files import StaticFiles
from web.streams import stream
from web.surroundings import surroundings
from web.views import Kind, Names, Shown, View

blueprint = Blueprint("live", __name__, url_prefix="/live")

_QUIET_S: Final = 5.0
"""A stream says something that often, even if there is nothing to say: so a gone reader is noticed."""
_FIRST_S: Final = 8.0
_TOLD_S: Final = 0.2
"""What is seen is told that often, at most."""
_CAMERA: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_KINDS: Final = ("project", "device")
_GONE: Final = "pictures/no-picture.jpg"
_MOST_NAMES: Final = 64


@blueprint.get("")
@permission(Permission.LIVE)
def index() -> str:
    """The page: one camera at a time."""
    cameras = ask("live.cameras").result["cameras"]
    wanted = request.args.get("camera", "")
    shown = next((each for each in cameras if each["id"] == wanted), cameras[0] if cameras else None)
    return render_template("live/index.html", cameras=cameras, shown=shown)


@blueprint.get("/<camera>/<kind>.mjpeg")
@permission(Permission.LIVE)
def pictures(camera: str, kind: str) -> Response:
    """A camera's pictures, one after the other, until the reader goes."""
    looking = _looking(camera, kind)
    parts = PictureParts()
    return stream(looking.pictures(parts), parts.kind, Permission.LIVE)


@blueprint.get("/<camera>/<kind>.jpg")
@permission(Permission.LIVE)
def picture(camera: str, kind: str) -> Response:
    """The newest picture of a camera alone."""
    looking = _looking(camera, kind)
    with looking.view.watching(looking.names):
        shown = looking.view.wait(0, _FIRST_S)
    if shown is None or not shown.jpeg:
        told = shown.told if shown is not None else {}
        raise CameraLostError(str(told.get("message", "no picture came")), hint=str(told.get("hint", "")))
    return Response(shown.jpeg, mimetype="image/jpeg")


@blueprint.get("/<camera>/<kind>/seen")
@permission(Permission.LIVE)
def seen(camera: str, kind: str) -> Response:
    """What is seen by a camera, as server-sent events: doors, faces, or that there is no picture."""
    return stream(_looking(camera, kind).seen(), "text/event-stream", Permission.LIVE)


@blueprint.get("/states")
@permission(Permission.LIVE)
def states() -> Response:
    """How each camera is, for pages that wait for one."""
    return jsonify(ask("live.cameras").result)


# ------------------------------------------------------------ streams


@dataclass(frozen=True, slots=True)
class _Looking:
    """Somebody who looks at a view; outlives the request that it began with.

    Attributes:
        view: At which.
        names: What to call people, on their behalf.
        stopping: Set when the server stops.
        gone: The picture that is shown where there is none.
    """

    view: View
    names: Names
    stopping: threading.Event
    gone: bytes

    def pictures(self, parts: PictureParts) -> Generator[bytes]:
        """Picture after picture, as parts of one answer.

        The last one is sent again when all is quiet, so that a reader who is gone is noticed.
        """
        last = self.gone
        yield parts.beginning
        with self.view.watching(self.names):
            for shown in self._news():
                last = last if shown is None else shown.jpeg or self.gone
                yield parts.part(last)
                if last is self.gone:
                    # Some show a part only once the next has begun, and after this one none does for a while.
                    yield parts.part(last)

    def seen(self) -> Generator[bytes]:
        """What is seen, as events, whenever it is something else."""
        last: Mapping[str, Any] = {}
        yield b"retry: 2000\n\n"
        with self.view.watching(self.names):
            for shown in self._news():
                if shown is None or _essence(shown.told) == _essence(last):
                    yield b"event: beat\ndata:\n\n"
                else:
                    last = shown.told
                    yield b"data: " + json.dumps(last, ensure_ascii=False).encode() + b"\n\n"
                self.stopping.wait(_TOLD_S)

    def _news(self) -> Iterator[Shown | None]:
        """All that the view shows from now on, as fast as it is taken; None when all is quiet for a while."""
        number = 0
        while not self.stopping.is_set():
            shown = self.view.wait(number, _QUIET_S)
            number = number if shown is None else shown.number
            yield shown


def _looking(camera: str, kind: str) -> _Looking:
    """Who sends this request, looking at a camera; 404 where there is none such."""
    if kind not in _KINDS or not _CAMERA.fullmatch(camera):
        abort(404)
    answer = ask("live.cameras").result
    if all(each["id"] != camera for each in answer["cameras"]):
        abort(404)
    files: StaticFiles = current_app.extensions[static_files.EXTENSION]
    around, secret = surroundings(), credential()

    def names(subjects: list[str]) -> Mapping[str, str]:
        asked = {"subjects": subjects[:_MOST_NAMES]}
        found: Mapping[str, str] = around.desk.ask(
            "live.names", asked, credential=secret, timeout_s=3.0
        ).result
        return found

    shown: Kind = "project" if kind == "project" else "device"
    view = around.views.view(camera, shown, named=answer["names"], everybody=answer["everybody"])
    return _Looking(view, names, around.stopping, files.files[_GONE].body)


def _essence(told: Mapping[str, Any]) -> Any:
    """What of it is worth being told: not the time, nor a fill that wavers."""
    doors = {
        name: (door["state"], round(door["fraction"], 2)) for name, door in told.get("doors", {}).items()
    }
    return told.get("state"), told.get("message"), doors, told.get("faces")
