"""What may come in: how large, from which address, under which name of ours; files stay in memory.

Uploads are pictures of people, so none of it ever touches the disk, not even as a temporary file.
"""

import ipaddress
import socket
from collections.abc import Callable, Collection
from io import BytesIO
from typing import IO, Any, Final, TypeVar

import flask
from flask import current_app, request
from werkzeug.exceptions import HTTPException, LengthRequired, RequestEntityTooLarge

View = TypeVar("View", bound=Callable[..., Any])

ORDINARY_BYTES: Final = 64 << 10
"""A form's body may have this many bytes."""
UPLOAD_BYTES: Final = 26 << 20
"""A view that says `takes(UPLOAD_BYTES)` may be sent this many: a photo of 25 MiB and its form."""

_LIMIT: Final = "appliance_body_bytes"


class MisdirectedError(HTTPException):
    """The request names a host that the box is not."""

    code = 421


class Request(flask.Request):
    """A request whose files are kept in memory; how large they are is bounded before they are read."""

    max_form_memory_size = None  # the whole body is bounded instead, by `limit`

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        del total_content_length, content_type, filename, content_length
        return BytesIO()


def takes(size: int) -> Callable[[View], View]:
    """Declare that a view takes bodies of up to so many bytes."""

    def declare(view: View) -> View:
        setattr(view, _LIMIT, size)
        return view

    return declare


def limit() -> None:
    """Before each request: refuse a body that is too large, or whose length is not said, unread.

    Raises:
        RequestEntityTooLarge: It is too large.
        LengthRequired: It comes in pieces without saying how many.
    """
    if "Transfer-Encoding" in request.headers:
        raise LengthRequired
    view = current_app.view_functions.get(request.endpoint or "")
    most = getattr(view, _LIMIT, ORDINARY_BYTES)
    request.max_content_length = most
    if (request.content_length or 0) > most:
        raise RequestEntityTooLarge


def own_name() -> str:
    """What this machine calls itself, in lower case."""
    return socket.gethostname().lower()


def own_names() -> frozenset[str]:
    """What this machine is called on the network, in lower case."""
    name = own_name()
    short = name.partition(".")[0]
    return frozenset({"localhost", name, short, f"{short}.local"})


def is_ours(host: str, names: Collection[str]) -> bool:
    """Whether a Host header may be answered: an address, or a name of ours.

    Another name that leads here is how a foreign page would read this one (DNS rebinding). An
    address in numbers cannot be pointed elsewhere.

    Args:
        host: The header, with or without a port.
        names: Ours, in lower case.
    """
    name = without_port(host).lower().rstrip(".")
    if name in names:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def without_port(host: str) -> str:
    """A Host header's name or address alone, without brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
