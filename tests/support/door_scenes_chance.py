"""What chance decides in a door scene: colours that go together, when the door moves, an ordinary plan."""

import numpy as np
from door_scenes_clip import Move, Plan, steady
from door_scenes_stage import Colour, Look, luma

Rng = np.random.Generator


def paint(rng: Rng, level: float, spread: float = 22.0) -> Colour:
    """A colour of that luma."""
    raw = np.array([1.0, 1.0, 1.0]) * level + rng.uniform(-spread, spread, 3)
    colour = np.clip(raw, 12, 240)
    colour = np.clip(colour + (level - luma(tuple(colour))), 5, 250)
    return float(colour[0]), float(colour[1]), float(colour[2])


def same_luma(rng: Rng, of: Colour) -> Colour:
    """A colour of clearly another hue and the same brightness."""
    for _ in range(200):
        away = rng.uniform(-70, 70, 3)
        away -= luma(tuple(away))
        colour = np.array(of) + away
        if np.abs(away).max() > 38 and colour.min() > 8 and colour.max() < 245:
            return float(colour[0]), float(colour[1]), float(colour[2])
    return of[2], of[1], of[0]


def ordinary(rng: Rng, **changes: object) -> Look:
    """A door and a wall that are told apart easily, and a room behind that is neither."""
    wall = rng.uniform(110, 215)
    door = next(level for level in rng.uniform(40, 225, 40) if abs(level - wall) > 35)
    room = next(level for level in rng.uniform(30, 220, 60) if abs(level - door) > 35)
    look = {
        "wall": paint(rng, wall, 12),
        "door": paint(rng, door),
        "jamb": paint(rng, float(rng.choice([wall * 0.8, door * 0.85, 225]))),
        "room": paint(rng, room, 15),
        "hinge": str(rng.choice(["left", "right"])),
        "style": str(rng.choice(["in", "out"])),
        "surface": str(rng.choice(["plain", "wood", "panels", "notice"])),
        "gap": rng.uniform(0.3, 0.65),
        "door_width": rng.uniform(0.82, 1.05),
        "yaw": rng.uniform(-24, 24),
        "wide": rng.uniform(0.24, 0.36),
        "eye_height": rng.uniform(1.6, 2.3),
        "sheen": rng.uniform(0.02, 0.08),
    }
    made = Look(**(look | changes))  # type: ignore[arg-type]
    if made.style == "in" and abs(made.yaw) > 10:
        # From far to the side a leaf that comes in would hide its own doorway; no camera is hung there.
        made.hinge = "left" if made.yaw > 0 else "right"
    return made


def visit(
    rng: Rng, *, shut_s: float | None = None, stays: float | None = None, far: float | None = None
) -> list[Move]:
    """Opened and shut again."""
    at = rng.uniform(3.0, 5.0) if shut_s is None else shut_s
    takes = rng.uniform(0.8, 1.7)
    wide = rng.uniform(70, 98) if far is None else far
    away = at + takes + (rng.uniform(2.5, 5.0) if stays is None else stays)
    return [Move(at, takes, wide), Move(away, rng.uniform(0.9, 2.0), 0.0)]


def plain_plan(rng: Rng, look: Look | None = None, **changes: object) -> Plan:
    """One visit in ordinary light."""
    moves = visit(rng)
    mix = rng.uniform(0.2, 0.8)
    given: dict[str, object] = {
        "look": look or ordinary(rng),
        "moves": [moves],
        "start": (0.0,),
        "duration": moves[-1].at + moves[-1].takes + rng.uniform(2.5, 4.0),
        "day": steady(mix),
        "lamp": steady(1 - mix),
        "behind": steady(rng.uniform(0.5, 1.0)),
        "noise": rng.uniform(0.8, 2.5),
        "fps": float(rng.choice([10, 10, 10, 15, 5])),
        "size": [(640, 360), (640, 360), (640, 480), (480, 270)][rng.integers(4)],
        "jpeg": int(rng.integers(75, 93)) if rng.random() < 0.35 else None,
    }
    return Plan(**(given | changes))  # type: ignore[arg-type]
