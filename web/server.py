"""Serving the application: cheroot with threads, over TLS, for many open streams; and stopping at once.

The pages' own rules (who may, how large) are the application's. This one sees that no client, silent,
slow or greedy, takes the server from the others.
"""

import ipaddress
import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import structlog
from cheroot import connections as cheroot_connections
from cheroot import wsgi
from cheroot.errors import FatalSSLAlert
from cheroot.makefile import MakeFile
from cheroot.ssl import Adapter

from appliance.addresses import written
from appliance.errors import SettingsError, WireError
from web.connections import Connection, shut_out
from web.requests import UPLOAD_BYTES
from web.watch import BODIES, HEAD_S, HEADS, Watch

THREADS: Final = 128
"""For 72 streams (20 viewers, 20 screens), what arrives slowly (`HEADS`, `BODIES`), and room for pages."""
_IDLE_S: Final = 15
"""Seconds a connection may be silent, and a stuck client may not read, before it is closed."""
_HEAD_BYTES: Final = 32 << 10
_KEPT_ALIVE: Final = 300
_BACKLOG: Final = 128
_PROXY_ONLY: Final = b"These pages are opened through their proxy.\n"
_STREAMS_END_S: Final = 0.3
"""Seconds in which streams end by themselves when the server stops."""

_log = structlog.get_logger()

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
"""A WSGI application."""


class Tls(Adapter):
    """TLS 1.2 and later, whose handshake is left to the thread that serves the connection.

    Made in the thread that accepts, as the adapters at hand do, one silent client would keep everybody out.

    Args:
        certificate: PEM, with its chain.
        key: PEM.

    Raises:
        SettingsError: They cannot be read, or do not fit each other.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        super().__init__(str(certificate), str(key))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            self.context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                f"the certificate {certificate} cannot be used with the key {key}: {error.strerror or error}",
                hint="both must be PEM and readable by the appliance, and the key must be the certificate's",
            ) from error

    def bind(self, sock: socket.socket) -> socket.socket:
        """The listening socket, as it is."""
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, Any]]:
        """A connection, before its handshake."""
        wrapped = self.context.wrap_socket(
            sock, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=True
        )
        return wrapped, self.get_environ()

    def get_environ(self) -> dict[str, Any]:
        """What the application is told."""
        return {"wsgi.url_scheme": "https", "HTTPS": "on"}

    def makefile(self, sock: ssl.SSLSocket, mode: str = "r", bufsize: int = 16384) -> Any:
        """A file over the connection."""
        return MakeFile(sock, mode, bufsize)


class Server:
    """An application at a port.

    Args:
        application: Answers requests.
        host: Address to listen at.
        port: To listen at; 0: any free one.
        tls: Certificate and key; None: plain HTTP, for a proxy.
        stopping: Set when the server stops, for streams to end.
        trusted: Addresses of proxies that are believed about where a request came from.
        threads: That answer requests.
        head_s: Seconds from a request's first byte until its head must be here.
    """

    def __init__(
        self,
        application: Application,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: tuple[Path, Path] | None = None,
        stopping: threading.Event | None = None,
        trusted: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network] = (),
        threads: int = THREADS,
        head_s: float = HEAD_S,
    ) -> None:
        self._stopping = stopping or threading.Event()
        self._where = host, port
        self._server = _Cheroot(
            (host, port),
            behind(application, trusted),
            numthreads=threads,
            server_name="appliance",
            request_queue_size=_BACKLOG,
            timeout=_IDLE_S,
            shutdown_timeout=2,
        )
        # A small server keeps threads for pages too.
        heads, bodies = min(HEADS, max(1, threads // 8)), min(BODIES, max(1, threads // 5))
        self._server.watch = Watch(counted=not trusted, head_s=head_s, heads=heads, bodies=bodies)
        self._server.ssl_adapter = None if tls is None else Tls(*tls)
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port that is listened at."""
        return int(self._server.bind_addr[1])

    def __enter__(self) -> Self:
        """Listen, and answer in threads.

        Raises:
            WireError: The port is taken, or the address is not this machine's.
        """
        os.environ.pop("LISTEN_PID", None)  # cheroot would take somebody else's socket for its own
        try:
            self._server.prepare()
        except OSError as error:
            host, port = self._where
            raise WireError(
                f"the pages cannot be served at {host} port {port}: {error.strerror or error}",
                hint="is another program at the port? is the address this machine's? see web.host, web.port",
            ) from error
        self._server.watch.start()
        self._thread = threading.Thread(target=self._server.serve, name="accept", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop within two seconds, whatever is open: streams are asked to end, then cut."""
        self._stopping.set()
        until = time.monotonic() + _STREAMS_END_S
        while self._server.watch.busy() and time.monotonic() < until:
            time.sleep(0.02)
        self._server.watch.stop()
        self._server.stop()
        if self._thread is not None:
            self._thread.join(1.0)


def behind(
    application: Application, trusted: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]
) -> Application:
    """An application that learns from a trusted proxy, and from nobody else, where a request came from.

    Where there are proxies, nobody else is answered. Of `X-Forwarded-For` the last address is taken that
    no trusted proxy has: all before it anybody may have written. A port beside it is dropped; where what
    stands there is no address, the request counts as the proxy's own.

    Args:
        application: The application.
        trusted: Networks of the proxies; none: every such header is dropped.
    """

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        forwarded = {name: environ.pop(f"HTTP_X_FORWARDED_{name}", "") for name in ("FOR", "PROTO", "HOST")}
        environ.pop("HTTP_FORWARDED", None)
        environ["REMOTE_ADDR"] = written(environ.get("REMOTE_ADDR", ""))
        if trusted and not _within(environ["REMOTE_ADDR"], trusted):
            # Behind a proxy this port is plain HTTP: nobody shall type a password into it.
            start(
                "403 Forbidden", [("Content-Type", "text/plain"), ("Content-Length", str(len(_PROXY_ONLY)))]
            )
            return [_PROXY_ONLY]
        if trusted:
            hops = [written(each) for each in forwarded["FOR"].split(",") if each.strip()]
            client = next((each for each in reversed(hops) if not _within(each, trusted)), "")
            environ["REMOTE_ADDR"] = client or environ["REMOTE_ADDR"]
            environ["wsgi.url_scheme"] = "https"  # cookies are for TLS alone, so the proxy must do it
            if forwarded["HOST"]:
                environ["HTTP_HOST"] = forwarded["HOST"].rpartition(",")[2].strip()
        return application(environ, start)

    return answer


def _within(address: str, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)


class _Cheroot(wsgi.Server):
    """cheroot, with connections that hold no thread before they speak."""

    ConnectionClass = Connection
    expiration_interval = 0.2
    keep_alive_conn_limit = _KEPT_ALIVE
    max_request_header_size = _HEAD_BYTES
    max_request_body_size = UPLOAD_BYTES + (1 << 20)
    watch: Watch
    _connections: cheroot_connections.ConnectionManager

    @staticmethod
    def bind_socket(socket_: socket.socket, bind_addr: Any) -> socket.socket:
        """Take the address; the socket is closed where that fails."""
        try:
            socket_.bind(bind_addr)
        except OSError:
            socket_.close()
            raise
        return socket_

    def process_conn(self, conn: Connection) -> None:
        """Have a connection served; a new one only once it has said something."""
        if conn.greeted:
            super().process_conn(conn)
            return
        conn.greeted = True
        if self.watch.admit(conn):
            self._connections.put(conn)
        else:
            shut_out(conn)

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:  # noqa: FBT001, FBT002
        """What cheroot has to say; it may quote what clients sent, so only that it happened is kept."""
        del msg
        broken = sys.exc_info()[1] if traceback else None
        if broken is None or isinstance(broken, (OSError, FatalSSLAlert)):
            _log.debug("connection", level=level)  # viewers leave, networks fail: that is no fault
        else:
            _log.warning("connection_broke", level=level, error=type(broken).__name__)
