"""How long the desk takes for a page of the log in a database of a hundred thousand events.

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
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import decided
import stores

from appliance.app.desk.log import Log
from appliance.app.desk.operations import Desk
from appliance.decision import DECIDED
from appliance.permissions import GRANTED, Caller, Role
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.store import NewEvent, Store

PAGE = 40
ADA = Caller("operator", "ada", Role.ADMIN, GRANTED[Role.ADMIN], "ada", "s")
_BATCH = 2000


def fill(log: Store, many: int, ann: str, ben: str) -> None:
    """Visits of one encounter each, of every rule there is, thirty seconds apart."""
    stays = list(decided.encounters(ann, ben).values())
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
        layout = Layout(Path(folder) / "state")
        with open_services(Settings(), layout, create=True) as services:
            log = services.store
            people = [log.add_subject(name, consent=stores.AGREED).id for name in ("Ann", "Ben")]
            fill(log, many, *people)
            end = stores.NOON + timedelta(seconds=30 * many)
            desk = Desk(lambda _: ADA, Log(services, ["main"]).operations())
            asked: dict[str, dict[str, Any]] = {
                "first page": {},
                "last page": {"before": 2 * PAGE},
                "people only": {"kinds": ["people"]},
                "strangers": {"verdict": "stranger"},
                "one person": {"person": people[0]},
                "a person who is not there": {"person": "nobody"},
                "a door that is not there": {"door": "back"},
                "corrected, of which there are none": {"corrected": True},
                "a day in the middle": {"since": end - timedelta(days=15), "until": end - timedelta(days=14)},
                "the oldest day": {"until": stores.NOON + timedelta(days=1)},
            }
            print(f"{many} events, {layout.database.stat().st_size / 1e6:.0f} MB, pages of {PAGE}")
            for name, wanted in asked.items():
                took = timed(lambda w=wanted: desk.ask("log.page", {"limit": PAGE, **w}, credential="ada"))
                print(f"{name:<36} {took:8.1f} ms")
            since = end - timedelta(days=30)
            print(f"{'counts of thirty days':<36} {timed(lambda: log.counted(DECIDED, since=since)):8.1f} ms")


if __name__ == "__main__":
    main()
