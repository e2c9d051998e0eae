"""A whole day in an office of hundreds: are counts the truth, is the outbox empty, does memory stay?

    python tests/benchmarks/measure_day.py [PEOPLE] [ENCOUNTERS] [SEED]

300 people and 2,000 encounters in ten hours at a clock that is set by hand; the webhook's receiver and the
broker are away for an hour each. Real are the database, the dispatch process's own composition, the webhook
over HTTP, and Mosquitto. Ends with 1 if anything does not agree.
"""

import platform
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from office_day import Arrived, Plan, Truth, office_day

from appliance import logs
from appliance.store import COFFEES, GREETINGS


def rows(truth: Truth, arrived: Arrived) -> list[tuple[str, int, int]]:
    """What was to be, and what is."""
    counted = arrived.counted
    return [
        ("greetings counted", sum(truth.greeted.values()), sum(counted[GREETINGS].values())),
        ("people with their own greetings", len(truth.greeted), _alike(truth.greeted, counted[GREETINGS])),
        ("coffees counted", sum(truth.coffees.values()), sum(counted[COFFEES].values())),
        ("people with their own coffees", len(truth.coffees), _alike(truth.coffees, counted[COFFEES])),
        ("posts, by their keys", len(truth.first) + truth.all_coffees + truth.strangers, arrived.posted),
        ("messages of rules, by their keys", truth.came, arrived.published),
        ("lines asked of screens", truth.came + truth.all_coffees, arrived.shown),
        (
            "rows not delivered",
            0,
            sum(many for state, many in arrived.outbox.items() if state != "delivered"),
        ),
    ]


def _alike(true: dict[str, int], counted: dict[str, int]) -> int:
    return sum(counted.get(who) == many for who, many in true.items())


def main(people: int, encounters: int, seed: int) -> int:
    """Print the tables; whether all agrees."""
    logs.configure("measure", level="error")
    plan = Plan(people=people, encounters=encounters, seed=seed)
    with tempfile.TemporaryDirectory() as folder, office_day(plan, Path(folder)) as day:
        arrived, truth = day.run(), day.truth
    print(
        f"{platform.machine()}, Python {platform.python_version()}; {people} people, {encounters} encounters"
    )
    print(f"took {arrived.seconds:.0f} s for ten hours; {sum(arrived.outbox.values())}: {arrived.outbox}")
    print(f"webhook away: {arrived.refused} posts refused; waited at most: {arrived.waited}")
    print(f"{'':34}{'true':>8}{'is':>8}")
    agrees = True
    for name, true, found in rows(truth, arrived):
        agrees &= true == found
        print(f"{name:34}{true:>8}{found:>8}{'' if true == found else '  WRONG'}")
    print("resident memory of the process, MiB:")
    for at, mib in arrived.memory[:: max(1, len(arrived.memory) // 10)]:
        print(f"  {at:%H:%M}  {mib:6.1f}")
    return 0 if agrees else 1


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    sys.exit(main(*given, *(300, 2000, 1)[len(given) :]))
