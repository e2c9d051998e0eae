"""What goes wrong in a call, as `application/problem+json` (RFC 9457) with our own fields beside its own.

`type` leads to the part of the human page that explains it; `code` names it for programs; `hint` says what to
do; `fields` says what is wrong with which argument. Never a traceback, never what was sent.
"""

import json
from typing import Any, Final

import structlog
from flask import Response, request
from werkzeug.exceptions import HTTPException

from appliance.errors import ApplianceError, FormError, PeerGoneError, ThrottledError
from web.faults import code_of, status_of

_log = structlog.get_logger()

MEDIA: Final = "application/problem+json"
TITLES: Final = {
    400: "Not understood",
    401: "No token, or none that is good",
    403: "This token may not do that",
    404: "Nothing here",
    405: "Not with this method",
    411: "The length has to be said",
    413: "Too large",
    415: "Not in this format",
    422: "That cannot be taken",
    429: "Too many tries",
    500: "Something went wrong",
    503: "Not just now",
}
"""What each status means here, in words."""
_SOON_S: Final = 3


def of_ours(error: ApplianceError) -> Response:
    """Of an error of ours."""
    status = status_of(error)
    if status == 500:  # noqa: PLR2004 - nobody's mistake but ours
        _log.error("call_failed", error=type(error).__name__, endpoint=request.endpoint)
        return problem(500, "internal", "the fault was noted in the diagnostics")
    if isinstance(error, PeerGoneError):  # who is away is a matter of our own
        response = problem(status, "away", "the part that answers is restarting", hint="try again soon")
        response.headers["Retry-After"] = str(_SOON_S)
        return response
    more: dict[str, Any] = {"hint": error.hint} if error.hint else {}
    if isinstance(error, FormError):
        more["fields"] = dict(error.fields)
    response = problem(status, code_of(type(error).__name__), error.message, **more)
    if status == 401:  # noqa: PLR2004 - the one that names a scheme
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, ThrottledError):
        response.headers["Retry-After"] = str(max(1, round(error.wait_s)))
    return response


def of_http(error: HTTPException) -> Response:
    """Of what Flask refuses by itself."""
    status = error.code or 500
    response = problem(status, code_of(error.name), TITLES.get(status, error.name))
    allowed = error.get_response().headers.get("Allow")
    if allowed:
        response.headers["Allow"] = allowed
    return response


def of_anything(error: Exception) -> Response:
    """Of a fault of ours that nobody reckoned with."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = "" if last is None else f"{last.tb_frame.f_globals.get('__name__')}:{last.tb_lineno}"
    _log.error("call_broke", error=type(error).__name__, place=place, endpoint=request.endpoint)
    return problem(500, "internal", "the fault was noted in the diagnostics")


def problem(status: int, code: str, detail: str, **more: Any) -> Response:
    """A problem.

    Args:
        status: HTTP's.
        code: For programs; stable.
        detail: In words.
        more: Fields of ours.
    """
    body = {
        "type": f"/api#status-{status}",
        "title": TITLES.get(status, "Refused"),
        "status": status,
        "detail": detail,
        "code": code,
        **more,
    }
    return Response(json.dumps(body, ensure_ascii=False), status, content_type=MEDIA)
