"""The web application: put together from its parts, and refused when a view says not who may call it."""

import secrets
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

from flask import Flask, Response, request

from appliance.clock import Clock, SystemClock
from web import access, cookies, faults, forms, headers, packing, requests, static_files, words
from web.api.segments import apart
from web.desk import DeskCalls
from web.feed import Feed
from web.guesses import Guesses
from web.seats import Seats
from web.shown_once import ShownOnce
from web.subjects import SUBJECTS
from web.surroundings import EXTENSION, Surroundings, surroundings
from web.views import Views


def create_app(
    desk: DeskCalls,
    *,
    run: Path | None = None,
    names: Collection[str] = (),
    strict: bool = False,
    host: str = "127.0.0.1",
    proxied: bool = False,
    clock: Clock | None = None,
    stopping: threading.Event | None = None,
    assembled: Flask | None = None,
) -> Flask:
    """The application.

    Args:
        desk: Carries out operations.
        run: The folder of our processes' sockets, for streams; None where there are none.
        names: Names besides the machine's own under which it is reached.
        strict: Browsers shall never come without TLS again. Not with a certificate made on this box: one
            that was made anew could then not be accepted by hand.
        host: What is listened at, for links that are opened elsewhere.
        proxied: A proxy stands before it.
        clock: The clocks; those of this machine by default.
        stopping: Set when the server stops.
        assembled: Its pages, where they were put together before.

    Raises:
        ValueError: A view declares neither a permission nor that it is public.
    """
    clock, stopping = clock or SystemClock(), stopping or threading.Event()
    app = assembled or assemble()
    app.extensions[EXTENSION] = Surroundings(
        desk=desk,
        feed=Feed(desk, stopping),
        seats=Seats(),
        run=run,
        clock=clock,
        stopping=stopping,
        views=Views(run, stopping),
        shown_once=ShownOnce(clock),
        guesses=Guesses(),
        host=host,
        names=tuple(names),
        proxied=proxied,
        strict=strict,
    )
    app.wsgi_app = cast("Any", apart(app.wsgi_app))  # type: ignore[method-assign]
    return app


def assemble() -> Flask:
    """The pages, and what every request is checked for; nothing lies around them yet.

    Raises:
        ValueError: A view declares neither a permission nor that it is public.
    """
    app = Flask(__name__, static_folder=None)
    app.request_class = requests.Request
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),  # signs notices between two pages; a restart loses those
        SESSION_COOKIE_NAME="__Host-notices",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        TRAP_HTTP_EXCEPTIONS=False,
        PROPAGATE_EXCEPTIONS=False,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions[static_files.EXTENSION] = static_files.StaticFiles.read()
    faults.install(app)
    words.install(app)
    for blueprint in (static_files.blueprint, *SUBJECTS):
        app.register_blueprint(blueprint)
    app.before_request(_check)
    app.after_request(_finish)
    check_declared(app)
    return app


def _check() -> None:
    """Host, size, who, from where; in this order."""
    if not requests.is_ours(request.host, requests.own_names().union(map(str.lower, surroundings().names))):
        raise requests.MisdirectedError
    requests.limit()
    access.admit()
    forms.guard()


def _finish(response: Response) -> Response:
    """Headers, the form cookie, gzip."""
    cookies.keep_form_anchor(response)
    return packing.pack(headers.secure(response, strict=surroundings().strict))


def check_declared(app: Flask) -> None:
    """Refuse an application with a view that says not who may call it.

    Raises:
        ValueError: There is one.
    """
    silent = access.undeclared(app)
    if silent:
        raise ValueError(f"views without @permission or @public: {', '.join(silent)}")
