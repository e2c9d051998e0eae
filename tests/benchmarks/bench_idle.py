"""A shut door at 720p and 10 frames a second: share of one core that the whole loop process takes.

`appliance run` as it comes, with one camera and one door, nobody about. The camera is a loopback HTTP stream:
MJPEG, packed YUYV in NUT (V4L2 was not available; reading 18 MB/s from a socket costs more than a driver's
buffers do), and H.264 in NUT. For H.264 the decoder's own cost is measured at the same time of day, in a
process that reads the same stream with PyAV and decodes it on one thread, by the processor time of the
decoding calls alone. Shares are the kernel's count of processor time, all threads, user and system.
"""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import bench_rows  # noqa: F401 - one thread for numerical libraries, before they load
from bench_rows import Row, limit, main
from running import bare
from streaming import MJPEG_TYPE, StreamServer, mjpeg, video

from appliance.camera import Scene, encode_jpeg

FPS = 10
SETTLE_S = 8.0
MEASURE_S = 30.0
SHUT = range(12)
"""Frames of the bundled scene with the door shut and nobody there; each has noise of its own."""
QUALITY = 85
GOAL = 2.0
MORE_THAN_DECODER = 0.5
FOR_EVER = 10**9

DECODER = """
import json, sys, time
import av
settle_s, measure_s = float(sys.argv[2]), float(sys.argv[3])
container = av.open(sys.argv[1], options={"fpsprobesize": "1", "analyzeduration": "1500000"})
stream = container.streams.video[0]
stream.codec_context.thread_count = 1
start = time.monotonic() + settle_s
used = 0.0
for packet in container.demux(stream):
    before = time.thread_time()
    packet.decode()
    took = time.thread_time() - before
    now = time.monotonic()
    if now > start:
        used += took
    if now > start + measure_s:
        break
print(json.dumps(used / (now - start) * 100))
"""


def measure() -> Sequence[Row]:
    """One row for each kind of stream."""
    scene = Scene()
    pictures = [scene.render(number) for number in SHUT]
    jpegs = [encode_jpeg(picture, QUALITY) for picture in pictures]

    def coded(codec: str, pixel_format: str) -> Callable[[], Iterator[bytes]]:
        return lambda: video(pictures, FOR_EVER, codec=codec, pixel_format=pixel_format, fps=FPS)

    kilobytes = sum(map(len, jpegs)) / len(jpegs) / 1000
    share, spread = _idle(MJPEG_TYPE, lambda: mjpeg(itertools.cycle(jpegs)))
    rows = [_row("idle", share, f"MJPEG over HTTP, {kilobytes:.0f} kB a frame, {spread}")]
    share, spread = _idle("video/nut", coded("rawvideo", "yuyv422"))
    rows.append(_row("idle_yuyv", share, f"YUYV over HTTP in place of V4L2, {spread}"))
    rows.append(_h264(coded("libx264", "yuv420p")))
    return rows


def _row(name: str, share: float, against: str) -> Row:
    return limit(name, share, "% of a core", goal=GOAL, against=against)


def _h264(chunks: Callable[[], Iterator[bytes]]) -> Row:
    with StreamServer("video/nut", chunks, fps=FPS).serving() as address:
        line = [sys.executable, "-c", DECODER, address, str(SETTLE_S), str(MEASURE_S)]
        done = subprocess.run(line, stdout=subprocess.PIPE, check=True)
    decoder = float(json.loads(done.stdout))
    share, spread = _idle("video/nut", chunks)
    against = f"H.264 over HTTP; the peer is PyAV's decoder alone, goal: its cost + 0.5; {spread}"
    return limit(
        "idle_h264", share, "% of a core", goal=decoder + MORE_THAN_DECODER, peer=decoder, against=against
    )


def _idle(content_type: str, chunks: Callable[[], Iterator[bytes]]) -> tuple[float, str]:
    """Percent of a core over the whole time, and how its thirds differed."""
    with bare() as box, StreamServer(content_type, chunks, fps=FPS).serving() as address:
        box.configure(address)
        with box.running(configured=True):
            box.wait_for_frames()
            time.sleep(SETTLE_S)
            marks = [(time.monotonic(), box.loop_cpu_s())]
            frames = box.camera_status()["frames"]
            for _ in range(3):
                time.sleep(MEASURE_S / 3)
                marks.append((time.monotonic(), box.loop_cpu_s()))
            frames = box.camera_status()["frames"] - frames
    took = marks[-1][0] - marks[0][0]
    thirds = [
        (after[1] - before[1]) / (after[0] - before[0]) * 100 for before, after in itertools.pairwise(marks)
    ]
    spread = (
        f"{took:.0f} s, {frames / took:.1f} frames/s, thirds of it {min(thirds):.2f} to {max(thirds):.2f}"
    )
    return (marks[-1][1] - marks[0][1]) / took * 100, spread


if __name__ == "__main__":
    main(measure, __doc__)
