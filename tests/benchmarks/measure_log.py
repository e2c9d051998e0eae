"""How long a page of the log takes in a database of a hundred thousand events.

    python tests/benchmarks/measure_log.py [EVENTS]

Prints milliseconds (median of 7, after one that is not counted) for the first page, the last, and pages
whose filter fits much, little and nothing.
"""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import decided
import stores

from appliance.decision import DECIDED
from appliance.store import NewEvent, Store, sqlite_url
from appliance.store.timeline import Wanted

PAGE = 40
_BATCH = 2000


def fill(log: Store, many: int) -> None:
    """Visits of one encounter each, of every rule there is, thirty seconds apart."""
    stays = list(decided.encounters("ann", "ben").values())
    source = random.Random(1)
    batch: list[NewEvent] = []
    made = 0
    while made < many:
        at, visit = stores.NOON + timedelta(seconds=30 * made), f"visit-{made:08d}"
        happened = [decided.event_of(each, f"encounter-{made:08d}") for each in source.choice(stays)]
        for event in (stores.OPENED, *happened, stores.SHUT):
            placed = event.model_copy(update={"visit": visit, "door": "main", "camera": "entrance"})
            batch.append(NewEvent(placed, at=at))
            made += 1
        if len(batch) >= _BATCH:
            log.append_all(batch)
            batch = []
    log.append_all(batch)


def timed(what: Callable[[], object]) -> float:
    """Milliseconds, the median of seven."""
    what()
    took = []
    for _ in range(7):
        began = time.perf_counter()
        what()
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


def main() -> None:
    """Measure and print."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.db"
        with stores.store(sqlite_url(path)) as log:
            fill(log, many)
            end = stores.NOON + timedelta(seconds=30 * many)
            asked: dict[str, tuple[Wanted, int | None]] = {
                "first page": (Wanted(), None),
                "last page": (Wanted(), 2 * PAGE),
                "people only": (Wanted(types=()), None),
                "strangers": (Wanted(verdicts=("stranger_seen",)), None),
                "one person": (Wanted(subject="ann"), None),
                "a person who is not there": (Wanted(subject="nobody"), None),
                "a door that is not there": (Wanted(door="back"), None),
                "corrected, of which there are none": (Wanted(corrected=True), None),
                "a day in the middle": (
                    Wanted(since=end - timedelta(days=15), until=end - timedelta(days=14)),
                    None,
                ),
                "the oldest day": (Wanted(until=stores.NOON + timedelta(days=1)), None),
            }
            print(f"{many} events, {path.stat().st_size / 1e6:.0f} MB, pages of {PAGE}")
            for name, (wanted, before) in asked.items():
                took = timed(lambda w=wanted, b=before: log.entries(w, DECIDED, before=b, limit=PAGE))
                print(f"{name:<36} {took:8.1f} ms")
            since = end - timedelta(days=30)
            print(f"{'counts of thirty days':<36} {timed(lambda: log.counted(DECIDED, since=since)):8.1f} ms")


if __name__ == "__main__":
    main()
