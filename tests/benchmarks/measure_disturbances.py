"""What is said of a camera's condition, over many rendered offices: ordinary days, and each fault.

    python tests/benchmarks/measure_disturbances.py [--seeds 16] [--first 100]

Two and a half minutes of an office a run, every other one through JPEG; the tests use other seeds. Prints,
for each case, what was said in how many runs.
"""

import argparse
import importlib.metadata
import platform
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import cv2
from camera_views import Freezer, Turned, covered, dark, defocused, frames, office
from door_scenes_clip import ramps, steady

from appliance.camera import ConditionWatch
from appliance.settings import CameraSettings
from appliance.values import Frame

FAULTY = (90.0, 120.0)
ASIDE = (-18.0, 12.0), (20.0, 14.0)
"""A camera pushed aside, pixels of a picture 640 wide, by turns."""

ORDINARY: Mapping[str, Mapping[str, object]] = {
    "people and doors": {},
    "lamp on": {"lamp": ramps((90.0, 0.05), (90.3, 0.6)), "day": steady(0.3)},
    "lamp off": {"lamp": ramps((90.0, 0.6), (90.3, 0.05)), "day": steady(0.3)},
    "dusk": {"day": ramps((10.0, 1.0), (130.0, 0.25)), "lamp": steady(0.0)},
    "bright corridor": {"auto": (0.9, 0.5), "behind": steady(1.3)},
    "no noise": {"noise": 0.0},
}
Run = Callable[[int, int], Iterator[Frame]]
"""The frames of a run, by its seed and its JPEG quality."""
FAULTS: Mapping[str, Run] = {
    "covered": lambda seed, jpeg: frames(office(seed), covered, between=FAULTY, jpeg=jpeg),
    "out of focus": lambda seed, jpeg: frames(office(seed), defocused, between=FAULTY, jpeg=jpeg),
    "dark": lambda seed, jpeg: frames(office(seed), dark, between=FAULTY, jpeg=jpeg),
    "frozen": lambda seed, jpeg: frames(office(seed), Freezer(), between=FAULTY, jpeg=jpeg),
    "pushed aside": lambda seed, jpeg: frames(
        office(seed, nudges=((FAULTY[0], *ASIDE[seed % 2]),)), jpeg=jpeg
    ),
    "elsewhere": lambda seed, jpeg: frames(office(seed), Turned(seed), between=(70.0, 150.0), jpeg=jpeg),
}


def ordinary(changes: Mapping[str, object]) -> Run:
    """A day without a fault."""
    return lambda seed, jpeg: frames(office(seed, **changes), jpeg=jpeg)


def said(shown: Iterator[Frame]) -> str:
    """What was said of one run, in order."""
    watch = ConditionWatch(CameraSettings.model_validate({"id": "entrance", "source": "scene:door"}))
    words = []
    for frame in shown:
        reading = watch.observe(frame)
        words += [reading.begun.value] if reading.begun is not None else []
        words += ["clear"] if reading.lasted_s is not None else []
    return ", ".join(words) or "nothing"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=16)
    parser.add_argument("--first", type=int, default=100)
    asked = parser.parse_args()
    print(f"{platform.machine()}  python {platform.python_version()}  opencv {cv2.__version__}", end="")
    print(f"  numpy {importlib.metadata.version('numpy')}  {asked.seeds} seeds from {asked.first} on")
    cases = {name: ordinary(changes) for name, changes in ORDINARY.items()} | dict(FAULTS)
    for name, run in cases.items():
        seeds = range(asked.first, asked.first + asked.seeds)
        found = Counter(said(run(seed, 50 * (seed % 2))) for seed in seeds)
        print(
            f"{name:<18}{'; '.join(f'{words}: {count}' for words, count in found.most_common())}", flush=True
        )


if __name__ == "__main__":
    main()
