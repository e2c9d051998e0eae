"""Video to test with: fragments of a moving picture, coded by libx264, and fragments made of bytes."""

import io
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

import av
import numpy as np
from hypothesis import strategies as st

from appliance.video import matroska
from appliance.video.fragment import MAX_TAGS, Fragment, Frame, Track
from appliance.video.h264 import access_unit, join_lengths, layout_of, track_of

WIDTH, HEIGHT = 96, 64
FPS = 10
BEGIN_MS = 1_772_000_000_000
UID = bytes(range(16))


@lru_cache
def coded(
    *, seconds: int = 4, every: int = FPS, b_frames: int = 0, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> tuple[Track, tuple[Frame, ...]]:
    """A moving picture: its track, and its frames from `BEGIN_MS` on, in the order of decoding.

    Args:
        seconds: How long.
        every: Frames from one IDR to the next.
        b_frames: How many may lean on later ones.
        size: Width and height, pixels.
    """
    coder = av.CodecContext.create("libx264", "w")
    coder.width, coder.height = size
    coder.pix_fmt = "yuv420p"
    coder.time_base = Fraction(1, FPS)
    coder.framerate = Fraction(FPS)
    settings = f"keyint={every}:min-keyint={every}:scenecut=0:bframes={b_frames}:b-adapt=0:open-gop=0"
    coder.options = {"preset": "ultrafast", "threads": "1", "x264-params": settings}
    packets = []
    for index in range(seconds * FPS):
        picture = np.full((size[1], size[0], 3), 30, np.uint8)
        picture[:, index % size[0] :] = 200 - index
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts, frame.time_base = index, Fraction(1, FPS)
        packets += coder.encode(frame)
    packets += coder.encode(None)
    layout = layout_of(b"")
    units = [(access_unit(bytes(packet), layout), packet.pts or 0) for packet in packets]
    frames = tuple(
        Frame(BEGIN_MS + pts * 1000 // FPS, 1000 // FPS, unit.idr, unit.data) for unit, pts in units
    )
    return track_of(units[0][0].parameters), frames


def cut(track: Track, frames: Sequence[Frame], tags: tuple[tuple[str, str], ...] = ()) -> list[Fragment]:
    """A fragment for each IDR."""
    groups: list[list[Frame]] = []
    for frame in frames:
        if frame.key:
            groups.append([])
        groups[-1].append(frame)
    return [
        Fragment(group[0].timecode_ms, tuple(group), track, tags, last=group is groups[-1])
        for group in groups
    ]


def fragments(*, seconds: int = 4, b_frames: int = 0) -> list[Fragment]:
    """Fragments of a moving picture, a second each."""
    return cut(*coded(seconds=seconds, b_frames=b_frames), (("label", "dog"), ("score", "0.93")))


def stream(pieces: Sequence[Fragment]) -> bytes:
    """A PutMedia body of them."""
    header = matroska.stream_header(pieces[0].track, segment_uid=UID)
    return header + b"".join(matroska.stream_fragment(piece) for piece in pieces)


def muxed(options: dict[str, str]) -> bytes:
    """A clip of IDRs two seconds apart, as libavformat writes it."""
    target = io.BytesIO()
    source = io.BytesIO(stream(cut(*coded(seconds=6, every=2 * FPS))))
    with av.open(source) as read, av.open(target, "w", format="matroska", options=options) as out:
        copy = out.add_stream_from_template(read.streams.video[0])
        for packet in read.demux(video=0):
            if packet.size:
                packet.stream = copy
                out.mux(packet)
    return target.getvalue()


def plain_track() -> Track:
    """A track that a decoder takes."""
    return coded()[0]


def plain_fragment(
    begin_ms: int = BEGIN_MS, *, frames: int = 10, every_ms: int = 100, tags: tuple[tuple[str, str], ...] = ()
) -> Fragment:
    """A fragment whose first frame looks like an IDR and whose frames are a few bytes."""
    made = tuple(
        Frame(
            begin_ms + index * every_ms,
            every_ms,
            index == 0,
            join_lengths([bytes((0x41 if index else 0x65, index))]),
        )
        for index in range(frames)
    )
    return Fragment(begin_ms, made, plain_track(), tags)


_names = st.text(min_size=1, max_size=32).filter(
    lambda name: len(name.encode()) <= 128 and not name.startswith("AWS") and "\x00" not in name
)
_values = st.text(max_size=64).filter(lambda value: "\x00" not in value)
any_tags = st.lists(st.tuples(_names, _values), max_size=MAX_TAGS).map(tuple)


@st.composite
def any_fragments(draw: st.DrawFn, most: int = 4) -> list[Fragment]:
    """Fragments that follow each other, of frames of any bytes whose times differ by any steps."""
    begin = draw(st.integers(0, 1 << 42))
    made = []
    for index in range(draw(st.integers(1, most))):
        steps = draw(st.lists(st.integers(1, 1500), min_size=1, max_size=12))
        frames = []
        at = begin
        for position, step in enumerate(steps):
            body = draw(st.binary(max_size=40))
            data = join_lengths([bytes((0x41 if position else 0x65,)) + body])
            frames.append(Frame(at, step, position == 0 or draw(st.booleans()), data))
            at += step
        made.append(Fragment(begin, tuple(frames), plain_track(), draw(any_tags)))
        begin = at + draw(st.integers(0, 5000)) * (index % 2)
    return made
