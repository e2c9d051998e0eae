"""Addresses of the API, taken apart at those slashes that were sent as slashes.

What stands in braces of an address is one segment of it. An item's id is whoever imports' own and may have a
slash or anything else in it, percent-encoded as in every address (RFC 3986, 3.3). Servers decode a path as a
whole, and afterwards nobody knows which slash was which; so here it is made anew of what was sent.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import unquote, unquote_to_bytes

from web.api.table import PREFIX

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_OURS: Final = f"{PREFIX}/"


def apart(application: Application) -> Application:
    """Have an application see paths of the API with each segment decoded, but for `/` and `%` in it.

    Other paths are left as they are.
    """

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        sent = environ.get("REQUEST_URI", "").partition("?")[0]
        decoded = environ.get("PATH_INFO", "")
        if sent.startswith(_OURS):
            environ["PATH_INFO"] = "/".join(map(_kept_apart, sent.split("/")))
        elif decoded.startswith(_OURS):  # a server that does not say what was sent, or an odd way to say it
            environ["PATH_INFO"] = decoded.replace("%", "%25")
        return application(environ, start)

    return answer


def whole(segment: str) -> str:
    """A segment of such a path as it was meant."""
    return unquote(segment)


def _kept_apart(segment: str) -> str:
    # WSGI has bytes as characters of Latin-1.
    decoded = unquote_to_bytes(segment.encode("latin-1")).decode("latin-1")
    return decoded.replace("%", "%25").replace("/", "%2F")
