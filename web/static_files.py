"""Style, scripts and icons: read once at the start, served from memory under an address with their hash.

One hash of the whole tree stands in the path, so modules import each other by relative addresses and
every change reaches every browser. The style of a page is put together into one file (`TOGETHER`), and a
page names beforehand what its modules import (`preloads`): a browser then asks for everything at once, and
has connections enough for that. No path of the disk is ever made from an address.
"""

import gzip
import hashlib
import mimetypes
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, abort, current_app, request, url_for
from markupsafe import Markup

from web.access import public

FOLDER = Path(__file__).parent / "static"
EXTENSION = "appliance_static"

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".json": "application/json",
}
_EVERY: Final = ("css/tokens.css", "css/layout.css", "css/parts.css")
TOGETHER: Final[Mapping[str, tuple[str, ...]]] = {
    "css/site.css": _EVERY,
    **{
        f"css/{page}.css": (*_EVERY, f"css/{page}.css")
        for page in (
            "api",
            "captures",
            "clips",
            "coffee",
            "functions",
            "home",
            "live",
            "locks",
            "log",
            "people",
            "rules",
            "settings",
            "songs",
            "targets",
        )
    },
    "css/screen.css": ("css/tokens.css", "css/screen.css"),
    "css/keypad.css": ("css/tokens.css", "css/keypad.css"),
    "css/moments.css": (*_EVERY, "vendor/uplot/uPlot.min.css", "css/moments.css"),
    "css/search.css": (*_EVERY, "css/live.css", "css/search.css"),
    "css/doors.css": (*_EVERY, "css/live.css", "css/doors.css"),
}
"""Styles made of others at the start, one after the other: a page asks for one that holds all it needs."""
_IMPORT: Final = re.compile(rb"""^(?:import|export)\b[^;"']*["'](\.[^"']+)["'];""", re.MULTILINE)
_SCRIPT: Final = re.compile(r"""<script type="module" src="/static/[0-9a-f]+/([^"]+)">""")
_SMALL = 256
_A_YEAR = "public, max-age=31536000, immutable"

blueprint = Blueprint("assets", __name__)


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is sent.

    Attributes:
        packed: Gzipped; empty where that saves nothing.
    """

    body: bytes
    packed: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """All of them, by their path below the folder.

    Attributes:
        build: The hash of all of them.
        imports: What a module imports and what that imports in turn, in the order in which it is met.
    """

    files: Mapping[str, StaticFile]
    build: str
    imports: Mapping[str, tuple[str, ...]]

    @classmethod
    def read(cls, folder: Path = FOLDER) -> "StaticFiles":
        """Read a folder."""
        bodies = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        bodies |= {
            name: b"".join(bodies[each] for each in parts)
            for name, parts in TOGETHER.items()
            if all(each in bodies for each in parts)
        }
        digest = hashlib.sha256()
        for name, body in bodies.items():
            digest.update(f"{name}\0{len(body)}\0".encode() + body)
        return cls(
            {name: _file(name, body) for name, body in bodies.items()},
            digest.hexdigest()[:16],
            {name: tuple(_imported(name, bodies)) for name in bodies if name.endswith(".js")},
        )


@blueprint.get("/static/<build>/<path:name>")
@public
def serve(build: str, name: str) -> Response:
    """One file. Under the hash of another build it is the present one, and not to be kept."""
    ours: StaticFiles = current_app.extensions[EXTENSION]
    found = ours.files.get(name)
    if found is None:
        abort(404)
    packed = found.packed and "gzip" in request.headers.get("Accept-Encoding", "")
    response = Response(found.packed if packed else found.body, content_type=found.content_type)
    response.headers["Cache-Control"] = _A_YEAR if build == ours.build else "no-store"
    response.headers["Vary"] = "Accept-Encoding"
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    return response


@blueprint.get("/favicon.ico")
@public
def favicon() -> Response:
    """For browsers that ask without having been told."""
    ours: StaticFiles = current_app.extensions[EXTENSION]
    return serve(ours.build, "icons/door.svg")


def asset(name: str) -> str:
    """The address of a file, for templates.

    Raises:
        KeyError: There is no such file: a mistake in a template, found by its first test.
    """
    ours: StaticFiles = current_app.extensions[EXTENSION]
    if name not in ours.files:
        raise KeyError(name)
    return url_for("assets.serve", build=ours.build, name=name)


def preloads(scripts: str) -> Markup:
    """Links to what the modules of a page import, so that nobody waits for one file to learn of the next.

    Args:
        scripts: The page's `<script type="module">` elements.
    """
    ours: StaticFiles = current_app.extensions[EXTENSION]
    named = _SCRIPT.findall(scripts)
    wanted = {each: None for name in named for each in ours.imports.get(name, ()) if each not in named}
    return Markup("\n").join(
        Markup('<link rel="modulepreload" href="{}">').format(asset(each)) for each in wanted
    )


def _imported(name: str, bodies: Mapping[str, bytes]) -> dict[str, None]:
    """The modules that one leads to; itself not among them."""
    found: dict[str, None] = {}
    waiting = [name]
    while waiting:
        module = waiting.pop(0)
        for address in _IMPORT.findall(bodies.get(module, b"")):
            imported = posixpath.normpath(posixpath.join(posixpath.dirname(module), address.decode()))
            if imported not in found and imported != name and imported in bodies:
                found[imported] = None
                waiting.append(imported)
    return found


def _file(name: str, body: bytes) -> StaticFile:
    return StaticFile(body, _packed(body, posixpath.splitext(name)[1]), _content_type(name))


def _packed(body: bytes, suffix: str) -> bytes:
    if suffix not in _TYPES or len(body) < _SMALL:
        return b""
    packed = gzip.compress(body, 9, mtime=0)
    return packed if len(packed) < len(body) else b""


def _content_type(name: str) -> str:
    known = _TYPES.get(posixpath.splitext(name)[1])
    return known or mimetypes.guess_type(name)[0] or "application/octet-stream"
