"""The way out of a view: to the hosts that were granted, and to nobody else."""

import contextlib
import http.server
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import hostile_functions as hostile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.deeplens.containment import containment
from appliance.deeplens.grants import Grants, read_host
from appliance.deeplens.project import Limits
from appliance.deeplens.proxy import GrantProxy
from appliance.errors import FunctionError, NotGrantedError


class _Shop(http.server.BaseHTTPRequestHandler):
    """Answers every request with what it was asked."""

    def do_GET(self) -> None:
        body = f"{self.path} {self.headers.get('Connection')} {self.headers.get('Host')}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self) -> None:
        STORED[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Say nothing."""


STORED: dict[str, bytes] = {}
"""What was put into the web server."""


@pytest.fixture(scope="module")
def shop() -> Iterator[int]:
    """The port of a web server on loopback."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def _to(*addresses: str) -> Any:
    """A look-up that answers with these addresses, whatever it is asked."""

    def resolve(host: str, port: int, **more: object) -> Sequence[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    return resolve


def _talk(proxy: GrantProxy, request: bytes, then: bytes = b"") -> bytes:
    """What a proxy answers to a request, and to what follows its first answer."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(20)
        asking.connect(str(proxy.path))
        asking.sendall(request)
        answer = asking.recv(4096)
        if then and b" 200 " in answer:
            asking.sendall(then)
        while more := asking.recv(4096):
            answer += more
        return answer


@pytest.fixture
def proxied(tmp_path: Path, shop: int) -> Iterator[tuple[GrantProxy, list[str]]]:
    """A proxy that leads to the web server, a name that leads to a private address, and what was refused."""
    refused: list[str] = []
    grants = Grants([f"127.0.0.1:{shop}", f"inside.example:{shop}"])
    proxy = GrantProxy(tmp_path / "way", grants, told=refused.append, resolve=_to("127.0.0.1"))
    proxy.open()
    yield proxy, refused
    proxy.close()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("example.com", "example.com:443"),
        ("Example.COM.:8443", "example.com:8443"),
        ("192.0.2.7:9000", "192.0.2.7:9000"),
        ("[2001:DB8:0::1]", "[2001:db8::1]:443"),
    ],
)
def test_hosts_are_compared_as_they_are_meant(text: str, written: str) -> None:
    """Case, a last dot, and the ways to write an address make no difference."""
    assert written == str(read_host(text))
    assert Grants([text]).cover(read_host(written))


@given(st.text(max_size=20))
def test_any_text_is_a_host_or_our_error(text: str) -> None:
    """What a function asks for may be anything."""
    try:
        host = read_host(text)
    except FunctionError:
        return

    assert host == read_host(str(host))
    assert 0 < host.port < 65536


def test_only_what_was_granted_is_covered() -> None:
    """By name and by port; a dot before a name stands for all below it, not for what merely ends so."""
    grants = Grants(["example.com", "api.example.org:8443", ".s3.example.net"])
    asked = {
        "example.com:443": True,
        "example.com:80": False,
        "www.example.com:443": False,
        "api.example.org:8443": True,
        "api.example.org:443": False,
        "bucket.s3.example.net:443": True,
        "evils3.example.net:443": False,
        "example.com.evil.example:443": False,
    }

    assert asked == {each: grants.cover(read_host(each)) for each in asked}


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "::1", "fe80::1%eth0", "::ffff:10.0.0.1"],
)
def test_a_name_never_leads_inside(address: str) -> None:
    """A granted name that leads to this box or a private network is refused, even beside another."""
    grants = Grants(["example.com"])
    with pytest.raises(NotGrantedError):
        grants.addresses(read_host("example.com"), _to("93.184.215.14", address))

    assert ("93.184.215.14",) == grants.addresses(read_host("example.com"), _to("93.184.215.14"))


def test_an_address_that_was_granted_itself_may_be_private() -> None:
    """Whoever grants 10.1.2.3 knows where it leads; nobody grants every address at once."""
    assert ("10.1.2.3",) == Grants(["10.1.2.3:9000"]).addresses(read_host("10.1.2.3:9000"), _to("10.1.2.3"))
    with pytest.raises(NotGrantedError):
        Grants(["0.0.0.0:9000"]).addresses(read_host("0.0.0.0:9000"), _to("0.0.0.0"))  # noqa: S104


def test_a_granted_host_is_reached(proxied: tuple[GrantProxy, list[str]], shop: int) -> None:
    """By a tunnel, and by a plain request, which is handed on as the server expects it, and is the last."""
    proxy, refused = proxied
    own = b"GET /a?b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    tunnelled = _talk(proxy, b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n" % shop, own)
    plain = _talk(
        proxy,
        b"GET http://127.0.0.1:%d/c?d HTTP/1.1\r\nHost: y\r\nProxy-Connection: keep-alive\r\n\r\n" % shop,
    )

    assert tunnelled.startswith(b"HTTP/1.1 200 Connection established\r\n\r\n")
    assert tunnelled.endswith(b"/a?b close x")
    assert plain.endswith(b"/c?d close y")
    assert [] == refused


@pytest.mark.parametrize(
    ("request_line", "status", "word"),
    [
        (b"CONNECT evil.example:443 HTTP/1.1", b"403", "evil.example:443 is not granted"),
        (b"CONNECT 127.0.0.1:1 HTTP/1.1", b"403", "127.0.0.1:1 is not granted"),
        (b"CONNECT inside.example:PORT HTTP/1.1", b"403", "is an address of this machine"),
        (b"GET http://evil.example/ HTTP/1.1", b"403", "evil.example:80 is not granted"),
        (b"GET / HTTP/1.1", b"400", ""),
        (b"CONNECT nonsense::: HTTP/1.1", b"400", ""),
        (b"\xff\xfe\x00", b"400", ""),
    ],
)
def test_anything_else_is_refused_and_said(
    request_line: bytes, status: bytes, word: str, proxied: tuple[GrantProxy, list[str]], shop: int
) -> None:
    """A host that was not granted, another port, a name that leads inside, noise: a status and a word."""
    proxy, refused = proxied
    answer = _talk(proxy, request_line.replace(b"PORT", b"%d" % shop) + b"\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 " + status)
    assert bool(word) == bool(refused)
    assert all(word in each for each in refused)


@pytest.mark.debian(reason="bubblewrap")
def test_a_function_reaches_what_it_was_granted_and_nothing_else(
    proxied: tuple[GrantProxy, list[str]], shop: int, tmp_path: Path
) -> None:
    """From within a view, by the variables that libraries heed; without the proxy there is no way at all."""
    proxy, refused = proxied
    source = """
import socket, urllib.request
def get(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read().decode()
tell(granted=get(f"http://127.0.0.1:{GIVEN}/in?view"))
tell(other=fault(get, "http://evil.example/"), secure=fault(get, "https://evil.example/"))
tell(beside=fault(socket.create_connection, ("127.0.0.1", GIVEN)))
"""
    told = hostile.run(tmp_path / "f", source, containment(), given=shop, proxy=proxy.path)

    assert f"/in?view close 127.0.0.1:{shop}" == told.outcomes["granted"]
    assert None not in {told.outcomes[each] for each in ("other", "secure", "beside")}
    assert ["evil.example:80", "evil.example:443"] == [each.split()[1] for each in refused]


@pytest.mark.debian(reason="bubblewrap")
def test_a_box_with_many_open_files_starts_functions_that_reach_out(
    proxied: tuple[GrantProxy, list[str]], shop: int, tmp_path: Path
) -> None:
    """The number of its channel, which it keeps inside, is above the limit of what it may open itself."""
    proxy, _ = proxied
    source = """
import urllib.request
tell(granted=urllib.request.urlopen(f"http://127.0.0.1:{GIVEN}/in?view", timeout=20).read().decode())
"""
    with contextlib.ExitStack() as many:
        for _ in range(300):
            many.callback(os.close, os.dup(0))
        told = hostile.run(tmp_path / "f", source, containment(), given=shop, proxy=proxy.path)

    assert f"/in?view close 127.0.0.1:{shop}" == told.outcomes["granted"]


@pytest.mark.debian(reason="bubblewrap")
def test_boto3_and_requests_reach_a_store_on_this_box_that_was_granted(
    proxied: tuple[GrantProxy, list[str]], shop: int, tmp_path: Path
) -> None:
    """As functions use it, without a word of proxies: the object arrives, whole."""
    proxy, refused = proxied
    source = """
import boto3, requests
boto3.client("s3").put_object(Bucket="pictures", Key="frame.jpg", Body=b"\\xff\\xd8" * 100_000)
tell(put=True, asked=requests.get(os.environ["AWS_ENDPOINT_URL_S3"] + "/in?view", timeout=20).text)
"""
    variables = {
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{shop}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    told = hostile.run(
        tmp_path / "f",
        source,
        containment(),
        proxy=proxy.path,
        environment=variables,
        limits=Limits(memory_mb=512),
        site=True,
    )

    assert told.outcomes.get("put"), told.lines
    assert f"/in?view close 127.0.0.1:{shop}" == told.outcomes["asked"]
    assert [] == refused
    assert b"\xff\xd8" * 100_000 in STORED["/pictures/frame.jpg"]
