"""How soon copying to a bucket begins with ten thousand captures in the spool, and what memory it takes.

    python tests/benchmarks/measure_sync.py [CAPTURES] [COPIED]

A process of its own, as dispatch has it, against an S3 server on loopback (moto's, in another process):
seconds to look at everything, to the first verified copy (the library that speaks S3 is loaded within it),
and to look again when all are noted as copied; copies a second of 300 kB each (limited by that server);
resident memory before, and at most; the same for one capture first.
"""

import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import pyrage

from appliance.app.copies import copying_of, sync_state
from appliance.clock import SystemClock
from appliance.ids import random_ids
from appliance.services import Layout, open_services
from appliance.settings import S3Settings, Settings
from appliance.sinks.naming import target_of
from appliance.values import CopyState, RemoteCopy

_KB_300 = 300_000
_MIB = 1024


def resident_mib() -> float:
    """Now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def measure(state: Path, bucket: S3Settings, copied: int) -> None:
    """In the process that is measured: print a line for each figure."""
    with open_services(Settings(), Layout(state)) as services:
        before = resident_mib()
        began = time.perf_counter()
        backlog = sync_state(bucket, services).backlog
        print(f"captures                     {backlog.captures:>9}")
        print(f"looked at all        {time.perf_counter() - began:>15.3f} s")
        began = time.perf_counter()
        copying = copying_of(bucket, services, threading.Event())
        made = copying.round(lambda: False)
        next(made)
        print(f"first verified copy  {time.perf_counter() - began:>15.3f} s, loading the library")
        began = time.perf_counter()
        for _ in range(min(copied, backlog.captures) - 1):
            next(made)
        took = time.perf_counter() - began
        rate = (min(copied, backlog.captures) - 1) / max(took, 1e-9)
        print(f"copies               {rate:>15.1f} a second, 300 kB each")
        now, target = SystemClock().wall(), target_of(bucket)
        rest = backlog.due[copied:]
        for entry in rest:
            services.store.note_copy(target, RemoteCopy(entry.id, CopyState.VERIFIED, "0" * 64, 1, now))
        began = time.perf_counter()
        left = len(sync_state(bucket, services).backlog.due)
        print(f"looked at all again  {time.perf_counter() - began:>15.3f} s, {left} due")
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB
        print(f"resident memory      {before:>15.1f} MiB before, {most:.1f} MiB at most")


def fill(state: Path, captures: int, large: int) -> None:
    """A box with so many captures, the oldest of which are as large as real ones."""
    with open_services(Settings(), Layout(state), create=True) as services:
        folder = services.layout.spool
        folder.mkdir(mode=0o700)
        key = pyrage.x25519.Identity.generate().to_public()
        big, small = pyrage.encrypt(os.urandom(_KB_300), [key]), pyrage.encrypt(b"small", [key])
        now = SystemClock().wall()
        for number in range(captures):
            at = now - timedelta(days=1, seconds=captures - number)
            file = folder / f"{random_ids(at)}.age"
            file.write_bytes(big if number < large else small)
            os.utime(file, (at.timestamp(), at.timestamp()))


def main() -> None:
    """Fill two boxes, measure each in a process of its own, print."""
    captures = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    copied = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    os.environ["S3_UPLOAD_PART_MIN_SIZE"] = "256"
    from s3_server import faulty_s3  # noqa: PLC0415 - not in the process that is measured

    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder, faulty_s3() as s3:
        for name, many in (("one capture", 1), ("many", captures)):
            s3.fresh()
            state = Path(folder) / name.replace(" ", "-")
            fill(state, many, copied)
            print(f"\n{name}")
            sys.stdout.flush()
            environment = {**os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
            words = ["--child", str(state), f"http://127.0.0.1:{s3.server_port}", s3.bucket, str(copied)]
            subprocess.run([sys.executable, __file__, *words], check=True, env=environment)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        where = S3Settings(bucket=sys.argv[4], endpoint=sys.argv[3], addressing="path")
        measure(Path(sys.argv[2]), where, int(sys.argv[5]))
    else:
        main()
