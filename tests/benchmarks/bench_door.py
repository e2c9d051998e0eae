"""The door rooms' rules on rendered scenes with true timelines: precision, recall, delay, per family.

    python tests/benchmarks/bench_door.py --seeds 0-2
    python tests/benchmarks/bench_door.py --seeds 0 --family near --family hue --rule plain --json

Seeds from 100 on are held out: their totals are printed, their scenes are not named.
"""

import argparse
import importlib.metadata
import json
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import cv2
from door_scenes import HELD_OUT, DoorScene, kept_picture, scenes
from door_scenes_families import FAMILIES
from door_scenes_scoring import Score, Watching, watch_scene, wilson

from appliance.door import DoorWatch
from appliance.door.calibration import calibrate
from appliance.door.snapshot import Snapshot
from appliance.errors import InputError
from appliance.values import WHOLE_FRAME, DoorReading, DoorState, Frame

RULES = ("ours", "unvouched", "plain", "calibrated")
"""Our rule and the plain one, as an admin drew the door, ours with and without a picture of the shut door
that the admin kept; and ours as `door calibrate` proposes it, with the picture it keeps."""
Key = tuple[str, str, int]
"""Rule, family, seed."""


def watch_for(rule: str, scene: DoorScene) -> Watching:
    """The watch of that rule; one that sees nothing where the calibration refuses the clip."""
    if rule == "calibrated":
        looks = [Snapshot(f.stamp.monotonic_s, f.gray(WHOLE_FRAME)) for f in scene.calibration.frames()]
        try:
            found = calibrate(looks, scene.door)
        except InputError:
            return Refused()
        return DoorWatch(found.door, found.picture)
    if rule == "ours":
        return DoorWatch(scene.door, kept_picture(scene))
    return DoorWatch(scene.door.model_copy(update={"rule": "followed" if rule == "unvouched" else rule}))


class Refused:
    """A door that could not be calibrated: never told."""

    def observe(self, frame: Frame) -> DoorReading:
        """Unsure."""
        return DoorReading(DoorState.UNSURE, 0.0, changed=False)


def run_family(job: tuple[int, str], *, rules: Sequence[str], width: int | None) -> list[tuple[Key, Score]]:
    """All scenes of one family and seed under every rule."""
    cv2.setNumThreads(1)
    seed, family = job
    found = []
    for scene in scenes(seed, width=width, families=[family]):
        scores = watch_scene(scene, *(watch_for(rule, scene) for rule in rules))
        found += [((rule, family, seed), score) for rule, score in zip(rules, scores, strict=True)]
    return found


def collect(
    seeds: Sequence[int], families: Sequence[str], rules: Sequence[str], width: int | None, jobs: int
) -> dict[Key, Score]:
    """Scores by rule, family and seed, with progress on standard error."""
    work = [(seed, family) for seed in seeds for family in families]
    run = partial(run_family, rules=rules, width=width)
    totals: dict[Key, Score] = defaultdict(Score)
    with ProcessPoolExecutor(jobs) as pool:
        done: Iterator[list[tuple[Key, Score]]] = pool.map(run, work) if jobs > 1 else map(run, work)
        for number, found in enumerate(done, 1):
            for key, score in found:
                totals[key] = totals[key] + score
            _tell(number, len(work))
    return totals


def _tell(number: int, of: int) -> None:
    if sys.stderr.isatty():
        filled = 40 * number // of
        sys.stderr.write(f"\r[{'#' * filled}{'.' * (40 - filled)}] {number}/{of} families")
        sys.stderr.write("\n" if number == of else "")
        sys.stderr.flush()


def row(score: Score) -> dict[str, object]:
    """A score with stable names; shares 0 to 1, delays in frames."""
    return {
        "transitions": score.true,
        "reported": score.reported,
        "matched": score.matched,
        "precision": round(score.precision, 4),
        "precision_interval": [round(v, 4) for v in wilson(score.matched, score.reported)],
        "recall": round(score.recall, 4),
        "recall_interval": [round(v, 4) for v in wilson(score.matched, score.true)],
        "delay_median_frames": score.median_delay,
        "delay_p95_frames": score.p95_delay,
        "unsure_share": round(score.unsure_s / score.total_s, 4) if score.total_s else 0.0,
        "scenes_wrong": len(score.wrong),
    }


def line(name: str, score: Score) -> str:
    """A score as a line of the table."""
    low_p, high_p = wilson(score.matched, score.reported)
    low_r, high_r = wilson(score.matched, score.true)
    unsure = 100 * score.unsure_s / score.total_s if score.total_s else 0.0
    return (
        f"{name:<14}{score.true:>6}{score.reported:>6}{score.matched:>6}"
        f"  {score.precision:.3f} ({low_p:.3f}-{high_p:.3f})  {score.recall:.3f} ({low_r:.3f}-{high_r:.3f})"
        f"{score.median_delay:>7.1f}{score.p95_delay:>6.1f}{unsure:>8.1f}"
    )


def show(totals: dict[Key, Score], rules: Sequence[str], families: Sequence[str]) -> None:
    """The tables."""
    for rule in rules:
        print(f"\n{rule}")
        print(
            f"{'family':<14}{'true':>6}{'said':>6}{'right':>6}  {'precision':<19}  {'recall':<19}"
            f"{'median':>7}{'p95':>6}{'unsure %':>9}"
        )
        for family in families:
            parts = [score for (r, f, _), score in totals.items() if (r, f) == (rule, family)]
            print(line(family, sum(parts, Score())))
        whole = sum((score for (r, _, _), score in totals.items() if r == rule), Score())
        print(line("all", whole))
        named = sorted(
            f"{name}@{seed}"
            for (r, _, seed), score in totals.items()
            if r == rule and seed < HELD_OUT
            for name in score.wrong
        )
        if named:
            print(f"not right: {' '.join(named)}")


def machine() -> dict[str, str]:
    """What it was measured on and with."""
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf-8") if info.exists() else ""
    model = next(
        (part.split(":", 1)[1].strip() for part in text.splitlines() if part.startswith("model name")), ""
    )
    return {
        "machine": f"{platform.machine()} {model}".strip(),
        "python": platform.python_version(),
        "numpy": importlib.metadata.version("numpy"),
        "opencv": cv2.__version__,
    }


def parse_seeds(text: str) -> list[int]:
    """`0-2,100` as a list."""
    found: list[int] = []
    for part in text.split(","):
        low, _, high = part.partition("-")
        found += range(int(low), int(high or low) + 1)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=parse_seeds, default=[0], help="e.g. 0-2 or 0,100 (default: 0)")
    parser.add_argument(
        "--family", action="append", choices=list(FAMILIES), help="only this; may be repeated"
    )
    parser.add_argument("--rule", action="append", choices=RULES, help="only this; may be repeated")
    parser.add_argument("--width", type=int, help="draw every scene this wide, pixels (default: as it wants)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    given = parser.parse_args()
    families, rules = given.family or list(FAMILIES), given.rule or list(RULES)
    begun = time.monotonic()
    totals = collect(given.seeds, families, rules, given.width, given.jobs)
    took = time.monotonic() - begun
    if given.json:
        body = {
            rule: {
                **{
                    family: row(
                        sum((s for (r, f, _), s in totals.items() if (r, f) == (rule, family)), Score())
                    )
                    for family in families
                },
                "all": row(sum((s for (r, _, _), s in totals.items() if r == rule), Score())),
            }
            for rule in rules
        }
        print(json.dumps({"seeds": given.seeds, "rules": body, **machine()}, indent=2))
        return
    print("  ".join(f"{name} {value}" for name, value in machine().items()))
    print(f"seeds {given.seeds}, {took:.0f} s")
    show(totals, rules, families)


if __name__ == "__main__":
    main()
