"""Receivers of webhooks on loopback: one that answers what a test tells it, one that counts for hours."""

import contextlib
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme


@dataclass(frozen=True)
class Posted:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    sni: str


@dataclass(frozen=True)
class Reply:
    """An answer.

    Attributes:
        status: Of HTTP.
        headers: Besides the length.
        body: Of the answer.
        drip_s: Pause before each byte of it; 0: at once.
        raw: Sent instead of all of that, and the connection closed.
    """

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    drip_s: float = 0.0
    raw: bytes | None = None


class HookServer:
    """The receiver.

    Attributes:
        posted: What came, in order.
        answers: What the next requests are answered, first to last; 204 when used up.
        authority: PEM file of what signed its certificate.
    """

    def __init__(self, folder: Path = Path(), *, tls: bool, name: str = "hooks.example.org") -> None:
        self.posted: list[Posted] = []
        self.answers: list[Reply] = []
        self.authority = folder / "hooks-ca.pem"
        self.name = name
        self.tls = tls
        self._sni: dict[Any, str] = {}
        hook = self

        class Handler(_Handler):
            server_of = hook

        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        if tls:
            authority = trustme.CA()
            authority.cert_pem.write_to_path(str(self.authority))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(name).configure_cert(context)
            context.sni_callback = self._named
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it is, by its name."""
        return f"{'https' if self.tls else 'http'}://{self.name}:{self.port}/hook?token=of-a-test"

    def came(self, posted: Posted) -> Reply:
        """Take a request in; what it is answered."""
        self.posted.append(posted)
        return self.answers.pop(0) if self.answers else Reply()

    def resolve(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        """Look its name up: this machine."""
        assert host == self.name
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _named(self, sock: Any, name: str | None, _context: ssl.SSLContext) -> None:
        self._sni[sock] = name or ""

    def sni(self, sock: Any) -> str:
        """What the client asked for while shaking hands."""
        return self._sni.get(sock, "")


class Receiver(HookServer):
    """One without TLS that takes what comes for as long as it must: of a request it keeps key and body.

    Attributes:
        away: Whether it says that it is not there: 503.
        bodies: Idempotency key → the different bodies that came with it and were taken.
        taken: How many requests were taken.
        refused: How many were not.
    """

    def __init__(self) -> None:
        self.away = False
        self.bodies: dict[str, set[bytes]] = defaultdict(set)
        self.taken = 0
        self.refused = 0
        self._lock = threading.Lock()
        super().__init__(tls=False, name="127.0.0.1")

    def came(self, posted: Posted) -> Reply:
        """See `HookServer`."""
        with self._lock:
            if self.away:
                self.refused += 1
                return Reply(503)
            self.bodies[posted.headers["x-appliance-idempotency-key"]].add(posted.body)
            self.taken += 1
            return Reply(200)


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: HookServer

    def _take(self) -> None:
        hook = self.server_of
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = hook.came(Posted(self.command, self.path, headers, body, hook.sni(self.connection)))
        self.close_connection = True
        if reply.raw is not None:
            for byte in reply.raw:
                time.sleep(reply.drip_s)
                self.wfile.write(bytes([byte]))
            return
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        for byte in reply.body if reply.drip_s else ():
            time.sleep(reply.drip_s)
            self.wfile.write(bytes([byte]))
        if not reply.drip_s:
            self.wfile.write(reply.body)

    do_GET = do_POST = do_PUT = _take  # noqa: N815 - so they are called there

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as it is called there
        """Say nothing."""


@contextlib.contextmanager
def hook_server(folder: Path, *, tls: bool = True, name: str = "hooks.example.org") -> Iterator[HookServer]:
    """A receiver until the end of the block."""
    server = HookServer(folder, tls=tls, name=name)
    try:
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """One that counts, until the end of the block."""
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()
