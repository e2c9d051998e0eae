"""Cameras and programs at the two ends of a pipe."""

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from factories import PictureFrame, stamp

from appliance.deeplens.frame_source import NewestFrames


@contextmanager
def filmed(fps: float = 30, *, noise: bool = False) -> Iterator[NewestFrames]:
    """A camera that gives pictures of 640 x 360 until it is left: even ones that change, or noise."""
    camera, stop = NewestFrames(), threading.Event()
    still = np.random.default_rng(1).integers(0, 255, (360, 640, 3), np.uint8)

    def run() -> None:
        number = 0
        while not stop.wait(1 / fps):
            even = np.full((360, 640, 3), 40 + number % 100, np.uint8)
            camera.offer(PictureFrame(still if noise else even, stamp(number)))
            number += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield camera
    finally:
        stop.set()
        thread.join()


def probed(path: Path, *options: str, frames: int = 30) -> dict[str, str]:
    """What ffprobe says of the first pictures of a pipe: codec_name, width, height, nb_read_frames."""
    command = ["ffprobe", "-v", "error", "-of", "default=noprint_wrappers=1", *options]
    command += ["-read_intervals", f"%+#{frames}", "-count_frames", "-show_streams", str(path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return dict(line.split("=", 1) for line in said.stdout.splitlines() if "=" in line)


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it comes true within a generous while."""
    until = time.monotonic() + 20
    while not (held := holds()) and time.monotonic() < until:
        time.sleep(0.01)
    return held


@contextmanager
def stopped(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A program that is killed in the end."""
    try:
        yield process
    finally:
        process.kill()
        with contextlib.suppress(ValueError):
            process.communicate()
