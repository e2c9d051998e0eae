"""systemd's notification protocol (sd_notify(3)): ready, watchdog, stopping. Small on purpose.

Without NOTIFY_SOCKET in the environment it does nothing.
"""

import contextlib
import socket
from collections.abc import Mapping

VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
"""Meant for the supervisor alone; its children do not inherit them."""


class Notifier:
    """Tells systemd how we are."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        usec = environment.get("WATCHDOG_USEC", "")
        wanted = self._address and usec.isdecimal() and int(usec) > 0
        self.watchdog_s: float | None = int(usec) / 2e6 if wanted else None
        """Seconds between signs of life: half of what systemd waits; None when it does not wait."""

    def send(self, state: str) -> None:
        """Send e.g. `READY=1`; a systemd that cannot hear is no reason to stop working."""
        if not self._address:
            return
        # A leading @ stands for the zero byte of an abstract address.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.settimeout(1.0)
            sock.connect(address)
            sock.send(state.encode())
