"""Coffees counted against coffees taken: rendered corners with the real networks, and clips without coffee.

    python tests/benchmarks/measure_coffee.py [--seeds N] [--models coco,yolox] [--only WORDS]

A scene is one situation with one person or two, again with other people, mugs, sides and noise. Clips lie in
the folder that APPLIANCE_TEST_MATERIAL names; everybody in them is a visitor, and nobody has a coffee. Prints
the machine, the versions, and a table: how many were counted right, with Wilson's interval at 95 %.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import onnxruntime

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from coffee_corner import CAMERA, Bench, coffees, opened_bench, scene

from appliance.camera import open_source
from appliance.camera.scene_coffee_script import MUG_COLOURS, CoffeeScript, StandingMug, Stop
from appliance.clock import SystemClock
from appliance.evaluation.rates import wilson
from appliance.settings import CameraSettings, CoffeeSettings

PEOPLE = ("obama", "astronaut")
CLIPS = ("facenet_pytorch_video.mp4", "one-by-one-person-detection.mp4", "bottle-detection.mp4")
VISITORS = CoffeeSettings(visitors=True)


@dataclass(frozen=True)
class Situation:
    """What happens, and what is to be counted.

    Attributes:
        name: In words.
        script: By number: the scene.
        truth: By number: whose coffees count, in order.
        options: Of the run.
    """

    name: str
    script: Callable[[int], CoffeeScript]
    truth: Callable[[int], list[str]]
    options: Callable[[int], dict[str, Any]] = lambda _: {}


def who(number: int) -> str:
    """Somebody enrolled."""
    return PEOPLE[number % 2]


def mug(number: int) -> str:
    """Some mug."""
    return MUG_COLOURS[number % len(MUG_COLOURS)]


def side(number: int) -> int:
    """Some hand."""
    return 1 if number // 2 % 2 else -1


def one(number: int, **more: Any) -> Stop:
    """Somebody enrolled with a mug."""
    return Stop(
        0.5,
        who(number),
        **{"mug": mug(number), "mug_side": side(number), "from_left": number % 3 > 0, **more},
    )


def beside(number: int, *, stay_s: float, both: bool) -> tuple[Stop, Stop]:
    """Two people side by side; the left one has a mug, and the right one too if both have."""
    left, right = (who(number), who(number + 1))
    return (
        Stop(0.5, left, stay_s=stay_s, stand_x=360, mug=mug(number), mug_side=side(number)),
        Stop(
            0.7,
            right,
            stay_s=stay_s,
            stand_x=900,
            mug=mug(number + 1) if both else None,
            from_left=False,
        ),
    )


def two_mugs(number: int) -> tuple[Stop, Stop]:
    """Somebody with a mug in either hand, and a colleague close beside, who has none."""
    return (
        Stop(0.5, who(number), stay_s=20, stand_x=520, mug=mug(number), second_mug=mug(number + 1)),
        Stop(0.7, who(number + 1), stay_s=20, stand_x=735 + 10 * (number % 3), mug=None, from_left=False),
    )


SITUATIONS = (
    Situation("one person with a mug", lambda n: CoffeeScript(11, (one(n),)), lambda n: [who(n)]),
    Situation(
        "the same, three mugs on the counter",
        lambda n: CoffeeScript(11, (one(n),), tuple(StandingMug(x, mug(n + x)) for x in (200, 640, 820))),
        lambda n: [who(n)],
    ),
    Situation(
        "two people, one mug",
        lambda n: CoffeeScript(11, beside(n, stay_s=7, both=False)),
        lambda n: [who(n)],
    ),
    Situation(
        "two people, a mug each, for 20 s",
        lambda n: CoffeeScript(23, beside(n, stay_s=20, both=True)),
        lambda _: sorted(PEOPLE),
    ),
    Situation(
        "one person, two mugs, a colleague beside, for 20 s",
        lambda n: CoffeeScript(23, two_mugs(n)),
        lambda n: [who(n)],
    ),
    Situation(
        "a mug stands before somebody",
        lambda n: CoffeeScript(
            13, (one(n, mug=None, stay_s=10),), (StandingMug(560 + 80 * (n % 3), mug(n)),)
        ),
        lambda _: [],
    ),
    Situation(
        "nobody enrolled, with a mug",
        lambda n: CoffeeScript(11, (Stop(0.5, "biden", mug=mug(n), mug_side=side(n)),)),
        lambda _: [],
    ),
    Situation(
        "the same, visitors counted",
        lambda n: CoffeeScript(11, (Stop(0.5, "biden", mug=mug(n), mug_side=side(n)),)),
        lambda _: ["visitor 1"],
        lambda _: {"settings": VISITORS},
    ),
    Situation(
        "did not agree to be counted, with a mug",
        lambda n: CoffeeScript(11, (one(n),)),
        lambda _: [],
        lambda _: {"counted": ()},
    ),
    Situation(
        "passing through with a mug",
        lambda n: CoffeeScript(6, (one(n, stay_s=0.0),)),
        lambda _: [],
    ),
    Situation(
        "back within five minutes",
        lambda n: CoffeeScript(22, (one(n), Stop(13.0, who(n), mug=mug(n)))),
        lambda n: [who(n)],
    ),
)


def measure(bench: Bench, model: str, seeds: int, only: str) -> None:
    """Print the table of one network, of situations with `only` in their name."""
    print(f"\n| {model}: situation | right | of | interval | counted | taken |")
    print("|---|---|---|---|---|---|")
    for each in (each for each in SITUATIONS if only in each.name):
        right = counted = taken = 0
        for number in range(seeds):
            options = each.options(number)
            settings = options.pop("settings", CoffeeSettings()).model_copy(update={"model": model})
            source = scene(each.script(number), seed=number)
            found = sorted(name for _, name in coffees(bench, source, settings=settings, **options))
            truth = sorted(each.truth(number))
            right += found == truth
            counted, taken = counted + len(found), taken + len(truth)
            if found != truth:
                print(f"  {each.name}, {number}: {found} for {truth}", file=sys.stderr)
        low, high = wilson(right, seeds)
        print(
            f"| {each.name} | {right} | {seeds} | {low:.2f} to {high:.2f} | {counted} | {taken} |",
            flush=True,
        )


def measure_clips(bench: Bench, model: str, folder: Path) -> None:
    """Print what was counted in clips in which nobody takes a coffee."""
    print(f"\n| {model}: clip | seconds | counted | taken |")
    print("|---|---|---|---|")
    for name in CLIPS:
        path = folder / "testdata" / "videos" / name
        settings = VISITORS.model_copy(update={"model": model})
        camera = CameraSettings.model_validate({"id": CAMERA, "source": str(path)})
        begun = time.perf_counter()
        found = coffees(bench, open_source(camera, SystemClock()), settings=settings, enrolled=())
        spent = time.perf_counter() - begun
        print(f"| {name} | {spent:.0f} to compute | {len(found)} | 0 |", flush=True)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--models", default="coco")
    parser.add_argument("--only", default="", help="situations with this in their name, and no clips")
    given = parser.parse_args()
    models = given.models.split(",")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"OpenCV {cv2.__version__}, onnxruntime {onnxruntime.__version__}")
    material = os.environ.get("APPLIANCE_TEST_MATERIAL")
    with opened_bench(models) as bench:
        for model in models:
            measure(bench, model, given.seeds, given.only)
            if material and not given.only:
                measure_clips(bench, model, Path(material))


if __name__ == "__main__":
    main()
