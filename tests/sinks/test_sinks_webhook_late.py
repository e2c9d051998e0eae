"""What is of its moment and posted: once that is over nothing is sent, whatever held it up."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from appliance.actions.locks import HttpLock, Opening
from appliance.clock import SystemClock
from appliance.errors import ActionError
from appliance.settings import WebhookSettings
from appliance.sinks.webhook import WebhookAction
from appliance.sinks.webhook_address import checked
from appliance.sinks.webhook_request import Requests, Target, too_late

LATE = Opening("front", "event", "event:rule:0", datetime(2026, 1, 5, 9, 0, tzinfo=UTC), 0.2)


class SlowLock:
    """A lock with TLS that takes the connection, and shakes hands only once it is let.

    Attributes:
        port: Where it listens.
        authority: PEM file of what signed its certificate.
        go_on: Set to let it.
        done: Set when it is through with the connection.
        told: What it was sent after the handshake.
    """

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.authority = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.authority))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(self._context)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.go_on, self.done = threading.Event(), threading.Event()
        self.told = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self.go_on.set()
        # A thread that still waits for somebody is woken by it.
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            plain, _ = self._listening.accept()
            self.go_on.wait(60)
            with plain, contextlib.suppress(OSError):
                plain.settimeout(10)
                with self._context.wrap_socket(plain, server_side=True) as safe:
                    while not self.told.endswith(b"}") and (piece := safe.recv(4096)):
                        self.told += piece
                    safe.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    safe.unwrap()
        self.done.set()


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[SlowLock]:
    """One, that is held up."""
    made = SlowLock(tmp_path)
    yield made
    made.close()


def driver(lock: SlowLock, resolve: Any = socket.getaddrinfo) -> HttpLock:
    """What tells it, with much more time for a request than a decision has left."""
    settings = WebhookSettings.model_validate(
        {
            "id": "front",
            "url": f"https://localhost:{lock.port}/open",
            "secret": "0123456789abcdef",
            "allow_private": True,
            "ca_file": lock.authority,
            "timeout_s": 60,
            "attempts": 1,
        }
    )

    def check(host: str, port: int, *, allow_private: bool) -> tuple[str, ...]:
        return checked(host, port, allow_private=allow_private, resolve=resolve)

    return HttpLock(WebhookAction(settings, "box", SystemClock(), check=check))


def test_a_lock_that_shakes_hands_too_late_is_told_nothing(lock: SlowLock) -> None:
    """The decision is over while the lock is slow: refused, and nothing reaches it afterwards."""
    with pytest.raises(ActionError, match="nothing was sent") as late:
        driver(lock).open(LATE)
    lock.go_on.set()

    assert lock.done.wait(60)
    assert b"" == lock.told
    assert late.value.permanent


def test_no_time_at_all_is_too_late() -> None:
    """Whoever notices it first, the watch or the connecting: nothing was sent, and that is said."""
    nowhere = Target("localhost", 9, ("127.0.0.1",), "/", None)
    told = set()
    for _ in range(20):
        with pytest.raises(ActionError) as late:
            Requests().post(nowhere, b"{}", {}, 60.0, 0.0)
        told.add((late.value.message, late.value.permanent, late.value.unknown))

    assert {(too_late().message, True, False)} == told


def test_a_name_that_is_looked_up_too_late_is_not_connected_to(lock: SlowLock) -> None:
    """A name server that answers when the decision is over opens nothing."""
    answer, answered = threading.Event(), threading.Event()

    def slow(*given: Any, **more: Any) -> Any:
        answer.wait(60)
        found = socket.getaddrinfo(*given, **more)
        answered.set()
        return found

    lock.go_on.set()
    with pytest.raises(ActionError, match="nothing was sent"):
        driver(lock, slow).open(LATE)
    answer.set()

    assert answered.wait(60)
    assert not lock.done.is_set()


def test_a_lock_that_is_in_time_is_told(lock: SlowLock) -> None:
    """The same lock, let at once, hears it: what is held up is what makes the difference."""
    lock.go_on.set()
    driver(lock).open(Opening("front", "event", "key", LATE.at, 60.0))

    assert lock.done.wait(60)
    assert lock.told.startswith(b"POST /open ")
