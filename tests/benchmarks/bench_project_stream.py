"""What the project stream of a hosted function costs, its writer writing as fast as it can.

The writer is the loop at the end of the public samples: JPEG after JPEG without a pause, in a process of its
own. Told is the share of one core that the reading process takes for it, at the size of most functions'
display and at that of a full frame, and, in words, the share that is left to the writer.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import bench_rows  # noqa: F401 - one thread for numerical libraries, before they load
import cv2
import numpy as np
from bench_rows import Row, limit, main

from appliance.deeplens.project_stream import NAME, ProjectStream

SIZES = {"project_stream": ((858, 480), 2.0), "project_stream_full": ((2688, 1520), 6.0)}
"""By name: width and height, and the share of a core in percent that it may take."""
SECONDS = 10.0
WRITER = """
import sys
pictures = [open(name, "rb").read() for name in sys.argv[1:3]]
with open(sys.argv[3], "wb") as pipe:
    while True:
        for each in pictures:
            pipe.write(each)
"""


def measure() -> Sequence[Row]:
    """One row for each size."""
    return [_row(name, size, goal) for name, (size, goal) in SIZES.items()]


def _row(name: str, size: tuple[int, int], goal: float) -> Row:
    """The cost of one stream."""
    with TemporaryDirectory() as folder:
        pictures = [Path(folder) / f"{number}.jpg" for number in range(2)]
        for seed, path in enumerate(pictures):
            path.write_bytes(_jpeg(size, seed))
        os.mkfifo(Path(folder) / NAME)
        directory = os.open(folder, os.O_RDONLY)
        writer = subprocess.Popen([sys.executable, "-c", WRITER, *pictures, Path(folder) / NAME])
        try:
            with ProjectStream(directory) as stream:
                stream.working()
                stream.latest(0, 30)
                before = _counts(stream, writer)
                time.sleep(SECONDS)
                seconds, ours, theirs, seen = (
                    after - at for after, at in zip(_counts(stream, writer), before, strict=True)
                )
                writer.kill()
        finally:
            writer.kill()
            writer.wait()
            os.close(directory)
        kilobytes = pictures[0].stat().st_size // 1024
    return limit(
        name,
        ours / seconds * 100,
        "% of a core",
        goal=goal,
        against=f"a writer without a pause, {size[0]} x {size[1]} pixels in {kilobytes} KB: "
        f"{seen / seconds:.1f} pictures a second, taking it {theirs / seconds * 100:.1f} % of a core",
    )


def _counts(stream: ProjectStream, writer: subprocess.Popen[bytes]) -> tuple[float, float, float, float]:
    """Seconds, processor seconds of ours and of the writer, pictures."""
    fields = Path(f"/proc/{writer.pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    theirs = ticks / os.sysconf("SC_CLK_TCK")
    return time.monotonic(), time.process_time(), theirs, stream.status.pictures


def _jpeg(size: tuple[int, int], seed: int) -> bytes:
    """A picture as detailed as that of a room, at the quality that functions encode with."""
    width, height = size
    noise = np.random.default_rng(seed).integers(0, 255, (height // 2, width // 2, 3), np.uint8)
    picture = cv2.resize(cv2.GaussianBlur(noise, (5, 5), 0), size)
    return bytes(cv2.imencode(".jpg", picture)[1])


if __name__ == "__main__":
    main(measure, __doc__)
