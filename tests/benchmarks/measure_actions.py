"""From a decision in the log to what is done about it, on a whole box with real ends.

Somebody comes in again and again at the rendered door. Measured: the first samples that the box's sound
takes, the receipts of webhook and broker, and the paired screen's greeting. Prints a table.
"""

import argparse
import json
import sys
import tempfile
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from bench_rows import machine, versions
from lively_box import LivelyBox, lively_box

GOALS_MS = {"song": 500, "screen": 1000}
"""Of the issue's first story; the others have none."""


def measure(times: int) -> dict[str, list[float]]:
    """Milliseconds from the greeting's event to each end, for so many greetings."""
    with tempfile.TemporaryDirectory() as folder, lively_box(Path(folder)) as box:
        box.wait(lambda: len(box.screen.greeted) >= times, "as many greetings", within_s=60.0 * times + 60)
        box.wait(lambda: len(box.events("song_started")) >= times, "as many songs")
        return _measured(box, times)


def _measured(box: LivelyBox, times: int) -> dict[str, list[float]]:
    greetings = {event.id: event.at for event in box.events("subject_identified")}
    found: dict[str, list[float]] = {"song": [], "webhook": [], "mqtt": [], "screen": []}
    for started in box.events("song_started")[:times]:
        cause = getattr(started.event, "cause", "")
        found["song"].append(_ms(greetings[cause], started.at))
    for row in box.services.store.outbox():
        kind = row.action.partition(":")[0]
        if row.rule is not None and kind in found and kind != "song" and row.finished_at is not None:
            found[kind].append(_ms(row.event.at, row.finished_at))
    for shown in box.screen.greeted[:times]:
        before = [at for at in greetings.values() if at <= shown]
        found["screen"].append(_ms(max(before), shown))
    return found


def _ms(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds() * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=4, help="greetings to wait for; half a minute each")
    times = parser.parse_args().times
    print(json.dumps({**machine(), **versions()}))
    print(f"{'end':10s} {'times':>5s} {'median ms':>10s} {'worst ms':>9s}   goal")
    for end, taken in measure(times).items():
        ordered = sorted(taken)
        goal = f"{GOALS_MS[end]} ms" if end in GOALS_MS else ""
        print(f"{end:10s} {len(ordered):5d} {ordered[len(ordered) // 2]:10.0f} {ordered[-1]:9.0f}   {goal}")


if __name__ == "__main__":
    main()
