"""What goes wrong, told: a page in words for people, JSON for the API, and never a traceback.

Every error of ours has a status here; one that is not ours is logged by its kind and its place.
"""

from collections.abc import Mapping
from typing import Any, Final
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
    NotSignedInError,
    PeerGoneError,
    SettingsError,
    ThrottledError,
    UnknownAccountError,
    UnknownCaptureError,
    UnknownEventError,
    UnknownSubjectError,
)

_log = structlog.get_logger()

_STATUS: Final[tuple[tuple[type[ApplianceError], int], ...]] = (
    (NotSignedInError, 401),
    (DeniedError, 403),
    (UnknownSubjectError, 404),
    (UnknownAccountError, 404),
    (UnknownCaptureError, 404),
    (UnknownEventError, 404),
    (InputError, 422),
    (EnrolmentError, 422),
    (SettingsError, 422),
    (ThrottledError, 429),
    (CameraError, 503),
    (PeerGoneError, 503),
)

_WORDS: Final[Mapping[int, tuple[str, str]]] = {
    400: (
        "That did not arrive whole",
        "It could not be understood. Load the page anew and try again.",
    ),
    403: ("Not for your role", "You are signed in, but this needs an admin."),
    404: ("Nothing here", "There is no such page, or what it showed was removed."),
    405: ("Not like that", "This address answers another kind of request."),
    411: ("How much is it?", "What is sent here has to say its length first."),
    413: ("Too large", "What was sent is larger than this page takes."),
    421: ("Wrong name", "The box is not called that. Use its address as shown when it started."),
    422: ("That cannot be taken", "Something that was filled in does not fit."),
    429: ("Too many tries", "Wait a moment, then try again."),
    500: ("Something went wrong", "The fault was noted in the diagnostics. Nothing else stopped."),
    503: (
        "One moment",
        "The part that answers is restarting. The door is watched and logged as always.",
    ),
}


def status_of(error: ApplianceError) -> int:
    """The HTTP status that says what an error says."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def for_api() -> bool:
    """Whether who asks wants JSON: the API's addresses, and scripts that say so."""
    accepted = request.accept_mimetypes
    return request.path.startswith("/api/") or (
        accepted.best in {"application/json", "text/event-stream"} and not accepted.accept_html
    )


def install(app: Flask) -> None:
    """Have an application answer faults this way."""
    app.register_error_handler(ApplianceError, _ours)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _foreign)


def _ours(error: ApplianceError) -> AnyResponse:
    status = status_of(error)
    if status == 500:  # noqa: PLR2004 - the one that is nobody's mistake but ours
        _log.error("request_failed", error=type(error).__name__, endpoint=request.endpoint)
    if for_api():
        return _json(status, error)
    if isinstance(error, NotSignedInError):
        return _to_sign_in()
    away = isinstance(error, PeerGoneError)  # who is away is a matter of our own, said in general words
    response = _page(status, "" if away else error.message, "" if away else error.hint)
    return _waiting(response, error)


def _http(error: HTTPException) -> AnyResponse:
    if error.code is None or error.code < 400:  # noqa: PLR2004 - a redirect is no fault
        return error.get_response()
    if for_api():
        title, words = _WORDS.get(error.code, _WORDS[400])
        response = jsonify(error={"code": code_of(error.name), "message": title, "hint": words})
        response.status_code = error.code
    else:
        response = _page(error.code)
    allowed = error.get_response().headers.get("Allow")
    if allowed:
        response.headers["Allow"] = allowed
    return response


def _foreign(error: Exception) -> AnyResponse:
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = "" if last is None else f"{last.tb_frame.f_globals.get('__name__')}:{last.tb_lineno}"
    _log.error("request_broke", error=type(error).__name__, place=place, endpoint=request.endpoint)
    if for_api():
        title, words = _WORDS[500]
        response = jsonify(error={"code": "internal", "message": title, "hint": words})
        response.status_code = 500
        return response
    return _page(500)


def _json(status: int, error: ApplianceError) -> Response:
    body: dict[str, Any] = {
        "code": code_of(type(error).__name__),
        "message": error.message,
        "hint": error.hint,
    }
    if isinstance(error, FormError):
        body["fields"] = dict(error.fields)
    response = jsonify(error=body)
    response.status_code = status
    if status == 401:  # noqa: PLR2004 - the one that names a scheme
        response.headers["WWW-Authenticate"] = "Bearer"
    return _waiting(response, error)


def _waiting(response: Response, error: ApplianceError) -> Response:
    if isinstance(error, ThrottledError):
        response.headers["Retry-After"] = str(max(1, round(error.wait_s)))
    if isinstance(error, PeerGoneError):
        response.headers["Retry-After"] = "3"
    return response


def _to_sign_in() -> AnyResponse:
    """To the sign-in page, and back afterwards; only a page that can be fetched again is gone back to."""
    back = request.full_path.rstrip("?") if request.method == "GET" else ""
    query = f"?{urlencode({'next': back})}" if back and back != "/" else ""
    return redirect(url_for("accounts.sign_in") + query, code=303)


def _page(status: int, message: str = "", hint: str = "") -> Response:
    title, words = _WORDS.get(status, _WORDS[400])
    if g.get("stale_form"):
        title, words = (
            "The page was too old",
            "Nothing was changed. Load the page anew and try again.",
        )
        message = hint = ""
    if status == 500 or not message:  # noqa: PLR2004 - what is our own fault helps nobody in its own words
        message = hint = ""
    text = render_template(
        "fault.html",
        status=status,
        title=title,
        words=message or words,
        hint=hint,
        calm=status == 503,  # noqa: PLR2004
    )
    return make_response(text, status)


def code_of(name: str) -> str:
    """`NotSignedInError` → `not_signed_in`."""
    name = name.removesuffix("Error").replace(" ", "")
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
