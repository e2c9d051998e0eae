"""The server's TLS: what it speaks, and hands that are shaken slowly, half or never."""

import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from web_clients import STREAM, Counting, eventually, opened

from appliance.clock import SystemClock
from appliance.errors import SettingsError
from appliance.vault.certificate import ensure_certificate
from web.server import Server


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate and its key."""
    folder = tmp_path_factory.mktemp("tls")
    ensure_certificate(folder / "c.pem", folder / "k.pem", (), SystemClock().wall())
    return folder / "c.pem", folder / "k.pem"


@pytest.fixture
def secured(counting: Counting, certificate: tuple[Path, Path]) -> Iterator[Server]:
    """It, over TLS."""
    with Server(counting, stopping=counting.stopping, tls=certificate) as server:
        yield server


def test_silence_after_the_handshake_holds_no_thread(
    counting: Counting, certificate: tuple[Path, Path]
) -> None:
    """Many who greet and say nothing more, and a page is answered by one of two threads."""
    context = ssl.create_default_context(cafile=certificate[0])
    with (
        Server(counting, threads=2, tls=certificate, stopping=counting.stopping) as server,
        contextlib.ExitStack() as stack,
    ):
        for _ in range(10):
            sock = stack.enter_context(opened(server))
            stack.enter_context(context.wrap_socket(sock, server_hostname="localhost"))
        began = time.monotonic()
        test_it_speaks_tls(server, certificate)

    assert time.monotonic() - began < 5.0


def test_it_speaks_tls(secured: Server, certificate: tuple[Path, Path]) -> None:
    """With the certificate it was given, for a client that trusts it."""
    context = ssl.create_default_context(cafile=certificate[0])
    connection = HTTPSConnection("localhost", secured.port, context=context, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", "/page")
        answer = connection.getresponse().read()

    assert answer.endswith(b" https")


def test_it_speaks_no_old_tls(secured: Server) -> None:
    """Nothing before TLS 1.2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    assert "TLSv1.3" == handshake(secured, context)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert "TLSv1.2" == handshake(secured, context)


def handshake(server: Server, context: ssl.SSLContext) -> str | None:
    """The version that is agreed upon."""
    with opened(server) as sock, context.wrap_socket(sock) as wrapped:
        return wrapped.version()


def test_no_handshake_keeps_others_out(secured: Server, certificate: tuple[Path, Path]) -> None:
    """A client that connects and says nothing, or half a handshake, is served beside everybody else."""
    with opened(secured), opened(secured, b"\x16\x03\x01"):
        began = time.monotonic()
        test_it_speaks_tls(secured, certificate)

    assert time.monotonic() - began < 2.0


def test_plain_http_is_sent_to_tls(secured: Server) -> None:
    """Who typed http:// gets there all the same."""
    with opened(secured, b"GET / HTTP/1.1\r\nHost: door.local:8443\r\n\r\n") as sock:
        answer = sock.recv(1000)

    assert answer.startswith(b"HTTP/1.1 308")
    assert b"\r\nLocation: https://door.local:8443/\r\n" in answer


@pytest.mark.parametrize("said", [b"\x16", b"\x16\x03\x01\x02\x00\x01"])
def test_half_a_handshake_holds_no_thread(
    counting: Counting, certificate: tuple[Path, Path], said: bytes
) -> None:
    """More of them than there are threads, of several addresses, and a page is answered at once."""
    with (
        Server(counting, threads=4, tls=certificate, stopping=counting.stopping) as server,
        contextlib.ExitStack() as stack,
    ):
        for number in range(30):
            stack.enter_context(opened(server, said, of=f"127.0.0.{2 + number % 2}"))
        time.sleep(0.3)
        began = time.monotonic()
        test_it_speaks_tls(server, certificate)
        took = time.monotonic() - began

    assert took < 2.0


def test_half_a_handshake_is_cut_in_the_end(counting: Counting, certificate: tuple[Path, Path]) -> None:
    """It holds no thread, and not its place for ever either."""
    with (
        Server(counting, tls=certificate, stopping=counting.stopping, head_s=0.5) as server,
        opened(server, b"\x16\x03") as sock,
    ):
        began = time.monotonic()
        said = sock.recv(10)

    assert b"" == said
    assert time.monotonic() - began < 5.0


def test_a_viewer_who_leaves_is_no_warning(secured: Server, counting: Counting, logged: list[Any]) -> None:
    """However they go, in the middle of a stream or of a request: diagnostics stay quiet."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for said in (STREAM, b"GET /page HT"):
        sock = context.wrap_socket(opened(secured))
        sock.sendall(said)
        time.sleep(0.2)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    assert eventually(lambda: counting.ended == 1)
    time.sleep(0.2)

    assert [] == [each for each in logged if each["log_level"] not in {"debug", "info"}]


def test_noise_is_survived(secured: Server, certificate: tuple[Path, Path]) -> None:
    """What is neither costs the connection and nothing else."""
    for noise in (b"\x00" * 100, b"\x16" * 100, b"\r\n\r\n", b"\x16\x03\x01\x00\x05hello"):
        with opened(secured, noise) as sock:
            sock.recv(1000)

    test_it_speaks_tls(secured, certificate)


def test_a_key_of_another_certificate_is_said(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    """Before anything is served, naming both files."""
    ensure_certificate(tmp_path / "c.pem", tmp_path / "k.pem", (), SystemClock().wall())

    with pytest.raises(SettingsError, match=r"k\.pem"):
        Server(Counting(), tls=(certificate[0], tmp_path / "k.pem"))
