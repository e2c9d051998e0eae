"""Server and client against peers that misbehave, over real sockets."""

import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import ApplianceError, PeerGoneError, PeerRefusedError, WireError
from appliance.wire import MAX_BLOB, MAX_JSON, Client, Server
from appliance.wire.framing import Deadline, Parcel, receive, send
from appliance.wire.messages import (
    Failure,
    Message,
    Ping,
    Pong,
    encode,
)

Dial = Callable[[], socket.socket]
Wait = Callable[[Callable[[], bool]], None]


def header(
    *, magic: bytes = b"ODAW", version: int = 1, fds: int = 0, json_length: int = 0, blob_length: int = 0
) -> bytes:
    """A header as the format says, with anything in it."""
    return struct.pack("!4sHHII", magic, version, fds, json_length, blob_length)


def answer(sock: socket.socket) -> Message:
    """What the server says, read without our client."""
    got = receive(sock, Deadline(10))
    assert got is not None
    return got.message


def hung_up(sock: socket.socket) -> bool:
    """Whether the server ended the connection (with a reset, if it left something unread)."""
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def open_fds() -> int:
    """Descriptors this process holds."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "not a message"),
        (b"\0", "not a message"),
        (header(json_length=MAX_JSON + 1), "too large"),
        (header(json_length=2**32 - 1, blob_length=2**32 - 1), "too large"),
        (header(json_length=20, blob_length=MAX_BLOB + 1), "too large"),
        (header(fds=3, json_length=20), "descriptors announced"),
        (header(json_length=4) + b"null", "not a message"),
        (header(json_length=0), "not a message"),
        (header(json_length=2) + b"\xff\xff", "not a message"),
    ],
)
def test_garbage_is_answered_with_an_error_and_an_end(path: Path, raw: Dial, data: bytes, error: str) -> None:
    """The peer is told, the connection ends, and the next one is served."""
    with Server(path, {}):
        sock = raw()
        sock.sendall(data)
        said = answer(sock)
        end = hung_up(sock)
        alive = Client(path).call(Ping(), Pong).message.pid

    assert isinstance(said, Failure)
    assert "WireError" == said.error
    assert error in said.message
    assert (True, os.getpid()) == (end, alive)


@pytest.mark.parametrize(
    ("version", "older"),
    [(0, "the other process is older"), (2, "this process is older"), (9, "this process is older")],
)
def test_another_protocol_is_refused_and_says_who_is_older(
    path: Path, raw: Dial, version: int, older: str
) -> None:
    """A server left over from before an update, or the reverse, is told apart from garbage."""
    with Server(path, {}):
        sock = raw()
        sock.sendall(header(version=version, json_length=5))
        said = answer(sock)

    assert isinstance(said, Failure)
    assert "PeerRefusedError" == said.error
    assert older in said.message


def test_a_client_refuses_a_server_of_another_protocol(path: Path) -> None:
    """The same, seen from the client."""
    path.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def newer() -> None:
            with listening.accept()[0] as sock:
                receive(sock, Deadline(5))
                sock.sendall(header(version=2))

        threading.Thread(target=newer, daemon=True).start()
        with pytest.raises(PeerRefusedError, match="this process is older"):
            Client(path).call(Ping())


@pytest.mark.parametrize("kept", [1, 4, 15, 16, 20])
def test_a_message_cut_short_harms_nobody(path: Path, raw: Dial, kept: int) -> None:
    """A peer that leaves in the middle of a header or a body costs its own connection only."""
    body = encode(Ping())
    whole = header(json_length=len(body)) + body
    with Server(path, {}):
        sock = raw()
        sock.sendall(whole[:kept])
        sock.close()

        assert os.getpid() == Client(path).call(Ping(), Pong).message.pid


@pytest.mark.parametrize("kept", [0, 1, 15, 16, 20])
def test_an_answer_cut_short_is_a_gone_peer(path: Path, kept: int) -> None:
    """Half an answer is none."""
    body = encode(Pong(pid=1))
    path.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def half() -> None:
            with listening.accept()[0] as sock:
                receive(sock, Deadline(5))
                sock.sendall((header(json_length=len(body)) + body)[:kept])

        threading.Thread(target=half, daemon=True).start()
        with pytest.raises(PeerGoneError):
            Client(path).call(Ping())


def test_a_peer_that_dribbles_is_cut_off(path: Path, raw: Dial) -> None:
    """A byte now and then does not hold a connection longer than one message may take."""
    with Server(path, {}, message_s=0.5):
        sock = raw()
        began = time.monotonic()
        with pytest.raises(OSError, match="Broken pipe"):
            dribble(sock, header(json_length=1000) + b" " * 200)
        took = time.monotonic() - began

    assert took < 3


def dribble(sock: socket.socket, data: bytes) -> None:
    """Send a byte every 50 ms."""
    for byte in data:
        sock.send(bytes([byte]))
        time.sleep(0.05)


def test_a_silent_peer_is_cut_off(path: Path, raw: Dial) -> None:
    """Nor does saying nothing."""
    with Server(path, {}, idle_s=0.2):
        assert b"" == raw().recv(1)


def test_a_connection_may_ask_many_times(path: Path, raw: Dial) -> None:
    """One question after the other on one connection, with any pause below idle_s."""
    with Server(path, {}):
        sock = raw()
        for _ in range(3):
            send(sock, Parcel(Ping()), Deadline(5))
            assert Pong(pid=os.getpid()) == answer(sock)


def test_too_many_connections_are_told_so(path: Path, raw: Dial, wait_for: Wait) -> None:
    """The limit holds, is said in words, and ends when somebody leaves."""
    with Server(path, {}, max_connections=2):
        held = [raw(), raw()]
        for sock in held:
            send(sock, Parcel(Ping()), Deadline(5))
            answer(sock)
        with pytest.raises(WireError, match="too many connections"):
            Client(path).call(Ping())
        held[0].close()
        wait_for(lambda: answered(path))


def answered(path: Path) -> bool:
    """Whether a ping is answered now."""
    try:
        Client(path).call(Ping())
    except ApplianceError:
        return False
    return True


def test_stopping_cuts_connections(path: Path, raw: Dial) -> None:
    """A server that leaves does not wait for idle peers."""
    with Server(path, {}):
        sock = raw()
        send(sock, Parcel(Ping()), Deadline(5))
        answer(sock)
        began = time.monotonic()

    assert time.monotonic() - began < 2
    assert b"" == sock.recv(1)


def test_descriptors_of_a_refused_message_are_closed(path: Path, raw: Dial, wait_for: Wait) -> None:
    """Garbage with descriptors leaks none."""
    with Server(path, {}):
        Client(path).call(Ping())
        before = open_fds()
        sock = raw()
        socket.send_fds(sock, [header(fds=2, json_length=4) + b"null"], [0, 0])
        assert "WireError" == getattr(answer(sock), "error", "")
        sock.close()
        wait_for(lambda: open_fds() <= before)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=60), st.sampled_from([b"", b"ODAW\0\1"]))
def test_no_bytes_raise_anything_but_our_errors(data: bytes, start: bytes) -> None:
    """Whatever arrives, the reader says WireError, or that the peer stopped."""
    here, there = socket.socketpair()
    with here, there:
        here.sendall(start + data)
        here.close()

        with pytest.raises(WireError):
            receive(there, Deadline(5))
