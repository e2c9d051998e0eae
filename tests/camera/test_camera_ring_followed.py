"""Following a packet ring: every packet in turn, at the follower's pace, with what it missed told."""

import threading
from datetime import UTC, datetime
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from appliance.camera import CodecParameters, PacketRing, RingPacket

WALL = datetime(2026, 1, 5, tzinfo=UTC)
STREAM = CodecParameters("h264", b"", 320, 192, Fraction(1, 90_000))
PATIENCE_S = 60.0


def packet(at_s: float, size: int = 10, *, keyframe: bool = False) -> RingPacket:
    """A packet of zeros."""
    return RingPacket(bytes(size), keyframe, None, None, at_s, WALL, STREAM)


def grouped(count: int, *, group: int = 5) -> list[RingPacket]:
    """So many packets, one a second, every so manieth a keyframe."""
    return [packet(float(index), keyframe=index % group == 0) for index in range(count)]


def test_a_follower_begins_with_the_keyframe_before_what_it_asked_for() -> None:
    """Asked for from second 7 on, it gets the group that began at second 5, and what comes afterwards."""
    ring = PacketRing(100, 10_000)
    stream = grouped(12)
    for each in stream[:9]:
        ring.append(each)
    with ring.follow(7.0) as follower:
        backlog = follower.take(0)
        for each in stream[9:]:
            ring.append(each)
        live = follower.take(0)

    assert (tuple(stream[5:9]), 0) == (backlog.packets, backlog.lost)
    assert (tuple(stream[9:]), 0) == (live.packets, live.lost)


def test_what_a_camera_showed_before_it_fell_silent_is_not_what_happened_just_now() -> None:
    """Long after the last packet a follower begins with the next keyframe, not with old pictures."""
    ring = PacketRing(100, 10_000)
    for each in grouped(7):
        ring.append(each)
    with ring.follow(60.0) as follower:
        ring.append(packet(70.0))
        ring.append(packet(71.0, keyframe=True))
        taken = follower.take(0)

    assert ([71.0], 0) == ([each.monotonic_s for each in taken.packets], taken.lost)


def test_a_follower_waits_until_something_comes() -> None:
    """It is woken by the packet, not by its own time running out."""
    ring = PacketRing(100, 10_000)
    came = packet(1.0, keyframe=True)
    with ring.follow(0.0) as follower:
        thread = threading.Timer(0.02, ring.append, [came])
        thread.start()
        taken = follower.take(PATIENCE_S)
        thread.join()

    assert (came,) == taken.packets


def test_a_slow_follower_loses_whole_groups_and_is_told_how_much() -> None:
    """The ring keeps what it is set to keep, whoever reads: what goes is counted, what comes is decodable."""
    ring = PacketRing(3.0, 10_000)
    stream = grouped(40)
    with ring.follow(0.0) as follower:
        for each in stream[:2]:
            ring.append(each)
        first = follower.take(0)
        for each in stream[2:]:
            ring.append(each)
        later = follower.take(0)

    assert tuple(stream[:2]) == first.packets
    assert later.packets[0].keyframe
    assert tuple(stream[2 + later.lost :]) == later.packets


def test_packets_that_could_not_be_kept_are_missed() -> None:
    """A group larger than the ring is dropped whole; its tail, which the ring never held, counts, too."""
    ring = PacketRing(100, 100)
    with ring.follow(0.0) as follower:
        ring.append(packet(0.0, 60, keyframe=True))
        first = follower.take(0)
        for at in (1.0, 2.0, 3.0):
            ring.append(packet(at, 60))
        ring.append(packet(4.0, 60, keyframe=True))
        second = follower.take(0)

    assert ([0.0], 0) == ([each.monotonic_s for each in first.packets], first.lost)
    assert ([4.0], 3) == ([each.monotonic_s for each in second.packets], second.lost)


def test_before_the_first_keyframe_nobody_has_missed_anything() -> None:
    """Who follows a camera in the middle of a group waits for the next, and is told of no loss."""
    ring = PacketRing(100, 10_000)
    with ring.follow(0.0) as follower:
        ring.append(packet(0.0))
        ring.append(packet(1.0))
        passed_over = ring.passed_over
        ring.append(packet(2.0, keyframe=True))
        taken = follower.take(0)

    assert 2 == passed_over
    assert ([2.0], 0) == ([each.monotonic_s for each in taken.packets], taken.lost)


def test_a_ring_that_keeps_nothing_keeps_what_is_followed() -> None:
    """`ring_s = 0` saves the memory while nobody records, and records all the same."""
    ring = PacketRing(0, 10_000)
    ring.append(packet(0.0, keyframe=True))
    with ring.follow(0.0) as follower:
        ring.append(packet(1.0, keyframe=True))
        taken = follower.take(0)
    ring.append(packet(2.0, keyframe=True))

    assert [1.0] == [each.monotonic_s for each in taken.packets]
    assert 0 == len(ring)


def test_a_take_is_bounded() -> None:
    """A follower's own memory is bounded, too: no more than asked for, but always one packet."""
    ring = PacketRing(100, 10_000)
    for each in grouped(5):
        ring.append(each)
    with ring.follow(0.0) as follower:
        sizes = [len(follower.take(0, max_bytes=limit).packets) for limit in (25, 1, 100)]

    assert [2, 1, 2] == sizes


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 60), st.booleans()), max_size=60),
    st.floats(0.5, 20),
    st.integers(60, 300),
)
def test_what_is_taken_and_what_is_told_missing_make_the_whole_stream(
    steps: list[tuple[bool, int, bool]], seconds: float, limit: int
) -> None:
    """However slow the follower, from its first packet on nothing is unaccounted for, nothing comes twice."""
    ring = PacketRing(seconds, limit)
    stream, seen = [], []
    with ring.follow(0.0) as follower:

        def take() -> None:
            taken = follower.take(0)
            seen.extend([None] * taken.lost)
            seen.extend(taken.packets)

        for at, (keyframe, size, reads) in enumerate(steps):
            stream.append(packet(float(at), size, keyframe=keyframe))
            ring.append(stream[-1])
            if reads:
                take()
        take()
    start = next((i for i, each in enumerate(stream) if seen and each is seen[0]), 0)
    gaps = [i for i, each in enumerate(seen) if each is None and i + 1 < len(seen) and seen[i + 1]]

    assert all(mine is None or mine is theirs for mine, theirs in zip(seen, stream[start:], strict=False))
    assert all(seen[i + 1].keyframe for i in gaps)
