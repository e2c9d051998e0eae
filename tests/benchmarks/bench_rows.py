"""What the benchmarks share: interleaved timing, rows with a goal, and one way to print them.

Importing this module limits numerical libraries to one thread, so it has to come before they do (it is
first in the alphabet for that). Candidates are timed in turns within one run, so that both meet the same
disturbances, and by processor time: everything here runs on one thread, where that is the time on the clock
of a quiet machine, and on a shared one it does not count the neighbours.
"""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

import argparse  # noqa: E402 - the variables must be set before numpy is loaded
import json  # noqa: E402
import platform  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from collections.abc import Callable, Mapping, Sequence  # noqa: E402
from dataclasses import asdict, dataclass  # noqa: E402
from importlib import metadata  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, Literal  # noqa: E402

from appliance.errors import ApplianceError  # noqa: E402

PACKAGES = ("numpy", "opencv-python-headless", "onnxruntime", "dlib-bin", "face_recognition")

QUIET_LOAD = 0.5
"""Load average beside a benchmark's own from which on others were at work."""


@dataclass(frozen=True)
class Row:
    """One line of a benchmark's result.

    Attributes:
        name: Key, as in the list of goals.
        ours: What ours took, or measures.
        peer: The same of the peer, or None where the goal is absolute.
        unit: Of both.
        ratio: How many times faster ours is, or, where the goal is an upper limit, how many times the
            peer's ours takes; None where there is no peer.
        goal: What is to be reached, of the ratio or, without a peer, of ours.
        sense: Whether the goal is a lower or an upper limit.
        reached: Whether it was.
        against: What the peer is, or how it was measured, for people.
        why: By how much the goal was missed and what stands in the way; empty where it was reached.
    """

    name: str
    ours: float
    peer: float | None
    unit: str
    ratio: float | None
    goal: float
    sense: Literal["at least", "at most"]
    reached: bool
    against: str
    why: str = ""


def faster(name: str, ours_ms: float, peer_ms: float, *, goal: float, against: str, why_not: str = "") -> Row:
    """A row whose goal is to be so many times faster than the peer."""
    ratio = peer_ms / ours_ms
    reached = ratio >= goal
    why = "" if reached else _why(f"{1 - ratio / goal:.1%} short", why_not)
    return Row(name, ours_ms, peer_ms, "ms", ratio, goal, "at least", reached, against, why)


def within(name: str, ours_ms: float, peer_ms: float, *, goal: float, against: str, why_not: str = "") -> Row:
    """A row whose goal is to take at most so many times what the peer takes."""
    ratio = ours_ms / peer_ms
    reached = ratio <= goal
    why = "" if reached else _why(f"{ratio / goal - 1:.1%} over", why_not)
    return Row(name, ours_ms, peer_ms, "ms", ratio, goal, "at most", reached, against, why)


def limit(
    name: str,
    ours: float,
    unit: str,
    *,
    goal: float,
    against: str,
    peer: float | None = None,
    why_not: str = "",
) -> Row:
    """A row whose goal is an upper limit of the measure itself; a peer is told beside it."""
    reached = ours <= goal
    why = "" if reached else _why(f"{ours - goal:.3g} {unit} over", why_not)
    ratio = None if peer is None else ours / peer
    return Row(name, ours, peer, unit, ratio, goal, "at most", reached, against, why)


def _why(amount: str, reason: str) -> str:
    """By how much, and why as far as it is known; a busy machine is not evidence against ours."""
    load = os.getloadavg()[0] - 1  # of the benchmark itself
    if load > QUIET_LOAD:
        amount = f"{amount} on a machine busy with other work (load {load:.1f} besides this)"
    return f"{amount}: {reason}" if reason else amount


def interleaved(
    candidates: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    repeat: Mapping[str, int] | None = None,
) -> dict[str, float]:
    """Median processor milliseconds of each candidate; every round times all of them in turn.

    Args:
        candidates: What to time.
        rounds: How often; one more, untimed, comes first.
        repeat: Runs of a fast candidate within one round, of which the mean counts.
    """
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(rounds + 1):
        for name, run in candidates.items():
            runs = (repeat or {}).get(name, 1)
            start = time.process_time()
            for _ in range(runs):
                run()
            if turn:
                times[name].append((time.process_time() - start) / runs * 1000)
    return {name: statistics.median(found) for name, found in times.items()}


def peer() -> Any:
    """The `face_recognition` package, without its complaint about pkg_resources."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import face_recognition  # noqa: PLC0415 - it loads 150 MB of models
    return face_recognition


def machine() -> dict[str, object]:
    """What ran this: processor, cores, system."""
    processor = platform.processor()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "system": platform.platform(terse=True),
        "load": round(os.getloadavg()[0], 1),
    }


def versions() -> dict[str, str]:
    """Python and the libraries that decide the figures."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in PACKAGES}}


def main(measure: Callable[[], Sequence[Row]], description: str | None) -> None:
    """Run a benchmark as a script: a table for people, or with `--json` one object for programs."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="machine, versions and rows as one JSON object")
    as_json = parser.parse_args().json
    try:
        rows = measure()
    except ApplianceError as error:
        print(f"{Path(sys.argv[0]).stem}: {error.message}", file=sys.stderr)
        if error.advice:
            print(f"  {error.advice}", file=sys.stderr)
        sys.exit(error.exit_code)
    if as_json:
        found = {"machine": machine(), "versions": versions(), "rows": [asdict(row) for row in rows]}
        json.dump(found, sys.stdout, indent=2)
        print()
        return
    print(", ".join(f"{key} {value}" for key, value in {**machine(), **versions()}.items()))
    print()
    for row in rows:
        print(_line(row))


def _line(row: Row) -> str:
    """One row for people."""
    verdict = "reached" if row.reached else "MISSED"
    figures = f"{row.ours:.3g} {row.unit}"
    if row.ratio is not None and row.peer is not None:
        figures = f"ours {figures}, peer {row.peer:.3g} {row.unit}, {row.ratio:.2f} times"
    text = f"{row.name:24} {verdict:8} {figures} (goal: {row.sense} {row.goal:.3g})\n{'':33} {row.against}"
    return text if not row.why else f"{text}\n{'':33} why: {row.why}"
