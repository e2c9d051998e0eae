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
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import structlog
from flask import Flask

from appliance import private_files
from appliance.backoff import BackOff
from appliance.errors import SettingsError, WireError
from appliance.settings import WebSettings
from appliance.wire import Reply, Request
from appliance.wire import Server as WireServer
from appliance.wire.messages import Status, StatusRequest
from web.application import create_app
from web.desk import DeskClient
from web.server import Server

_log = structlog.get_logger()

_CERTIFICATE_S: Final = 10.0
"""Seconds to wait for the box's own certificate, which another process makes."""
_PAUSES: Final = BackOff(first_s=0.5, cap_s=15.0)


def run_web(
    settings: WebSettings,
    *,
    sockets: Path,
    own_certificate: tuple[Path, Path],
    tell: Path,
    stop: threading.Event,
    pauses: BackOff = _PAUSES,
) -> None:
    """Serve until `stop` is set.

    Args:
        settings: Of the web.
        sockets: The folder of our processes' sockets.
        own_certificate: Certificate and key that are made on this box, where the settings want those.
        tell: The file in which to say where the pages are; removed at the end.
        stop: Ends it, streams and all, within two seconds.
        pauses: Between tries to listen, while the port is taken.

    Raises:
        SettingsError: The certificate cannot be used.
        WireError: Our own socket cannot be opened.
    """
    began = time.monotonic()
    tls = _tls(settings, own_certificate, stop)
    app = create_app(
        DeskClient(sockets / "desk.sock"),
        run=sockets,
        names=settings.names,
        strict=settings.tls != "self-signed",
        host=settings.host,
        proxied=settings.tls == "proxy",
        stopping=stop,
    )
    server = Server(
        app, host=settings.host, port=settings.port, tls=tls, stopping=stop, trusted=settings.trusted_proxies
    )

    def status(_: Request[StatusRequest]) -> Reply[Status]:
        uptime_s = time.monotonic() - began
        return Reply(Status(process="web", pid=os.getpid(), uptime_s=uptime_s, details={"port": server.port}))

    with ExitStack() as stack:
        # First, so that whoever looks after us sees us alive while the port is another program's.
        stack.enter_context(WireServer(sockets / "web.sock", {StatusRequest: status}))
        if not _listening(server, stack, stop, pauses):
            return
        where = {
            "host": settings.host,
            "port": server.port,
            "tls": settings.tls,
            "fingerprint": fingerprint(tls[0]) if tls and settings.tls == "self-signed" else "",
            "pid": os.getpid(),
        }
        threading.Thread(target=_read_templates, args=(app,), name="templates", daemon=True).start()
        private_files.replace(tell, (json.dumps(where) + "\n").encode())
        _log.info("serving", host=settings.host, port=server.port, tls=settings.tls)
        try:
            stop.wait()
        finally:
            tell.unlink(missing_ok=True)


def _listening(server: Server, stack: ExitStack, stop: threading.Event, pauses: BackOff) -> bool:
    """Listen, as soon as that can be; whether it came to that before the end.

    Another program may have the port for a while, and an address come late at boot: neither is mended by
    starting this process again and again.
    """
    failures = 0
    while not stop.is_set():
        try:
            stack.enter_context(server)
        except WireError as error:
            failures += 1
            if failures == 1:
                _log.warning("not_served", error=error.message, hint=error.advice, trying="again and again")
            stop.wait(pauses.delay(failures))
        else:
            return True
    return False


def _read_templates(app: Flask) -> None:
    """Read and compile every template, so that nobody's first visit of a page waits for that."""
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)


def fingerprint(certificate: Path) -> str:
    """SHA-256 of a PEM file's first certificate, as browsers show it: capital pairs and colons.

    Raises:
        SettingsError: It holds none.
    """
    try:
        text = certificate.read_text(encoding="ascii")
        first = text[text.index(ssl.PEM_HEADER) : text.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)]
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).digest().hex(":").upper()
    except (OSError, ValueError) as error:
        raise SettingsError(f"{certificate} is no certificate", hint="it must be PEM") from error


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
                hint="it is made at the start; the messages of then say why it was not",
            )
    return own
