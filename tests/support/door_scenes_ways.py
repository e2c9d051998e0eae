"""The ways people go in a door scene: through the doorway, behind it, up to it, past it."""

from collections.abc import Callable

import numpy as np
from door_scenes_clip import Path
from door_scenes_people import board, person
from door_scenes_stage import Stage

Rng = np.random.Generator
People = Callable[[Stage, Rng], list[Path]]
"""Makes the paths once the stage stands, in fractions of the picture."""


def enters(at: float, takes: float = 3.0, *, leaves: bool = False) -> People:
    """Somebody comes through the doorway and on, past the camera; or goes."""

    def make(stage: Stage, rng: Rng) -> list[Path]:
        sprite = person(rng)
        tall = rng.uniform(1.58, 1.92)
        sway = rng.uniform(-0.15, 0.15)
        z = np.linspace(2.2, -1.7, 14)
        x = sway + np.linspace(0.2, rng.uniform(-0.7, 0.7), 14)
        if leaves:
            z, x = z[::-1], x[::-1]
        t = np.linspace(at, at + takes, 14)
        keys = [
            _standing(stage, (float(a), float(b)), tall, float(c)) for a, b, c in zip(x, z, t, strict=True)
        ]
        far = z > 0
        parts = []
        for inside in (True, False):
            chosen = tuple(key for key, there in zip(keys, far, strict=True) if there == inside)
            if len(chosen) > 1:
                parts.append(
                    Path(sprite, chosen, inside=inside, gain=rng.uniform(0.7, 1.0) if inside else 1.0)
                )
        return parts

    return make


def behind_glass(start: float, end: float) -> People:
    """People who walk along the corridor behind the door, again and again."""

    def make(stage: Stage, rng: Rng) -> list[Path]:
        found = []
        at = start
        while at < end:
            z, takes = rng.uniform(0.5, 2.0), rng.uniform(1.8, 4.0)
            side = rng.choice([-1, 1])
            sprite, tall = person(rng), rng.uniform(1.55, 1.95)
            keys = tuple(
                _standing(stage, (side * (share * 3 - 1.5), z), tall, at + takes * share)
                for share in np.linspace(0, 1, 8)
            )
            found.append(Path(sprite, keys, inside=True, gain=rng.uniform(0.6, 1.0)))
            at += takes * rng.uniform(0.6, 1.5)
        return found

    return make


def _standing(
    stage: Stage, place: tuple[float, float], tall: float, at: float
) -> tuple[float, float, float, float]:
    """A key of somebody's path, by their place on the floor."""
    (head, foot) = stage.view.project([(place[0], -tall, place[1]), (place[0], 0, place[1])]) - stage.pad
    width, height = stage.size
    return at, float(head[0]) / width, float(head[1]) / height, float(foot[1] - head[1]) / height


def before(start: float, stop: float, cover: float, *, paces: bool = False) -> People:
    """Somebody comes, stands before the door and goes.

    Args:
        start: When they come into the picture, seconds.
        stop: When they have left it.
        cover: How much of the door's height their head reaches up: 0 to its middle, 1 above its top.
        paces: They step about instead of standing still.
    """

    def make(stage: Stage, rng: Rng) -> list[Path]:
        quad = (stage.opening_px() - stage.pad) / stage.size
        top, wide = float(quad[:2, 1].mean()), float(quad[1, 0] - quad[0, 0])
        middle = float(quad[:2, 0].mean()) + wide * rng.uniform(-0.3, 0.3)
        head = top + (1 - cover) * 0.35 - 0.05 * (cover > 0.9)
        # A body is about a quarter as wide as it is tall.
        tall = wide * rng.uniform(0.9, 1.25) * stage.size[0] / stage.size[1] * (2.2 + 2.0 * cover)
        side = rng.choice([-0.3, 1.3])
        keys = [(start, side, head + 0.05, tall), (start + 1.5, middle, head, tall)]
        count = max(2, int((stop - start - 3) / (0.8 if paces else 2.5)))
        for t in np.linspace(start + 1.6, stop - 1.6, count):
            step = wide * (0.25 if paces else 0.03)
            keys.append((float(t), middle + rng.uniform(-step, step), head + rng.uniform(-0.01, 0.01), tall))
        keys += [(stop - 1.5, middle, head, tall), (stop, float(rng.choice([-0.3, 1.3])), head + 0.05, tall)]
        return [Path(person(rng), tuple(keys))]

    return make


def past(at: float, takes: float, cover: float, *, carries: str = "") -> People:
    """Somebody walks across the picture between camera and door, maybe with something large."""

    def make(stage: Stage, rng: Rng) -> list[Path]:
        quad = (stage.opening_px() - stage.pad) / stage.size
        top, wide = float(quad[:2, 1].mean()), float(quad[1, 0] - quad[0, 0])
        tall = wide * stage.size[0] / stage.size[1] * rng.uniform(2.4, 3.4) * (0.8 + 0.5 * cover)
        head = top + (1 - cover) * 0.33
        ends = (-0.35, 1.35) if rng.random() < 0.5 else (1.35, -0.35)
        keys = tuple(
            (at + takes * share, ends[0] + (ends[1] - ends[0]) * share, head, tall)
            for share in (0.0, 0.5, 1.0)
        )
        paths = [Path(person(rng), keys)]
        if carries:
            large = tuple((t, x, max(-0.2, top - 0.12), tall * 0.8) for t, x, _, _ in keys)
            paths.append(Path(board(rng, even=carries == "even"), large))
        return paths

    return make
