"""The server under clients that are many, silent, slow, greedy, or gone; and how it stops."""

import contextlib
import ipaddress
import time
from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from web_clients import STREAM, Counting, eventually, opened

from appliance.errors import WireError
from web import watch
from web.application import create_app
from web.desk import DeskClient
from web.server import Server, behind


@pytest.fixture
def served(counting: Counting) -> Iterator[Server]:
    """It, at a port, in plain HTTP."""
    with Server(counting, stopping=counting.stopping) as server:
        yield server


def get(server: Server, path: str = "/page", **headers: str) -> tuple[int, str]:
    """Status and text of a page."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_forty_streams_and_a_page(served: Server, counting: Counting) -> None:
    """Twenty viewers and twenty screens look, and a page is answered beside them."""
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(opened(served, STREAM))

        assert eventually(lambda: counting.open == 40)
        assert 200 == get(served)[0]


def test_a_client_that_is_gone_ends_its_stream(served: Server, counting: Counting) -> None:
    """Nothing is made for who does not look any more."""
    opened(served, STREAM).close()

    assert eventually(lambda: counting.ended == 1)
    assert 0 == counting.open


def test_it_stops_at_once_with_streams_open(counting: Counting) -> None:
    """In two seconds, be they read or not, and each is ended in good order."""
    with contextlib.ExitStack() as stack:
        with Server(counting, stopping=counting.stopping) as server:
            for _ in range(20):
                stack.enter_context(opened(server, STREAM))
            assert eventually(lambda: counting.open == 20)
            began = time.monotonic()
        took = time.monotonic() - began

    assert took < 2.0
    assert 20 == counting.ended


def test_it_stops_at_once_with_a_request_half_said(counting: Counting) -> None:
    """Who is in the middle of a sentence is not waited for."""
    with contextlib.ExitStack() as stack:
        with Server(counting, stopping=counting.stopping) as server:
            stack.enter_context(opened(server, b"GET /page HTT"))
            time.sleep(0.3)
            began = time.monotonic()
        took = time.monotonic() - began

    assert took < 2.0


def test_silent_clients_hold_no_thread(counting: Counting) -> None:
    """More of them than there are threads, and a page is answered."""
    with Server(counting, threads=2, stopping=counting.stopping) as server, contextlib.ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(opened(server))
        began = time.monotonic()

        assert 200 == get(server)[0]
        assert time.monotonic() - began < 2.0


def test_one_address_holds_so_many(served: Server, counting: Counting) -> None:
    """A greedy client is turned away, and room is left for the others."""
    with contextlib.ExitStack() as stack:
        for _ in range(watch.MOST_OF_ONE):
            stack.enter_context(opened(served, of="127.0.0.2"))
        turned_away = stack.enter_context(opened(served, of="127.0.0.2")).recv(1)
        of_another = stack.enter_context(opened(served, b"GET / HTTP/1.0\r\n\r\n", of="127.0.0.3")).recv(12)

        assert b"" == turned_away
        assert b"HTTP/1.1 200" == of_another
    assert eventually(lambda: said_back(served, "127.0.0.2") != b"")


def said_back(server: Server, address: str) -> bytes:
    """What a client with this address is answered; nothing if it is turned away."""
    try:
        with opened(server, b"GET / HTTP/1.0\r\n\r\n", of=address) as sock:
            return sock.recv(12)
    except OSError:
        return b""


def test_a_slow_sentence_is_cut(counting: Counting) -> None:
    """A head that comes a letter at a time is cut, long before it is over."""
    with (
        Server(counting, stopping=counting.stopping, head_s=1.0) as server,
        opened(server, b"GET /page HTTP/1.1\r\n") as sock,
    ):
        began = time.monotonic()
        cut = False
        while not cut and time.monotonic() - began < 8.0:
            try:
                sock.sendall(b"X")
                sock.settimeout(0.3)
                cut = sock.recv(100) == b""
            except TimeoutError:
                continue
            except OSError:
                cut = True

    assert cut


def test_a_body_that_nobody_reads_is_not_waited_for(served: Server) -> None:
    """A refused upload of 20 MB is answered at once, unread."""
    head = b"POST /unread HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000000\r\n\r\n"
    with opened(served, head) as sock:
        began = time.monotonic()
        answer = sock.recv(100)

    assert answer.startswith(b"HTTP/1.1 413")
    assert time.monotonic() - began < 2.0


def test_a_body_larger_than_any_view_takes_is_refused(served: Server, counting: Counting) -> None:
    """Fifty megabytes are refused by their announcement."""
    head = b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n\r\n"
    with opened(served, head) as sock:
        answer = sock.recv(100)

    assert answer.startswith(b"HTTP/1.1 413")
    assert 0 == counting.read


def test_a_port_that_is_taken_is_said(served: Server, counting: Counting) -> None:
    """With the port's number, and what to do."""
    with pytest.raises(WireError, match=str(served.port)) as caught, Server(counting, port=served.port):
        pass
    assert "web.port" in caught.value.hint


@pytest.mark.parametrize(
    "said",
    [
        b"GET /page HTT",
        b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\nabc",
    ],
)
def test_half_a_request_takes_no_thread_from_pages(counting: Counting, said: bytes) -> None:
    """More slow heads or bodies than there are threads, of several addresses, and a page is answered."""
    with Server(counting, threads=8, stopping=counting.stopping) as server, contextlib.ExitStack() as stack:
        for number in range(40):
            stack.enter_context(opened(server, said, of=f"127.0.0.{2 + number % 2}"))
        time.sleep(0.3)
        began = time.monotonic()

        assert 200 == get(server)[0]
        assert time.monotonic() - began < 2.0


@pytest.mark.parametrize(
    "headers",
    [
        b"Host: localhost\r\nHost: evil.example",
        b"Host: localhost\r\nContent-Length: 1\r\nContent-Length: 0",
        b"Host: localhost\r\nContent-Length: 1_0",
        b"Host: localhost\r\nContent-Length: -1",
        b"Host: localhost\r\nContent-Length: 1, 1",
        b"Host: localhost\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        b"Host: localhost\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b",
    ],
)
def test_what_two_readers_could_read_differently_is_refused(served: Server, headers: bytes) -> None:
    """A proxy and this server never disagree about where a request ends or for whom it is."""
    with opened(served, b"POST /body HTTP/1.1\r\n" + headers + b"\r\n\r\n") as sock:
        answer = sock.recv(100)

    assert answer.startswith(b"HTTP/1.1 400")


def test_a_fault_of_ours_is_a_warning(logged: list[Any]) -> None:
    """What no client did is told by its kind, without its words."""

    def broken(_: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [])
        raise RuntimeError("Ann's secret")

    with Server(broken) as server, opened(server, b"GET / HTTP/1.0\r\n\r\n") as sock:
        sock.recv(100)
    found = [each for each in logged if each["log_level"] == "warning"]

    assert [("connection_broke", "RuntimeError")] == [(each["event"], each["error"]) for each in found]
    assert "Ann" not in str(found)


_PROXY = ipaddress.ip_network("127.0.0.1/32")


@pytest.mark.parametrize(
    ("trusted", "forwarded", "seen"),
    [
        ([], "10.0.0.9", "/page 127.0.0.1 http"),
        ([_PROXY], "10.0.0.9", "/page 10.0.0.9 https"),
        ([_PROXY], "6.6.6.6, 10.0.0.9", "/page 10.0.0.9 https"),
        ([_PROXY], "6.6.6.6, 10.0.0.9, 127.0.0.1", "/page 10.0.0.9 https"),
        ([_PROXY], "", "/page 127.0.0.1 https"),
        ([_PROXY], "10.0.0.9:50123", "/page 10.0.0.9 https"),
        ([_PROXY], "[2001:db8::9]:443", "/page 2001:db8::9 https"),
        ([_PROXY], "6.6.6.6:80, 10.0.0.9:50123, 127.0.0.1:80", "/page 10.0.0.9 https"),
        ([_PROXY], "nonsense", "/page 127.0.0.1 https"),
        ([_PROXY], "6.6.6.6, unknown", "/page 127.0.0.1 https"),
    ],
)
def test_where_a_request_came_from(counting: Counting, trusted: list[Any], forwarded: str, seen: str) -> None:
    """Only a configured proxy is believed, and of what it says only what it saw itself."""
    environ = {
        "PATH_INFO": "/page",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "HTTP_X_FORWARDED_FOR": forwarded,
    }

    assert [seen.encode()] == list(behind(counting, trusted)(environ, lambda *_: None))


def test_only_the_proxy_is_answered_where_there_is_one(counting: Counting) -> None:
    """Its port is plain HTTP: whoever comes to it directly gets nothing to type a password into."""
    began: list[str] = []
    environ = {"PATH_INFO": "/page", "REMOTE_ADDR": "10.0.0.9", "wsgi.url_scheme": "http"}
    answer = list(behind(counting, [_PROXY])(environ, lambda status, _: began.append(status)))

    assert ["403 Forbidden"] == began
    assert b"through their proxy" in answer[0]


def test_a_body_without_a_length_is_refused(tmp_path: Path) -> None:
    """The real application, sent a form in pieces that never ends: no browser sends one."""
    app = create_app(DeskClient(tmp_path / "desk.sock"))
    head = b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
    form = b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    piece = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
    with Server(app) as server, opened(server, head + form) as sock:
        with contextlib.suppress(OSError):
            for _ in range(20):
                sock.sendall(piece)
        answer = sock.recv(100)

    assert answer.startswith(b"HTTP/1.1 411")


@pytest.mark.parametrize("host", ["::", "0.0.0.0", "::1", "127.0.0.1"])  # noqa: S104 - that is what is tried
def test_it_listens_where_it_is_told(counting: Counting, host: str) -> None:
    """On one family or both; an address of IPv4 is told as such."""
    reached = "::1" if host == "::1" else "127.0.0.1"
    with Server(counting, host=host, stopping=counting.stopping) as server:
        connection = HTTPConnection(reached, server.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", "/page")
            text = connection.getresponse().read()

    assert f"/page {reached} http".encode() == text


def test_headers_with_underscores_are_dropped(counting: Counting) -> None:
    """`X_Forwarded_For` is not taken for the header that a proxy sets."""
    with Server(counting, stopping=counting.stopping, trusted=[_PROXY]) as server:
        text = get(server, X_Forwarded_For="6.6.6.6")[1]

    assert "/page 127.0.0.1 https" == text
