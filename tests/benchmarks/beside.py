"""The loop's time per frame beside other work, and what other work costs it on this machine at all.

What a frame takes is the loop's own count, by the clock: waiting for a processor is in it. A machine that
others share is now fast, now slow, and a second processor that works slows the first down wherever both are
parts of one. So every turn samples the loop alone and beside each kind of work, close together, what is told
is the median of the turns' ratios with where it lies in 95 of 100 drawings of turns, and one kind of work
is a process that only counts.
"""

import contextlib
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from running import Box

SETTLES_S = 1.0
DRAWINGS = 2000
_COUNTING = """
import sys, time
from appliance.deeplens.view import NICE
from appliance.priority import give_way
give_way(NICE)
while True:
    began = time.monotonic()
    while time.monotonic() - began < float(sys.argv[1]) / 16:
        sum(range(1000))
    time.sleep(max(0, began + 1 / 16 - time.monotonic()))
"""


@contextlib.contextmanager
def counting(share: float) -> Iterator[int]:
    """The pid of a process that only counts, to the end of the block.

    Args:
        share: How much of a processor it takes, 0 to 1, in 16 pieces a second; it is as far behind others
            as functions are.
    """
    words = [sys.executable, "-c", _COUNTING, str(share)]
    with subprocess.Popen(words, start_new_session=True) as process:
        try:
            yield process.pid
        finally:
            process.kill()


def sample(box: Box, seconds: float) -> tuple[float, float]:
    """What the loop did meanwhile: milliseconds of work on a frame, and frames a second."""
    before, began = box.camera_status(), time.monotonic()
    time.sleep(seconds)
    after, took_s = box.camera_status(), time.monotonic() - began
    frames = int(after["frames"]) - int(before["frames"])
    return (float(after["busy_s"]) - float(before["busy_s"])) / frames * 1000, frames / took_s


def slower(alone: Sequence[float], beside: Sequence[float]) -> str:
    """How much slower, in words: the turns' median ratio, less one, in 95 of 100 drawings of turns."""
    ratios = [with_it / without - 1 for without, with_it in zip(alone, beside, strict=True)]
    chance = random.Random(1)
    drawn = sorted(statistics.median(chance.choices(ratios, k=len(ratios))) for _ in range(DRAWINGS))
    least, most = drawn[DRAWINGS // 40], drawn[-DRAWINGS // 40]
    return f"{statistics.median(ratios):+.1%} ({least:+.1%} to {most:+.1%})"
