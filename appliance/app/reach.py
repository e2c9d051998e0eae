"""Where the pages are reached, and telling the first admin how to get in.

A code is told on a terminal only: what is not a terminal may be a journal, and no code belongs there.
"""

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from appliance.errors import ApplianceError
from appliance.services import Layout, Services
from appliance.settings import WebSettings
from appliance.wire import Client
from appliance.wire.messages import Ping

FIRST_RUN: Final = "/first-run"
PASSWORD: Final = "/password"  # noqa: S105 - a path

_log = structlog.get_logger()

_EVERYWHERE: Final = ("0.0.0.0", "::", "")  # noqa: S104 - looked for, not bound to
_HTTPS: Final = 443
_POLL_S: Final = 0.1
_PATIENCE_S: Final = 60.0
_ANSWER_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Reach:
    """Where the pages are.

    Attributes:
        url: Scheme, host and port, without a slash at the end.
        fingerprint: SHA-256 of the certificate where it was made on this box; empty otherwise.
    """

    url: str
    fingerprint: str = ""

    def link(self, path: str, code: str) -> str:
        """A link whose code never leaves the browser by itself: it stands in the fragment."""
        return f"{self.url}{path}#{code}"


def reach(settings: WebSettings, layout: Layout) -> Reach:
    """Where the pages are: as the web process says if it listens, else as they would be by the settings."""
    told = _told(layout)
    port = told.get("port")
    if not isinstance(port, int):
        port = settings.port
    fingerprint = told.get("fingerprint")
    return Reach(_url(settings, port), fingerprint if isinstance(fingerprint, str) else "")


def announce(
    settings: WebSettings,
    services: Services,
    say: Callable[[str], None],
    *,
    terminal: bool,
    ready: Callable[[], bool] = lambda: True,
) -> threading.Thread:
    """Say where the pages are once they are served, and how the first admin gets in; returns at once.

    Args:
        settings: Of the web.
        services: Opened for as long as the supervisor runs. The code is made at once, and those before void.
        say: Prints a line.
        terminal: Whether a person reads it, and nobody keeps it.
        ready: Whether whoever opens a page now gets one; nothing is said before, for a minute.
    """
    code = None
    if not services.store.has_operators() and terminal:
        code = services.store.first_run_code()
    services.layout.web_file.unlink(missing_ok=True)  # of a run before
    missing = not services.store.has_operators()

    def wait_and_tell() -> None:
        give_up = time.monotonic() + _PATIENCE_S
        while not (_told(services.layout) and ready()):
            if time.monotonic() > give_up:
                break
            time.sleep(_POLL_S)
        if not _told(services.layout):
            return
        found = reach(settings, services.layout)
        if not terminal:
            hint = "appliance operators link" if missing else ""
            _log.info("pages_served", url=found.url, fingerprint=found.fingerprint, first_admin=hint)
            return
        say(f"admin pages: {found.url}")
        if found.fingerprint:
            say(f"  certificate made here, SHA-256 {found.fingerprint}")
        if code is not None:
            say(f"  first admin, once, within 24 h: {found.link(FIRST_RUN, code)}")

    thread = threading.Thread(target=wait_and_tell, name="announce", daemon=True)
    thread.start()
    return thread


def answers(layout: Layout, process: str) -> bool:
    """Whether a process answers at its socket."""
    try:
        Client(layout.socket(process), timeout_s=_ANSWER_S).call(Ping())
    except ApplianceError:
        return False
    return True


def _told(layout: Layout) -> dict[str, Any]:
    """What the web process says of itself; empty: it does not listen."""
    try:
        told = json.loads(layout.web_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    # Killed, it could not take the file away.
    alive = isinstance(told, dict) and Path(f"/proc/{told.get('pid')}").exists()
    return told if alive else {}


def _url(settings: WebSettings, port: int) -> str:
    if settings.tls == "proxy":
        # Which port the proxy has, nobody here knows; most have the usual one.
        return f"https://{_host(settings)}"
    return f"https://{_host(settings)}" + ("" if port == _HTTPS else f":{port}")


def _host(settings: WebSettings) -> str:
    name = settings.names[0] if settings.names else settings.host
    if name in _EVERYWHERE:
        name = socket.gethostname()
    return f"[{name}]" if ":" in name else name
