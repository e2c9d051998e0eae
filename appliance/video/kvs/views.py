"""Playing what the service stored without handing out its address: whoever has that sees the video.

A view is opened for somebody who looks, by an id of ours; the service's own address stays in this process's
memory, for less than an hour, and is neither written nor logged. Playlists are handed on with addresses that
lead back here, pieces as they are. Who may look is settled by whoever asks.
"""

import http.client
import re
import secrets
import ssl
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit

from appliance.clock import Clock
from appliance.errors import StreamError, UnknownClipError

MOST_VIEWS: Final = 64
GOOD_FOR_S: Final = 3300.0
"""A little less than the service's own hour."""
MOST_BYTES: Final = 52 << 20
"""A fragment has 50 MB at most."""
PLAYLIST: Final = "application/vnd.apple.mpegurl"
VIDEO: Final = "video/mp4"
NAME: Final = r"[A-Za-z0-9]{1,64}\.(m3u8|mp4)"
_NAME: Final = re.compile(NAME)
_TOKEN: Final = "SessionToken"  # noqa: S105 - what the service calls it, not one
_IN_QUOTES: Final = re.compile(r'URI="([^"]*)"')
_TIMEOUT_S: Final = 12.0
_FOUND: Final = 200
_GONE: Final = frozenset({403, 404, 410})


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address answered.

    Attributes:
        status: Of HTTP.
        content: At most `MOST_BYTES`.
    """

    status: int
    content: bytes


Fetch = Callable[[str], Fetched]
"""Asks an address. Raises StreamError: it is not reached. Never says the address."""


class Addresses(Protocol):
    """Gives addresses for players; see `reading.Reader`."""

    def hls_address(self, stream: str, begin_ms: int, end_ms: int | None) -> str:
        """One, of what is stored of that time. Raises StreamError."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A view.

    Attributes:
        view: Its id.
        name: Of its first playlist.
    """

    view: str
    name: str


@dataclass(frozen=True, slots=True)
class _View:
    base: SplitResult
    token: str
    until: float


class HlsViews:
    """Views; may be used by several threads.

    Args:
        addresses: Where a view is opened.
        fetch: Asks the service.
        clock: For how long a view is good.
    """

    def __init__(self, addresses: Addresses, fetch: Fetch, clock: Clock) -> None:
        self._addresses = addresses
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._views: OrderedDict[str, _View] = OrderedDict()

    def open(self, stream: str, begin_ms: int, end_ms: int) -> Opened:
        """Open a view of a stream's span of time, milliseconds since the epoch.

        Raises:
            StreamError: There is nothing of that time, or the service cannot be asked, or refuses.
        """
        address = urlsplit(self._addresses.hls_address(stream, begin_ms, end_ms))
        token = dict(parse_qsl(address.query)).get(_TOKEN, "")
        name = address.path.rpartition("/")[2]
        if address.scheme not in {"https", "http"} or not token or not _NAME.fullmatch(name):
            raise StreamError("the service gave an address that no player opens", reason="server")
        view = secrets.token_urlsafe(16)
        with self._lock:
            self._views[view] = _View(address, token, self._clock.monotonic() + GOOD_FOR_S)
            while len(self._views) > MOST_VIEWS:
                self._views.popitem(last=False)
        return Opened(view, name)

    def read(self, view: str, name: str, query: str) -> tuple[str, bytes]:
        """A playlist or a piece of a view: its media type, and what it is.

        Args:
            view: Its id.
            name: As a playlist called it.
            query: Likewise; without the service's own secret, which is put back here.

        Raises:
            UnknownClipError: There is no such view (any more), or nothing of that name.
            StreamError: The service is not reached, or refuses.
        """
        known = self._known(view)
        if not _NAME.fullmatch(name):
            raise UnknownClipError("there is nothing of that name in this view")
        asked = [(key, value) for key, value in parse_qsl(query) if key != _TOKEN]
        path = known.base.path.rpartition("/")[0] + f"/{name}"
        whole = known.base._replace(path=path, query=urlencode([*asked, (_TOKEN, known.token)]), fragment="")
        found = self._fetch(whole.geturl())
        if found.status in _GONE:
            raise UnknownClipError("the service has nothing of that any more", hint="open it anew")
        if found.status != _FOUND:
            raise StreamError(f"the service answered {found.status} instead of video", reason="server")
        if name.endswith(".m3u8"):
            return PLAYLIST, _ours(found.content, whole).encode()
        return VIDEO, found.content

    def _known(self, view: str) -> _View:
        with self._lock:
            known = self._views.get(view)
            if known is not None and known.until <= self._clock.monotonic():
                del self._views[view]
                known = None
        if known is None:
            raise UnknownClipError("this view is over", hint="open it anew")
        return known


def fetching(ca_file: str | None = None) -> Fetch:
    """Asks with the standard library: no proxy, no cookie, and no redirect is followed.

    Args:
        ca_file: Certificates that the service's is checked against; None: the system's.
    """
    context = ssl.create_default_context(cafile=ca_file)

    def fetch(address: str) -> Fetched:
        parts = urlsplit(address)
        host = parts.hostname or ""
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(host, parts.port, timeout=_TIMEOUT_S, context=context)
        else:
            connection = http.client.HTTPConnection(host, parts.port, timeout=_TIMEOUT_S)
        try:
            connection.request("GET", f"{parts.path}?{parts.query}")
            answer = connection.getresponse()
            content = answer.read(MOST_BYTES + 1)
        except (OSError, http.client.HTTPException):
            # Not chained: what is in there may name the address, which opens the video.
            raise StreamError("the service does not answer", reason="unreachable") from None
        finally:
            connection.close()
        if len(content) > MOST_BYTES:
            raise StreamError("the service sent more than a piece of video may be", reason="server")
        return Fetched(answer.status, content)

    return fetch


def _ours(playlist: bytes, base: SplitResult) -> str:
    """A playlist whose addresses are names beside it, without the service's secret.

    Raises:
        StreamError: It leads elsewhere, or is none.
    """
    try:
        lines = playlist.decode().splitlines()
    except UnicodeDecodeError:
        lines = []
    if not lines or lines[0].strip() != "#EXTM3U":
        raise StreamError("the service sent something else than a playlist", reason="server")
    told = []
    for line in lines:
        if line.startswith("#"):
            told.append(_IN_QUOTES.sub(lambda found: f'URI="{_beside(found[1], base)}"', line))
        else:
            told.append(_beside(line.strip(), base) if line.strip() else "")
    return "\n".join(told) + "\n"


def _beside(address: str, base: SplitResult) -> str:
    """An address of a playlist as one beside it."""
    parts = urlsplit(urljoin(base.geturl(), address))
    folder, _, name = parts.path.rpartition("/")
    elsewhere = (parts.scheme, parts.netloc, folder) != (
        base.scheme,
        base.netloc,
        base.path.rpartition("/")[0],
    )
    if elsewhere or not _NAME.fullmatch(name):
        raise StreamError("the service's playlist leads elsewhere", reason="server")
    kept = [(key, value) for key, value in parse_qsl(parts.query) if key != _TOKEN]
    return f"{name}?{urlencode(kept)}" if kept else name
