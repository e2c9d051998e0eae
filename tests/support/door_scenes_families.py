"""What happens in the door scenes, by family; each family has several plans, each drawn from a generator.

A plan is given by what makes it hard; the rest (colours, geometry, times) is chance.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from door_scenes_chance import Rng, ordinary, paint, plain_plan, same_luma, visit
from door_scenes_clip import Move, Plan, ramps, steady
from door_scenes_stage import luma
from door_scenes_ways import before, behind_glass, enters, past
from numpy.typing import NDArray

MakePlan = Callable[[Rng], Plan]


def far(rng: Rng) -> Plan:
    """Colours far apart."""
    wall = rng.uniform(150, 220)
    look = ordinary(rng, wall=paint(rng, wall), door=paint(rng, wall - rng.uniform(70, 110)))
    return plain_plan(rng, look)


def near(rng: Rng, low: float, high: float) -> Plan:
    """Door and wall differ by so many gray levels."""
    wall = rng.uniform(90, 205)
    door = wall + rng.choice([-1, 1]) * rng.uniform(low, high)
    away = rng.choice([-1, 1]) * rng.uniform(40, 80)
    look = ordinary(
        rng,
        wall=paint(rng, wall, 10),
        door=paint(rng, door, 10),
        jamb=paint(rng, float(rng.choice([wall, door])), 8),
        room=paint(rng, float(np.clip(door + away, 25, 225))),
        gap=rng.uniform(0.6, 0.9),
    )
    return plain_plan(rng, look)


def hue(rng: Rng) -> Plan:
    """Equal luma, another hue."""
    wall = paint(rng, rng.uniform(100, 170), 25)
    door = same_luma(rng, wall)
    away = rng.choice([-1, 1]) * rng.uniform(40, 70)
    look = ordinary(
        rng,
        wall=wall,
        door=door,
        jamb=wall if rng.random() < 0.5 else door,
        room=paint(rng, float(np.clip(luma(door) + away, 30, 225))),
        gap=rng.uniform(0.6, 0.92),
    )
    return plain_plan(rng, look)


def drift(rng: Rng, kind: str) -> Plan:
    """Daylight goes, comes, or clouds pass."""
    plan = plain_plan(rng, fps=5.0)
    long = rng.uniform(35, 50)
    first = rng.uniform(12, 20)
    plan.moves = [visit(rng, shut_s=first) + visit(rng, shut_s=first + rng.uniform(10, 13))]
    plan.duration = long
    if kind == "clouds":
        beats = np.cumsum(rng.uniform(2.0, 5.0, 20))
        levels = rng.uniform(0.45, 0.95, 20)
        plan.day = ramps((0.0, 0.8), *zip(beats.tolist(), levels.tolist(), strict=True))
        plan.lamp = steady(0.15)
    else:
        low, high = rng.uniform(0.2, 0.35), rng.uniform(0.85, 1.0)
        ends = (high, low) if kind == "dusk" else (low, high)
        plan.day = ramps((2.0, ends[0]), (long - 2, ends[1]))
        plan.lamp = steady(0.12)
    plan.auto = (0.0, 1.0) if rng.random() < 0.6 else (0.5, 1.5)
    return plan


def lamp(rng: Rng, *, on: bool, opened: bool) -> Plan:
    """A lamp is switched while the door is shut, or while it is open."""
    plan = plain_plan(rng)
    if opened:
        plan.moves = [visit(rng, shut_s=rng.uniform(2.5, 3.5), stays=rng.uniform(5, 6))]
        at = plan.moves[0][0].at + 3.0
    else:
        at = rng.uniform(2.5, 4.0)
        plan.moves = [visit(rng, shut_s=at + rng.uniform(3.0, 6.0))]
    plan.duration = plan.moves[0][-1].at + 5.5
    less, more = rng.uniform(0.0, 0.1), rng.uniform(0.5, 0.7)
    before_, after = (less, more) if on else (more, less)
    warm = rng.uniform(0.05, 0.4)
    plan.lamp = ramps((at, before_), (at + warm, after))
    plan.day = steady(rng.uniform(0.35, 0.5))
    plan.auto = (float(rng.choice([0.0, 0.5, 0.8])), rng.uniform(0.3, 1.0))
    return plan


def flicker(rng: Rng, kind: str) -> Plan:
    """A lamp that flickers, an exposure that hunts."""
    plan = plain_plan(rng)
    if kind == "bands":
        plan.bands = rng.uniform(0.05, 0.12)
        return plan
    t = np.arange(0, plan.duration, 1 / plan.fps)
    if kind == "jitter":
        levels = 1 + rng.normal(0, rng.uniform(0.03, 0.06), len(t))
    else:
        levels = 1 + rng.uniform(0.08, 0.15) * np.sin(t * rng.uniform(2.5, 6.0))
    plan.exposure = ramps(*zip(t.tolist(), levels.tolist(), strict=True))
    return plan


def exposure(rng: Rng) -> Plan:
    """The corridor is bright, and the camera turns itself down when the door opens."""
    look = ordinary(rng, room=paint(rng, 225, 8))
    plan = plain_plan(rng, look, behind=steady(rng.uniform(1.1, 1.4)))
    plan.auto = rng.uniform(0.8, 1.0), rng.uniform(0.25, 0.9)
    return plan


def shadows(rng: Rng, kind: str) -> Plan:
    """Shadows and patches of sun move over door and wall."""
    plan = plain_plan(rng)
    plan.moves = [visit(rng, shut_s=rng.uniform(7, 9))]
    plan.duration = plan.moves[0][-1].at + 5
    depth = rng.uniform(0.5, 0.72) if kind != "sun" else rng.uniform(1.25, 1.5)
    speed = rng.uniform(0.15, 0.5) * rng.choice([-1, 1])
    lean, wide = rng.uniform(-0.5, 0.5), rng.uniform(0.15, 0.4)
    start, soft = rng.uniform(0, 1), 0.02 if kind == "sun" else rng.uniform(0.03, 0.1)
    ys, xs = np.mgrid[0:90, 0:160].astype(np.float32) / np.array([[[90]], [[160]]], np.float32)
    blinds = kind == "blinds"

    def shade(t: float) -> NDArray[np.float32]:
        at = (start + speed * t) % 1.8 - 0.4
        across = xs + lean * (ys - 0.5) - at
        inside = 1 / (1 + np.exp((np.abs(across) - wide / 2) / soft))
        if blinds:
            inside = inside * (0.5 + 0.5 * np.sign(np.sin(ys * 45)))
        return np.asarray(1 + (depth - 1) * inside, np.float32)

    plan.shade = shade
    return plan


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


def glass(rng: Rng, pane: float) -> Plan:
    """A glass door, and people who walk behind it."""
    look = ordinary(rng, glass=True, surface="plain", pane=pane, busy_room=2.0)
    plan = plain_plan(rng, look, behind=steady(rng.uniform(0.6, 0.95)))
    plan.moves = [visit(rng, shut_s=rng.uniform(7, 9))]
    plan.duration = plan.moves[0][-1].at + 5.0
    plan.people = [behind_glass(1.5, plan.duration - 2)]
    return plan


def noisy(rng: Rng, sigma: float, blotch: float = 0.0) -> Plan:
    """A dim room, a noisy sensor."""
    return plain_plan(rng, noise=sigma, blotch=blotch, exposure=steady(rng.uniform(0.45, 0.8)))


def artefacts(rng: Rng, quality: int) -> Plan:
    """Strong JPEG compression."""
    size = [(640, 360), (800, 448), (1280, 720)][rng.integers(3)]
    return plain_plan(rng, jpeg=quality, noise=rng.uniform(2, 5), size=size, fps=10.0)


def nudged(rng: Rng, *, opened: bool, back: bool = False) -> Plan:
    """Somebody knocks against the camera."""
    plan = plain_plan(rng)
    angle, far_ = rng.uniform(0, 2 * np.pi), rng.uniform(3, 10)
    if opened:
        at = plan.moves[0][0].at + plan.moves[0][0].takes + 1.2
    else:
        at = rng.uniform(2.0, 3.0)
        plan.moves = [visit(rng, shut_s=at + rng.uniform(2.5, 5.0))]
        plan.duration = plan.moves[0][-1].at + 5.0
    dx, dy = float(np.cos(angle) * far_), float(np.sin(angle) * far_)
    plan.nudges = ((at, dx * 1.2, dy * 1.2), (at + 0.3, dx, dy))
    if back:
        plan.nudges += ((at + 2.0, 0.0, 0.0),)
    return plan


def double(rng: Rng, which: str) -> Plan:
    """Two leaves; the left, the right or both open."""
    look = ordinary(rng, leaves=2, door_width=rng.uniform(1.4, 1.8), wide=rng.uniform(0.32, 0.44))
    plan = plain_plan(rng, look, start=(0.0, 0.0))
    first = plan.moves[0]
    late = rng.uniform(0.0, 0.5)
    other = [Move(m.at + late, m.takes, m.to) for m in first]
    plan.moves = [first if which != "right" else [], other if which != "left" else []]
    plan.duration += late
    return plan


def propped(rng: Rng, low: float, high: float, *, even: bool = False) -> Plan:
    """Held open for minutes while the light drifts."""
    stays = rng.uniform(low, high)
    look = ordinary(rng, busy_room=0.0 if even else 1.0)
    plan = plain_plan(rng, look, fps=5.0, size=(480, 270))
    plan.moves = [visit(rng, shut_s=rng.uniform(6, 9), stays=stays)]
    plan.duration = plan.moves[0][-1].at + 8.0
    ends = rng.uniform(0.55, 0.95), rng.uniform(0.3, 0.55)
    plan.day = ramps((10.0, ends[0]), (stays, ends[1]))
    plan.lamp = steady(0.2)
    if not even:
        plan.people = [enters(plan.moves[0][0].at + t, 3.0) for t in (12.0, stays * 0.4, stays * 0.8)]
    return plan


def swing(rng: Rng, style: str) -> Plan:
    """Inwards, outwards, along the wall, into it."""
    look = ordinary(rng, style=style)
    plan = plain_plan(rng, look)
    if style in {"barn", "pocket"}:
        plan.moves = [visit(rng, far=rng.uniform(75, 100))]
        plan.duration = plan.moves[0][-1].at + 5.0
    return plan


def bright(rng: Rng, even: float) -> Plan:
    """The room behind is nearly as bright as the door."""
    look = ordinary(rng, busy_room=even)
    level = luma(look.door)
    light = rng.uniform(0.8, 1.0)
    look.room = paint(rng, float(np.clip((level + rng.uniform(-8, 8)) / light, 20, 245)), 25)
    return plain_plan(rng, look, behind=steady(light))


def alike(rng: Rng, style: str, *, leaves: int = 1) -> Plan:
    """A leaf without a line of its own, 8 to 35 gray levels from the room behind it, in a dark frame.

    What lines there are belong to the frame and stay where they are, whatever the leaf does.
    """
    changes: dict[str, object] = {
        "style": style,
        "surface": "plain",
        "jamb": paint(rng, rng.uniform(25, 60), 3),
        "busy_room": float(rng.choice([0.0, 1.0])),
    }
    if leaves == 2:
        changes |= {"leaves": 2, "door_width": rng.uniform(1.4, 1.8), "wide": rng.uniform(0.32, 0.44)}
    look = ordinary(rng, **changes)
    level, away = luma(look.door), rng.uniform(8, 35)
    brighter = bool(rng.random() < 0.5) if 60 < level < 200 else level < 130
    look.room = paint(rng, level + away if brighter else level - away, 8)
    plan = plain_plan(rng, look, behind=steady(1.0), start=(0.0,) * leaves)
    if style in {"barn", "pocket"}:
        plan.moves = [visit(rng, far=rng.uniform(75, 100))]
        plan.duration = plan.moves[0][-1].at + 5.0
    if leaves == 2:
        first = plan.moves[0]
        plan.moves = [first, []] if rng.random() < 0.5 else [first, first]
    return plan


def ajar(rng: Rng, low: float, high: float) -> Plan:
    """Opened only part of the way, and shut again."""
    plan = plain_plan(rng)
    far_ = rng.uniform(low, high)
    plan.moves = [visit(rng, far=far_) + visit(rng, shut_s=13.0, far=far_ * rng.uniform(0.9, 1.1))]
    plan.duration = plan.moves[0][-1].at + 5.0
    return plan


def quick(rng: Rng, count: int) -> Plan:
    """Opened, shut, opened again at once."""
    plan = plain_plan(rng, fps=float(rng.choice([10, 15])))
    at, moves = rng.uniform(2.5, 4.0), []
    for _ in range(count):
        takes, stays = rng.uniform(0.5, 0.9), rng.uniform(0.6, 1.5)
        moves += [Move(at, takes, rng.uniform(55, 90)), Move(at + takes + stays, rng.uniform(0.5, 0.9), 0.0)]
        at = moves[-1].at + moves[-1].takes + rng.uniform(0.8, 1.6)
    plan.moves = [moves]
    plan.duration = at + 3.0
    return plan


def begins_open(rng: Rng) -> Plan:
    """Open when the camera starts; shut, and opened once more."""
    plan = plain_plan(rng)
    first = rng.uniform(3.5, 6.0)
    plan.start = (rng.uniform(60, 95),)
    plan.moves = [[Move(first, rng.uniform(0.9, 1.6), 0.0), *visit(rng, shut_s=first + rng.uniform(4, 6))]]
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
