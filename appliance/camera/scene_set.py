"""The set of the rendered scene: wall, corridor, door leaf and counter, drawn once per size.

Drawn at twice the size and shrunk, which softens the edges. Nothing here moves; `scene`
puts the layers together frame by frame.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from appliance.camera.scene_script import DESIGN_HEIGHT, DESIGN_WIDTH, OPENING
from appliance.values import ImageArray

Colour = tuple[int, int, int]
"""Blue, green, red, 0 to 255."""

DOOR_COLOURS: dict[str, Colour] = {
    "blue": (132, 100, 58),
    "wood": (98, 140, 180),
    "white": (222, 226, 228),
    "grey": (140, 138, 134),
    "green": (104, 128, 84),
    "red": (64, 60, 150),
    "dark": (58, 54, 52),
}

LEAF_HEIGHT = 970
"""Height of the door leaf, 2.3 m, design pixels; the lower part is below the picture."""
COUNTER_Y = 630
"""Top of the counter between camera and room, design pixels."""

_SHARP = 2
"""Drawn this much larger, then shrunk."""


@dataclass(frozen=True, slots=True)
class StageSet:
    """The layers, uint8, BGR, scaled.

    Attributes:
        wall: The room with an empty doorway, (height, width, 3).
        corridor: What is behind the doorway, of the doorway's size.
        leaf: The door leaf seen from the front, (h, w, 3), wider views make it smaller.
        counter: The foreground from `counter_top` to the bottom edge, multiplied by its alpha.
        counter_rest: 255 minus that alpha, three channels.
        counter_top: First row of the foreground, pixels.
        opening: Left, top, right, bottom of the doorway, pixels.
    """

    wall: ImageArray
    corridor: ImageArray
    leaf: ImageArray
    counter: ImageArray
    counter_rest: ImageArray
    counter_top: int
    opening: tuple[int, int, int, int]


def build(scale: float, door_colour: Colour, seed: int) -> StageSet:
    """Draw the set for a frame `scale` times the design size."""
    rng = np.random.default_rng([seed, 1])
    wall = _shrink(_draw_wall(rng), scale)
    left, top, right, bottom = (round(edge * scale) for edge in OPENING)
    size = (right - left, min(bottom, wall.shape[0]) - top)
    corridor = cv2.resize(_draw_corridor(rng), size, interpolation=cv2.INTER_AREA)
    leaf_size = (size[0], max(size[1], round(LEAF_HEIGHT * scale)))
    leaf = cv2.resize(_draw_leaf(rng, door_colour), leaf_size, interpolation=cv2.INTER_AREA)
    counter, alpha = _draw_counter()
    first = 520
    cover = _shrink(alpha[first * _SHARP :], scale)
    colour = _shrink(counter[first * _SHARP :], scale)
    top_row = wall.shape[0] - cover.shape[0]
    alpha3 = cv2.cvtColor(cover, cv2.COLOR_GRAY2BGR)
    return StageSet(
        wall=wall,
        corridor=_u8(corridor),
        leaf=_u8(leaf),
        counter=_u8(cv2.multiply(colour, alpha3, scale=1 / 255)),
        counter_rest=_u8(255 - alpha3),
        counter_top=top_row,
        opening=(left, top, left + size[0], top + size[1]),
    )


def _draw_wall(rng: np.random.Generator) -> ImageArray:
    """The room's front wall with frame, print, clock, switch and coat."""
    high, wide = DESIGN_HEIGHT, DESIGN_WIDTH
    across = np.linspace(-1, 1, wide * _SHARP, dtype=np.float32)[None, :]
    down = np.linspace(0, 1, high * _SHARP, dtype=np.float32)[:, None]
    light = 1.02 - 0.10 * across**2 - 0.12 * down
    picture = np.asarray((196, 208, 212), np.float32) * light[..., None]
    picture += rng.normal(0, 1.0, picture.shape[:2]).astype(np.float32)[..., None]
    wall = np.clip(picture, 0, 255).astype(np.uint8)
    left, top, right, _ = OPENING
    _box(wall, (left - 34, top - 22, right + 34, high), (112, 122, 126))
    _box(wall, (left - 34, top - 22, left - 28, high), (136, 146, 150))
    _box(wall, (right + 28, top - 22, right + 34, high), (84, 92, 96))
    _box(wall, (left - 8, top - 8, right + 8, high), (70, 78, 82))
    # A framed print to the left.
    _box(wall, (96, 118, 330, 424), (60, 66, 70), shadow=True)
    _box(wall, (106, 128, 320, 414), (232, 236, 236))
    _box(wall, (130, 152, 296, 390), (186, 170, 142))
    for points, colour in (
        ([(130, 390), (130, 300), (190, 226), (238, 288), (296, 250), (296, 390)], (128, 112, 84)),
        ([(130, 390), (130, 340), (206, 290), (296, 348), (296, 390)], (96, 84, 58)),
    ):
        cv2.fillPoly(wall, [np.asarray(points, np.int32) * _SHARP], colour, cv2.LINE_AA)
    _disc(wall, (252, 196), 17, (128, 190, 232))
    # A clock to the right.
    _disc(wall, (1010, 150), 62, (74, 78, 80))
    _disc(wall, (1010, 150), 55, (236, 238, 238))
    for hour in range(12):
        angle = np.radians(hour * 30)
        outer = (1010 + 49 * np.sin(angle), 150 - 49 * np.cos(angle))
        inner = (1010 + 42 * np.sin(angle), 150 - 42 * np.cos(angle))
        _line(wall, inner, outer, (60, 60, 60), 2)
    _line(wall, (1010, 150), (994, 126), (40, 40, 40), 4)
    _line(wall, (1010, 150), (1034, 118), (40, 40, 40), 3)
    # Switch, coat hooks, a coat.
    _box(wall, (884, 402, 912, 446), (238, 240, 240), shadow=True)
    _box(wall, (890, 412, 906, 436), (222, 224, 224))
    _box(wall, (976, 296, 1196, 312), (96, 118, 140), shadow=True)
    for x in (1006, 1066, 1126, 1176):
        _line(wall, (x, 312), (x, 330), (70, 74, 76), 5)
    coat = [(1050, 328), (1082, 328), (1106, 372), (1116, 560), (1112, 640), (1020, 640), (1022, 372)]
    cv2.fillPoly(wall, [np.asarray(coat, np.int32) * _SHARP], (74, 66, 56), cv2.LINE_AA)
    _line(wall, (1066, 344), (1068, 636), (56, 50, 42), 3)
    return _u8(wall)


def _draw_corridor(rng: np.random.Generator) -> ImageArray:
    """Behind the doorway: a wall in half light, a lamp, and a notice board with papers.

    The papers matter: seen from the flood fill's seed point, an open door must not look like
    one even surface.
    """
    left, top, right, bottom = OPENING
    wide, high = right - left, bottom - top
    picture = np.zeros((high * _SHARP, wide * _SHARP, 3), np.uint8)
    down = np.linspace(1.0, 0.62, picture.shape[0], dtype=np.float32)[:, None, None]
    picture[:] = np.clip(np.asarray((126, 138, 142), np.float32) * down, 0, 255).astype(np.uint8)
    _box(picture, (0, 0, wide, 12), (208, 218, 220))
    _box(picture, (0, 12, wide, 18), (72, 80, 84))
    _box(picture, (18, 36, 352, 186), (52, 76, 98))
    _box(picture, (26, 44, 344, 178), (92, 128, 156))
    papers = (
        (40, 56),
        (104, 52),
        (168, 58),
        (228, 50),
        (290, 56),
        (48, 118),
        (112, 122),
        (166, 118),
        (236, 124),
    )
    for x, y in papers:
        tint = rng.integers(-30, 12, 3)
        shade = tuple(int(v) for v in np.clip(np.asarray((216, 224, 226)) + tint, 0, 255))
        _box(picture, (x, y, x + 44, y + 50), (shade[0], shade[1], shade[2]))
        for row in range(5):
            length = int(rng.integers(20, 36))
            _box(picture, (x + 5, y + 9 + row * 8, x + 5 + length, y + 11 + row * 8), (104, 104, 104))
        _disc(picture, (x + 22, y + 3), 3, (52, 52, 190))
    _box(picture, (0, 400, wide, 408), (84, 92, 96))
    across = np.ones(picture.shape[1], np.float32)
    across[: picture.shape[1] // 2] = np.linspace(0.55, 1.0, picture.shape[1] // 2)
    return _u8(np.clip(picture * across[None, :, None], 0, 255).astype(np.uint8))


def _draw_leaf(rng: np.random.Generator, colour: Colour) -> ImageArray:
    """The door from the front: plain above, two sunk panels and a handle below."""
    wide, high = OPENING[2] - OPENING[0], LEAF_HEIGHT
    rough = rng.normal(0, 1, (high * _SHARP // 16, wide * _SHARP)).astype(np.float32)
    grain = cv2.resize(cv2.GaussianBlur(rough, (0, 0), 1.2), (wide * _SHARP, high * _SHARP))
    base = np.asarray(colour, np.float32) + 1.6 * np.asarray(grain, np.float32)[..., None]
    picture = np.clip(base, 0, 255).astype(np.uint8)
    darker = tuple(int(v * 0.78) for v in colour)
    lighter = tuple(min(255, int(v * 1.12 + 6)) for v in colour)
    for y0, y1 in ((250, 480), (590, 900)):
        edges = ((60, y0, wide - 60, y0 + 4), (60, y0, 64, y1))
        for edge in edges:
            _box(picture, edge, (darker[0], darker[1], darker[2]))
        for edge in ((60, y1 - 4, wide - 60, y1), (wide - 64, y0, wide - 60, y1)):
            _box(picture, edge, (lighter[0], lighter[1], lighter[2]))
    _box(picture, (wide - 52, 500, wide - 30, 580), (176, 180, 182), shadow=True)
    _line(picture, (wide - 41, 528), (wide - 104, 530), (204, 208, 210), 11)
    _line(picture, (wide - 41, 526), (wide - 104, 527), (236, 238, 238), 3)
    _disc(picture, (wide - 41, 562), 6, (80, 82, 84))
    return _u8(picture)


def _draw_counter() -> tuple[ImageArray, ImageArray]:
    """The foreground: a counter with a screen seen from behind and a plant; and its alpha."""
    size = (DESIGN_HEIGHT * _SHARP, DESIGN_WIDTH * _SHARP)
    picture = np.zeros((*size, 3), np.uint8)
    alpha = np.zeros(size, np.uint8)
    _box(picture, (0, COUNTER_Y, DESIGN_WIDTH, COUNTER_Y + 30), (116, 146, 172))
    _box(picture, (0, COUNTER_Y, DESIGN_WIDTH, COUNTER_Y + 3), (146, 176, 200))
    _box(picture, (0, COUNTER_Y + 30, DESIGN_WIDTH, DESIGN_HEIGHT), (84, 92, 98))
    for x in range(0, DESIGN_WIDTH, 160):
        _box(picture, (x, COUNTER_Y + 30, x + 3, DESIGN_HEIGHT), (70, 78, 84))
    _box(picture, (0, COUNTER_Y + 30, DESIGN_WIDTH, COUNTER_Y + 36), (60, 66, 70))
    _box(alpha, (0, COUNTER_Y, DESIGN_WIDTH, DESIGN_HEIGHT), (255, 255, 255))
    _box(picture, (1020, 540, 1216, 628), (54, 52, 50))
    _box(picture, (1028, 546, 1208, 620), (66, 64, 62))
    _box(picture, (1096, 620, 1140, 638), (48, 46, 44))
    _box(alpha, (1020, 540, 1216, 628), (255, 255, 255))
    _box(alpha, (1096, 620, 1140, 638), (255, 255, 255))
    leaves = np.random.default_rng(7)
    for _ in range(46):
        angle = float(leaves.uniform(-1.35, 1.35))
        length = float(leaves.uniform(28, 66))
        tip = (120 + length * np.sin(angle) * 1.1, 609 - length * np.cos(angle) * 0.9)
        green = (int(leaves.integers(48, 84)), int(leaves.integers(104, 150)), int(leaves.integers(62, 100)))
        _line(picture, (120, 613), tip, green, 7)
        _line(alpha, (120, 613), tip, (255, 255, 255), 7)
    pot = np.asarray([(92, 605), (148, 605), (140, 641), (100, 641)], np.int32) * _SHARP
    cv2.fillPoly(picture, [pot], (196, 204, 208), cv2.LINE_AA)
    cv2.fillPoly(alpha, [pot], (255, 255, 255), cv2.LINE_AA)
    return _u8(picture), _u8(alpha)


def _shrink(picture: ImageArray, scale: float) -> ImageArray:
    """From drawing size to `scale` times the design size."""
    wide = max(1, round(picture.shape[1] * scale / _SHARP))
    high = max(1, round(picture.shape[0] * scale / _SHARP))
    return _u8(cv2.resize(picture, (wide, high), interpolation=cv2.INTER_AREA))


def _box(
    picture: ImageArray, edges: tuple[int, int, int, int], colour: Colour, *, shadow: bool = False
) -> None:
    """A filled rectangle in design pixels, with a soft shadow below it if asked."""
    left, top, right, bottom = (edge * _SHARP for edge in edges)
    if shadow:
        part = picture[top : bottom + 24, left - 8 : right + 16]
        hard = np.ones(part.shape[:2], np.float32)
        hard[16:-8, 10:-8] = 0.72
        soft = np.asarray(cv2.GaussianBlur(hard, (0, 0), 6), np.float32)
        part[:] = (part * soft[..., None]).astype(np.uint8)
    cv2.rectangle(picture, (left, top), (right - 1, bottom - 1), colour, cv2.FILLED)


def _disc(picture: ImageArray, centre: tuple[int, int], radius: int, colour: Colour) -> None:
    middle = (centre[0] * _SHARP, centre[1] * _SHARP)
    cv2.circle(picture, middle, radius * _SHARP, colour, cv2.FILLED, cv2.LINE_AA)


def _line(
    picture: ImageArray, start: tuple[float, float], end: tuple[float, float], colour: Colour, width: int
) -> None:
    first = (round(start[0] * _SHARP), round(start[1] * _SHARP))
    last = (round(end[0] * _SHARP), round(end[1] * _SHARP))
    cv2.line(picture, first, last, colour, width * _SHARP, cv2.LINE_AA)


def _u8(picture: object) -> ImageArray:
    """The same as a contiguous uint8 array, for OpenCV's loosely typed results."""
    return np.ascontiguousarray(picture, dtype=np.uint8)
