"""The web process: the application at its port, telling where that is, until it is stopped.

What it may know it is handed: its own settings, the folder of our processes' sockets, a certificate. It has
no database, no key but the one of its certificate, and no camera.
"""

import hashlib
import json
import os
import ssl
import threading
import time
from pathlib import Path

import structlog

from appliance import private_files
from appliance.errors import SettingsError
from appliance.settings import WebSettings
from appliance.wire import Reply, Request
from appliance.wire import Server as WireServer
from appliance.wire.messages import Status, StatusRequest
from web.application import create_app
from web.desk import DeskClient
from web.server import Server

_log = structlog.get_logger()

_CERTIFICATE_S = 10.0
"""Seconds to wait for the box's own certificate, which another process makes."""


def run_web(
    settings: WebSettings,
    *,
    sockets: Path,
    own_certificate: tuple[Path, Path],
    tell: Path,
    stop: threading.Event,
) -> None:
    """Serve until `stop` is set.

    Args:
        settings: Of the web.
        sockets: The folder of our processes' sockets.
        own_certificate: Certificate and key that are made on this box, where the settings want those.
        tell: The file in which to say where the pages are; removed at the end.
        stop: Ends it, streams and all, within two seconds.

    Raises:
        SettingsError: The certificate cannot be used.
        WireError: The port is taken.
    """
    began = time.monotonic()
    tls = _tls(settings, own_certificate, stop)
    app = create_app(
        DeskClient(sockets / "desk.sock"),
        run=sockets,
        names=settings.names,
        strict=settings.tls != "self-signed",
        stopping=stop,
    )
    server = Server(
        app, host=settings.host, port=settings.port, tls=tls, stopping=stop, trusted=settings.trusted_proxies
    )

    def status(_: Request[StatusRequest]) -> Reply[Status]:
        uptime_s = time.monotonic() - began
        return Reply(Status(process="web", pid=os.getpid(), uptime_s=uptime_s, details={"port": server.port}))

    with server, WireServer(sockets / "web.sock", {StatusRequest: status}):
        where = {
            "host": settings.host,
            "port": server.port,
            "tls": settings.tls,
            "fingerprint": fingerprint(tls[0]) if tls and settings.tls == "self-signed" else "",
            "pid": os.getpid(),
        }
        private_files.replace(tell, (json.dumps(where) + "\n").encode())
        _log.info("serving", host=settings.host, port=server.port, tls=settings.tls)
        try:
            stop.wait()
        finally:
            tell.unlink(missing_ok=True)


def fingerprint(certificate: Path) -> str:
    """SHA-256 of a PEM file's first certificate, as browsers show it: capital pairs and colons.

    Raises:
        SettingsError: It holds none.
    """
    try:
        text = certificate.read_text(encoding="ascii")
        first = text[text.index(ssl.PEM_HEADER) : text.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)]
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest().upper()
    except (OSError, ValueError) as error:
        raise SettingsError(f"{certificate} is no certificate", hint="it must be PEM") from error
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def _tls(settings: WebSettings, own: tuple[Path, Path], stop: threading.Event) -> tuple[Path, Path] | None:
    """Certificate and key to serve with; None: plain HTTP, behind a proxy.

    Raises:
        SettingsError: There is none.
    """
    if settings.tls == "proxy":
        return None
    if settings.tls == "files" and settings.certificate and settings.private_key:
        return settings.certificate, settings.private_key
    until = time.monotonic() + _CERTIFICATE_S
    while not (own[0].exists() and own[1].exists()):
        if time.monotonic() > until or stop.wait(0.1):
            raise SettingsError(
                f"there is no certificate {own[0]}",
                hint="appliance run makes it; its messages say why it did not",
            )
    return own
