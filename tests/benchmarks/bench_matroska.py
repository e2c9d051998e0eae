"""Matroska: megabytes a second of our writer, and beside libavformat's segment muxer on the same video.

A minute of 1080p H.264 of 25 frames a second and an IDR every two seconds, of the size that libx264 gives
moving noise at 8 Mbit/s. First as PutMedia gets it: clusters and tags, in memory. Then as files, a fragment
each, on a file system in memory: ours as documents, libavformat's (`-f segment`, Matroska) from the same
packets in the same process, without tags, which it cannot write there. Processor time of one thread, in turn.
"""

import tempfile
from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from itertools import count
from pathlib import Path

import av
import numpy as np
from bench_rows import Row, interleaved, main

from appliance.video import matroska
from appliance.video.fragment import Fragment, Frame, Track
from appliance.video.h264 import access_unit, layout_of, track_of

WIDTH, HEIGHT, FPS, GOP = 1920, 1080, 25, 50
BITS_PER_S = 8_000_000
FRAGMENTS = 30
BEGIN_MS = 1_772_000_000_000
UID = bytes(range(16))
TAGS = (("label", "dog"), ("score", "0.93"), ("event", "0190f5c2-7d3e-7a31-9e0c-3a6f0d2b9c11"))
ROUNDS = 9
GOAL_MB_PER_S = 200.0
MEMORY = Path("/dev/shm")


def group() -> tuple[Track, list[Frame]]:
    """One group of pictures; times count from 0."""
    coder = av.CodecContext.create("libx264", "w")
    coder.width, coder.height, coder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    coder.time_base, coder.framerate = Fraction(1, FPS), Fraction(FPS)
    coder.bit_rate = BITS_PER_S
    coder.options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(GOP), "threads": "1"}
    random = np.random.default_rng(8)
    small = random.integers(0, 255, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
    noise = np.kron(small, np.ones((8, 8, 1), np.uint8))
    packets = []
    for index in range(GOP):
        picture = av.VideoFrame.from_ndarray(np.roll(noise, 3 * index, 1), format="rgb24")
        picture.pts, picture.time_base = index, Fraction(1, FPS)
        packets += coder.encode(picture)
    packets += coder.encode(None)
    units = [access_unit(bytes(packet), layout_of(b"")) for packet in packets]
    step = 1000 // FPS
    frames = [Frame(index * step, step, unit.idr, unit.data) for index, unit in enumerate(units)]
    return track_of(units[0].parameters), frames


def minute() -> list[Fragment]:
    """The group over and over, each later by its length."""
    track, frames = group()
    made = []
    for index in range(FRAGMENTS):
        begin = BEGIN_MS + index * GOP * 1000 // FPS
        later = tuple(
            Frame(begin + frame.timecode_ms, frame.duration_ms, frame.key, frame.data) for frame in frames
        )
        made.append(Fragment(begin, later, track, TAGS))
    return made


def packets_of(body: bytes) -> tuple[av.VideoStream, list[av.Packet]]:
    """A stream as libavformat reads it: what its muxer is given."""
    opened = av.open(BytesIO(body))
    stream = opened.streams.video[0]
    return stream, [packet for packet in opened.demux(stream) if packet.size]


def measure() -> Sequence[Row]:
    """Writing in memory, and into files."""
    fragments = minute()
    body = matroska.stream_header(fragments[0].track, segment_uid=UID) + b"".join(
        matroska.stream_fragment(each) for each in fragments
    )
    megabytes = len(body) / 1e6
    template, packets = packets_of(body)
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        numbers = count()

        def ours() -> None:
            place = Path(folder, f"ours{next(numbers)}")
            place.mkdir()
            for number, each in enumerate(fragments):
                (place / f"{number}.mkv").write_bytes(matroska.document(each, segment_uid=UID))
            empty(place)

        def theirs() -> None:
            place = Path(folder, f"theirs{next(numbers)}")
            place.mkdir()
            options = {"segment_format": "matroska", "segment_time": str(GOP / FPS)}
            with av.open(str(place / "%d.mkv"), "w", format="segment", options=options) as out:
                copy = out.add_stream_from_template(template)
                for packet in packets:
                    packet.stream = copy
                    out.mux_one(packet)
            if len(list(place.iterdir())) != FRAGMENTS:
                raise RuntimeError("libavformat has not cut at every IDR")
            empty(place)

        took = interleaved(
            {
                "memory": lambda: [matroska.stream_fragment(each) for each in fragments],
                "files": ours,
                "libavformat": theirs,
            },
            rounds=ROUNDS,
        )
    speed = {name: megabytes / took_ms * 1000 for name, took_ms in took.items()}
    about = f"{megabytes:.0f} MB, {FRAGMENTS} fragments of {GOP} frames"
    peer = f"libavformat's segment muxer, {library()}, into files in memory; {about}"
    return [
        row("matroska", speed["memory"], None, GOAL_MB_PER_S, f"in memory; {about}"),
        row("matroska_files", speed["files"], speed["libavformat"], 1.0, peer),
    ]


def row(name: str, ours: float, peer: float | None, goal: float, against: str) -> Row:
    """Megabytes a second: more is better."""
    ratio = None if peer is None else ours / peer
    reached = (ours if ratio is None else ratio) >= goal
    return Row(
        name, ours, peer, "MB/s", ratio, goal, "at least", reached, against, "" if reached else "too slow"
    )


def empty(place: Path) -> None:
    """Nothing stays in memory."""
    for path in place.iterdir():
        path.unlink()
    place.rmdir()


def library() -> str:
    """Which libavformat, through which PyAV."""
    return f"{'.'.join(map(str, av.library_versions['libavformat']))} of PyAV {av.__version__}"


if __name__ == "__main__":
    main(measure, __doc__)
