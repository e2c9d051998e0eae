"""The packet ring: its bounds, whatever comes, and that what it holds can be decoded."""

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import pytest
from camera_clips import MIDDLE, number_of, write_clip
from camera_sources import settings_for
from hypothesis import given
from hypothesis import strategies as st

from appliance.camera import CodecParameters, PacketRing, RingPacket, open_source
from appliance.camera.pictures import DecodedPicture
from appliance.clock import SystemClock

WALL = datetime(2026, 1, 5, tzinfo=UTC)
STREAM = CodecParameters("h264", b"", 320, 192, Fraction(1, 90_000))


def packet(at_s: float, size: int, *, keyframe: bool, parameters: CodecParameters = STREAM) -> RingPacket:
    """A packet of zeros."""
    return RingPacket(bytes(size), keyframe, None, None, at_s, WALL, parameters)


@st.composite
def streams(draw: st.DrawFn) -> list[RingPacket]:
    """Packets in ascending time, of any size, keyframes anywhere."""
    steps = draw(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 60), st.booleans()), max_size=60))
    found, at = [], 0.0
    for step, size, keyframe in steps:
        at += step
        found.append(packet(at, size, keyframe=keyframe))
    return found


@given(streams(), st.floats(0.1, 10), st.integers(0, 300))
def test_bytes_are_never_exceeded(stream: list[RingPacket], seconds: float, limit: int) -> None:
    """After every single packet the ring is within its bound and counts rightly."""
    ring = PacketRing(seconds, limit)
    for item in stream:
        ring.append(item)

        assert ring.size_bytes <= limit
        assert ring.size_bytes == sum(len(p.data) for p in ring.snapshot())


@given(streams(), st.floats(0.1, 10), st.integers(0, 300))
def test_what_is_kept_begins_with_a_keyframe_and_has_no_gap(
    stream: list[RingPacket], seconds: float, limit: int
) -> None:
    """The ring holds an unbroken run of the stream's packets that a decoder can start on."""
    ring = PacketRing(seconds, limit)
    for item in stream:
        ring.append(item)
    kept = ring.snapshot()
    start = next((i for i, item in enumerate(stream) if kept and item is kept[0]), 0)

    assert not kept or kept[0].keyframe
    assert list(kept) == stream[start : start + len(kept)]


@given(streams(), st.floats(0.1, 10))
def test_no_group_is_older_than_wanted(stream: list[RingPacket], seconds: float) -> None:
    """With room enough, the ring covers its seconds, and not a whole group more than that."""
    ring = PacketRing(seconds, 1_000_000)
    for item in stream:
        ring.append(item)
    kept = ring.snapshot()
    keys = [p.monotonic_s for p in kept if p.keyframe]
    wanted_from = stream[-1].monotonic_s - seconds if stream else 0.0
    could_cover = [p for p in stream if p.keyframe and p.monotonic_s <= wanted_from]

    assert len(keys) < 2 or keys[1] > wanted_from
    assert not could_cover or kept[0].monotonic_s <= wanted_from


@given(streams(), st.floats(0, 100))
def test_since_begins_with_the_keyframe_before(stream: list[RingPacket], at: float) -> None:
    """A clip from time t on begins with the last keyframe that is not after t."""
    ring = PacketRing(50, 1_000_000)
    for item in stream:
        ring.append(item)
    clip = ring.since(at)
    keys = [p for p in ring.snapshot() if p.keyframe]
    before = [p for p in keys if p.monotonic_s <= at]

    assert clip == ring.snapshot()[len(ring) - len(clip) :]
    assert not keys or clip[0] is (before or keys[:1])[-1]


def test_a_ring_of_no_seconds_keeps_nothing() -> None:
    """`ring_s = 0` switches it off."""
    ring = PacketRing(0, 1_000)
    ring.append(packet(0.0, 10, keyframe=True))

    assert 0 == len(ring)


def test_a_group_larger_than_the_ring_is_dropped_whole() -> None:
    """Its tail could not be decoded, so nothing is kept until the next keyframe."""
    ring = PacketRing(10, 100)
    for at, keyframe in ((0.0, True), (0.1, False), (0.2, False), (0.3, False)):
        ring.append(packet(at, 40, keyframe=keyframe))
    held_meanwhile = len(ring)
    ring.append(packet(0.4, 40, keyframe=True))

    assert (0, 1) == (held_meanwhile, len(ring))


def test_after_a_reconnect_packets_wait_for_a_keyframe() -> None:
    """A new stream's packets never lean on pictures of the one before."""
    other = CodecParameters("h264", b"", 640, 384, Fraction(1, 90_000))
    ring = PacketRing(10, 1_000)
    ring.append(packet(0.0, 10, keyframe=True))
    ring.append(packet(0.1, 10, keyframe=False, parameters=other))
    ring.append(packet(0.2, 10, keyframe=True, parameters=other))

    assert [0.0, 0.2] == [p.monotonic_s for p in ring.snapshot()]


def test_negative_bounds_are_refused() -> None:
    """A bound below zero is a mistake of the caller's."""
    with pytest.raises(ValueError, match="negative"):
        PacketRing(-1, 10)


def test_packets_of_a_recording_can_be_decoded_again(tmp_path: Path) -> None:
    """What a source puts into the ring is a stream that libav decodes with the parameters kept."""
    clip = write_clip(tmp_path / "clip.mp4", options={"g": "4", "bf": "0"})
    ring = PacketRing(100, 1 << 20)
    source = open_source(settings_for(clip), SystemClock())
    source.open(ring.append)
    while source.read() is not None:
        pass
    source.close()
    kept = ring.snapshot()
    decoder = av.CodecContext.create(kept[0].parameters.codec, "r")
    decoder.extradata = kept[0].parameters.extradata
    frames = [f for p in kept for f in decoder.decode(av.Packet(p.data))] + list(decoder.decode(None))
    numbers = [number_of(DecodedPicture(frame).gray(MIDDLE)) for frame in frames]

    assert list(range(12)) == numbers
    assert [0, 4, 8] == [i for i, p in enumerate(kept) if p.keyframe]
