"""How long `appliance whatif` takes over many decisions, on a log made for it.

Usage: python tests/benchmarks/measure_whatif.py [DECISIONS]; prints machine, versions and figures.
"""

import os
import platform
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import decided
import numpy as np
import pydantic
from factories import evidence

from appliance.app.whatif import what_if
from appliance.decision import Changes, GradedDecision, Policy
from appliance.events import Event
from appliance.services import Layout, open_services
from appliance.settings import RecognitionSettings, Settings
from appliance.store import NewEvent
from appliance.values import Grade

PEOPLE, FRAMES, BATCH = 50, 8, 1000


def made(count: int, seed: int = 1) -> list[Event]:
    """Decisions of full length: five people on the shortlist, eight frames."""
    policy = Policy(RecognitionSettings(), decided.TABLES)
    random = np.random.default_rng(seed)
    found = []
    for n in range(count):
        levels = random.normal(-0.3, 0.15, PEOPLE)
        frames = [
            evidence(
                i,
                {f"{p:036}": float(level + random.normal(0, 0.05)) for p, level in enumerate(levels)},
                quality=float(random.uniform(30, 100)),
            )
            for i in range(FRAMES)
        ]
        conclusion = policy.conclude(frames, seen=FRAMES, looks=1 + n % 5, confirm_frames=3)
        found.append(decided.event_of(GradedDecision(Grade.FINAL, conclusion), f"encounter-{n}"))
    return found


def main(count: int) -> None:
    """Fill a log, and ask twice."""
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(f"SQLite {sqlite3.sqlite_version}, pydantic {pydantic.VERSION}, numpy {np.__version__}")
    some = made(200)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_services(Settings(), Layout(Path(folder) / "state"), create=True) as services,
    ):
        for start in range(0, count, BATCH):
            services.store.append_all(
                [NewEvent(some[n % 200]) for n in range(start, min(count, start + BATCH))]
            )
        print(f"{count} decisions, {Layout(Path(folder) / 'state').database.stat().st_size / 2**20:.0f} MiB")
        for name, changes in (("reproduce", Changes()), ("--fpir 0.0001", Changes(fpir=0.0001))):
            begun = time.perf_counter()
            found = what_if(services.store, decided.TABLES, changes)
            took = time.perf_counter() - begun
            print(
                f"{name:<14} {took:6.1f} s, {found.examined / took:7.0f} a second, {found.differing} differ"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
