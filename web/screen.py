"""The office screen: a page for a television that is paired once, and what it shows as it happens.

The page itself holds nothing of anybody and is shown to anyone, so that a television that is switched on
while the appliance restarts gets it all the same; what is on it comes over a stream for paired screens.
"""

import contextlib
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, current_app, jsonify, make_response, redirect, render_template, request
from flask import url_for as address_of
from werkzeug.wrappers import Response as AnyResponse

from appliance.clock import Clock
from appliance.errors import AccessError, ApplianceError, FormError
from appliance.permissions import Permission
from web import cookies, static_files
from web.access import credential, permission, public
from web.asking import ask
from web.desk import DeskCalls
from web.events_stream import BEAT_S, message
from web.feed import Batch
from web.songs import sound_response
from web.static_files import StaticFiles
from web.streams import stream
from web.surroundings import surroundings

blueprint = Blueprint("screen", __name__, url_prefix="/screen")

_AGAIN_MS: Final = 2000
"""How soon the browser tries again after the line broke."""
_DESK_S: Final = 3.0


@blueprint.get("")
@public
def show() -> Response:
    """The page. Its cookie is renewed, so that a screen stays paired for as long as it is used."""
    response = make_response(
        render_template("screen/screen.html", beat=_beat(surroundings().clock, _build()))
    )
    return _renewed(response)


@blueprint.get("/state")
@permission(Permission.SCREEN)
def state() -> Response:
    """What is to be seen now, for a screen whose stream does not come through."""
    now = ask("screen.now").result["state"]
    return _renewed(jsonify({"state": now, **_beat(surroundings().clock, _build())}))


@blueprint.get("/stream")
@permission(Permission.SCREEN)
def follow() -> Response:
    """What is to be seen now, and whenever it is something else; with the time and the version in between."""
    around, secret = surroundings(), credential()
    now = ask("screen.now").result
    heard = around.feed.listen(secret, operation="screen.wait", after=int(now["position"]), every_s=BEAT_S)
    told = _told(heard, _Told(around.desk, secret, around.clock, _build()), now["state"])
    return stream(told, "text/event-stream", Permission.SCREEN)


@blueprint.get("/songs/<key>")
@permission(Permission.SCREEN)
def song(key: str) -> Response:
    """A song that is told to screens just now, by its key."""
    return sound_response(ask("screen.song", key=key))


@blueprint.post("/songs/stop")
@permission(Permission.SCREEN)
def stop_songs() -> Response:
    """Silence, for whoever stands before the screen."""
    return jsonify(ask("screen.stop_songs").result)


@blueprint.get("/pair")
@public
def pair() -> str:
    """The form for a code. A link's stands in the fragment, which no server sees, and is sent by itself."""
    return render_template("screen/pair.html", error=None, code="", gone="gone" in request.args)


@blueprint.post("/pair")
@public
def paired() -> AnyResponse:
    """Take a code for the screen's cookie."""
    code = request.form.get("code", "").strip()
    try:
        made = ask("screens.pair", code=code, client=request.remote_addr or "").result
    except (AccessError, FormError) as error:
        text = render_template("screen/pair.html", error=error, code=code, gone=False)
        return make_response(text, 422)
    response = redirect(address_of("screen.show"), code=303)
    cookies.set_screen(response, made["secret"])
    return response


@dataclass(frozen=True, slots=True)
class _Told:
    """What a stream is made from; outlives the request that it began with.

    Attributes:
        desk: Is asked.
        secret: Of the screen.
        clock: The box's.
        build: Which version of the page there is.
    """

    desk: DeskCalls
    secret: str
    clock: Clock
    build: str

    def beat(self, state: Any) -> bytes:
        """The time and the version, and what is to be seen."""
        return f"{message('beat', _beat(self.clock, self.build))}{message('state', state)}".encode()

    def again(self) -> bytes:
        """The same after a while in which nothing happened; nothing if the desk cannot be asked just now.

        A screen whose appliance says nothing says so: that this process still runs is not enough.

        Raises:
            AccessError: It is no screen any more.
        """
        try:
            now = self.desk.ask("screen.now", {}, credential=self.secret, timeout_s=_DESK_S).result
        except AccessError:
            raise
        except ApplianceError:
            return b""
        return self.beat(now["state"])


def _told(heard: Generator[Batch | None], told: _Told, now: Any) -> Generator[bytes]:
    """The lines of the stream; closing it closes what is heard."""
    with contextlib.closing(heard), contextlib.suppress(AccessError):
        yield f"retry: {_AGAIN_MS}\n".encode() + told.beat(now)
        for batch in heard:
            if batch is None:
                yield told.again()
            elif batch[1]:
                # Each event holds all that is to be seen, so the last one is enough.
                yield told.beat(batch[1][-1]["state"])


def _beat(clock: Clock, build: str) -> dict[str, str]:
    """The time on the box's own clock, with its distance from UTC, and which version of the page there is."""
    return {"at": clock.wall().astimezone().isoformat(timespec="milliseconds"), "build": build}


def _build() -> str:
    ours: StaticFiles = current_app.extensions[static_files.EXTENSION]
    return ours.build


def _renewed(response: Response) -> Response:
    secret = request.cookies.get(cookies.SCREEN, "")
    if secret:
        cookies.set_screen(response, secret)
    return response
