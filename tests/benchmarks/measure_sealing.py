"""How long sealing a capture takes until it is safe on the disk: all of `Spool.store`, beside the bare disk.

    python tests/benchmarks/measure_sealing.py [BYTES] [FOLDER]

BYTES (300,000 by default) of what does not compress, as JPEGs do not, on FOLDER's disk (by default that of
temporary files). Pack, seal, write, force to the disk, rename, force the name to the disk, add to the index:
milliseconds, median and 95th percentile of 200, after ten that are not counted. In turns with them as many
bytes are only written, forced, renamed, and the name forced: no way of sealing waits for less. Encoding the
pictures as JPEG comes before, and is told by itself.

Goal: 5 ms for the whole, to one recipient. A force to the disk gives the processor away and has to get it
back, for which it waits a tick of the scheduler or more where others want it as well: the machine's load is
told, and what was missed while others ran is to be measured again on an idle machine.
"""

import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import numpy as np
from captures import KeyPair, make_shot, ssh_pair
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from appliance.camera.jpeg import encode_jpeg
from appliance.clock import SystemClock
from appliance.evidence import Spool, make_identity, parse_recipients, seal
from appliance.evidence.capture import JPEG_QUALITY
from appliance.settings import EvidenceSettings
from appliance.values import ImageArray

GOAL_MS = 5.0
_ROUNDS, _WARM = 200, 10
_BUSY = 0.7
"""Processes that want to run, on the average of a minute: from there on others are waited for."""


def timed(*turns: Callable[[], object]) -> list[tuple[float, float]]:
    """Milliseconds of each, done in turns: median, and 95th percentile."""
    took: list[list[float]] = [[] for _ in turns]
    for number in range(_ROUNDS + _WARM):
        for each, what in zip(took, turns, strict=True):
            began = time.perf_counter()
            what()
            if number >= _WARM:
                each.append((time.perf_counter() - began) * 1000)
    return [(statistics.median(each), statistics.quantiles(each, n=20)[-1]) for each in took]


def processor() -> str:
    """What the machine says it is."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


def disk_of(folder: Path) -> str:
    """The file system that a folder is on, as the system names it."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    at = max((each for each in mounts if folder.is_relative_to(each[1])), key=lambda each: len(each[1]))
    return f"{at[2]} at {at[1]}"


def load() -> tuple[float, str]:
    """The load of the last minute, and in words with how many others want to run now."""
    minute, _, _, running, _ = Path("/proc/loadavg").read_text(encoding="utf-8").split()
    others = int(running.partition("/")[0]) - 1
    return float(minute), f"load {minute}, {others} other process{'' if others == 1 else 'es'} running"


def written_raw(folder: Path, content: bytes) -> None:
    """What any durable write of a new file takes: write, force, rename, force the name."""
    final = folder / str(time.monotonic_ns())
    partial = final.with_suffix(".partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(final)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(handle)
    os.close(handle)


def spool_in(folder: Path, recipients: Sequence[str], size: int) -> Spool:
    """A spool whose captures have so many bytes of pictures, encoded already: 1 of 15 is the face's."""
    frame, face = os.urandom(size - size // 15), os.urandom(size // 15)

    def encoded(picture: ImageArray, _: int) -> bytes:
        return frame if picture.shape[:2] == SHOT.bgr.shape[:2] else face

    settings = EvidenceSettings(recipients=tuple(recipients), min_free_mib=0, max_mib=100_000)
    return Spool(folder, settings, SystemClock(), encoded).open()


SHOT = make_shot(size=(1280, 720))


def main(size: int, parent: Path | None) -> int:
    """Measure and print; 1 if the goal is missed."""
    with tempfile.TemporaryDirectory(dir=parent) as made:
        folder = Path(made)
        age = make_identity(folder / "identity.txt")
        pairs: list[KeyPair] = [
            ssh_pair(ed25519.Ed25519PrivateKey.generate()),
            ssh_pair(rsa.generate_private_key(65537, 3072)),
        ]
        keys = {"age": [age], "ssh-ed25519": [pairs[0].public], "ssh-rsa 3072": [pairs[1].public]}
        keys["all three"] = [each for (each,) in keys.values()]
        before, words = load()
        print(f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, {disk_of(folder)}")
        print(f"{size} bytes; goal {GOAL_MS:g} ms for the whole, to one recipient; {words}\n")
        print(f"{'milliseconds (95 %)':<22}{'whole':>16}{'only sealing':>18}{'bare write':>18}{'ratio':>8}")
        wholes, raws = [], []
        content, raw = os.urandom(size), folder / "raw"
        raw.mkdir()
        for name, lines in keys.items():
            recipients = parse_recipients(lines)
            spool = spool_in(folder / name.replace(" ", "-"), lines, size)
            figures = timed(
                lambda to=spool: to.store([SHOT], {"door": "entrance"}, datetime.now(UTC)),  # type: ignore[misc]
                lambda to=recipients: seal(content, to),  # type: ignore[misc]
                lambda: written_raw(raw, content),
            )
            told = "".join(f"{median:>9.2f} ({high:6.2f})" for median, high in figures)
            (whole, _), _, (bare, _) = figures
            print(f"{name:<20}{told}{whole / bare:>8.1f}")
            if len(lines) == 1:
                wholes.append(whole)
                raws.append(bare)
        picture = np.random.default_rng(5).integers(0, 255, SHOT.bgr.shape, np.uint8)
        ((encoding, high),) = timed(lambda: encode_jpeg(picture, JPEG_QUALITY))
        print(f"\nbefore it, a noisy 720p picture as JPEG: {encoding:.2f} ({high:.2f})")
        after, words = load()
    print(verdict(max(wholes), max(raws), max(before, after), words))
    return int(max(wholes) > GOAL_MS)


def verdict(whole: float, bare: float, busy: float, words: str) -> str:
    """What the figures mean, with what they were measured beside."""
    beside = f"the bare write took {bare:.2f} ms; {words} at the end"
    if whole <= GOAL_MS:
        return f"the goal is reached: {whole:.2f} ms at most; {beside}"
    why = (
        "while others ran: measure again when the machine is idle" if busy >= _BUSY else "on an idle machine"
    )
    return f"the goal is missed, {why}: {whole:.2f} ms at most; {beside}"


if __name__ == "__main__":
    sys.exit(
        main(
            int(sys.argv[1]) if len(sys.argv) > 1 else 300_000,
            Path(sys.argv[2]) if len(sys.argv) > 2 else None,
        )
    )
