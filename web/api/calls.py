"""Calls of the API: an address becomes an operation, its answer JSON. Tokens count here, cookies do not.

Each address of the table is a view of its own, with the permission that its operation has, so that what holds
for pages holds for it.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import BadRequest, MethodNotAllowed, NotFound, UnsupportedMediaType
from werkzeug.routing import Map, Rule

from appliance.errors import FormError
from appliance.permissions import Permission
from web import cookies, faults
from web.access import credential, permission, public, tokens_only
from web.api.described import Described, operations
from web.api.document import document
from web.api.segments import whole
from web.api.table import ENDPOINTS, PREFIX, Endpoint
from web.requests import ORDINARY_BYTES, UPLOAD_BYTES, takes
from web.surroundings import surroundings

blueprint = Blueprint("api", __name__)

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_TRUE: Final = {"true": True, "1": True, "false": False, "0": False}
_ADDRESSES: Final = Map(
    [Rule(each.rule, methods=[each.method], endpoint=each.operation) for each in ENDPOINTS]
)

blueprint.register_error_handler(Exception, faults.problem)


@blueprint.before_app_request
def _slow_down() -> None:
    """Before anything is asked of the desk.

    Raises:
        ThrottledError: Too many bad tokens came from there.
    """
    if request.path.startswith(PREFIX) and (token := cookies.bearer()):
        surroundings().guesses.admit(request.remote_addr or "", token)


@blueprint.after_request
def _learn(response: Response) -> Response:
    """Remember whether the token was one."""
    token = cookies.bearer()
    if token and response.status_code == 401:  # noqa: PLR2004
        surroundings().guesses.bad(request.remote_addr or "", token)
    elif token and g.get("who") is not None:
        surroundings().guesses.good(token)
    return response


@blueprint.get(f"{PREFIX}/openapi.json")
@public
def openapi() -> Response:
    """What there is, as OpenAPI 3.1: the program's own description, with nothing of anybody in it."""
    return Response(json.dumps(document(), ensure_ascii=False), content_type="application/json")


@blueprint.route(f"{PREFIX}/<path:rest>", methods=_METHODS)
@public
def nothing(rest: str) -> Response:
    """An address or a method that there is not.

    Raises:
        MethodNotAllowed: There is such an address.
        NotFound: There is none.
    """
    del rest
    allowed = list(_ADDRESSES.bind("").allowed_methods(request.path))
    if allowed:
        raise MethodNotAllowed(valid_methods=allowed)
    raise NotFound


def _view(endpoint: Endpoint, described: Described) -> Callable[..., Response]:
    """The view of an address."""

    def call(**segments: str) -> Response:
        path = {name: whole(each) for name, each in segments.items()}
        arguments, blob = _told(endpoint, described)
        twice = sorted(path.keys() & arguments.keys())
        if twice:
            raise FormError(f"{twice[0]}: it stands in the address already", fields={twice[0]: "said twice"})
        answer = surroundings().desk.ask(
            endpoint.operation,
            {**arguments, **_typed(path, described)},
            credential=credential(),
            blob=blob,
            timeout_s=endpoint.slow_s,
        )
        if endpoint.media:
            return _bytes(endpoint, answer.blob)
        if answer.result is None:
            return Response(status=204)
        body = json.dumps(answer.result, ensure_ascii=False)
        response = Response(body, content_type="application/json")
        _link(response, endpoint, answer.result)
        return response

    call.__doc__ = endpoint.summary
    limited = takes(UPLOAD_BYTES if endpoint.uploads else endpoint.body_bytes or ORDINARY_BYTES)(call)
    return tokens_only(permission(Permission(described.permission))(limited))


def _told(endpoint: Endpoint, described: Described) -> tuple[dict[str, Any], bytes]:
    """The arguments outside of the address, and the file.

    Raises:
        FormError: A word of the query cannot be what it has to be.
        BadRequest: The body is no JSON object.
        UnsupportedMediaType: It says it is something else.
    """
    if endpoint.uploads:
        return _queried(described), _uploaded(endpoint.file)
    if endpoint.method == "GET":
        return _queried(described), b""
    if request.args:
        name = next(iter(request.args))
        raise FormError(f"{name}: it belongs into the body", fields={name: "not in the query"})
    if not request.get_data(cache=True):
        return {}, b""
    if not request.is_json:
        raise UnsupportedMediaType
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise BadRequest
    return body, b""


def _uploaded(kind: str) -> bytes:
    """The file, of that kind: the field `file` of a form of several parts, or the body itself."""
    if request.mimetype == "multipart/form-data":
        file = request.files.get("file")
        if file is None:
            raise FormError("file: it is missing", fields={"file": "missing"})
        content: bytes = file.read()
        return content
    if request.mimetype.startswith(f"{kind}/") or request.mimetype == "application/octet-stream":
        return request.get_data(cache=False)
    raise UnsupportedMediaType


def _queried(described: Described) -> dict[str, Any]:
    """The query with each word as what its argument is; a name that comes several times is a list."""
    told: dict[str, Any] = {}
    for name, words in request.args.lists():
        schema = described.properties.get(name, {})
        if "array" in _kinds(schema):
            told[name] = [_value(name, word, schema.get("items", {})) for word in words]
        elif len(words) > 1:
            raise FormError(f"{name}: said twice", fields={name: "said twice"})
        else:
            told[name] = _value(name, words[0], schema)
    return told


def _typed(path: Mapping[str, str], described: Described) -> dict[str, Any]:
    return {name: _value(name, word, described.properties.get(name, {})) for name, word in path.items()}


def _value(name: str, word: str, schema: Mapping[str, Any]) -> Any:
    """A word as what a schema says it is.

    Raises:
        FormError: It cannot be that.
    """
    kinds = _kinds(schema)
    try:
        if "integer" in kinds:
            return int(word)
        if "number" in kinds:
            return float(word)
        if "boolean" in kinds:
            return _TRUE[word.lower()]
    except (KeyError, ValueError):
        kind = next(each for each in ("integer", "number", "boolean") if each in kinds)
        raise FormError(f"{name}: it is no {kind}", fields={name: f"no {kind}"}) from None
    return word


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    """The JSON types that a schema allows."""
    inner = [schema, *schema.get("anyOf", ())]
    return {str(each["type"]) for each in inner if "type" in each}


def _bytes(endpoint: Endpoint, blob: bytes) -> Response:
    response = Response(blob, content_type=endpoint.media)
    response.headers["Content-Disposition"] = "attachment"
    return response


def _link(response: Response, endpoint: Endpoint, result: Any) -> None:
    """Where the next page is (RFC 8288), where there is one."""
    following = result.get("next") if isinstance(result, dict) else None
    if endpoint.cursor and following is not None:
        query = [(name, word) for name, word in request.args.items(multi=True) if name != endpoint.cursor]
        address = f"{request.path}?{urlencode([*query, (endpoint.cursor, following)])}"
        response.headers["Link"] = f'<{address}>; rel="next"'


def _install() -> None:
    known = operations()
    for each in ENDPOINTS:
        view = _view(each, known[each.operation])
        name = each.operation.replace(".", "_")
        blueprint.add_url_rule(each.rule, name, view, methods=[each.method], provide_automatic_options=False)


_install()
