"""Drivers of locks: one contract for a lock of the tests and for real programs, servers and brokers."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import pytest
from pydantic import SecretStr
from unlocks import MORNING, NotingLock

from appliance.actions.locks import (
    CommandLock,
    HttpLock,
    LockDriver,
    MqttLock,
    Opening,
    UntoldLock,
    program_of,
)
from appliance.clock import SystemClock
from appliance.errors import ActionError
from appliance.settings import WebhookSettings
from appliance.sinks.webhook import WebhookAction

OPENING = Opening("front", "event", "event:rule:0", MORNING, 2.0)


@dataclass
class Broker:
    """A broker's connection that notes what it sends: implements `Offering`."""

    connected: bool = True
    answers: bool = True
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    expiries: list[float | None] = field(default_factory=list)

    def alive(self, wait_s: float) -> bool:
        """Whether it answers."""
        return self.connected and self.answers and wait_s > 0

    def offer(self, topic: str, payload: bytes, *, wait_s: float, expiry_s: float | None = None) -> bool:
        """Send it, if there is a connection and time."""
        self.expiries.append(expiry_s)
        if self.connected and wait_s > 0:
            self.sent.append((topic, payload))
        return self.connected and wait_s > 0


class Leaving(Broker):
    """It answers, and is gone when it is told."""

    def offer(self, topic: str, payload: bytes, *, wait_s: float, expiry_s: float | None = None) -> bool:
        """The connection breaks."""
        self.connected = False
        return super().offer(topic, payload, wait_s=wait_s, expiry_s=expiry_s)


class Tried(Protocol):
    """A driver, with what its lock heard."""

    driver: LockDriver

    def heard(self) -> int:
        """How often the lock was told."""


@dataclass
class _Noted:
    driver: NotingLock

    def heard(self) -> int:
        return len(self.driver.told)


@dataclass
class _Sent:
    driver: MqttLock
    broker: Broker

    def heard(self) -> int:
        return len(self.broker.sent)


@dataclass
class _Lines:
    driver: LockDriver
    file: Path

    def heard(self) -> int:
        return len(self.file.read_text(encoding="utf-8").splitlines()) if self.file.exists() else 0


@dataclass
class _Posted:
    driver: LockDriver
    bodies: list[bytes]

    def heard(self) -> int:
        return len(self.bodies)


def program(folder: Path, then: str = "") -> tuple[str, ...]:
    """A real program that writes what it reads to a file, and then does something."""
    script = folder / "lock.py"
    script.write_text(
        f"import sys, time\nwith open({str(folder / 'told')!r}, 'a') as told:\n"
        f"    told.write(sys.stdin.readline())\n{then}\n",
        encoding="utf-8",
    )
    return (sys.executable, "-I", str(script))


@contextmanager
def lock_server(status: int | None = 200) -> Iterator[tuple[str, list[bytes], list[dict[str, str]]]]:
    """A real server that is a lock; its address, and what it is told. Without a status it hangs up."""
    bodies: list[bytes] = []
    headers: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        """Notes each request."""

        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            headers.append(dict(self.headers))
            if status is None:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/open", bodies, headers
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def posting(url: str) -> HttpLock:
    """A lock at that address, as dispatch makes it."""
    settings = WebhookSettings(
        id="front",
        url=SecretStr(url),
        secret=SecretStr("0123456789abcdef"),
        timeout_s=2.0,
        attempts=1,
        allow_private=True,
    )
    return HttpLock(WebhookAction(settings, "box", SystemClock()))


@pytest.fixture(params=["noting", "mqtt", "command", "http"])
def tried(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tried]:
    """Every driver there is."""
    if request.param == "noting":
        yield _Noted(NotingLock())
    elif request.param == "mqtt":
        broker = Broker()
        yield _Sent(MqttLock(broker, "locks/front/set", "OPEN"), broker)
    elif request.param == "command":
        yield _Lines(CommandLock(program(tmp_path), 10.0), tmp_path / "told")
    else:
        with lock_server() as (url, bodies, _):
            yield _Posted(posting(url), bodies)


def test_an_opening_is_told_once(tried: Tried) -> None:
    """Returning means that the lock was told, once."""
    tried.driver.open(OPENING)

    assert 1 == tried.heard()


def test_what_is_too_late_is_not_told(tried: Tried) -> None:
    """With no time left the lock hears nothing, and whoever asks learns that."""
    with pytest.raises(ActionError):
        tried.driver.open(Opening("front", "event", "key", MORNING, 0.0))

    assert 0 == tried.heard()


def test_closing_twice_is_closing(tried: Tried) -> None:
    """The end may come more than once."""
    tried.driver.close()
    tried.driver.close()

    assert 0 == tried.heard()


def test_a_broker_that_is_away_is_told_nothing_later() -> None:
    """Nothing waits for a connection: the next decision does."""
    broker = Broker(connected=False)
    with pytest.raises(ActionError, match="not told"):
        MqttLock(broker, "locks/front/set", "OPEN").open(OPENING)
    broker.connected = True

    assert [] == broker.sent


def test_a_broker_that_does_not_answer_is_told_nothing() -> None:
    """A connection that stands is not enough: what lies before a broker that sleeps comes when it wakes."""
    broker = Broker(answers=False)
    with pytest.raises(ActionError, match="not told"):
        MqttLock(broker, "locks/front/set", "OPEN").open(OPENING)

    assert [] == broker.sent


def test_a_message_ends_with_the_time_that_is_left() -> None:
    """A broker hands it to nobody after that."""
    broker = Broker()
    MqttLock(broker, "locks/front/set", "OPEN").open(OPENING)

    (expiry_s,) = broker.expiries
    assert expiry_s is not None
    assert 0 < expiry_s <= OPENING.left_s


def test_a_message_can_say_until_when_it_counts() -> None:
    """A lock that reads it drops what comes too late, or twice."""
    broker = Broker()
    MqttLock(broker, "l", '{"do":"open","until":{until},"key":"{key}"}').open(OPENING)

    assert {"do": "open", "until": OPENING.until, "key": "event:rule:0"} == json.loads(broker.sent[0][1])


def test_a_program_is_told_nothing_of_anybody(tmp_path: Path) -> None:
    """On standard input stands what is opened and until when; no person, no score."""
    CommandLock(program(tmp_path), 10.0).open(OPENING)
    told = json.loads((tmp_path / "told").read_text(encoding="utf-8"))

    assert {"id", "type", "lock", "at", "until", "key"} == set(told)


def test_a_program_that_fails_did_not_open(tmp_path: Path) -> None:
    """An exit code other than 0 is a failure, said in words; that is known."""
    with pytest.raises(ActionError, match="exit 3") as caught:
        CommandLock(program(tmp_path, "sys.exit(3)"), 10.0).open(OPENING)

    assert (True, False) == (caught.value.permanent, caught.value.unknown)


def test_a_program_that_hangs_is_ended(tmp_path: Path) -> None:
    """It gets its time and no more; it may have opened, and nobody says that it did not."""
    with pytest.raises(ActionError, match="may have opened") as caught:
        CommandLock(program(tmp_path, "time.sleep(600)"), 0.5).open(OPENING)

    assert (True, False) == (caught.value.unknown, caught.value.permanent)


def test_a_program_that_is_given_up_may_have_opened(tmp_path: Path) -> None:
    """Dispatch stops in the middle of it: *unknown*, as a crash would be."""
    lock = CommandLock(program(tmp_path, "time.sleep(600)"), 60.0)
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(lock.open, OPENING)
        while not (tmp_path / "told").exists() and not opening.done():
            time.sleep(0.01)
        lock.close()
        failed = opening.exception()

    assert isinstance(failed, ActionError)
    assert failed.unknown


def test_a_program_that_somebody_killed_may_have_opened(tmp_path: Path) -> None:
    """It did not say that it failed, it could not say anything."""
    with pytest.raises(ActionError, match="SIGKILL") as caught:
        CommandLock(program(tmp_path, "import os; os.kill(os.getpid(), 9)"), 10.0).open(OPENING)

    assert caught.value.unknown


def test_a_broker_that_goes_away_in_the_middle_may_have_told_it() -> None:
    """It answered a moment ago: whether the message reached it nobody knows."""
    with pytest.raises(ActionError, match="in the middle") as caught:
        MqttLock(Leaving(), "locks/front/set", "OPEN").open(OPENING)

    assert caught.value.unknown


def test_a_server_that_takes_it_and_does_not_answer_may_have_opened() -> None:
    """Sent and not answered is *unknown*; a refusal is none."""
    with lock_server(None) as (url, bodies, _):
        with pytest.raises(ActionError, match="may have been taken") as caught:
            posting(url).open(OPENING)

        assert 1 == len(bodies)
    assert (True, False) == (caught.value.unknown, caught.value.permanent)


def test_a_server_that_is_not_there_opened_nothing() -> None:
    """Nothing was sent: that is known."""
    with lock_server() as (url, _, _):
        pass
    with pytest.raises(ActionError, match="nobody listens") as caught:
        posting(url).open(OPENING)

    assert not caught.value.unknown


def test_a_program_that_is_not_there_opens_nothing(tmp_path: Path) -> None:
    """A wrong path is said, without showing it."""
    argv = (str(tmp_path / "none"),)
    with pytest.raises(ActionError, match="cannot be run") as caught:
        CommandLock(argv, 1.0).open(OPENING)

    assert str(tmp_path) not in str(caught.value)
    assert program_of(argv) is None


@pytest.mark.parametrize("status", [302, 403, 500])
def test_a_server_that_does_not_take_it_did_not_open(status: int) -> None:
    """Anything but 2xx is a failure, and no redirect is followed; nothing is tried twice."""
    with lock_server(status) as (url, bodies, _):
        with pytest.raises(ActionError) as caught:
            posting(url).open(OPENING)

        assert (1, False) == (len(bodies), caught.value.unknown)


def test_a_post_is_signed_as_webhooks_are() -> None:
    """The lock can tell that it was us, and when."""
    with lock_server() as (url, bodies, headers):
        posting(url).open(OPENING)

    assert headers[0]["X-Appliance-Signature"].startswith("v1=")
    assert "event:rule:0" == headers[0]["X-Appliance-Idempotency-Key"]
    assert OPENING.until == json.loads(bodies[0])["until"]


def test_a_lock_nobody_said_how_to_tell_is_never_told() -> None:
    """Settings that lack something leave the door shut, and say what."""
    with pytest.raises(ActionError, match="no broker"):
        UntoldLock(ActionError("there is no broker in the settings")).open(OPENING)
