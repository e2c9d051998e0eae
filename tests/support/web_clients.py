"""An application that counts its streams, served with TLS and without, and bare connections to it."""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from structlog.testing import capture_logs

from web.server import Server


class Counting:
    """A WSGI application with a page, a stream that counts until it is stopped, and a place for bodies.

    Attributes:
        open: Streams that are open now.
        ended: Streams whose generator was closed or ran out.
    """

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.open = 0
        self.ended = 0
        self.read = 0
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer."""
        path = environ["PATH_INFO"]
        if path == "/stream":
            start("200 OK", [("Content-Type", "text/event-stream")])
            return self._stream()
        if path == "/body":
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            self.read += len(body)
        text = f"{path} {environ['REMOTE_ADDR']} {environ['wsgi.url_scheme']}".encode()
        start("413 Too Large" if path == "/unread" else "200 OK", [("Content-Length", str(len(text)))])
        return [text]

    def _stream(self) -> Iterator[bytes]:
        with self._lock:
            self.open += 1
        try:
            while not self.stopping.wait(0.05):
                yield b"data: now\n\n"
        finally:
            with self._lock:
                self.open -= 1
                self.ended += 1


def counting() -> Counting:
    """The application."""
    return Counting()


def logged() -> Iterator[list[Any]]:
    """What is written into the diagnostics."""
    with capture_logs() as found:
        yield found


def eventually(true: Callable[[], bool], within_s: float = 5.0) -> bool:
    """Whether something becomes true in time."""
    until = time.monotonic() + within_s
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def opened(server: Server, said: bytes = b"", *, of: str = "127.0.0.1") -> socket.socket:
    """A bare connection that has said something, of a client with this address."""
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=10, source_address=(of, 0))
    sock.sendall(said)
    return sock


STREAM = b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n"
