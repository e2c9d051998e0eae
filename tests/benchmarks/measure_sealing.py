"""How long sealing a capture takes, to one recipient of each kind and to several; and with the disk.

    python tests/benchmarks/measure_sealing.py [BYTES]

Prints the machine, and milliseconds (median and 95th percentile of 200, after ten that are not counted) for
BYTES (300,000 by default) of what does not compress, as JPEGs do. Goal: 5 ms to one recipient.
"""

import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from captures import KeyPair, ssh_pair
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from appliance.evidence import make_identity, parse_recipients, seal
from appliance.evidence.spool_folder import SpoolFolder
from appliance.ids import random_ids

GOAL_MS = 5.0
_ROUNDS, _WARM = 200, 10


def timed(what: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds: median, and 95th percentile."""
    took = []
    for turn in range(_ROUNDS + _WARM):
        began = time.perf_counter()
        what()
        if turn >= _WARM:
            took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took), statistics.quantiles(took, n=20)[-1]


def processor() -> str:
    """What the machine says it is."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


def main(size: int) -> int:
    """Measure and print; 1 if the goal is missed."""
    content = os.urandom(size)
    with tempfile.TemporaryDirectory() as folder:
        age = make_identity(Path(folder) / "identity.txt")
        pairs: list[KeyPair] = [
            ssh_pair(ed25519.Ed25519PrivateKey.generate()),
            ssh_pair(rsa.generate_private_key(65537, 3072)),
        ]
        keys = {"age": [age], "ssh-ed25519": [pairs[0].public], "ssh-rsa 3072": [pairs[1].public]}
        keys["all three"] = [each for (each,) in keys.values()]
        spool = SpoolFolder(Path(folder) / "spool")
        spool.make()
        print(f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}")
        print(f"{size} bytes; goal {GOAL_MS:g} ms to one recipient\n")
        missed = False
        for name, lines in keys.items():
            recipients = parse_recipients(lines)
            median, high = timed(lambda chosen=recipients: seal(content, chosen))  # type: ignore[misc]
            missed = missed or (len(lines) == 1 and median > GOAL_MS)
            print(f"seal to {name:<14} {median:7.2f} ms  (95 %: {high:.2f})")
        sealed = seal(content, parse_recipients([age]))

        def write() -> None:
            spool.write(random_ids(datetime.now(UTC)), sealed, datetime.now(UTC))

        median, high = timed(write)
        print(f"write and flush        {median:7.2f} ms  (95 %: {high:.2f})")
    print(f"\nthe goal is {'missed' if missed else 'reached'}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300_000))
