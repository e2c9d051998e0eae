"""A 1080p H.264 camera recorded by copying: share of a core from the ring to files, beside `ffmpeg -c copy`.

A minute of 25 frames a second at 8 Mbit/s. Ours is all that recording adds: the ring's follower, the socket
between the two processes, cutting, and a Matroska document for each fragment, written to a file system in
memory; the packets go one by one, as they do live. The peer reads the same minute from a file in memory and
writes it with its segment muxer. Then how long it takes from the wish to the first fragment, which holds what
was before it: of this camera, and of one that sends JPEGs, which have to be encoded. Processor time of all
threads, and for the waits the time on the clock.
"""

import resource
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from bench_matroska import BEGIN_MS, FPS, GOP, HEIGHT, MEMORY, UID, WIDTH, minute
from bench_rows import Row, limit, main

from appliance import logs
from appliance.app.packet_feed import PacketFeeds
from appliance.camera import CodecParameters, PacketRing, RingPacket, Scene, encode_jpeg
from appliance.clock import ManualClock
from appliance.video import matroska
from appliance.video.following import CameraVideo
from appliance.video.fragment import Fragment
from appliance.wire import Client, Server

GOAL = 3.0
FIRST_GOAL_MS = 2_000.0
"""At the server it is 2 s and a group of pictures (`bench_kvs`); the ring's need not be waited for."""
JPEG_FPS, JPEG_S = 15, 7
QUALITY = 85
WALL = datetime.fromtimestamp(BEGIN_MS / 1000, UTC)
PATIENCE_S = 60.0


def camera(fragments: Sequence[Fragment]) -> list[RingPacket]:
    """The minute as a camera's packets: units behind lengths, as a file or an RTMP camera sends them."""
    track = fragments[0].track
    parameters = CodecParameters("h264", track.codec_private, WIDTH, HEIGHT, Fraction(1, 1000))
    packets = []
    for each in fragments:
        for frame in each.frames:
            at_ms = frame.timecode_ms - BEGIN_MS
            packets.append(_packet(frame.data, at_ms, parameters, key=frame.key))
    return packets


def pictures() -> list[RingPacket]:
    """Some seconds of 1080p JPEGs."""
    scene = Scene(width=WIDTH, height=HEIGHT)
    jpegs = [encode_jpeg(scene.render(number), QUALITY) for number in range(20)]
    parameters = CodecParameters("mjpeg", b"", WIDTH, HEIGHT, Fraction(1, 1000))
    count = JPEG_FPS * JPEG_S
    return [
        _packet(jpegs[index % len(jpegs)], index * 1000 // JPEG_FPS, parameters, key=True)
        for index in range(count)
    ]


def _packet(data: bytes, at_ms: int, parameters: CodecParameters, *, key: bool) -> RingPacket:
    wall = WALL + timedelta(milliseconds=at_ms)
    return RingPacket(data, key, at_ms, at_ms, at_ms / 1000, wall, parameters)


@contextmanager
def loop(ring: PacketRing, newest: RingPacket) -> Iterator[tuple[CameraVideo, PacketFeeds, ManualClock]]:
    """The loop's end and the recorder's, in one process: what both take is measured together."""
    clock = ManualClock(newest.wall, newest.monotonic_s)
    feeds = PacketFeeds(clock)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run", "loop.sock")
        feeds.camera("hall", ring)
        with Server(path, feeds.handlers()):
            yield CameraVideo(Client(path), clock), feeds, clock
            feeds.close()


def remuxed(packets: Sequence[RingPacket], folder: Path) -> float:
    """Processor seconds for all of them, one by one, into files."""
    ring = PacketRing(10.0, 64 << 20)
    ring.append(packets[0])
    over, came = threading.Event(), threading.Semaphore(0)
    written: list[Path] = []

    def record() -> None:
        with loop(ring, packets[0]) as (video, _, _):
            for each in video.follow("hall", 5.0, over):
                if each is not None:
                    path = folder / f"{each.timecode_ms}.mkv"
                    path.write_bytes(matroska.document(each, segment_uid=UID))
                    written.append(path)
                    came.release()

    thread = threading.Thread(target=record)
    began = time.process_time()
    thread.start()
    while not ring.followed:
        time.sleep(0.001)
    for packet in packets[1:]:
        ring.append(packet)
        time.sleep(0.0005)  # the next is some time off, so each is told by itself
    for _ in range(len(packets) // GOP - 1):
        came.acquire(timeout=PATIENCE_S)
    took = time.process_time() - began
    over.set()
    thread.join(PATIENCE_S)
    if len(written) < len(packets) // GOP:
        raise RuntimeError("not every group of pictures has become a fragment")
    return took


def copied(body: bytes, folder: Path) -> float:
    """Processor seconds that ffmpeg takes for the same."""
    source = folder / "minute.mkv"
    source.write_bytes(body)
    command = ["ffmpeg", "-v", "error", "-i", str(source), "-c", "copy", "-f", "segment"]
    command += ["-segment_format", "matroska", "-segment_time", str(GOP / FPS), str(folder / "%d.mkv")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def first(packets: Sequence[RingPacket]) -> float:
    """Milliseconds from the wish to the first fragment, with the seconds before it in the ring."""
    ring = PacketRing(60.0, 256 << 20)
    for packet in packets:
        ring.append(packet)
    with loop(ring, packets[-1]) as (video, _, _):
        over = threading.Event()
        began = time.monotonic()
        following = video.follow("hall", 5.0, over)
        next(each for each in following if each is not None)
        took = time.monotonic() - began
        over.set()
        following.close()  # type: ignore[attr-defined]
    return took * 1000


def measure() -> Sequence[Row]:
    """The share of a core, and the two waits."""
    logs.configure("bench", level="error")
    fragments = minute()
    seconds = len(fragments) * GOP / FPS
    packets = camera(fragments)
    body = matroska.stream_header(fragments[0].track, segment_uid=UID) + b"".join(
        matroska.stream_fragment(each) for each in fragments
    )
    place = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as ours, tempfile.TemporaryDirectory(dir=place) as theirs:
        share = remuxed(packets, Path(ours)) / seconds * 100
        peer = copied(body, Path(theirs)) / seconds * 100 if shutil.which("ffmpeg") else None
    about = f"{len(body) / 1e6:.0f} MB a minute; ffmpeg -c copy into segments, from and to memory"
    ring_s = "5 s before the wish in the ring"
    return [
        limit("remux", share, "% of a core", goal=GOAL, against=about, peer=peer),
        limit("remux_first", first(packets), "ms", goal=FIRST_GOAL_MS, against=f"H.264 copied, {ring_s}"),
        limit(
            "remux_first_jpeg",
            first(pictures()),
            "ms",
            goal=FIRST_GOAL_MS,
            against=f"1080p JPEGs encoded, {ring_s}",
        ),
    ]


if __name__ == "__main__":
    main(measure, __doc__)
