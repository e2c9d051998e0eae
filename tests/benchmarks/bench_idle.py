"""A shut door at 720p and 10 frames a second: share of one core that the whole loop process takes.

`appliance run` as it comes, with one camera and one door, nobody about. The camera is a loopback HTTP stream:
MJPEG, packed YUYV in NUT (V4L2 was not available; reading 18 MB/s from a socket costs more than a driver's
buffers do), and H.264 in NUT. For H.264 the decoder's own cost is measured at the same time of day, in a
process that reads the same stream with PyAV and decodes it on one thread, by the processor time of the
decoding calls alone. Shares are the kernel's count of processor time, all threads, user and system.

While the door stands open nothing is idle: faces are looked for. What the door's own rule takes then, when it
compares a frame with more than the light, is measured by itself, beside what it takes of a shut door.
"""

import itertools
import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import bench_rows  # noqa: F401 - one thread for numerical libraries, before they load
from bench_rows import Row, limit, main
from running import DOOR, bare
from streaming import MJPEG_TYPE, StreamServer, mjpeg, video

from appliance.camera import CapturedFrame, Scene, Script, Swing, encode_jpeg
from appliance.camera.pictures import JpegPicture
from appliance.door import DoorWatch
from appliance.settings import DoorSettings
from appliance.values import CameraId, DoorState, FrameStamp, Region

FPS = 10
SETTLE_S = 8.0
MEASURE_S = 30.0
SHUT = range(12)
"""Frames of the bundled scene with the door shut and nobody there; each has noise of its own."""
OPENED = Script(duration_s=9.0, swings=(Swing(SHUT.stop / FPS, to_open=True),))
"""The same scene, but the door is opened and stays open, and nobody comes."""
STANDING = range(40, 90)
"""Frames of it in which the door stands open."""
QUALITY = 85
GOAL = 2.0
OPEN_GOAL = 5.0
"""Of the rule alone and an open door: a twentieth of the time between two frames, in which faces are looked
for, too."""
MORE_THAN_DECODER = 0.5
FOR_EVER = 10**9
PIECES = 100
"""Frames over which decoding and judging are measured by themselves."""

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

    shut, opened = _pieces(jpegs), _opened()
    why_not = (
        f"at this pace the door's rule alone takes {shut.judge:.2f} % (decoding the door's part of a JPEG "
        f"{shut.decode:.2f}); the rest is reading the stream and waking up"
    )
    kilobytes = sum(map(len, jpegs)) / len(jpegs) / 1000
    share, spread = _idle(MJPEG_TYPE, lambda: mjpeg(itertools.cycle(jpegs)))
    rows = [_row("idle", share, why_not, f"MJPEG over HTTP, {kilobytes:.0f} kB a frame, {spread}")]
    share, spread = _idle("video/nut", coded("rawvideo", "yuyv422"))
    rows.append(_row("idle_yuyv", share, why_not, f"YUYV over HTTP in place of V4L2, {spread}"))
    rows.append(_h264(coded("libx264", "yuv420p"), why_not))
    rows.append(_open_row(shut, opened))
    return rows


def _row(name: str, share: float, why_not: str, against: str) -> Row:
    return limit(name, share, "% of a core", goal=GOAL, against=against, why_not=why_not)


@dataclass(frozen=True)
class Pieces:
    """What looking at the door takes, in per cent of a core at this pace.

    Attributes:
        decode: The door's part of a JPEG.
        judge: The door's rule.
        worst_ms: The rule's dearest frame but one in twenty, milliseconds.
        told_open: Share of the frames in which it said open.
    """

    decode: float
    judge: float
    worst_ms: float
    told_open: float


def _opened() -> Pieces:
    """Of a door that opened and stands open, watched since it was shut."""
    scene = Scene(OPENED)
    jpegs = [encode_jpeg(scene.render(number), QUALITY) for number in range(STANDING.stop)]
    return _pieces(jpegs[STANDING.start :], before=jpegs[: STANDING.start])


def _pieces(jpegs: Sequence[bytes], *, before: Sequence[bytes] = ()) -> Pieces:
    """Decoding and judging, when everything sleeps in between and caches go cold.

    Args:
        jpegs: The frames that count, again and again.
        before: Those that the watch saw before them, each once.
    """
    settings = tomllib.loads(DOOR)["doors"][0]
    door, region = DoorWatch(DoorSettings.model_validate(settings)), Region(*settings["region"])
    decode: list[float] = []
    judge: list[float] = []
    told_open = 0
    shown = itertools.chain(before, itertools.islice(itertools.cycle(jpegs), PIECES))
    for number, jpeg in enumerate(shown):
        counts = number >= len(before)
        if counts:
            time.sleep(1 / FPS)
        stamp = FrameStamp(CameraId("entrance"), number, number / FPS, datetime.now(UTC), None)
        frame = CapturedFrame(stamp, JpegPicture(jpeg))
        marks = [time.thread_time()]
        frame.gray(region)
        marks.append(time.thread_time())
        said = door.observe(frame)
        marks.append(time.thread_time())
        if counts:
            decode.append(marks[1] - marks[0])
            judge.append(marks[2] - marks[1])
            told_open += said.state is DoorState.OPEN
    share = FPS * 100 / PIECES
    worst_ms = sorted(judge)[round(PIECES * 0.95) - 1] * 1000
    return Pieces(sum(decode) * share, sum(judge) * share, worst_ms, told_open / PIECES)


def _open_row(shut: Pieces, opened: Pieces) -> Row:
    """The door's rule while the door stands open, beside the same of a shut one."""
    against = (
        f"the door's rule alone while the door stands open ({opened.told_open:.0%} of {PIECES} frames told; "
        f"19 of 20 take at most {opened.worst_ms:.2g} ms); the peer is the same of the shut door"
    )
    return limit("idle_open", opened.judge, "% of a core", goal=OPEN_GOAL, peer=shut.judge, against=against)


def _h264(chunks: Callable[[], Iterator[bytes]], why_not: str) -> Row:
    with StreamServer("video/nut", chunks, fps=FPS).serving() as address:
        line = [sys.executable, "-c", DECODER, address, str(SETTLE_S), str(MEASURE_S)]
        done = subprocess.run(line, stdout=subprocess.PIPE, check=True)
    decoder = float(json.loads(done.stdout))
    share, spread = _idle("video/nut", chunks)
    against = f"H.264 over HTTP; the peer is PyAV's decoder alone, goal: its cost + 0.5; {spread}"
    return limit(
        "idle_h264",
        share,
        "% of a core",
        goal=decoder + MORE_THAN_DECODER,
        peer=decoder,
        against=against,
        why_not=why_not,
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
