"""What doors look like in the door scenes, and how they move: colours, kinds of leaf, visits."""

import numpy as np
from door_scenes_chance import Rng, ordinary, paint, plain_plan, same_luma, visit
from door_scenes_clip import Move, Plan, ramps, steady
from door_scenes_stage import luma
from door_scenes_ways import behind_glass, enters


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


def glass(rng: Rng, pane: float) -> Plan:
    """A glass door, and people who walk behind it."""
    look = ordinary(rng, glass=True, surface="plain", pane=pane, busy_room=2.0)
    plan = plain_plan(rng, look, behind=steady(rng.uniform(0.6, 0.95)))
    plan.moves = [visit(rng, shut_s=rng.uniform(7, 9))]
    plan.duration = plan.moves[0][-1].at + 5.0
    plan.people = [behind_glass(1.5, plan.duration - 2)]
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
