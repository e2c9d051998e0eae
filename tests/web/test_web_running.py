"""Desk and web as processes: served at the address that is told, stopped at once, apart from each other."""

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from running_web import Running, run_web, wait_for
from structlog.testing import capture_logs

from appliance.backoff import BackOff
from appliance.settings import WebSettings
from appliance.vault.certificate import read_certificate
from appliance.wire import Client
from appliance.wire.messages import Ping, Status, StatusRequest
from web import cookies, serving


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Desk and web; a test that ends one starts it again."""
    with run_web(tmp_path_factory.mktemp("running") / "state") as started:
        yield started


def port(running: Running) -> int:
    """Of the pages."""
    return int(running.url.rpartition(":")[2])


def fetch(running: Running, path: str, secret: str = "") -> tuple[int, str]:
    """Status and text of a page, by a client that trusts the box's certificate."""
    context = ssl.create_default_context(cafile=running.context.layout.certificate)
    connection = HTTPSConnection("localhost", port(running), context=context, timeout=20)
    with contextlib.closing(connection):
        headers = {"Cookie": f"{cookies.SESSION}={secret}"} if secret else {}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_it_is_served_where_it_says(running: Running) -> None:
    """At the port in run/web.json, with the certificate whose fingerprint stands there."""
    told = json.loads(running.context.layout.web_file.read_text())
    found = read_certificate(running.context.layout.certificate)

    assert (200, found.fingerprint) == (fetch(running, "/sign-in")[0], told["fingerprint"])
    assert 200 == fetch(running, "/account", running.secret())[0]


def test_it_answers_the_supervisor(running: Running) -> None:
    """At its own socket, as every process of ours."""
    client = Client(running.context.layout.socket("web"))
    client.call(Ping())

    assert "web" == client.call(StatusRequest(), Status).message.process


def test_it_is_handed_no_more_than_it_needs(running: Running) -> None:
    """Neither a camera's address nor a key's place stands in its command line or its environment."""
    child = running.children["web"]
    line = Path(f"/proc/{child.pid}/cmdline").read_bytes().split(b"\0")
    part = json.loads(line[line.index(b"--part") + 1])
    files = {str(each.resolve()) for each in Path(f"/proc/{child.pid}/fd").iterdir()}

    assert {"site", "web", "log"} == set(part)
    assert not [name for name in files if name.endswith((".db", ".db-wal", "device.key"))]


def test_it_stops_before_it_would_be_killed_with_streams_open(running: Running) -> None:
    """The supervisor waits five seconds. It leaves no address behind; the desk goes on."""
    secret = running.secret()
    context = ssl.create_default_context(cafile=running.context.layout.certificate)
    request = f"GET /events HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies.SESSION}={secret}\r\n\r\n"
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            plain = stack.enter_context(socket.create_connection(("localhost", port(running)), timeout=10))
            sock = stack.enter_context(context.wrap_socket(plain, server_hostname="localhost"))
            sock.sendall(request.encode())
            assert sock.recv(200).startswith(b"HTTP/1.1 200")
        took = running.stop("web")
    told = running.context.layout.web_file.exists()
    Client(running.context.layout.socket("desk")).call(Ping())
    running.start("web")

    assert took < 5.0
    assert not told


def test_the_desk_may_come_and_go(running: Running) -> None:
    """Without it pages say so, and with it again sessions are what they were."""
    secret = running.secret()
    running.stop("desk", kill=True)
    without = fetch(running, "/account", secret)[0]
    running.context.layout.socket("desk").unlink()
    running.start("desk")
    again = fetch(running, "/account", secret)[0]

    assert (503, 200) == (without, again)


def test_web_killed_comes_back_with_everybody_signed_in(running: Running) -> None:
    """It keeps nothing that a restart could lose; even a form opened before is taken after."""
    secret = running.secret()
    before = fetch(running, "/account", secret)[1]
    running.stop("web", kill=True)
    running.context.layout.web_file.unlink()
    running.start("web")
    after = fetch(running, "/account", secret)[1]

    field = '<input type="hidden" name="csrf" value="'
    assert before.partition(field)[2][:43] == after.partition(field)[2][:43] != ""


def test_a_port_that_is_taken_is_waited_for(running: Running, tmp_path: Path) -> None:
    """The process lives on and says so once; it is served as soon as the other program is gone."""
    stop, tell = threading.Event(), tmp_path / "web.json"
    layout = running.context.layout
    with socket.create_server(("127.0.0.1", 0)) as taken, capture_logs() as logged:
        port = taken.getsockname()[1]
        thread = threading.Thread(
            target=serving.run_web,
            args=(WebSettings(port=port),),
            kwargs={
                "sockets": tmp_path,
                "own_certificate": (layout.certificate, layout.certificate_key),
                "tell": tell,
                "stop": stop,
                "pauses": BackOff(first_s=0.05, cap_s=0.05),
            },
        )
        thread.start()
        wait_for((tmp_path / "web.sock").exists, "its own socket")
        time.sleep(0.5)
        alive = Client(tmp_path / "web.sock").call(StatusRequest(), Status).message.process
        told_early = tell.exists()
        taken.close()
        wait_for(tell.exists, "the pages")
        told = json.loads(tell.read_text())
        stop.set()
        thread.join(10)
    warned = [each for each in logged if each["log_level"] == "warning"]

    assert ("web", False, port) == (alive, told_early, told["port"])
    assert ["not_served"] == [each["event"] for each in warned]
    assert str(port) in warned[0]["error"]
    assert not thread.is_alive()


def test_waiting_for_a_port_ends_at_once(tmp_path: Path) -> None:
    """Who stops the appliance meanwhile does not wait for the next try."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = WebSettings(port=taken.getsockname()[1], tls="proxy", trusted_proxies=["127.0.0.1"])
        paths: dict[str, Any] = {"sockets": tmp_path, "own_certificate": (tmp_path, tmp_path)}
        thread = threading.Thread(
            target=serving.run_web,
            args=(settings,),
            kwargs={**paths, "tell": tmp_path / "web.json", "stop": stop, "pauses": BackOff(60, 60)},
        )
        thread.start()
        wait_for((tmp_path / "web.sock").exists, "its own socket")
        time.sleep(0.2)
        began = time.monotonic()
        stop.set()
        thread.join(10)

    assert time.monotonic() - began < 2.0
    assert not thread.is_alive()
