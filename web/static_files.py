"""Style, scripts and icons: read once at the start, served from memory under an address with their hash.

One hash of the whole tree stands in the path, so modules import each other by relative addresses and
every change reaches every browser. No path of the disk is ever made from an address.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, abort, current_app, request, url_for

from web.access import public

FOLDER = Path(__file__).parent / "static"
EXTENSION = "appliance_static"

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".json": "application/json",
}
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
    """All of them, by their path below the folder."""

    files: Mapping[str, StaticFile]
    build: str

    @classmethod
    def read(cls, folder: Path = FOLDER) -> "StaticFiles":
        """Read a folder."""
        files = {}
        digest = hashlib.sha256()
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            name = path.relative_to(folder).as_posix()
            body = path.read_bytes()
            digest.update(f"{name}\0{len(body)}\0".encode() + body)
            files[name] = StaticFile(body, _packed(body, path.suffix), _content_type(path))
        return cls(files, digest.hexdigest()[:16])


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


def _packed(body: bytes, suffix: str) -> bytes:
    if suffix not in _TYPES or len(body) < _SMALL:
        return b""
    packed = gzip.compress(body, 9, mtime=0)
    return packed if len(packed) < len(body) else b""


def _content_type(path: Path) -> str:
    return _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
