"""Draws planned encounters: frames of 1280 x 720 pixels with the truth of who is where.

Figures are cut softly from photographs and put over an office-like background: scaled, turned, squeezed,
lit, blurred by focus and movement, with noise and JPEG's faults over all. Whoever is nearer covers the
others. It draws what is planned (`encounters_plan`) and recognises nobody.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from encounters_people import FACE_PX, Figure
from encounters_plan import HEIGHT, WIDTH, Scene, Spoil, Step, Walk
from numpy.typing import NDArray

from appliance.camera import encode_jpeg
from appliance.values import Box, FloatArray, ImageArray

_HALF_BELOW = 0.5
"""Faces smaller than this share of a figure's own size are drawn from its half-size copy."""
_REST = 0.3
"""Blurs of less than this many pixels are left out."""
_GRAIN = 256
"""Side of the tile of noise that is laid over frames at changing places, pixels."""


@dataclass(frozen=True)
class Present:
    """Where somebody's face is in a frame, as the truth.

    Attributes:
        walk: Number of their encounter.
        box: The face in pixels of the frame, as the detector would draw it.
        covered: Share of it that is hidden behind nearer people or outside the frame, 0 to 1.
        spoilt: It is useless in this frame, on purpose.
    """

    walk: int
    box: Box
    covered: float
    spoilt: bool


@dataclass(frozen=True)
class Drawn:
    """A frame with its truth.

    Attributes:
        bgr: uint8, (720, 1280, 3), blue first.
        present: Whose faces are in it.
    """

    bgr: ImageArray
    present: tuple[Present, ...]


Figures = Callable[[int, int], Figure]
"""The figure of a person's photograph, by both indices."""


class Painter:
    """Draws scenes; keeps what can be drawn once.

    Args:
        figures: Cuts figures; asked again for the same ones.
    """

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._backgrounds: dict[int, ImageArray] = {}
        grain = np.random.default_rng(5).normal(0, 1, (_GRAIN + HEIGHT, _GRAIN + WIDTH, 1))
        # Brightness only: colour noise is mostly lost in JPEG's halved colours.
        self._grain = np.repeat(grain.astype(np.float32), 3, axis=2)

    def frames(self, scene: Scene) -> Iterator[Drawn]:
        """A scene frame by frame; the first and the last show nobody."""
        rng = np.random.default_rng([*scene.seed, 6])
        behind = cv2.convertScaleAbs(self._background(scene.background % 12), alpha=scene.exposure)
        grain = (self._grain * np.float32(scene.noise)).astype(np.int16)
        curves = {walk.number: _curve(walk, scene.exposure) for walk in scene.walks}
        for at in range(scene.frames):
            here = [
                (walk, walk.steps[at - walk.start])
                for walk in scene.walks
                if 0 <= at - walk.start < len(walk.steps)
            ]
            here.sort(key=lambda item: item[1].width)
            canvas = behind.copy()
            for walk, step in here:
                _draw_body(canvas, walk, step, scene.exposure)
                _draw_head(canvas, self._figures(walk.person, walk.photo), step, curves[walk.number], rng)
            boxes = [face_box(self._figures(walk.person, walk.photo), step) for walk, step in here]
            present = tuple(
                Present(walk.number, box, _covered(box, boxes[i + 1 :]), step.spoil is not None)
                for i, ((walk, step), box) in enumerate(zip(here, boxes, strict=True))
            )
            yield Drawn(_photographed(canvas, grain, scene.jpeg, rng), present)

    def _background(self, number: int) -> ImageArray:
        if number not in self._backgrounds:
            self._backgrounds[number] = office(number)
        return self._backgrounds[number]


def _photographed(
    canvas: ImageArray, grain: NDArray[np.int16], quality: int, rng: np.random.Generator
) -> ImageArray:
    """With noise, through JPEG."""
    y, x = (int(n) for n in rng.integers(0, _GRAIN, 2))
    noisy = cv2.add(canvas, grain[y : y + HEIGHT, x : x + WIDTH], dtype=cv2.CV_8U)
    packed = np.frombuffer(encode_jpeg(np.asarray(noisy, np.uint8), quality), np.uint8)
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def face_box(figure: Figure, step: Step) -> Box:
    """Where a step puts the face, pixels."""
    scale = step.width / figure.face[0]
    width, height = step.width * step.squeeze, scale * figure.face[1]
    return Box(step.x - width / 2, step.y - height / 2, width, height)


def _covered(box: Box, nearer: list[Box]) -> float:
    """Share of a face outside the frame or behind the heads and shoulders of nearer people."""
    grid = np.stack(
        np.meshgrid(np.linspace(box.x, box.x + box.width, 12), np.linspace(box.y, box.y + box.height, 12))
    )
    hidden = (grid[0] < 0) | (grid[0] >= WIDTH) | (grid[1] < 0) | (grid[1] >= HEIGHT)
    for other in nearer:
        x, y = other.centre
        head = ((grid[0] - x) / other.width) ** 2 + ((grid[1] - y) / (1.1 * other.height)) ** 2 < 1
        body = (np.abs(grid[0] - x) < 1.3 * other.width) & (grid[1] > y + 0.9 * other.height)
        hidden |= head | body
    return float(hidden.mean())


def _curve(walk: Walk, exposure: float) -> FloatArray:
    """Light on this person as a curve per colour, float32 (256, 3), before the step's own gain."""
    levels = (np.arange(256, dtype=np.float32) / 255) ** np.float32(walk.gamma) * 255
    return levels[:, None] * np.array(walk.tint, np.float32) * np.float32(exposure)


_BODY = ((0.3, 0.5), (0.42, 0.95), (1.15, 1.3), (1.4, 1.9), (1.4, 9.0))
"""Right half of a body's outline from the neck down, from the face's middle, in widths of the face."""


def _draw_body(canvas: ImageArray, walk: Walk, step: Step, exposure: float) -> None:
    """Shoulders and what is below them, as a plain shape."""
    right = [(step.x + dx * step.width, step.y + dy * step.width) for dx, dy in _BODY]
    left = [(2 * step.x - x, y) for x, y in reversed(right)]
    light = 0.03 if step.spoil is Spoil.DARK else step.gain
    colour = tuple(min(255.0, part * light * exposure) for part in walk.clothes)
    cv2.fillPoly(canvas, [np.array(right + left).round().astype(np.int32)], colour, cv2.LINE_AA)


def _draw_head(
    canvas: ImageArray, figure: Figure, step: Step, curve: FloatArray, rng: np.random.Generator
) -> None:
    """Put a figure over the canvas, in place."""
    scale = step.width / FACE_PX
    level = 1 if scale <= _HALF_BELOW else 0
    colour, alpha = figure.levels[level]
    shrunk = 0.5 if level else 1.0
    turn = math.radians(step.angle)
    matrix = (scale / shrunk) * np.array(
        [
            [step.squeeze * math.cos(turn), -math.sin(turn)],
            [step.squeeze * math.sin(turn), math.cos(turn)],
        ]
    )
    middle = np.array(figure.middle) * shrunk
    shift = np.array([step.x, step.y]) - matrix @ middle
    corners = matrix @ np.array(
        [[0, alpha.shape[1], 0, alpha.shape[1]], [0, 0, alpha.shape[0], alpha.shape[0]]]
    )
    low, high = (corners + shift[:, None]).min(axis=1), (corners + shift[:, None]).max(axis=1)
    left, top = max(0, int(low[0]) - 8), max(0, int(low[1]) - 8)
    right, bottom = min(WIDTH, int(high[0]) + 8), min(HEIGHT, int(high[1]) + 8)
    if right - left < 2 or bottom - top < 2:
        return
    place = np.hstack([matrix, (shift - [left, top])[:, None]])
    size = (right - left, bottom - top)
    drawn = cv2.warpAffine(colour, place, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpAffine(alpha, place, size, flags=cv2.INTER_LINEAR)
    if step.spoil in {Spoil.TURNED, Spoil.HAND}:
        drawn = _hidden(drawn, step, (step.x - left, step.y - top), rng)
    gain = {Spoil.GLARE: 5.0, Spoil.DARK: 0.03}.get(step.spoil, step.gain) if step.spoil else step.gain
    table = np.clip(curve * np.float32(gain), 0, 255).astype(np.uint8)
    drawn = cv2.LUT(drawn, table.reshape(1, 256, 3))
    sigma = step.width * 0.16 if step.spoil is Spoil.BLUR else step.focus
    if sigma > _REST:
        drawn, cover = cv2.GaussianBlur(drawn, (0, 0), sigma), cv2.GaussianBlur(cover, (0, 0), sigma)
    streak = _streak(step.motion)
    if streak is not None:
        drawn, cover = cv2.filter2D(drawn, -1, streak), cv2.filter2D(cover, -1, streak)
    weight = cover.astype(np.float32) / 255
    part = canvas[top:bottom, left:right]
    part[:] = cv2.blendLinear(np.ascontiguousarray(drawn), np.ascontiguousarray(part), weight, 1 - weight)


def _hidden(
    drawn: np.ndarray, step: Step, middle: tuple[float, float], rng: np.random.Generator
) -> np.ndarray:
    """Hair where the face was, or a hand before its lower half."""
    centre = (round(middle[0]), round(middle[1]))
    colour = tuple(float(c) for c in rng.uniform(15, 60, 3))
    axes = (round(0.72 * step.width), round(0.95 * step.width))
    if step.spoil is Spoil.HAND:
        centre, axes = (centre[0], round(middle[1] + 0.3 * step.width)), (round(0.6 * step.width), axes[0])
        colour = (120.0, 150.0, 190.0)
    over = cv2.ellipse(drawn.copy(), centre, axes, step.angle, 0, 360, colour, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(over, (0, 0), 1 + 0.02 * step.width)


def _streak(motion: tuple[float, float]) -> np.ndarray | None:
    """A kernel that smears along a movement; None for next to none."""
    length = math.hypot(*motion)
    if length < 1 + _REST:
        return None
    reach = math.ceil(length / 2)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for t in np.linspace(-0.5, 0.5, 4 * reach + 1):
        x, y = reach + t * motion[0], reach + t * motion[1]
        kernel[round(y), round(x)] += 1
    return kernel / kernel.sum()


def office(number: int) -> ImageArray:
    """An office without people: wall, doorway, shelves, pictures, a window, floor; uint8, (720, 1280, 3)."""
    rng = np.random.default_rng([number, 7])
    wall = rng.uniform(95, 205) + rng.normal(0, 10, 3)
    picture = np.empty((HEIGHT, WIDTH, 3), np.float32)
    picture[:] = (
        wall * np.linspace(1.12, 0.78, WIDTH)[None, :, None] * np.linspace(1.05, 0.9, HEIGHT)[:, None, None]
    )
    floor = int(rng.integers(520, 640))
    picture[floor:] = rng.uniform(50, 120) + rng.normal(0, 8, 3)
    x = int(rng.integers(100, 800))
    cv2.rectangle(picture, (x, 60), (x + 330, floor), (rng.uniform(20, 90),) * 3, -1)
    cv2.rectangle(picture, (x, 60), (x + 330, floor), tuple(rng.uniform(60, 190, 3)), 16)
    for _ in range(int(rng.integers(6, 16))):
        left, top = int(rng.integers(0, WIDTH)), int(rng.integers(0, floor - 60))
        size = rng.integers(30, 190, 2)
        colour = tuple(np.clip(rng.uniform(40, 220) + rng.normal(0, 18, 3), 0, 255))
        cv2.rectangle(picture, (left, top), (left + int(size[0]), top + int(size[1])), colour, -1)
        if rng.random() < 0.6:  # a shelf: spines of books
            for book in range(left, left + int(size[0]), 14):
                cv2.rectangle(
                    picture,
                    (book, top + 6),
                    (book + 11, top + int(size[1])),
                    tuple(np.clip(rng.uniform(30, 190) + rng.normal(0, 30, 3), 0, 255)),
                    -1,
                )
    coarse = cv2.resize(
        rng.normal(0, 7, (24, 40)).astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC
    )
    soft = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(1, 4))) + np.asarray(coarse)[..., None]
    return np.asarray(np.clip(soft, 0, 255), np.uint8)
