"""Connections of the server: who holds one, for how long a request may take to arrive, and ending them all.

A connection that says nothing, or is in the middle of its handshake, waits in the selector and holds no
thread. One that speaks slowly is cut, and sooner where others wait: of whoever holds most, the longest
under way. One household may hold only so many. What is in a request is no business of this module.
"""

import contextlib
import re
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, Protocol

from cheroot.server import HeaderReader, HTTPConnection, HTTPRequest

from appliance.addresses import network_of

HEAD_S: Final = 10.0
"""Seconds from the first byte (the TLS handshake included) until a request's head must be here."""
BODY_S: Final = 20.0
"""Seconds for a body, besides what its length allows."""
BODY_BYTES_S: Final = 50_000
"""A body must come at least so fast, bytes a second: slow phones do."""
MOST: Final = 400
"""Connections at once."""
MOST_OF_ONE: Final = 64
"""Connections of one address at once, of IPv6 of one /64. A proxy's are not counted."""
MOST_OF_OURS: Final = 200
"""Connections of this machine itself at once: tunnels end here, with many people in them."""
HEADS: Final = 16
"""Threads that may wait for the rest of a request's head."""
BODIES: Final = 24
"""Threads that may wait for the rest of a body."""
_OURS: Final = frozenset({network_of("127.0.0.1"), network_of("::1")})

_PLAIN: Final = re.compile(rb"\r\nHost: *([A-Za-z0-9.:\[\]_-]{1,255})\r\n", re.IGNORECASE)
_TLS_HANDSHAKE: Final = b"\x16"


class Part(Enum):
    """What is waited for."""

    HANDSHAKE = "handshake"
    HEAD = "head"
    BODY = "body"


class Watched(Protocol):
    """A connection, as far as `Watch` knows it."""

    remote_addr: str | None
    """Of the client."""
    serving: bool
    """Whether a thread is busy with it."""

    def cut(self) -> None:
        """End it, from any thread."""


class Watch:
    """Knows every open connection, and cuts those that take too long to say what they want.

    Args:
        counted: Whether connections of one address are limited; not behind a proxy.
        head_s: Seconds from a request's first byte until its head must be here.
        heads: Threads that may wait for the rest of a head. One more, and the one that is longest under way
            is cut, of whoever has most of them.
        bodies: Likewise for bodies.
    """

    def __init__(
        self, *, counted: bool = True, head_s: float = HEAD_S, heads: int = HEADS, bodies: int = BODIES
    ) -> None:
        self.head_s = head_s
        self._counted = counted
        self._most = {Part.HEAD: heads, Part.BODY: bodies}
        self._lock = threading.Lock()
        self._open: dict[Watched, str] = {}
        self._of: Counter[str] = Counter()
        self._due: dict[Watched, float] = {}
        self._arriving: dict[Part, dict[Watched, None]] = {part: {} for part in self._most}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look at the time."""
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Cut every connection, whatever it is in the middle of, and look no more."""
        self._stop.set()
        with self._lock:
            still = list(self._open)
        for each in still:
            each.cut()
        if self._thread is not None:
            self._thread.join()

    def busy(self) -> bool:
        """Whether any of them is being served."""
        with self._lock:
            return any(each.serving for each in self._open)

    def admit(self, connection: Watched) -> bool:
        """Take a new connection up; whether there is room for it.

        Where all places are taken, one that is idle is cut, of whoever holds more than the newcomer would.
        """
        whose = network_of(connection.remote_addr or "")
        displaced = None
        with self._lock:
            most = MOST_OF_OURS if whose in _OURS else MOST_OF_ONE
            if self._stop.is_set() or (self._counted and self._of[whose] >= most):
                return False
            if len(self._open) >= MOST:
                displaced = self._idle_of_the_greedy(self._of[whose] + 1)
                if displaced is None:
                    return False
                self._drop(displaced)
            self._open[connection] = whose
            self._of[whose] += 1
        if displaced is not None:
            displaced.cut()
        return True

    def forget(self, connection: Watched) -> None:
        """It was closed."""
        with self._lock:
            self._drop(connection)

    def expect(self, connection: Watched, within_s: float, part: Part) -> None:
        """What it is sending has to be here in time."""
        displaced = None
        with self._lock:
            if connection not in self._open:
                return
            self._due[connection] = time.monotonic() + within_s
            if part in self._arriving:
                under_way = self._arriving[part]
                under_way[connection] = None
                if len(under_way) > self._most[part]:
                    displaced = self._longest_of_the_greedy(under_way)
                    del under_way[displaced]
        if displaced is not None:
            displaced.cut()

    def arrived(self, connection: Watched) -> None:
        """It is here; what is done with it may take as long as it takes."""
        with self._lock:
            self._arrived(connection)

    def _arrived(self, connection: Watched) -> None:
        self._due.pop(connection, None)
        for under_way in self._arriving.values():
            under_way.pop(connection, None)

    def _drop(self, connection: Watched) -> None:
        self._arrived(connection)
        whose = self._open.pop(connection, None)
        if whose is not None:
            self._of[whose] -= 1
            if not self._of[whose]:
                del self._of[whose]

    def _idle_of_the_greedy(self, fair: int) -> Watched | None:
        """The oldest that no thread serves, of whoever holds most; None if nobody holds more than `fair`."""
        for whose, many in self._of.most_common():
            if many <= fair:
                return None
            for each, owner in self._open.items():
                if owner == whose and not each.serving:
                    return each
        return None

    def _longest_of_the_greedy(self, under_way: Mapping[Watched, None]) -> Watched:
        """The one longest under way, of whoever has most of these."""
        many = Counter(self._open[each] for each in under_way)
        return max(under_way, key=lambda each: many[self._open[each]])  # the first of equals: the oldest

    def _look(self) -> None:
        while not self._stop.wait(0.5):
            now = time.monotonic()
            with self._lock:
                late = [each for each, due in self._due.items() if due < now]
            for each in late:
                each.cut()


_ONCE: Final = frozenset({b"Host", b"Content-Length", b"Transfer-Encoding", b"Authorization"})


class _Headers(dict[bytes, bytes]):
    """Headers of a request; of some there can be but one, or two readers would read two things."""

    def __setitem__(self, name: bytes, value: bytes) -> None:
        """Take a header.

        Raises:
            ValueError: It was there already, or is no length.
        """
        if name in _ONCE and name in self:
            raise ValueError("a header stands there twice")
        if name == b"Content-Length" and not value.isdigit():
            raise ValueError("the length is no number")
        super().__setitem__(name, value)


class _PlainNames(HeaderReader):
    """Drops headers with an underscore: WSGI would take `X_Forwarded_For` for `X-Forwarded-For`.

    (cheroot's own reader for this fails on every request.)
    """

    def __call__(self, rfile: Any, hdict: dict[bytes, bytes] | None = None) -> dict[bytes, bytes]:
        """Read the headers.

        Raises:
            ValueError: They are none, or one that may stand there once stands there twice.
        """
        hdict = {} if hdict is None else hdict
        hdict.update(super().__call__(rfile, _Headers()))
        return hdict

    def _allow_header(self, key_name: bytes) -> bool:
        allowed = super()._allow_header(key_name)  # type: ignore[misc]
        return bool(allowed) and b"_" not in key_name


class Request(HTTPRequest):
    """A request that has to arrive in time, and whose unread body is not read for politeness."""

    header_reader = _PlainNames()

    def parse_request(self) -> None:
        """Read the head, in time."""
        watch: Watch = self.server.watch
        watch.expect(self.conn, watch.head_s, Part.HEAD)
        try:
            super().parse_request()
        finally:
            watch.arrived(self.conn)

    def respond(self) -> None:
        """Answer; a body has to arrive in time."""
        watch: Watch = self.server.watch
        length = int(self.inheaders.get(b"Content-Length", 0) or 0)
        if length or self.chunked_read:
            watch.expect(self.conn, BODY_S + length / BODY_BYTES_S, Part.BODY)
        try:
            super().respond()
        finally:
            watch.arrived(self.conn)

    def send_headers(self) -> None:
        """Send the head of the answer. What is left of the request's body is not waited for."""
        self.server.watch.arrived(self.conn)
        if self.chunked_read or getattr(self.rfile, "remaining", 0) > 0:
            self.close_connection = True
        super().send_headers()


class Connection(HTTPConnection):
    """A connection that is watched, and whose TLS handshake holds a thread only while there is work to do."""

    RequestHandlerClass = Request

    greeted = False
    """Whether it has said anything yet."""
    serving = False
    _shaking = False
    _shaken = False
    _closed = False

    def communicate(self) -> bool:
        """Serve one request, or go on with the handshake; whether the connection stays open."""
        self.serving = True
        try:
            if isinstance(self.socket, ssl.SSLSocket) and not self._shaken:
                going_on = self._shake(self.socket)
                if not going_on or not self.socket.pending():
                    return going_on  # the rest may be long in coming, and is waited for without a thread
            return bool(super().communicate())  # type: ignore[no-untyped-call]
        finally:
            self.serving = False

    def _shake(self, wrapped: ssl.SSLSocket) -> bool:
        """Go on with the handshake, as far as what is here goes; whether all is well so far."""
        watch: Watch = self.server.watch
        try:
            if not self._shaking:
                # The first byte tells TLS from plain HTTP; it stays where it is.
                if socket.socket.recv(wrapped, 1, socket.MSG_PEEK) != _TLS_HANDSHAKE:
                    self._answer_plainly()
                    return False
                self._shaking = True
                watch.expect(self, watch.head_s, Part.HANDSHAKE)
            wrapped.settimeout(0)
            wrapped.do_handshake()
        except ssl.SSLWantReadError:
            return True
        except OSError:
            return False
        self._shaken = True
        watch.arrived(self)
        wrapped.settimeout(self.server.timeout)
        return True

    def _answer_plainly(self) -> None:
        """Somebody typed http:// before the address: send them to the same place over TLS."""
        head = socket.socket.recv(self.socket, 4096, socket.MSG_PEEK)
        host = _PLAIN.search(head)
        where = b"Location: https://" + host.group(1) + b"/\r\n" if host else b""
        status = b"308 Permanent Redirect" if host else b"400 Bad Request"
        answer = b"HTTP/1.1 " + status + b"\r\n" + where + b"Content-Length: 0\r\nConnection: close\r\n\r\n"
        socket.socket.sendall(self.socket, answer)
        socket.socket.recv(self.socket, len(head))  # closing with something unread would reset it

    def cut(self) -> None:
        """End it from any thread: whoever reads or writes it is woken."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it."""
        if not self._closed:
            self._closed = True
            self.server.watch.forget(self)
        super().close()


def shut_out(connection: Any) -> None:
    """Close a connection for which there is no room, without a word."""
    with contextlib.suppress(OSError):
        connection.close()
