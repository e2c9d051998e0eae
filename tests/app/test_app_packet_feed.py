"""A camera's packets over a socket: all of them, in order, with their times, and what becomes of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from coded_video import MONOTONIC_S, WALL, arriving, coded, in_ring, stream_of

from appliance.app.packet_feed import MOST_FOLLOWERS, FedCamera, PacketFeeds
from appliance.camera import PacketRing
from appliance.clock import ManualClock
from appliance.errors import CameraLostError, PeerGoneError, WireError
from appliance.video.packets import Missed, Packet, PacketFollower, Silence, Turn
from appliance.wire import Client, Server
from appliance.wire.messages import SourceChanged

PATIENCE_S = 60.0


@contextmanager
def served(ring: PacketRing, folder: Path, *, at_s: float = 0.0) -> Iterator[tuple[FedCamera, Client]]:
    """A loop with the camera `hall`, so many seconds after its first packet."""
    feeds = PacketFeeds(ManualClock(WALL, MONOTONIC_S + at_s), silence_s=0.05)
    path = folder / "run" / "loop.sock"
    fed = feeds.camera("hall", ring)
    with Server(path, feeds.handlers()):
        yield fed, Client(path)
        feeds.close()


def heard(follower: PacketFollower, count: int) -> list[object]:
    """The next so many that were told; the test fails if they do not come."""
    found: list[object] = []
    while len(found) < count:
        each = follower.read(PATIENCE_S)
        assert each is not None
        if not isinstance(each, Silence):
            found.append(each)
    return found


def test_packets_arrive_as_they_were_sent(tmp_path: Path) -> None:
    """Backlog from the keyframe before, then what comes live: bytes, times, arrival, the codec's header."""
    extradata, pictures = coded(60)
    sent = arriving(pictures, stream_of(extradata))
    ring = PacketRing(60, 1 << 20)
    packets = list(in_ring(sent))
    for each in packets[:45]:
        ring.append(each)
    with served(ring, tmp_path, at_s=4.5) as (_, loop), PacketFollower(loop, "hall", back_s=1.0) as follower:
        came = heard(follower, 25)
        for each in packets[45:]:
            ring.append(each)
        came += heard(follower, 15)

    def told(packet: object) -> tuple[object, ...]:
        assert isinstance(packet, Packet)
        times = packet.pts, packet.dts, packet.monotonic_s, packet.wall
        return packet.data, packet.key, *times, packet.stream.extradata, packet.stream.codec

    assert [told(each) for each in sent[20:]] == [told(each) for each in came]
    assert 1 == len({id(each.stream) for each in came if isinstance(each, Packet)})


def test_a_stream_that_was_opened_anew_is_another(tmp_path: Path) -> None:
    """After a reconnect packets belong to another stream, even if it says the same of itself."""
    extradata, pictures = coded(40)
    ring = PacketRing(60, 1 << 20)
    again = arriving(pictures[:20], stream_of(extradata), from_s=MONOTONIC_S + 5)
    for each in in_ring([*arriving(pictures[:20], stream_of(extradata)), *again]):
        ring.append(each)
    with served(ring, tmp_path) as (_, loop), PacketFollower(loop, "hall", back_s=60) as follower:
        streams = [each.stream for each in heard(follower, 40) if isinstance(each, Packet)]

    assert streams[0] is not streams[20]
    assert ([streams[0]] * 20 + [streams[20]] * 20) == streams


def test_what_becomes_of_the_camera_is_told_in_its_place(tmp_path: Path) -> None:
    """Lost after the packets before it; whoever comes later hears how it is now, and no old pictures."""
    extradata, pictures = coded(40)
    clock = ManualClock(WALL, MONOTONIC_S + 60)
    feeds, ring = PacketFeeds(clock), PacketRing(60, 1 << 20)
    packets = list(in_ring(arriving(pictures, stream_of(extradata))))
    path = tmp_path / "run" / "loop.sock"
    fed = feeds.camera("hall", ring)
    for each in packets[:20]:
        ring.append(each)
    with Server(path, feeds.handlers()), PacketFollower(Client(path), "hall", back_s=60) as follower:
        first = heard(follower, 20)
        fed.change(SourceChanged(state="lost", reason="it was unplugged"))
        second = heard(follower, 1)
        with PacketFollower(Client(path), "hall", back_s=0) as later:
            now = heard(later, 1)
        feeds.close()

    assert all(isinstance(each, Packet) for each in first)
    assert [Turn("lost", "it was unplugged")] == second
    assert [Turn("lost", "it was unplugged")] == now


def test_silence_of_the_camera_is_told_and_silence_of_the_loop_is_an_error(tmp_path: Path) -> None:
    """A follower knows that the loop lives; when it does not, it hears that at once."""
    ring = PacketRing(60, 1 << 20)
    with served(ring, tmp_path) as (fed, loop), PacketFollower(loop, "hall") as follower:
        silence = follower.read(PATIENCE_S)
        fed.close()
        gone = None
        while gone is None:
            try:
                follower.read(PATIENCE_S)
            except PeerGoneError as error:
                gone = error

    assert Silence(0) == silence


def test_a_camera_that_there_is_not_cannot_be_followed(tmp_path: Path) -> None:
    """It is said which there are."""
    with (
        served(PacketRing(1, 100), tmp_path) as (_, loop),
        pytest.raises(CameraLostError) as told,
        PacketFollower(loop, "cellar"),
    ):
        pass

    assert "hall" in told.value.hint


def test_followers_are_bounded_and_leave_room_when_they_go(tmp_path: Path) -> None:
    """One more than may be is refused; a place that was given back can be taken."""
    ring = PacketRing(60, 1 << 20)
    with served(ring, tmp_path) as (_, loop):
        followers = [PacketFollower(loop, "hall") for _ in range(MOST_FOLLOWERS)]
        for each in followers:
            each.__enter__()
        with pytest.raises(WireError), PacketFollower(loop, "hall"):
            pass
        for each in followers:
            each.close()
        for packet in in_ring(arriving(coded(20)[1], stream_of())):
            ring.append(packet)  # who writes to nobody notices
        _until_free(loop)


def _until_free(loop: Client) -> None:
    """Follow as soon as there is room; the test's own time limit ends it otherwise."""
    while True:
        try:
            with PacketFollower(loop, "hall", back_s=60) as follower:
                assert isinstance(heard(follower, 1)[0], Packet)
                return
        except WireError:
            continue


def test_a_follower_that_misses_packets_hears_how_many(tmp_path: Path) -> None:
    """While its socket is full the ring moves on; what it lost comes as a number between two packets."""
    _, pictures = coded(20)
    ring = PacketRing(2.0, 1 << 26)
    (big,) = in_ring(arriving(pictures[:1], stream_of()))
    with served(ring, tmp_path) as (_, loop), PacketFollower(loop, "hall", back_s=0) as follower:
        ring.append(replace(big, data=bytes(1 << 20)))
        heard(follower, 1)  # it follows
        for index in range(1, 60):
            ring.append(replace(big, data=bytes(1 << 20), monotonic_s=MONOTONIC_S + index))
        told: list[object] = []
        while not any(isinstance(each, Missed) for each in told):
            told += heard(follower, 1)
        after = heard(follower, 1)[0]

    assert isinstance(after, Packet)
    assert after.key
