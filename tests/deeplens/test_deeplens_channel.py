"""The channel between a function and its host: what is said is heard, and nothing else gets through."""

import array
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.deeplens.guest import channel as channels
from appliance.deeplens.guest import messages as said
from appliance.deeplens.guest.channel import (
    MAX_DATAGRAM_BYTES,
    ChannelFullError,
    ChannelGoneError,
    GuestChannel,
    HostChannel,
)
from appliance.deeplens.guest.message_fields import MAX_PAYLOAD_BYTES, shortened
from appliance.deeplens.guest.messages import ChannelError, MessageError

PUBLISH = {"kind": "publish", "topic": "t", "payload": ""}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
COUNTS = st.integers(0, 2**63 - 1)
GUEST_SAID = st.one_of(
    st.builds(
        said.Hello, st.integers(1, 2**31), TEXTS.filter(lambda t: len(t.encode()) <= 64), st.just("python2")
    ),
    st.builds(said.FrameWanted),
    st.builds(said.Taken, st.integers(-1, 2**63 - 1), COUNTS),
    st.builds(said.Inferred, TEXTS, COUNTS),
    st.builds(said.Publish, TEXTS, st.binary(max_size=300)),
    st.builds(said.Dropped, COUNTS),
    st.builds(said.ModelLoaded, TEXTS, st.sampled_from(["loaded", "missing"]), TEXTS),
    st.builds(said.Stream, st.sampled_from(["create", "start", "stop"]), TEXTS, st.floats(0, 100_000)),
    st.builds(said.ImportReturned, st.integers(0, 2**31)),
    st.builds(said.Handled, COUNTS, TEXTS),
    st.builds(said.Ended, st.sampled_from(["import_failed", "no_handler", "exited", "stopped"]), TEXTS),
    st.builds(said.Pong, COUNTS),
)
HOST_SAID = st.one_of(
    st.builds(said.Frames, st.integers(1, 65535), st.integers(1, 65535), st.integers(0, 3_600_000_000)),
    st.builds(said.Message, COUNTS, TEXTS, st.binary(max_size=300)),
    st.builds(said.Ping, COUNTS),
    st.builds(said.Stop),
)


@pytest.fixture
def ends() -> Iterator[tuple[HostChannel, GuestChannel, socket.socket]]:
    """Both ends, and the socket of the function's, by which it may send anything."""
    ours, theirs = channels.pair()
    host, guest = HostChannel(ours), GuestChannel(theirs)
    yield host, guest, theirs
    host.close()
    guest.close()


def open_descriptors() -> set[str]:
    """The descriptors this process has."""
    return {each.name for each in Path("/proc/self/fd").iterdir()}


@given(GUEST_SAID)
def test_what_a_function_says_is_what_is_heard(message: said.GuestSaid) -> None:
    """Every message of a function survives its way, field by field."""
    assert message == said.decode_guest(said.encode(message))


@given(HOST_SAID)
def test_what_the_host_says_is_what_is_heard(message: said.HostSaid) -> None:
    """Every message of the host survives its way, field by field."""
    assert message == said.decode_host(said.encode(message))


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text(), st.lists, max_leaves=5).map(
        lambda value: json.dumps(value).encode()
    )
)
def test_noise_is_one_kind_of_error(datagram: bytes) -> None:
    """Whatever bytes come, they are refused by the one error, for both ends."""
    for decode in (said.decode_guest, said.decode_host):
        with pytest.raises(MessageError):
            decode(datagram)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"kind": "unheard_of"},
        {"kind": ["publish"]},
        {"kind": "stop"},
        {**PUBLISH, "more": 1},
        {"kind": "publish", "topic": "t"},
        {**PUBLISH, "topic": 1},
        {**PUBLISH, "topic": "t" * 257},
        {**PUBLISH, "topic": "\ud800"},
        {**PUBLISH, "payload": "?"},
        {**PUBLISH, "payload": "é"},
        {**PUBLISH, "payload": None},
        {"kind": "pong", "n": True},
        {"kind": "pong", "n": 1.0},
        {"kind": "pong", "n": -1},
        {"kind": "pong", "n": 2**63},
        {"kind": "taken", "sequence": -2, "count": 0},
        {"kind": "stream", "action": "burn", "name": "n", "retention_hours": 1},
        {"kind": "stream", "action": "stop", "name": "n", "retention_hours": float("nan")},
        {"kind": "stream", "action": "stop", "name": "n", "retention_hours": True},
        {"kind": "hello", "pid": 0, "python": "3", "runtime": "python3"},
        {"kind": "ended", "reason": "stopped", "traceback": "x" * 16385},
    ],
)
def test_a_message_that_is_not_exact_is_refused(fields: dict[str, Any]) -> None:
    """A missing, foreign, mistyped or unbounded field makes it no message."""
    with pytest.raises(MessageError):
        said.decode_guest(json.dumps(fields).encode())


@pytest.mark.parametrize("datagram", [b"[" * 50_000, b'{"kind":"pong","n":' + b"9" * 5000 + b"}", b"\xff{}"])
def test_json_made_to_hurt_is_refused(datagram: bytes) -> None:
    """Deep nesting, endless numbers and bytes of no text are the same error."""
    with pytest.raises(MessageError):
        said.decode_guest(datagram)


def test_a_payload_over_the_limit_is_refused_where_it_is_said_and_where_it_is_heard() -> None:
    """128 KiB fit into a datagram; one byte more is refused by both."""
    largest = said.encode(said.Publish("t" * 256, b"x" * MAX_PAYLOAD_BYTES))

    with pytest.raises(MessageError):
        said.encode(said.Publish("t", b"x" * (MAX_PAYLOAD_BYTES + 1)))
    assert len(largest) < MAX_DATAGRAM_BYTES


def test_messages_go_both_ways(ends: tuple[HostChannel, GuestChannel, socket.socket]) -> None:
    """Each end hears what the other says, in order."""
    host, guest, _ = ends
    guest.send(said.Pong(1))
    guest.send(said.Pong(2))
    host.send(said.Ping(3))

    assert (said.Pong(1), ()) == host.receive()
    assert (said.Pong(2), ()) == host.receive(wait_s=1)
    assert (said.Ping(3), ()) == guest.receive()
    assert host.receive(wait_s=0) is None


def test_a_descriptor_travels_with_its_message(ends: tuple[HostChannel, GuestChannel, socket.socket]) -> None:
    """The folder that comes with `hello` is that folder, and no process started later inherits it."""
    host, guest, _ = ends
    folder = os.open("/", os.O_RDONLY)
    guest.send(said.Hello(1, "3.11", "python2"), [folder])
    os.close(folder)
    received = host.receive()
    assert received is not None
    _, (given,) = received

    assert os.path.samestat(Path("/").stat(), os.fstat(given))
    assert not os.get_inheritable(given)
    os.close(given)


@pytest.mark.parametrize("count", [1, 2, 60])
def test_unexpected_descriptors_are_refused_and_closed(
    ends: tuple[HostChannel, GuestChannel, socket.socket], count: int
) -> None:
    """A message with descriptors that it may not have is an error, and leaves none open."""
    host, _, theirs = ends
    before = open_descriptors()
    sent = [os.open("/dev/null", os.O_RDONLY) for _ in range(count)]
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", sent))]
    theirs.sendmsg([said.encode(said.Pong(1))], rights)
    for each in sent:
        os.close(each)

    with pytest.raises(MessageError):
        host.receive()
    assert before == open_descriptors()


def test_descriptors_of_noise_are_closed(ends: tuple[HostChannel, GuestChannel, socket.socket]) -> None:
    """A datagram that is no message leaves nothing open either, and the next message is heard."""
    host, guest, theirs = ends
    before = open_descriptors()
    with open("/dev/null", "rb") as null:  # noqa: PTH123 - a descriptor is what is wanted
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [null.fileno()]))]
        theirs.sendmsg([b"noise"], rights)
    with pytest.raises(MessageError):
        host.receive()
    guest.send(said.Pong(1))

    assert before == open_descriptors()
    assert (said.Pong(1), ()) == host.receive()


def test_a_message_needs_the_descriptor_that_belongs_to_it(
    ends: tuple[HostChannel, GuestChannel, socket.socket],
) -> None:
    """`frames` without its memory is refused by whoever would send it, and by whoever hears it."""
    host, guest, _ = ends
    with pytest.raises(MessageError):
        host.send(said.Frames(4, 4, 0))
    host._socket.send(said.encode(said.Frames(4, 4, 0)))

    with pytest.raises(MessageError):
        guest.receive()


def test_a_datagram_that_is_too_large_is_refused(
    ends: tuple[HostChannel, GuestChannel, socket.socket],
) -> None:
    """One byte over 192 KiB is an error, not a message cut short."""
    host, guest, theirs = ends
    theirs.send(b" " * MAX_DATAGRAM_BYTES + b"x")
    with pytest.raises(MessageError):
        host.receive()
    guest.send(said.Pong(1))

    assert (said.Pong(1), ()) == host.receive()


def test_an_end_that_is_gone_is_told(ends: tuple[HostChannel, GuestChannel, socket.socket]) -> None:
    """Both sending and receiving say so, also at the end that was closed itself."""
    host, guest, _ = ends
    guest.close()
    guest.close()

    with pytest.raises(ChannelGoneError):
        host.receive()
    with pytest.raises(ChannelGoneError):
        host.send(said.Ping(1))
    with pytest.raises(ChannelGoneError):
        guest.receive()
    with pytest.raises(ChannelGoneError):
        guest.send(said.Pong(1))


def test_an_end_that_does_not_read_holds_nobody_up(
    ends: tuple[HostChannel, GuestChannel, socket.socket],
) -> None:
    """A host that may not wait is told that there is no room."""
    host, _, _ = ends

    def flood() -> None:
        for n in range(100_000):
            host.send(said.Ping(n), wait_s=0)

    with pytest.raises(ChannelFullError):
        flood()


def test_all_errors_are_of_one_family() -> None:
    """Whoever hosts a function catches one error."""
    assert all(issubclass(each, ChannelError) for each in (MessageError, ChannelGoneError, ChannelFullError))


@given(st.text(), st.integers(1, 50))
def test_a_shortened_text_fits_and_keeps_its_end(text: str, most: int) -> None:
    """Never longer than it may be, and what is kept are the last letters."""
    short = shortened(text, most)
    sound = text.encode(errors="replace").decode()

    assert len(short.encode()) <= most
    assert sound.endswith(short)
