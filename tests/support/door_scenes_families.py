"""What happens in the door scenes, by family; each family has several plans, each drawn from a generator.

A plan is given by what makes it hard; the rest (colours, geometry, times) is chance. Those of people are
here, those of the doors themselves in `door_scenes_leaves`, of light and camera in `door_scenes_light`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from door_scenes_chance import Rng, ordinary, plain_plan, visit
from door_scenes_clip import Move, Plan
from door_scenes_leaves import (
    ajar,
    alike,
    begins_open,
    bright,
    double,
    far,
    glass,
    hue,
    near,
    propped,
    quick,
    swing,
)
from door_scenes_light import (
    artefacts,
    drift,
    exposure,
    flicker,
    lamp,
    noisy,
    nudged,
    shadows,
)
from door_scenes_ways import before, enters, past

MakePlan = Callable[[Rng], Plan]


def blocked(rng: Rng, cover: float, *, paces: bool = False, twice: bool = False) -> Plan:
    """People stand before the shut door."""
    plan = plain_plan(rng)
    stop = rng.uniform(8, 11)
    plan.people = [before(2.5, stop, cover, paces=paces)]
    if twice:
        plan.people.append(before(3.5, stop - 0.5, cover * rng.uniform(0.6, 1.0), paces=paces))
    plan.moves = [visit(rng, shut_s=stop + rng.uniform(0.8, 1.5))]
    plan.duration = plan.moves[0][-1].at + 4.5
    return plan


def passing(rng: Rng, cover: float, *, carries: str = "") -> Plan:
    """People walk past the shut door."""
    plan = plain_plan(rng)
    at = 2.5
    for _ in range(3):
        takes = rng.uniform(1.8, 3.2)
        plan.people.append(past(at, takes, cover * rng.uniform(0.8, 1.0), carries=carries))
        at += takes + rng.uniform(0.2, 1.2)
    plan.moves = [visit(rng, shut_s=at + rng.uniform(0.5, 1.5))]
    plan.duration = plan.moves[0][-1].at + 4.5
    return plan


def entering(rng: Rng, people: int, *, leaves: bool = False) -> Plan:
    """People come in through the open door."""
    look = ordinary(rng, style="out" if leaves else str(rng.choice(["in", "out"])))
    plan = plain_plan(rng, look)
    first = plan.moves[0][0]
    at = first.at + first.takes * 0.5
    for _ in range(people):
        takes = rng.uniform(2.6, 3.6)
        plan.people.append(enters(at, takes, leaves=leaves))
        at += rng.uniform(1.3, 2.2)
    plan.moves = [[first, Move(at + rng.uniform(1.0, 2.0), rng.uniform(1.0, 1.8), 0.0)]]
    plan.duration = plan.moves[0][-1].at + 5.0
    return plan


FAMILIES: Mapping[str, Sequence[MakePlan]] = {
    "far": (far, far, far),
    "near": (partial(near, low=6, high=10), partial(near, low=10, high=15), partial(near, low=15, high=20)),
    "hue": (hue, hue, hue),
    "drift": (partial(drift, kind="dusk"), partial(drift, kind="dawn"), partial(drift, kind="clouds")),
    "lamp_shut": (
        partial(lamp, on=True, opened=False),
        partial(lamp, on=False, opened=False),
        partial(lamp, on=True, opened=False),
    ),
    "lamp_open": (
        partial(lamp, on=True, opened=True),
        partial(lamp, on=False, opened=True),
        partial(lamp, on=False, opened=True),
    ),
    "flicker": (
        partial(flicker, kind="bands"),
        partial(flicker, kind="jitter"),
        partial(flicker, kind="hunting"),
    ),
    "exposure": (exposure, exposure, exposure),
    "shadows": (
        partial(shadows, kind="shadow"),
        partial(shadows, kind="sun"),
        partial(shadows, kind="blinds"),
    ),
    "before": (
        partial(blocked, cover=0.5),
        partial(blocked, cover=0.75, paces=True),
        partial(blocked, cover=1.0),
        partial(blocked, cover=0.8, twice=True),
    ),
    "passing": (
        partial(passing, cover=0.6),
        partial(passing, cover=1.0),
        partial(passing, cover=0.8, carries="busy"),
        partial(passing, cover=0.8, carries="even"),
    ),
    "entering": (
        partial(entering, people=1),
        partial(entering, people=3),
        partial(entering, people=2, leaves=True),
    ),
    "glass": (partial(glass, pane=0.25), partial(glass, pane=0.4), partial(glass, pane=0.7)),
    "noise": (partial(noisy, sigma=8), partial(noisy, sigma=14), partial(noisy, sigma=7, blotch=5)),
    "jpeg": (partial(artefacts, quality=35), partial(artefacts, quality=22), partial(artefacts, quality=14)),
    "nudged": (
        partial(nudged, opened=False),
        partial(nudged, opened=True),
        partial(nudged, opened=False, back=True),
        partial(nudged, opened=True, back=True),
    ),
    "double": (partial(double, which="left"), partial(double, which="right"), partial(double, which="both")),
    "propped": (
        partial(propped, low=120, high=150),
        partial(propped, low=150, high=200),
        partial(propped, low=120, high=150, even=True),
    ),
    "swing": tuple(partial(swing, style=style) for style in ("in", "out", "barn", "pocket")),
    "bright": (partial(bright, even=1.0), partial(bright, even=1.5), partial(bright, even=0.5)),
    "ajar": (partial(ajar, low=30, high=35), partial(ajar, low=35, high=45), partial(ajar, low=30, high=45)),
    "quick": (partial(quick, count=1), partial(quick, count=2), partial(quick, count=3)),
    "begins_open": (begins_open, begins_open, begins_open),
    "alike": (
        *(partial(alike, style=style) for style in ("in", "out", "barn", "pocket")),
        partial(alike, style="in", leaves=2),
    ),
}
"""Every family with its plans."""
