"""What light and the camera do in the door scenes: drift, lamps, shadows, noise, a knock."""

import numpy as np
from door_scenes_chance import Rng, ordinary, paint, plain_plan, visit
from door_scenes_clip import Plan, ramps, steady
from numpy.typing import NDArray


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
