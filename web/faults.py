"""What goes wrong, told in the voice of who asks, and never with a traceback or what was sent.

A person is shown a page in words; a script of ours gets JSON; a program at the API `application/problem+json`
(RFC 9457). What is told is decided once, in `told_of`: every error of ours has a status here, and one that is
not ours is logged by its kind and its place.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import urlencode

import structlog
from flask import Flask, Response, g, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from appliance.errors import (
    ApplianceError,
    CameraError,
    DeniedError,
    EnrolmentError,
    FormError,
    InputError,
    ModelError,
    NotSignedInError,
    PeerGoneError,
    SearchError,
    SettingsError,
    ThrottledError,
    UnknownAccountError,
    UnknownCaptureError,
    UnknownClipError,
    UnknownDeliveryError,
    UnknownEventError,
    UnknownFunctionError,
    UnknownItemError,
    UnknownRuleError,
    UnknownSongError,
    UnknownSubjectError,
    VideoError,
)

_log = structlog.get_logger()

PROBLEM: Final = "application/problem+json"

_STATUS: Final[tuple[tuple[type[ApplianceError], int], ...]] = (
    (NotSignedInError, 401),
    (DeniedError, 403),
    (UnknownSubjectError, 404),
    (UnknownAccountError, 404),
    (UnknownCaptureError, 404),
    (UnknownEventError, 404),
    (UnknownRuleError, 404),
    (UnknownDeliveryError, 404),
    (UnknownSongError, 404),
    (UnknownFunctionError, 404),
    (UnknownItemError, 404),
    (UnknownClipError, 404),
    (InputError, 422),
    (EnrolmentError, 422),
    (SettingsError, 422),
    (VideoError, 422),
    (ThrottledError, 429),
    (CameraError, 503),
    (ModelError, 503),
    (SearchError, 503),
    (PeerGoneError, 503),
)


class _Words(NamedTuple):
    """What a status means here: on a page, as a title and what to do; for programs, in one line."""

    title: str
    words: str
    program: str


_WORDS: Final[Mapping[int, _Words]] = {
    400: _Words(
        "That did not arrive whole",
        "It could not be understood. Load the page anew and try again.",
        "Not understood",
    ),
    401: _Words("Who is it?", "Sign in first.", "No token, or none that is good"),
    403: _Words(
        "Not for your role", "You are signed in, but this needs an admin.", "This token may not do that"
    ),
    404: _Words("Nothing here", "There is no such page, or what it showed was removed.", "Nothing here"),
    405: _Words("Not like that", "This address answers another kind of request.", "Not with this method"),
    411: _Words(
        "How much is it?", "What is sent here has to say its length first.", "The length has to be said"
    ),
    413: _Words("Too large", "What was sent is larger than this page takes.", "Too large"),
    415: _Words("Not in this format", "What was sent is something else than is taken.", "Not in this format"),
    421: _Words(
        "Wrong name", "The box is not called that. Use its address as shown when it started.", "Wrong name"
    ),
    422: _Words("That cannot be taken", "Something that was filled in does not fit.", "That cannot be taken"),
    429: _Words("Too many tries", "Wait a moment, then try again.", "Too many tries"),
    500: _Words(
        "Something went wrong",
        "The fault was noted in the diagnostics. Nothing else stopped.",
        "Something went wrong",
    ),
    503: _Words(
        "One moment",
        "The part that answers is restarting. The door is watched and logged as always.",
        "Not just now",
    ),
}
PROGRAM_TITLES: Final[Mapping[int, str]] = {status: each.program for status, each in _WORDS.items()}
"""What each status means at the API."""
_OURS: Final = 500
"""The one that is nobody's mistake but ours; it helps nobody in its own words."""
_SOON_S: Final = 3


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of an error, in whatever voice.

    Attributes:
        status: HTTP's.
        code: For programs and scripts; stable.
        message: What is wrong; empty: the status says it all.
        hint: What to do.
        fields: What is wrong with which field of a form, or argument.
        headers: That go with it.
    """

    status: int
    code: str
    message: str = ""
    hint: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> _Words:
        """What its status means."""
        return _WORDS.get(self.status, _WORDS[400])


def install(app: Flask) -> None:
    """Have an application answer faults, as pages and to scripts."""
    app.register_error_handler(Exception, _answer)


def told_of(error: Exception) -> Told:
    """What is told of an error; what is our own fault is logged."""
    if isinstance(error, HTTPException):
        allowed = error.get_response().headers.get("Allow")
        headers = {"Allow": allowed} if allowed else {}
        return Told(error.code or _OURS, code_of(error.name), headers=headers)
    if not isinstance(error, ApplianceError):
        _log.error(
            "request_broke", error=type(error).__name__, place=_place(error), endpoint=request.endpoint
        )
        return Told(_OURS, "internal")
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), _OURS)
    if status == _OURS:
        _log.error("request_failed", error=type(error).__name__, endpoint=request.endpoint)
        return Told(_OURS, "internal")
    if isinstance(error, PeerGoneError):  # who of us is away, and where, is a matter of our own
        return Told(status, "away", headers={"Retry-After": str(_SOON_S)})
    headers = {}
    if isinstance(error, NotSignedInError):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, ThrottledError):
        headers["Retry-After"] = str(max(1, math.ceil(error.wait_s)))
    fields = dict(error.fields) if isinstance(error, FormError) else {}
    return Told(status, code_of(type(error).__name__), error.message, error.hint, fields, headers)


def for_scripts() -> bool:
    """Whether who asks wants JSON."""
    accepted = request.accept_mimetypes
    return request.path.startswith("/api/") or (
        accepted.best in {"application/json", "text/event-stream"} and not accepted.accept_html
    )


def problem(error: Exception) -> Response:
    """An error as programs at the API are told it: `type` leads to the part of the human page about it."""
    told = told_of(error)
    title = PROGRAM_TITLES.get(told.status, "Refused")
    body = {
        "type": f"/api#status-{told.status}",
        "title": title,
        "status": told.status,
        "detail": told.message or (told.words.words if told.status >= _OURS else title),
        "code": told.code,
        **({"hint": told.hint} if told.hint else {}),
        **({"fields": dict(told.fields)} if told.fields else {}),
    }
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, told.status, headers=dict(told.headers), content_type=PROBLEM)


def code_of(name: str) -> str:
    """`NotSignedInError` → `not_signed_in`."""
    name = name.removesuffix("Error").replace(" ", "")
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def _answer(error: Exception) -> AnyResponse:
    if isinstance(error, HTTPException) and (error.code is None or error.code < 400):  # noqa: PLR2004
        return error.get_response()  # a redirect is no fault
    told = told_of(error)
    if for_scripts():
        return _json(told)
    if isinstance(error, NotSignedInError):
        return _to_sign_in()
    return _page(told)


def _json(told: Told) -> Response:
    response = jsonify(
        error={
            "code": told.code,
            "message": told.message or told.words.title,
            "hint": told.hint if told.message else told.words.words,
            **({"fields": dict(told.fields)} if told.fields else {}),
        }
    )
    response.status_code = told.status
    response.headers.extend(told.headers)
    return response


def _page(told: Told) -> Response:
    ours = g.get("not_for_role") or not told.message
    title, words = told.words.title, told.words.words if ours else told.message
    if g.get("stale_form"):
        title, words = "The page was too old", "Nothing was changed. Load the page anew and try again."
    calm = told.status == 503  # noqa: PLR2004 - it is tried again by itself
    hint = "" if ours or g.get("stale_form") else told.hint
    text = render_template("fault.html", status=told.status, title=title, words=words, hint=hint, calm=calm)
    response = make_response(text, told.status)
    response.headers.extend(told.headers)
    return response


def _to_sign_in() -> AnyResponse:
    """To the sign-in page, and back afterwards; only a page that can be fetched again is gone back to."""
    back = request.full_path.rstrip("?") if request.method == "GET" else ""
    query = f"?{urlencode({'next': back})}" if back and back != "/" else ""
    return redirect(url_for("accounts.sign_in") + query, code=303)


def _place(error: Exception) -> str:
    """The module and line in which it was raised."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return "" if last is None else f"{last.tb_frame.f_globals.get('__name__')}:{last.tb_lineno}"
