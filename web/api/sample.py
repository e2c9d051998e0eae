"""The paths of the DeepLens sample's web application, so that what was written for that may ask the box.

`matches` answers what was found last; `user/auth` says whether a token is one; `directory` lists the
catalogue in the sample's words. Where the sample answered the text of a Python value, and an error
while there was nothing, this answers JSON, as many as are asked for, and an empty list. The sample wants an
envelope whose `body` is JSON as text; it is there beside the values themselves.
"""

import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest

from appliance.errors import FormError, NotSignedInError, UnknownItemError
from appliance.permissions import Permission
from web import faults
from web.access import check, permission, public, tokens_only
from web.api.table import PREFIX
from web.asking import ask
from web.surroundings import surroundings

blueprint = Blueprint("sample", __name__, url_prefix=f"{PREFIX}/search")
blueprint.register_error_handler(Exception, faults.problem)

_APP: Final = "check-search-results"
"""What the sample's application calls its question; it shows pictures without a token, so it gets them."""
_MOST: Final = 50
_PAGE: Final = 100


@blueprint.post("/matches")
@tokens_only
@permission(Permission.SEARCH)
def matches() -> Response:
    """What was found last, the best first: `{matches: [{id, title, url, link, price, score}]}`.

    The body may say `limit`, how many matches, for which older look-ups are gone through as well, and
    `reader`, a name to which each look-up is told once.
    """
    given = _given()
    limit, reader = _limit(given), given.get("reader", "")
    found = ask("search.newest", limit=1 if limit is None or reader else limit, reader=reader).result["found"]
    every = [match for each in found for match in each["matches"]]
    while reader and found and limit is not None and len(every) < limit:
        found = ask("search.newest", limit=1, reader=reader).result["found"]
        every += [match for each in found for match in each["matches"]]
    whole = given.get("ApiCallType") == _APP
    told = []
    for each in every[:limit]:
        with suppress(UnknownItemError):  # removed just now
            told.append(_match(each, whole=whole))
    return _enveloped({"matches": told})


@blueprint.post("/directory")
@tokens_only
@permission(Permission.SEARCH)
def directory() -> Response:
    """A page of the items: `{items: [{id, title, url, link, price, notes}], next}`.

    The body may say `limit`, and `after`, the `next` of the page before.
    """
    given = _given()
    limit, after = _limit(given), given.get("after")
    page = ask("catalogue.items", limit=limit or _PAGE, after=after, oldest_first=True).result
    items = [
        {
            "id": each["item"],
            "title": each["title"],
            "url": _address(each["pictures"][0]["picture"]) if each["pictures"] else "",
            **{name: each[name] for name in ("link", "price", "notes")},
        }
        for each in page["items"]
    ]
    return _enveloped({"items": items, "next": page["next"]})


@blueprint.post("/user/auth")
@tokens_only
@public
def auth() -> Response:
    """Whether the password is a token that may search: `{token, securityLevel}`, as the sample has it.

    No password of a person is taken here: the name is passed over, and the token is answered as it came.

    Raises:
        NotSignedInError: It is none.
        ThrottledError: Too many that came from there were none.
    """
    secret = _given().get("password")
    if not isinstance(secret, str) or not secret.isascii() or not 0 < len(secret) <= 200:  # noqa: PLR2004 - no token is longer
        raise FormError("password: a token of this box", fields={"password": "a token of this box"})
    client = request.remote_addr or ""
    surroundings().guesses.admit(client, secret)
    who = check(secret)
    if who is None or who.kind != "token" or not who.may(Permission.SEARCH):
        surroundings().guesses.bad(client, secret)
        raise NotSignedInError("that is no token of this box that may search", hint="an admin makes one")
    surroundings().guesses.good(secret)
    return _json({"token": secret, "securityLevel": 1})


def _given() -> Mapping[str, Any]:
    """The body: nothing, or a JSON object of whatever type it says it is.

    Raises:
        BadRequest: It is something else.
    """
    if not request.get_data(cache=True):
        return {}
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise BadRequest
    return body


def _limit(given: Mapping[str, Any]) -> int | None:
    limit = given.get("limit")
    if limit is None or (isinstance(limit, int) and not isinstance(limit, bool) and 1 <= limit <= _MOST):
        return limit
    words = f"a whole number from 1 to {_MOST}"
    raise FormError(f"limit: {words}", fields={"limit": words})


def _match(match: Mapping[str, Any], *, whole: bool) -> dict[str, Any]:
    return {
        "id": match["item"],
        "title": match["title"],
        "url": _inline(match["picture"]) if whole else _address(match["picture"]),
        "link": match["link"],
        "price": match["price"],
        "score": match["score"],
    }


def _address(picture: str) -> str:
    return f"{request.host_url.rstrip('/')}{PREFIX}/catalogue/pictures/{picture}"


def _inline(picture: str) -> str:
    jpeg = ask("catalogue.picture", picture=picture).blob
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"


def _enveloped(told: Mapping[str, Any]) -> Response:
    """The values, and as the sample's gateway had them.

    Its application makes double quotes of single ones first: in `body` an apostrophe is its number.
    """
    body = json.dumps(told).replace("'", "\\u0027")
    return _json({"statusCode": 200, "headers": {"Content-type": "application/json"}, "body": body, **told})


def _json(told: Mapping[str, Any]) -> Response:
    return Response(json.dumps(told, ensure_ascii=False), content_type="application/json")
