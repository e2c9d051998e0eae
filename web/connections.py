"""Connections of the server, as `watch` watches them: what arrives in them, and in what time.

A connection that says nothing, or is in the middle of its handshake, waits in the selector and holds no
thread. What could be read in two ways is refused. What is in a request is no business of this module.
"""

import contextlib
import re
import socket
import ssl
from typing import Any, Final

from cheroot.server import HeaderReader, HTTPConnection, HTTPRequest

from web.watch import BODY_BYTES_S, BODY_S, Part, Watch

_PLAIN: Final = re.compile(rb"\r\nHost: *([A-Za-z0-9.:\[\]_-]{1,255})\r\n", re.IGNORECASE)
_TLS_HANDSHAKE: Final = b"\x16"
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
