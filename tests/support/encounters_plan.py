"""Who walks through the picture when, and how: made-up encounters with their truth, from a seed.

Plans only: nothing is drawn here (`encounters_frames`) and nothing recognised (`encounters`). All ranges
are of a camera of 1280 x 720 pixels at ten frames a second, a few metres from people who walk indoors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from encounters_people import Person

WIDTH, HEIGHT, FPS = 1280, 720, 10
GROUPS = {1: 0.40, 2: 0.30, 3: 0.18, 4: 0.12}
"""How many people come together, with how often."""
IN_FILE = 0.3
"""Share of groups that follow each other along one path, the next where the one before has just left."""
SPOILT = 0.35
"""Share of encounters whose face is useless for some frames in between."""
_ROOM_SCENES = 20
"""Scenes one after the other before the same background: a camera does not move house every minute."""
HOPELESS = 0.015
"""Share of encounters whose face is useless throughout."""


class Spoil(StrEnum):
    """Why a face is useless for a while."""

    BLUR = "blur"
    TURNED = "turned away"
    HAND = "hand before the face"
    GLARE = "glare"
    DARK = "dark"


@dataclass(frozen=True)
class Step:
    """One person in one frame.

    Attributes:
        x: Middle of the face, pixels.
        y: The same, downwards.
        width: Of the face, pixels.
        squeeze: Width over height, of the face as photographed; below 1 the head is turned a little.
        angle: Degrees.
        gain: Factor of the light on them.
        focus: Blur for want of focus, sigma in pixels.
        motion: Blur along the movement, (dx, dy) pixels.
        spoil: Why the face is useless now, or None.
    """

    x: float
    y: float
    width: float
    squeeze: float
    angle: float
    gain: float
    focus: float
    motion: tuple[float, float]
    spoil: Spoil | None


@dataclass(frozen=True)
class Walk:
    """One encounter: somebody's way through the picture.

    Attributes:
        number: Counts the encounters of a run from 0.
        person: Index among the people.
        photo: Index among what they are shown as.
        start: Frame of the scene at which they come in.
        steps: Frame by frame.
        gamma: Of the light on them, above 1 is darker in the middle tones.
        tint: Factors of blue, green and red.
        clothes: Blue, green and red of what they wear, 0 to 255.
    """

    number: int
    person: int
    photo: int
    start: int
    steps: tuple[Step, ...]
    gamma: float
    tint: tuple[float, float, float]
    clothes: tuple[float, float, float]


@dataclass(frozen=True)
class Scene:
    """Some people walking through, and the picture's own faults.

    Attributes:
        seed: Of everything that is drawn.
        walks: One to four.
        exposure: Factor of the whole picture's light.
        noise: Sigma, gray levels.
        jpeg: Quality.
        background: Which room.
    """

    seed: tuple[int, ...]
    walks: tuple[Walk, ...]
    exposure: float
    noise: float
    jpeg: int
    background: int

    @property
    def frames(self) -> int:
        """How many; one more on both ends shows nobody."""
        return max(walk.start + len(walk.steps) for walk in self.walks) + 1


def plan(people: Sequence[Person], encounters: int, seed: int) -> list[Scene]:
    """Scenes with so many encounters, half of them mated, everybody's photographs as often as others'."""
    rng = np.random.default_rng([seed, 3])
    cast = _cast(people, encounters, rng)
    scenes: list[Scene] = []
    sizes, shares = list(GROUPS), list(GROUPS.values())
    at = 0
    while at < len(cast):
        size = min(int(rng.choice(sizes, p=shares)), len(cast) - at)
        group = _different(cast, at, size)
        own = (seed, 4, len(scenes))
        scenes.append(_scene(own, [(at + i, *who) for i, who in enumerate(group)]))
        at += len(group)
    return scenes


def _cast(people: Sequence[Person], encounters: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """(person, photo) of each encounter in a shuffled order."""
    parts: list[tuple[int, int]] = []
    for mated, wanted in ((True, encounters // 2), (False, encounters - encounters // 2)):
        photos = [
            (i, n)
            for i, person in enumerate(people)
            if person.mated is mated
            for n in range(len(person.shown))
        ]
        rounds: list[tuple[int, int]] = []
        while len(rounds) < wanted:
            rounds += [photos[i] for i in rng.permutation(len(photos))]
        parts += rounds[:wanted]
    return [parts[i] for i in rng.permutation(len(parts))]


def _different(cast: list[tuple[int, int]], at: int, size: int) -> list[tuple[int, int]]:
    """The next of the cast; whoever is in the group already changes places with a later one."""
    for i in range(at, at + size):
        here = {who for who, _ in cast[at:i]}
        later = next((j for j in range(i, len(cast)) if cast[j][0] not in here), None)
        if later is None:
            return cast[at:i]
        cast[i], cast[later] = cast[later], cast[i]
    return cast[at : at + size]


def _scene(seed: tuple[int, ...], group: Sequence[tuple[int, int, int]]) -> Scene:
    rng = np.random.default_rng(seed)
    exposure = float(np.clip(np.exp(rng.normal(-0.05, 0.2)), 0.45, 1.5))
    lengths = [int(rng.integers(8, 16)) for _ in group]
    in_file = len(group) > 1 and rng.random() < IN_FILE
    starts, ways = _in_file(rng, lengths) if in_file else _together(rng, lengths)
    walks = tuple(
        _walk(rng, (number, person, photo), start, way)
        for (number, person, photo), start, way in zip(group, starts, ways, strict=True)
    )
    return Scene(
        seed=seed,
        walks=walks,
        exposure=exposure,
        noise=float(rng.uniform(1, 4.5) / np.sqrt(exposure)),
        jpeg=int(rng.integers(55, 93)),
        background=seed[-1] // _ROOM_SCENES,
    )


Way = tuple[np.ndarray, np.ndarray, np.ndarray]
"""x, y and face width of each frame, pixels."""


def _together(rng: np.random.Generator, lengths: Sequence[int]) -> tuple[list[int], list[Way]]:
    """Side by side, or across each other's way."""
    lanes = rng.permutation(len(lengths)) + 0.5 + rng.uniform(-0.35, 0.35, len(lengths))
    middles = 160 + lanes * (WIDTH - 320) / len(lengths)
    starts = [int(rng.integers(0, 7)) for _ in lengths]
    first = min(starts)
    ways = [
        _crossing(rng, n) if rng.random() < 0.3 else _coming(rng, n, float(x))
        for n, x in zip(lengths, middles, strict=True)
    ]
    return [start - first + 1 for start in starts], ways


def _in_file(rng: np.random.Generator, lengths: Sequence[int]) -> tuple[list[int], list[Way]]:
    """Behind each other: the next comes where the first came, some frames before or after they are gone."""
    across = rng.random() < 0.4
    middle, state = float(rng.uniform(350, WIDTH - 350)), int(rng.integers(1 << 31))
    starts, ways, start = [], [], 1
    for n in lengths:
        starts.append(start)
        same = np.random.default_rng(state)
        way = _crossing(same, n) if across else _coming(same, n, middle)
        ways.append((way[0] + rng.normal(0, 25), way[1] + rng.normal(0, 12), way[2] * rng.uniform(0.9, 1.1)))
        start += n + int(rng.integers(-4, 12))
    return starts, ways


def _coming(rng: np.random.Generator, frames: int, x: float) -> Way:
    """Towards the camera, ever larger and lower; some stand still at the end."""
    t = np.linspace(0, 1, frames)
    if rng.random() < 0.35:
        t = np.minimum(1.0, t * rng.uniform(1.2, 1.8))
    far, near = rng.uniform(52, 95), rng.uniform(100, 190)
    width = 1 / ((1 - t) / far + t / near)
    towards = x + rng.uniform(-200, 200)
    left, right = 0.8 * near, WIDTH - 0.8 * near
    xs = np.clip(x + (towards - x) * (width - far) / (near - far), left, right)
    ys = rng.uniform(190, 270) + (width - far) * rng.uniform(0.2, 0.9)
    return xs, ys, width


def _crossing(rng: np.random.Generator, frames: int) -> Way:
    """Across the picture, half of them out of it or into it, at walking speed."""
    t = np.linspace(0, 1, frames)
    width = rng.uniform(65, 140) * np.exp(rng.normal(0, 0.12) * t)
    # 1.4 m/s across, seen where a face of 0.16 m is so many pixels wide.
    run = rng.uniform(0.35, 0.9) * 1.4 / 0.16 * float(width.mean()) * (frames - 1) / FPS
    run = min(run, WIDTH - 100)
    begin = rng.uniform(-60, WIDTH - run + 60)
    xs = begin + run * t
    if rng.random() < 0.5:
        xs = WIDTH - xs
    return xs, np.full(frames, rng.uniform(180, 380)), width


def _walk(rng: np.random.Generator, who: tuple[int, int, int], start: int, way: Way) -> Walk:
    xs, ys, widths = way
    n = len(xs)
    xs, ys = xs + rng.normal(0, 1.5, n), ys + 0.03 * widths * np.sin(rng.uniform(0, 6) + 1.3 * np.arange(n))
    light = np.clip(np.exp(rng.normal(-0.1, 0.28)), 0.35, 1.6) * np.exp(
        np.linspace(0, rng.normal(0, 0.25), n)
    )
    out_of_focus = abs(rng.normal(0, 0.007)) * widths + np.abs(rng.normal(0, 0.004, n)) * widths
    shutter = rng.uniform(0.03, 0.16)
    # Pixels moved while the shutter is open; frames are a tenth of a second apart.
    dx, dy = np.gradient(xs) * shutter, (np.gradient(ys) + rng.normal(0, 3, n)) * shutter
    turn = np.clip(1 - np.abs(rng.normal(0, 0.06) + rng.normal(0, 0.03, n)), 0.75, 1)
    angle = rng.normal(0, 5) + rng.normal(0, 2, n)
    spoilt = _spoilt(rng, n)
    steps = tuple(
        Step(
            x=float(xs[i]),
            y=float(ys[i]),
            width=float(widths[i]),
            squeeze=float(turn[i]),
            angle=float(angle[i]),
            gain=float(light[i]),
            focus=float(out_of_focus[i]),
            motion=(float(dx[i]), float(dy[i])),
            spoil=spoilt[i],
        )
        for i in range(n)
    )
    number, person, photo = who
    tint = rng.normal(1, 0.05, 3)
    clothes = np.clip(rng.uniform(20, 150) + rng.normal(0, 22, 3), 5, 250)
    return Walk(
        number,
        person,
        photo,
        start,
        steps,
        gamma=float(np.exp(rng.normal(0, 0.15))),
        tint=(float(tint[0]), float(tint[1]), float(tint[2])),
        clothes=(float(clothes[0]), float(clothes[1]), float(clothes[2])),
    )


def _spoilt(rng: np.random.Generator, frames: int) -> list[Spoil | None]:
    """For each frame, why the face is useless."""
    kinds = list(Spoil)
    kind = kinds[int(rng.integers(len(kinds)))]
    if rng.random() < HOPELESS:
        return [kind] * frames
    found: list[Spoil | None] = [None] * frames
    if rng.random() < SPOILT:
        begin, length = int(rng.integers(0, frames)), int(rng.integers(1, 7))
        found[begin : begin + length] = [kind] * len(found[begin : begin + length])
    return found
