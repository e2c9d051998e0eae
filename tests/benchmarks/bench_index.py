"""A week of 10 moments a second, searched: pages and bars by time, label, score, camera and person.

The database is filled by SQL alone (writing six million moments as the box does would take most of an
hour) and then counted by the appliance itself. The peer is the question a dashboard would ask of the same
documents if there were no counts: group them by the hour. What is told is how long somebody waits, by the
clock on the wall: on a machine that is busy with other work more than on one that is not.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from bench_rows import Row, limit, main

from appliance.clock import ManualClock
from appliance.store import MomentsWanted, Seen, Store, sqlite_url

WEEK = timedelta(days=7)
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
MANY = 7 * 86_400 * 10
GOAL_MS = 100.0
ROUNDS = 7
LABELS = ("person", "dog", "cup", "chair", "laptop", "bottle", "cat", "bird")
CAMERAS = ("entrance", "yard", "kitchen", "hall")
PEOPLE = 40

_FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many),
drawn AS (SELECT i, :begin + i * 100 AS at, i * 2654435761 % 4294967296 AS dice FROM n)
INSERT INTO moments (id, place, at, kind, body, door, verdict, subject, about, corrected)
SELECT i, 1 + dice / 64 % :cameras, at,
  CASE WHEN i % 100 = 0 THEN 'encounter' ELSE 'seen' END,
  CASE WHEN i % 100 = 0 THEN '{}' ELSE
    '{"' || (SELECT label FROM moment_labels WHERE id = 2 + dice % 64 * (dice % 64) / 512) || '":0.'
    || (5000 + dice / 4096 % 5000) || '}' END,
  CASE WHEN i % 100 = 0 THEN 'main' END,
  CASE WHEN i % 100 = 0 THEN CASE WHEN i % 500 = 0 THEN 'stranger' ELSE 'identified' END END,
  CASE WHEN i % 100 = 0 AND i % 500 > 0 THEN 'subject-' || (dice % :people) END,
  CASE WHEN i % 100 = 0 THEN 'stay-' || i END, 0
FROM drawn
"""
_MARKS = """
INSERT INTO moment_marks (label, place, at, moment, score)
SELECT {label}, place, at, id, CASE WHEN kind = 'seen' THEN CAST(substr(body, -5, 4) AS INTEGER) ELSE 0 END
FROM moments {where} ORDER BY 1, 2, 3, 4
"""
_OF_LABEL = "(SELECT id FROM moment_labels WHERE label = substr(body, 3, instr(body, '\":') - 3))"
_PEER = """
SELECT at / 3600000, count(*) FROM moments
WHERE at >= ? AND at < ? AND json_extract(body, '$.dog') >= 0.9 GROUP BY 1
"""


def measure() -> Sequence[Row]:
    """The questions of the dashboards, each over the whole week."""
    with tempfile.TemporaryDirectory(dir=Path.cwd() / "data" / "var") as folder:
        path = Path(folder) / "week.sqlite3"
        with Store(sqlite_url(path), device="box", boot="bench", clock=ManualClock(BEGIN + WEEK)) as store:
            store.note_seen([Seen(BEGIN, camera, dict.fromkeys(LABELS, 0.5)) for camera in CAMERAS])
            _fill(path)
            hour: datetime | None = datetime(1970, 1, 1, tzinfo=UTC)
            while hour is not None:
                hour = store.count_moments_again(hour)
            return [*_asked(store, path), _written(store)]


def _fill(path: Path) -> None:
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA synchronous=OFF")
    values = {
        "many": MANY,
        "begin": int(BEGIN.timestamp() * 1000),
        "cameras": len(CAMERAS),
        "people": PEOPLE,
    }
    with raw:
        raw.execute("DELETE FROM moment_marks")
        raw.execute("DELETE FROM moments")
        raw.execute("UPDATE moment_labels SET id = id + 100")
        for number, label in enumerate(("", *LABELS), 1):
            raw.execute("UPDATE moment_labels SET id = ? WHERE label = ?", (number, label))
        raw.execute(_FILL, values)
        raw.execute(_MARKS.format(label=1, where=""))
        raw.execute(_MARKS.format(label=_OF_LABEL, where="WHERE kind = 'seen'"))
    raw.close()


def _asked(store: Store, path: Path) -> list[Row]:
    week = MomentsWanted(since=BEGIN, until=BEGIN + WEEK)
    hours = [BEGIN + timedelta(hours=i) for i in range(7 * 24 + 1)]
    quarters = [BEGIN + timedelta(minutes=15 * i) for i in range(7 * 96 + 1)]
    minutes = [BEGIN + timedelta(days=3, minutes=i) for i in range(361)]
    dog = MomentsWanted(labels=("dog",), min_percent=90)
    somebody = MomentsWanted(subject="subject-7")
    questions: dict[str, tuple[str, Callable[[], object]]] = {
        "index_page": ("the newest 50 of all", lambda: store.moments_page(week)),
        "index_page_label": ("the newest 50 with a dog of 0.9", lambda: store.moments_page(dog)),
        "index_page_rare": (
            "the newest 50 with a bird of 0.99 on one camera",
            lambda: store.moments_page(
                MomentsWanted(labels=("bird",), min_percent=99, cameras=("hall",), until=BEGIN + WEEK / 2)
            ),
        ),
        "index_page_person": ("the newest 50 of one person", lambda: store.moments_page(somebody)),
        "index_bars": ("hours of a week, all labels apart", lambda: store.moment_bars(week, hours, "label")),
        "index_bars_label": ("hours of a week, a dog of 0.9", lambda: store.moment_bars(dog, hours)),
        "index_bars_camera": (
            "quarters of an hour of a week, dogs by camera",
            lambda: store.moment_bars(dog, quarters, "camera"),
        ),
        "index_bars_minutes": ("minutes of six hours, all", lambda: store.moment_bars(week, minutes)),
        "index_bars_verdicts": (
            "hours of a week, strangers and others",
            lambda: store.moment_bars(MomentsWanted(kinds=("encounter",)), hours, "verdict"),
        ),
        "index_labels": ("which labels there were", store.label_counts),
    }
    raw = sqlite3.connect(path)
    ends = int(BEGIN.timestamp() * 1000), int((BEGIN + WEEK).timestamp() * 1000)
    grouped = _ms(lambda: raw.execute(_PEER, ends).fetchall(), 1)
    raw.close()
    size = path.stat().st_size / MANY
    rows = []
    for name, (words, ask) in questions.items():
        peer = grouped if name == "index_bars_label" else None
        against = f"{words}; of {MANY:,} moments ({size:.0f} bytes each on the disk)"
        rows.append(limit(name, _ms(ask, ROUNDS), "ms", goal=GOAL_MS, against=against, peer=peer))
    return rows


def _written(store: Store) -> Row:
    """One second of 10 moments beside all the others, as the box writes it."""
    at = BEGIN + WEEK

    def write() -> None:
        nonlocal at
        at += timedelta(seconds=1)
        store.note_seen([Seen(at, "hall", {"dog": 0.75, "cup": 0.5})] * 10)

    against = "writing the 10 moments of a second, in a transaction that is on the disk"
    return limit("index_write", _ms(write, 30), "ms", goal=GOAL_MS, against=against)


def _ms(ask: Callable[[], object], rounds: int) -> float:
    """Median milliseconds on the clock, waiting for the disk and all; once more before, untimed."""
    took: list[float] = []
    for turn in range(rounds + (rounds > 1)):
        start = time.perf_counter()
        ask()
        if turn or rounds == 1:
            took.append((time.perf_counter() - start) * 1000)
    return median(took)


if __name__ == "__main__":
    main(measure, __doc__)
