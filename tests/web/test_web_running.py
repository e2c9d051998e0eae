"""Desk and web as processes: served at the address that is told, stopped at once, apart from each other."""

import contextlib
import json
import socket
import ssl
import time
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path

import pytest
from running_web import Running, run_web

from appliance.vault.certificate import read_certificate
from appliance.wire import Client
from appliance.wire.messages import Ping, Status, StatusRequest
from web import cookies


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


def test_it_stops_within_two_seconds_with_streams_open(running: Running) -> None:
    """And leaves no address behind; the desk goes on."""
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

    assert took < 2.0
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


def test_a_port_that_is_taken_ends_it_with_words(tmp_path: Path) -> None:
    """The supervisor tries again; what is wrong stands in its last words."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = f"[web]\nport = {taken.getsockname()[1]}\n"
        with run_web(tmp_path / "state", settings=settings, processes=("desk",)) as running:
            began = time.monotonic()
            with pytest.raises(RuntimeError, match="web ended with 9"):
                running.start("web")

    assert time.monotonic() - began < 20
