"""The API described, from its table: as OpenAPI 3.1 for programs, in groups with examples for people."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from web.api.described import Described, operations
from web.api.table import ENDPOINTS, PREFIX, Endpoint
from web.faults import PROBLEM, PROGRAM_TITLES

VERSION: Final = "1"
_TAGS: Final = {
    "people": ("People", "Who is enrolled, what they agreed to, and how well they are recognised."),
    "enrol": ("Enrolling", "Begin, add pictures and hear what is wrong with each, then commit."),
    "live": ("Watching", "Cameras, and who is seen."),
    "log": ("The log", "Who came by, why the box says so, and what it really was."),
    "feed": ("The log", ""),
    "moments": ("Moments", "What was seen when, found again and counted."),
    "clips": ("Clips", "Video of what happened: which there is, and how it goes."),
    "rules": ("Rules", "What is done when something happens, and what became of it."),
    "groups": ("Rules", ""),
    "functions": ("DeepLens", "Functions written for AWS DeepLens, hosted here."),
    "search": ("Visual search", "What is like a picture or what a camera shows, and the catalogue of it."),
    "catalogue": ("Visual search", ""),
    "outbox": ("Rules", ""),
    "coffee": ("Coffee", "Who leads, and whose each cup was."),
    "songs": ("Songs", "What is played, for whom, and how loud."),
    "captures": ("Sealed pictures", "Of strangers; they open with a private key that the box never has."),
    "recipients": ("Sealed pictures", ""),
    "cameras": ("Setting up", "Cameras, doors, settings and the machine."),
    "doors": ("Setting up", ""),
    "mqtt": ("Setting up", ""),
    "webhooks": ("Setting up", ""),
    "settings": ("Setting up", ""),
    "system": ("Setting up", ""),
}
"""By subject of the operation: the group it is shown in, and what that is about."""
_FILES: Final = {"audio/mpeg": "song.mp3", "image/jpeg": "picture.jpg"}
"""What is answered instead of JSON → what a file of it is called in an example."""
_COMMON: Final = (401, 403, 422, 429, 500, 503)
_BY_CURSOR: Final = "At most so many; the header Link and the field next lead to the page after."


@dataclass(frozen=True, slots=True)
class Shown:
    """An address for people.

    Attributes:
        method: GET or POST.
        path: With its prefix.
        summary: What it does.
        scope: That a token needs.
        words: More about it; may be empty.
        arguments: Name, kind in words, whether it has to be there.
        example: Of the arguments behind `curl`, to be shown with the address of the box.
    """

    method: str
    path: str
    summary: str
    scope: str
    words: str
    arguments: tuple[tuple[str, str, bool], ...]
    example: str


@cache
def document() -> Mapping[str, Any]:
    """The whole description."""
    paths: dict[str, dict[str, Any]] = {}
    known = operations()
    for each in ENDPOINTS:
        paths.setdefault(PREFIX + each.path, {})[each.method.lower()] = _operation(
            each, known[each.operation]
        )
    tags = {title: about for title, about in _TAGS.values() if about}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Office door appliance",
            "version": VERSION,
            "description": "What the admin pages can do, for programs. A token is made on the page Screens "
            "and programs; it may do what its scopes say, and every call is in the log under its id.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": title, "description": about} for title, about in tags.items()],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of the API; the scopes are named with each operation.",
                }
            },
            "schemas": {"Problem": _problem()},
            "responses": {str(status): _refusal(title) for status, title in PROGRAM_TITLES.items()},
        },
    }


@cache
def groups() -> tuple[tuple[str, str, tuple[Shown, ...]], ...]:
    """Title, what it is about, and its addresses, for people."""
    found: dict[str, list[Shown]] = {}
    known = operations()
    for each in ENDPOINTS:
        found.setdefault(_tag(each), []).append(_shown(each, known[each.operation]))
    about = {title: words for title, words in _TAGS.values() if words}
    return tuple((title, about[title], tuple(shown)) for title, shown in found.items())


def _operation(endpoint: Endpoint, described: Described) -> dict[str, Any]:
    in_path = _in_path(endpoint)
    in_query = endpoint.method == "GET" or endpoint.uploads
    told: dict[str, Any] = {
        "operationId": endpoint.operation.replace(".", "_"),
        "summary": endpoint.summary,
        "tags": [_tag(endpoint)],
        "security": [{"token": [described.permission]}],
        "x-operation": endpoint.operation,
        "parameters": [
            {
                "name": name,
                "in": "path" if name in in_path else "query",
                "required": name in in_path or name in described.required,
                "schema": schema,
                **({"description": _BY_CURSOR} if name == "limit" and endpoint.cursor else {}),
            }
            for name, schema in described.properties.items()
            if name in in_path or in_query
        ],
        "responses": {
            "200": _answer(endpoint),
            "204": {"description": "Done; there is nothing to tell."},
            **{
                str(status): {"$ref": f"#/components/responses/{status}"}
                for status in (
                    *_COMMON,
                    *((404,) if in_path else ()),
                    *((413, 415) if endpoint.uploads else ()),
                )
            },
        },
    }
    if described.words:
        told["description"] = described.words
    if endpoint.uploads:
        told["requestBody"] = _upload(endpoint)
    elif not in_query:
        told["requestBody"] = _body(described, in_path)
    return told


def _body(described: Described, in_path: frozenset[str]) -> dict[str, Any]:
    properties = {name: each for name, each in described.properties.items() if name not in in_path}
    required = sorted(described.required - in_path)
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = required
    return {"required": bool(required), "content": {"application/json": {"schema": schema}}}


def _upload(endpoint: Endpoint) -> dict[str, Any]:
    file = {"type": "string", "format": "binary"}
    form = {"type": "object", "properties": {"file": file}, "required": ["file"]}
    words = "A picture of 25 MiB" if endpoint.file == "image" else "A sound file of 20 MiB"
    return {
        "required": True,
        "description": f"{words} at most: as it is, or as the field file of a form.",
        "content": {
            f"{endpoint.file}/*": {"schema": file},
            "application/octet-stream": {"schema": file},
            "multipart/form-data": {"schema": form},
        },
    }


def _answer(endpoint: Endpoint) -> dict[str, Any]:
    content: dict[str, Any] = {endpoint.media: {}} if endpoint.media else {"application/json": {"schema": {}}}
    told: dict[str, Any] = {"description": "Done.", "content": content}
    if endpoint.cursor:
        told["headers"] = {
            "Link": {"description": 'The next page, rel="next".', "schema": {"type": "string"}}
        }
    return told


def _problem() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "description": "A problem of RFC 9457, with fields of ours.",
        "properties": {
            "type": {**text, "format": "uri-reference"},
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "code": {**text, "description": "Names the problem for programs; stable."},
            "hint": {**text, "description": "What to do."},
            "fields": {
                "type": "object",
                "additionalProperties": text,
                "description": "What is wrong with which argument.",
            },
        },
        "required": ["type", "title", "status", "detail", "code"],
    }


def _refusal(title: str) -> dict[str, Any]:
    return {"description": title, "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _shown(endpoint: Endpoint, described: Described) -> Shown:
    in_path = _in_path(endpoint)
    arguments = tuple(
        (name, _kind(schema), name in described.required or name in in_path)
        for name, schema in described.properties.items()
    )
    return Shown(
        endpoint.method,
        PREFIX + endpoint.path,
        endpoint.summary,
        described.permission,
        described.words,
        arguments,
        _example(endpoint, described, in_path),
    )


def _example(endpoint: Endpoint, described: Described, in_path: frozenset[str]) -> str:
    if endpoint.uploads:
        if endpoint.file == "audio":
            return "-H 'Content-Type: audio/mpeg' --data-binary @song.mp3"
        return "-H 'Content-Type: image/jpeg' --data-binary @picture.jpg"
    if endpoint.media:
        return f"-o {_FILES.get(endpoint.media, 'sealed.age')}"
    if endpoint.method == "GET":
        return ""
    wanted = {
        name: _sample(schema)
        for name, schema in described.properties.items()
        if name in described.required and name not in in_path
    }
    body = json.dumps(wanted, ensure_ascii=False)
    return f"-H 'Content-Type: application/json' -d '{body}'" if wanted else "-X POST"


def _sample(schema: Mapping[str, Any]) -> Any:
    """A value of the right kind, for an example."""
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _sample(schema["anyOf"][0])
    if "prefixItems" in schema:
        return [_sample(each) for each in schema["prefixItems"]]
    samples: Mapping[str, Any] = {"integer": 1, "number": 0.5, "boolean": True, "array": [], "object": {}}
    return samples.get(str(schema.get("type")), "…")


def _kind(schema: Mapping[str, Any]) -> str:
    """What a value is, in a few words."""
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"] if each.get("type") != "null")
    if schema.get("type") == "array" and "items" in schema:
        return f"list of {_kind(schema['items'])}"
    if schema.get("format") == "date-time":
        return "time, ISO 8601"
    return {"string": "text", "array": "list", "boolean": "true or false"}.get(
        str(schema.get("type")), str(schema.get("type", "any value"))
    )


def _in_path(endpoint: Endpoint) -> frozenset[str]:
    return frozenset(re.findall(r"{(\w+)}", endpoint.path))


def _tag(endpoint: Endpoint) -> str:
    return _TAGS[endpoint.operation.partition(".")[0]][0]
