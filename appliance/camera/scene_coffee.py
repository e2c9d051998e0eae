"""A rendered coffee corner: people with mugs and without, and mugs that nobody has; with the truth beside it.

The same picture every time for the same time. Nothing in it was filmed: the people are the portraits of the
door's scene, and the mugs are drawn; the networks take them for cups.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from appliance.camera.scene_coffee_script import (
    COUNTER_Y,
    DEFAULT_COFFEE,
    CoffeeScript,
    Mug,
    mugs,
    people,
)
from appliance.camera.scene_light import Exposure
from appliance.camera.scene_mug import draw_mug
from appliance.camera.scene_people import cutouts, draw_person
from appliance.camera.scene_script import DESIGN_HEIGHT, DESIGN_WIDTH
from appliance.values import Box, ImageArray

_LEAST_SIZE = 16
_SHARP = 2
_NOISE = 2.2
_Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class CoffeeTruth:
    """What is in the picture at one moment.

    Attributes:
        faces: Person → where their face is, pixels of the rendered frame.
        mugs: Where each mug is, and who holds it, a person; None: nobody.
    """

    faces: tuple[tuple[str, Box], ...]
    mugs: tuple[tuple[Box, str | None], ...]


class CoffeeScene:
    """The coffee corner at one size and frame rate. Rendering starts with the first `render`."""

    def __init__(
        self,
        script: CoffeeScript = DEFAULT_COFFEE,
        *,
        width: int = DESIGN_WIDTH,
        height: int = DESIGN_HEIGHT,
        fps: float = 10.0,
        seed: int = 0,
    ) -> None:
        """Note what to render.

        Args:
            script: What happens.
            width: Of the frame, pixels; a frame that is not 16:9 shows the middle of the picture.
            height: Of the frame, pixels.
            fps: Frames a second, > 0.
            seed: Another seed, other noise and other light.

        Raises:
            ValueError: A size or rate that cannot be rendered.
        """
        if min(width, height) < _LEAST_SIZE or not fps > 0:
            raise ValueError("a scene needs at least 16 x 16 pixels and fps > 0")
        self.script = script
        self.width = width
        self.height = height
        self.fps = fps
        self._seed = seed
        self._scale = max(width / DESIGN_WIDTH, height / DESIGN_HEIGHT)
        full = max(width, round(DESIGN_WIDTH * self._scale)), max(height, round(DESIGN_HEIGHT * self._scale))
        self._crop = ((full[0] - width) // 2, (full[1] - height) // 2)
        self._full = full

    @property
    def frame_count(self) -> int:
        """Frames of the whole scene."""
        return max(1, round(self.script.duration_s * self.fps))

    def truth(self, t: float) -> CoffeeTruth:
        """What is in the picture at `t` seconds."""
        frame = Box(0, 0, self.width, self.height)
        faces = ((stop.person, self._in_frame(pose.face())) for stop, pose in people(self.script, t))
        held = ((self._in_frame(mug.box), mug.holder) for mug in mugs(self.script, t))
        return CoffeeTruth(
            tuple(each for each in faces if each[1].overlap(frame) > 0),
            tuple(each for each in held if each[0].overlap(frame) > 0),
        )

    def render(self, index: int) -> ImageArray:
        """Frame number `index`, from 0; a new array, uint8, (height, width, 3), blue first.

        Raises:
            CameraRefusedError: The portraits that come with the appliance are not there.
        """
        room, exposure = _stage(self._full, self._scale, self._seed)
        t = index / self.fps
        picture = room.copy()
        for _, pose in people(self.script, t):
            draw_person(picture, pose, origin=(0, 0), size=self._scale, floor_y=COUNTER_Y + 2)
        counter = round(COUNTER_Y * self._scale)
        picture[counter:] = room[counter:]
        for mug in mugs(self.script, t):
            _draw_mug(picture, mug, self._scale)
        light = 1.0 + 0.04 * math.sin(2 * math.pi * t / 23 + self._seed % 97)
        picture = exposure.expose(picture, light, index)
        x, y = self._crop
        return picture[y : y + self.height, x : x + self.width].copy() if (x or y) else picture

    def _in_frame(self, box: Box) -> Box:
        return Box(
            box.x * self._scale - self._crop[0],
            box.y * self._scale - self._crop[1],
            box.width * self._scale,
            box.height * self._scale,
        )


@lru_cache(maxsize=2)
def _stage(size: tuple[int, int], scale: float, seed: int) -> tuple[ImageArray, Exposure]:
    """The empty room and the camera, kept for a scene that is played again."""
    cutouts()  # what is missing is said before the first frame
    width, height = size
    room = cv2.resize(_draw_room(), (round(DESIGN_WIDTH * scale), round(DESIGN_HEIGHT * scale)))
    fitted = np.ascontiguousarray(room[:height, :width], dtype=np.uint8)
    return fitted, Exposure(size, _NOISE, seed)


def _draw_mug(picture: ImageArray, mug: Mug, scale: float) -> None:
    """Lay a mug over a picture, cut at its edges."""
    colour, alpha = draw_mug(mug.colour, handle_right=mug.handle_right, held=mug.holder is not None)
    wide, high = max(1, round(mug.box.width * scale)), max(1, round(mug.box.height * scale))
    left, top = round(mug.box.x * scale), round(mug.box.y * scale)
    small = cv2.resize(colour, (wide, high), interpolation=cv2.INTER_AREA)
    cover = cv2.resize(alpha, (wide, high), interpolation=cv2.INTER_AREA)
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(picture.shape[1], left + wide), min(picture.shape[0], top + high)
    if x0 >= x1 or y0 >= y1:
        return
    part = picture[y0:y1, x0:x1]
    shown = np.ascontiguousarray(small[y0 - top : y1 - top, x0 - left : x1 - left])
    rest = cv2.cvtColor(
        cv2.bitwise_not(cover[y0 - top : y1 - top, x0 - left : x1 - left]), cv2.COLOR_GRAY2BGR
    )
    cv2.multiply(part, rest, dst=part, scale=1 / 255)
    cv2.add(part, shown, dst=part)


def _draw_room() -> ImageArray:
    """Tiles, a shelf with tins, a window with blinds, the coffee machine, and the counter in front."""
    wide, high = DESIGN_WIDTH * _SHARP, DESIGN_HEIGHT * _SHARP
    room = np.zeros((high, wide, 3), np.uint8)
    down = np.linspace(1.04, 0.9, high, dtype=np.float32)[:, None, None]
    room[:] = np.clip(np.asarray((188, 204, 206), np.float32) * down, 0, 255).astype(np.uint8)
    for y in range(300, DESIGN_HEIGHT, 56):
        _box(room, (0, y, DESIGN_WIDTH, y + 2), (168, 184, 188))
    for row, y in enumerate(range(300, DESIGN_HEIGHT, 56)):
        for x in range(-28 * (row % 2), DESIGN_WIDTH, 112):
            _box(room, (x, y, x + 2, y + 56), (168, 184, 188))
    _box(room, (0, 292, DESIGN_WIDTH, 302), (150, 164, 168))
    # A window to the left, with blinds.
    _box(room, (70, 40, 350, 264), (92, 100, 104))
    _box(room, (82, 52, 338, 252), (232, 224, 206))
    for y in range(52, 252, 14):
        _box(room, (82, y, 338, y + 3), (204, 198, 186))
    # A shelf with tins to the right.
    _box(room, (900, 196, 1240, 210), (78, 102, 128))
    for x, width, tall, colour in (
        (922, 66, 96, (86, 66, 52)),
        (1000, 54, 72, (70, 116, 96)),
        (1068, 62, 88, (52, 62, 128)),
        (1146, 72, 60, (150, 170, 182)),
    ):
        _box(room, (x, 196 - tall, x + width, 196), colour)
        _box(room, (x + 6, 196 - tall // 2 - 8, x + width - 6, 196 - tall // 2 + 8), (214, 222, 224))
    # The machine.
    _box(room, (1040, 372, 1230, 640), (64, 62, 60))
    _box(room, (1052, 386, 1218, 448), (92, 90, 88))
    _box(room, (1062, 396, 1130, 438), (150, 128, 60))
    for x in (1152, 1178, 1204):
        cv2.circle(room, (x * _SHARP, 416 * _SHARP), 9 * _SHARP, (180, 186, 190), cv2.FILLED, cv2.LINE_AA)
    _box(room, (1092, 448, 1176, 486), (40, 40, 40))
    _box(room, (1052, 600, 1218, 624), (110, 112, 114))
    # The counter.
    _box(room, (0, COUNTER_Y, DESIGN_WIDTH, DESIGN_HEIGHT), (112, 140, 164))
    _box(room, (0, COUNTER_Y, DESIGN_WIDTH, COUNTER_Y + 4), (150, 178, 200))
    return np.ascontiguousarray(
        cv2.resize(room, (DESIGN_WIDTH, DESIGN_HEIGHT), interpolation=cv2.INTER_AREA), dtype=np.uint8
    )


def _box(picture: ImageArray, edges: tuple[int, int, int, int], colour: _Colour) -> None:
    """A filled rectangle in design pixels."""
    left, top, right, bottom = (edge * _SHARP for edge in edges)
    cv2.rectangle(picture, (left, top), (right - 1, bottom - 1), colour, cv2.FILLED)
