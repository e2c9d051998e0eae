"""H.264 and JPEGs of numbered pictures, coded on the spot, as packets with their times.

Coded once per set of options in a test run: encoding is most of what these tests take.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Protocol

import av
from camera_clips import jpeg, numbered_picture

from appliance.camera import CodecParameters, RingPacket
from appliance.video.cutting import Cut
from appliance.video.faults import Fault, Trouble
from appliance.video.fragment import Fragment
from appliance.video.h264 import join_annex_b, read_avcc, split_lengths
from appliance.video.packets import Packet, Stream

WALL = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
WALL_MS = round(WALL.timestamp() * 1000)
FPS = 10
MONOTONIC_S = 1000.0
SIZE = 160, 96
TIME_BASE = Fraction(1, 90_000)


@dataclass(frozen=True)
class Coded:
    """A coded picture.

    Attributes:
        data: Annex B.
        key: As the encoder says.
        pts: In units of 1/90,000 s from the first picture on.
        dts: Likewise.
    """

    data: bytes
    key: bool
    pts: int
    dts: int


@cache
def coded(
    frames: int,
    *,
    group: int = 20,
    b_frames: int = 0,
    open_group: bool = False,
    size: tuple[int, int] = SIZE,
    headers: bool = True,
    refresh: bool = False,
) -> tuple[bytes, tuple[Coded, ...]]:
    """SPS and PPS (Annex B), and numbered pictures, ten a second, in the order in which they are decoded.

    Args:
        frames: How many.
        group: Pictures from one that needs no other to the next.
        b_frames: That many in a row.
        open_group: Keyframes after the first are recovery points only.
        size: Width and height.
        headers: SPS and PPS travel before each keyframe.
        refresh: No keyframe after the first; the picture is refreshed column by column.
    """
    context = av.VideoCodecContext.create("libx264", "w")
    context.width, context.height = size
    context.pix_fmt, context.time_base = "yuv420p", Fraction(1, FPS)
    context.framerate = Fraction(FPS)
    context.thread_count = 1
    x264 = [f"keyint={group}", f"min-keyint={group}", "scenecut=0", f"bframes={b_frames}", "b-adapt=0"]
    x264 += [f"open-gop={int(open_group)}", "repeat-headers=0", f"intra-refresh={int(refresh)}"]
    context.options = {"preset": "ultrafast", "x264-params": ":".join(x264)}
    context.flags |= 1 << 22  # AV_CODEC_FLAG_GLOBAL_HEADER: SPS and PPS beside the pictures
    context.open()
    found: list[Coded] = []
    for index in range(frames + 1):
        frame = None
        if index < frames:
            frame = av.VideoFrame.from_ndarray(numbered_picture(index, *size), format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
        for packet in context.encode(frame):
            data = bytes(packet)
            if headers and packet.is_keyframe:
                data = bytes(context.extradata or b"") + data
            step = int(1 / (TIME_BASE * FPS))
            found.append(Coded(data, packet.is_keyframe, packet.pts * step, packet.dts * step))
    return bytes(context.extradata or b""), tuple(found)


def stream_of(extradata: bytes = b"", *, codec: str = "h264", size: tuple[int, int] = SIZE) -> Stream:
    """A stream that was just opened."""
    return Stream(codec, extradata, *size, TIME_BASE)


def arriving(
    pictures: Sequence[Coded],
    stream: Stream,
    *,
    from_s: float = MONOTONIC_S,
    pts: bool = True,
    wall_after_s: float = 0.0,
) -> list[Packet]:
    """Packets as a camera sends them, a tenth of a second apart.

    Args:
        pictures: What is in them.
        stream: What they belong to.
        from_s: Monotonic time of the first.
        pts: Whether they carry timestamps.
        wall_after_s: By how much the wall clock is ahead of `WALL` at `MONOTONIC_S`.
    """
    found = []
    for index, picture in enumerate(pictures):
        at_s = from_s + index / FPS
        wall = WALL + timedelta(seconds=at_s - MONOTONIC_S + wall_after_s)
        times = (picture.pts, picture.dts) if pts else (None, None)
        found.append(Packet(picture.data, picture.key, *times, at_s, wall, stream))
    return found


def jpegs(
    frames: int, stream: Stream, *, from_s: float = MONOTONIC_S, size: tuple[int, int] = SIZE
) -> list[Packet]:
    """Numbered pictures as JPEGs without timestamps."""
    return arriving(
        [Coded(jpeg(index, *size), key=True, pts=0, dts=0) for index in range(frames)],
        stream,
        from_s=from_s,
        pts=False,
    )


def retimed(packets: Sequence[Packet], from_index: int, by: int) -> list[Packet]:
    """The same packets, the timestamps from one of them on moved by so many units."""
    return [
        packet if index < from_index or packet.pts is None else replace(packet, pts=packet.pts + by)
        for index, packet in enumerate(packets)
    ]


def came_at(packet: Packet, at_s: float) -> Packet:
    """The same packet, held up by the network until then, monotonic."""
    return replace(packet, monotonic_s=at_s, wall=packet.wall + timedelta(seconds=at_s - packet.monotonic_s))


def in_ring(packets: Sequence[Packet]) -> Iterator[RingPacket]:
    """Packets as a camera's ring has them."""
    known: dict[int, CodecParameters] = {}
    for packet in packets:
        stream = packet.stream
        parameters = known.setdefault(
            id(stream),
            CodecParameters(stream.codec, stream.extradata, stream.width, stream.height, stream.time_base),
        )
        yield RingPacket(
            packet.data, packet.key, packet.pts, packet.dts, packet.monotonic_s, packet.wall, parameters
        )


def from_ring(packets: Iterable[RingPacket]) -> Iterator[Packet]:
    """What a camera's ring has as its follower gets it."""
    known: dict[int, Stream] = {}
    for packet in packets:
        said = packet.parameters
        stream = Stream(said.codec, said.extradata, said.width, said.height, said.time_base)
        stream = known.setdefault(id(said), stream)
        times = packet.pts, packet.dts, packet.monotonic_s, packet.wall
        yield Packet(packet.data, packet.keyframe, *times, stream)


class Maker(Protocol):
    """A cutter or an encoder."""

    def take(self, packet: Packet) -> Iterator[Cut]:
        """The next packet."""

    def finish(self) -> Iterator[Cut]:
        """Nothing more comes."""


def made(maker: Maker, packets: Iterable[Packet]) -> tuple[list[Fragment], list[Fault]]:
    """The fragments that come of packets, and what was wrong with them."""
    cuts = [cut for packet in packets for cut in maker.take(packet)]
    cuts += maker.finish()
    fragments = [cut for cut in cuts if isinstance(cut, Fragment)]
    return fragments, [cut.fault for cut in cuts if isinstance(cut, Trouble)]


def decoded_numbers(fragments: Sequence[Fragment]) -> list[int]:
    """Numbers of the pictures in fragments, as a decoder shows them that is given each by itself."""
    numbers: list[int] = []
    for fragment in fragments:
        decoder = av.VideoCodecContext.create("h264", "r")
        sets = read_avcc(fragment.track.codec_private).parameters
        head = join_annex_b([*sets.sps, *sets.pps])
        shown = []
        for index, frame in enumerate(fragment.frames):
            packet = av.Packet((head if index == 0 else b"") + join_annex_b(split_lengths(frame.data)))
            packet.pts, packet.time_base = frame.timecode_ms, Fraction(1, 1000)
            shown += decoder.decode(packet)
        shown += decoder.decode(None)
        numbers += [_number(frame) for frame in shown]
    return numbers


def _number(frame: av.VideoFrame) -> int:
    gray = frame.to_ndarray(format="gray")
    height, width = gray.shape
    level = float(gray[height // 2 : height // 2 + 8, width // 2 : width // 2 + 8].mean())
    return round((level - 40) / 12)
