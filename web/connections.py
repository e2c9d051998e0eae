"""Connections of the server: who holds one, for how long a request may take to arrive, and ending them all.

A connection that says nothing waits in the selector and holds no thread; one that speaks slowly is cut;
one address may hold only so many. What is in a request is no business of this module.
"""

import contextlib
import re
import socket
import ssl
import threading
import time
from collections import Counter
from typing import Any, Final

from cheroot.server import HeaderReader, HTTPConnection, HTTPRequest

HEAD_S: Final = 10.0
"""Seconds from the first byte (the TLS handshake included) until a request's head must be here."""
BODY_S: Final = 20.0
"""Seconds for a body, besides what its length allows."""
BODY_BYTES_S: Final = 50_000
"""A body must come at least so fast, bytes a second: slow phones do."""
MOST: Final = 400
"""Connections at once."""
MOST_OF_ONE: Final = 64
"""Connections of one address at once: fewer than there are threads. This machine's own and a proxy's are not
counted."""
_OURS: Final = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})

_PLAIN: Final = re.compile(rb"\r\nHost: *([A-Za-z0-9.:\[\]_-]{1,255})\r\n", re.IGNORECASE)
_TLS_HANDSHAKE: Final = b"\x16"


class Watch:
    """Knows every open connection, and cuts those that take too long to say what they want.

    Args:
        counted: Whether connections of one address are limited; not behind a proxy.
        head_s: Seconds from a request's first byte until its head must be here.
    """

    def __init__(self, *, counted: bool = True, head_s: float = HEAD_S) -> None:
        self.head_s = head_s
        self._counted = counted
        self._lock = threading.Lock()
        self._open: set[Connection] = set()
        self._of: Counter[str] = Counter()
        self._due: dict[Connection, float] = {}
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

    def admit(self, connection: "Connection") -> bool:
        """Take a new connection up; whether there is room for it."""
        address = connection.remote_addr or ""
        with self._lock:
            many = self._counted and address not in _OURS and self._of[address] >= MOST_OF_ONE
            full = many or len(self._open) >= MOST
            if full or self._stop.is_set():
                return False
            self._open.add(connection)
            self._of[address] += 1
            return True

    def forget(self, connection: "Connection") -> None:
        """It was closed."""
        with self._lock:
            self._due.pop(connection, None)
            if connection in self._open:
                self._open.remove(connection)
                self._of[connection.remote_addr or ""] -= 1
                self._of += Counter()  # without those at zero

    def expect(self, connection: "Connection", within_s: float) -> None:
        """What it is sending has to be here in time."""
        with self._lock:
            self._due[connection] = time.monotonic() + within_s

    def arrived(self, connection: "Connection") -> None:
        """It is here; what is done with it may take as long as it takes."""
        with self._lock:
            self._due.pop(connection, None)

    def _look(self) -> None:
        while not self._stop.wait(0.5):
            now = time.monotonic()
            with self._lock:
                late = [each for each, due in self._due.items() if due < now]
            for each in late:
                each.cut()


class _PlainNames(HeaderReader):
    """Drops headers with an underscore: WSGI would take `X_Forwarded_For` for `X-Forwarded-For`.

    (cheroot's own reader for this fails on every request.)
    """

    def _allow_header(self, key_name: bytes) -> bool:
        allowed = super()._allow_header(key_name)  # type: ignore[misc]
        return bool(allowed) and b"_" not in key_name


class Request(HTTPRequest):
    """A request that has to arrive in time, and whose unread body is not read for politeness."""

    header_reader = _PlainNames()

    def parse_request(self) -> None:
        """Read the head, in time."""
        watch: Watch = self.server.watch
        watch.expect(self.conn, watch.head_s)
        try:
            super().parse_request()
        finally:
            watch.arrived(self.conn)

    def respond(self) -> None:
        """Answer; a body has to arrive in time."""
        watch: Watch = self.server.watch
        length = int(self.inheaders.get(b"Content-Length", 0) or 0)
        if length or self.chunked_read:
            watch.expect(self.conn, BODY_S + length / BODY_BYTES_S)
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
    """A connection that is watched, and whose TLS handshake is made by the thread that serves it."""

    RequestHandlerClass = Request

    greeted = False
    """Whether it has said anything yet."""
    _shaken = False
    _closed = False

    def communicate(self) -> bool:
        """Serve one request; whether the connection stays open."""
        if isinstance(self.socket, ssl.SSLSocket) and not self._shaken:
            if not self._shake():
                return False
            if not self.socket.pending():
                return True  # its request may be long in coming, and is waited for without a thread
        return bool(super().communicate())  # type: ignore[no-untyped-call]

    def _shake(self) -> bool:
        watch: Watch = self.server.watch
        watch.expect(self, watch.head_s)
        try:
            # The first byte tells TLS from plain HTTP; it stays where it is.
            if socket.socket.recv(self.socket, 1, socket.MSG_PEEK) != _TLS_HANDSHAKE:
                self._answer_plainly()
                return False
            self.socket.do_handshake()
        except OSError:
            return False
        finally:
            watch.arrived(self)
        self._shaken = True
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
