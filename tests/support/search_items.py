"""Things to search for: photographs that come in packages, rendered items, and either before a camera.

Everything is drawn by numbers from a seed, so that it is the same each time. Needs scikit-image and
scikit-learn for their pictures only, which are opened as files.
"""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

PHOTOGRAPHS = (
    *("skimage/astronaut.png", "skimage/camera.png", "skimage/cell.png", "skimage/chelsea.png"),
    *("skimage/clock_motion.png", "skimage/coffee.png", "skimage/coins.png", "skimage/color.png"),
    *("skimage/horse.png", "skimage/hubble_deep_field.jpg", "skimage/ihc.png", "skimage/moon.png"),
    *("skimage/motorcycle_left.png", "skimage/page.png", "skimage/retina.jpg", "skimage/rocket.jpg"),
    *("skimage/text.png", "sklearn/china.jpg", "sklearn/flower.jpg"),
)
BACKGROUNDS = ("skimage/brick.png", "skimage/grass.png", "skimage/gravel.png")
FOLDERS = {"skimage": "data", "sklearn": "datasets/images"}
KINDS = ("mug", "book", "bottle", "key", "ball", "box", "plate", "lamp", "fish", "scissors")


@dataclass(frozen=True)
class Thing:
    """Something to be found.

    Attributes:
        id: What it is called.
        kind: `photograph`, or what was rendered.
        bgr: Picture of it, uint8 (h, w, 3).
        mask: Where it is in the picture, float32 (h, w), 0 to 1; a photograph is all of it.
    """

    id: str
    kind: str
    bgr: np.ndarray
    mask: np.ndarray


def picture(name: str) -> np.ndarray:
    """One that a package brings, `package/file`; blue first."""
    package, _, file = name.partition("/")
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    found = cv2.imread(str(Path(spec.origin).parent / FOLDERS[package] / file), cv2.IMREAD_COLOR)
    assert found is not None, name
    return found


def photographs() -> list[Thing]:
    """Those of the packages, as things to be shown on a card."""
    found = []
    for name in PHOTOGRAPHS:
        bgr = picture(name)
        found.append(Thing(Path(name).stem, "photograph", bgr, np.ones(bgr.shape[:2], np.float32)))
    return found


def rendered(count: int, seed: int = 0) -> Iterator[Thing]:
    """So many items, the kinds in turn, each of its own colours, pattern and proportions, on white."""
    for at in range(count):
        yield rendered_one(KINDS[at % len(KINDS)], seed * 100_000 + at)


def rendered_one(kind: str, seed: int) -> Thing:
    """An item on a white ground, 320 pixels a side."""
    random = np.random.default_rng(seed)
    mask = _shape(kind, random)
    colours = [_colour(random) for _ in range(3)]
    pattern = _pattern(random)
    surface = np.where(pattern[..., None], np.float32(colours[0]), np.float32(colours[1]))
    # Light from the upper left, so that it is a thing and no flat sign.
    down, across = np.mgrid[0:320, 0:320].astype(np.float32) / 320
    surface = surface * (1.25 - 0.35 * (across + down))[..., None]
    edge = cv2.dilate(mask, np.ones((5, 5))) - cv2.erode(mask, np.ones((5, 5)))
    surface = np.where(edge[..., None] > 0.5, np.float32(colours[2]) * 0.4, surface)
    soft = cv2.GaussianBlur(mask, (3, 3), 0)
    bgr = surface * soft[..., None] + 245 * (1 - soft[..., None])
    return Thing(f"{kind}-{seed}", kind, np.clip(bgr, 0, 255).astype(np.uint8), soft)


def before_camera(
    thing: Thing, seed: int, hardness: float = 1.0, size: tuple[int, int] = (640, 480)
) -> np.ndarray:
    """A frame with a thing: turned, nearer or farther, partly outside, dimmed, on another ground, noisy.

    Args:
        thing: What.
        seed: Of what is drawn by chance.
        hardness: Share of the changes: 0 shows the thing straight.
        size: Width and height of the frame.

    Returns:
        uint8 (height, width, 3), blue first.
    """
    random = np.random.default_rng((seed, 77))
    wide, high = size
    frame = _ground(random, wide, high)
    rows, columns = thing.bgr.shape[:2]
    fitting = 0.8 * min(wide / columns, high / rows)
    scale = fitting * (1 + hardness * random.uniform(-0.35, 0.35))
    turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), hardness * random.uniform(-25, 25), scale)
    turn[0, 2] += wide / 2 - columns / 2 + hardness * random.uniform(-0.12, 0.12) * wide
    turn[1, 2] += high / 2 - rows / 2 + hardness * random.uniform(-0.12, 0.12) * high
    shown = cv2.warpAffine(thing.bgr, turn, size, flags=cv2.INTER_AREA)
    mask = cv2.warpAffine(thing.mask, turn, size)[..., None]
    lit = (frame * (1 - mask) + shown * mask) * (1 - hardness * random.uniform(0, 0.45))
    tint = 1 + hardness * random.uniform(-0.06, 0.06, 3)
    noisy = lit * tint + hardness * random.normal(0, 5, lit.shape)
    soft = cv2.GaussianBlur(noisy, (0, 0), 0.3 + hardness * random.uniform(0, 1.2))
    return np.clip(soft, 0, 255).astype(np.uint8)


def _ground(random: np.random.Generator, wide: int, high: int) -> np.ndarray:
    """A table, a wall, a lawn."""
    if random.uniform() < 0.6:
        found = picture(BACKGROUNDS[random.integers(len(BACKGROUNDS))])
        top, left = random.integers(0, found.shape[0] - 200), random.integers(0, found.shape[1] - 200)
        found = cv2.resize(found[top : top + 200, left : left + 200], (wide, high)).astype(np.float32)
        return found * random.uniform(0.5, 1.1) * random.uniform(0.8, 1.2, 3)
    down, across = np.mgrid[0:high, 0:wide].astype(np.float32)
    slope = down / high * random.uniform(-60, 60) + across / wide * random.uniform(-60, 60)
    return np.float32(_colour(random))[None, None] * 0.6 + 60 + slope[..., None]


def _colour(random: np.random.Generator) -> tuple[int, int, int]:
    hsv = np.uint8([[[random.integers(0, 180), random.integers(60, 255), random.integers(80, 255)]]])
    blue, green, red = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0].tolist()
    return blue, green, red


def _pattern(random: np.random.Generator) -> np.ndarray:
    """Stripes, checks, dots, a band, letters, or plain: bool (320, 320)."""
    down, across = np.mgrid[0:320, 0:320]
    way, step = random.integers(6), random.integers(14, 60)
    angle = random.uniform(0, np.pi)
    along = down * np.sin(angle) + across * np.cos(angle)
    if way == 0:
        return (along // step).astype(int) % 2 == 0
    if way == 1:
        return ((down // step) + (across // step)) % 2 == 0
    if way == 2:
        return (down % step - step / 2) ** 2 + (across % step - step / 2) ** 2 < (step * 0.33) ** 2
    if way == 3:
        return abs(down - random.integers(120, 200)) < step
    if way == 4:
        letters = np.zeros((320, 320), np.uint8)
        word = "".join(chr(65 + each) for each in random.integers(0, 26, 3))
        cv2.putText(letters, word, (70, 190), cv2.FONT_HERSHEY_DUPLEX, 2.6, 1, 8)
        return letters > 0
    return np.zeros((320, 320), bool)


def _shape(kind: str, random: np.random.Generator) -> np.ndarray:  # noqa: C901 - a way for each kind
    """Outline of a kind of thing, of its own proportions: float32 (320, 320), 0 or 1."""
    mask = np.zeros((320, 320), np.uint8)
    wide, high = int(random.integers(60, 110)), int(random.integers(70, 125))

    def box(left: int, top: int, right: int, bottom: int, ink: int = 1) -> None:
        cv2.rectangle(mask, (160 + left, 160 + top), (160 + right, 160 + bottom), ink, -1)

    def disc(x: int, y: int, radius: int, ink: int = 1, thick: int = -1) -> None:
        cv2.circle(mask, (160 + x, 160 + y), max(4, radius), ink, thick)

    if kind == "mug":
        disc(wide, 0, high // 2, thick=14)
        box(-wide, -high, wide - 10, high)
    elif kind == "book":
        box(-wide, -high, wide, high)
    elif kind == "bottle":
        box(-wide // 2, -high // 2, wide // 2, high + 20)
        disc(0, -high // 2, wide // 2)
        box(-wide // 5, -high - 30, wide // 5, 0)
    elif kind == "key":
        disc(-60, 0, wide // 2 + 10)
        disc(-60, 0, wide // 5, 0)
        box(-40, -12, 120, 12)
        for tooth in range(int(random.integers(2, 5))):
            box(50 + tooth * 20, 0, 60 + tooth * 20, int(random.integers(22, 45)))
    elif kind == "ball":
        disc(0, 0, (wide + high) // 2)
    elif kind == "box":
        points = [
            (-wide, -high // 2),
            (0, -high),
            (wide, -high // 2),
            (wide, high // 2),
            (0, high),
            (-wide, high // 2),
        ]
        cv2.fillPoly(mask, [np.array(points) + 160], 1)
    elif kind == "plate":
        cv2.ellipse(mask, (160, 160), (wide + 40, high // 2 + 20), 0, 0, 360, 1, -1)
    elif kind == "lamp":
        shade = [(-wide // 2, -high), (wide // 2, -high), (wide, 0), (-wide, 0)]
        cv2.fillPoly(mask, [np.array(shade) + 160], 1)
        box(-8, 0, 8, high)
        cv2.ellipse(mask, (160, 160 + high), (wide // 2 + 10, 14), 0, 0, 360, 1, -1)
    elif kind == "fish":
        cv2.ellipse(mask, (150, 160), (wide + 20, high // 2), 0, 0, 360, 1, -1)
        tail = [(wide, 0), (wide + 45, -high // 2), (wide + 45, high // 2)]
        cv2.fillPoly(mask, [np.array(tail) + 155], 1)
    else:
        cv2.line(mask, (100, 60), (200, 230), 1, wide // 4)
        cv2.line(mask, (220, 60), (120, 230), 1, wide // 4)
        disc(55, 85, wide // 3 + 8, thick=14)
        disc(-55, 85, wide // 3 + 8, thick=14)
    return mask.astype(np.float32)
