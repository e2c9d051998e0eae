"""A rendered table at which things are shown one after another: the pictures of `data/things`.

Each is slid before the camera, lies still for a while and makes room for the next: turned, nearer or farther,
darker, and on a ground of its own. The same picture every time for the same time. What they are called, and
which of them are in a catalogue, is not its business.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from appliance.camera.scene_light import Exposure
from appliance.errors import CameraRefusedError
from appliance.values import ImageArray

_FOLDER: Final = Path(__file__).parents[2] / "data" / "things"
_NOISE: Final = 2.0
_LEAST_SIZE: Final = 16
_FILLED: Final = 0.62
"""Of the picture's height, by a thing that is neither near nor far."""
_WHITE: Final = 12
"""A drawn thing's paper differs by less than this from its corner."""


@dataclass(frozen=True, slots=True)
class Showing:
    """One thing that is shown.

    Attributes:
        file: Of `data/things`.
        degrees: By which it is turned, against the clock.
        near: How large it is, 1: it fills a good half of the picture's height.
        light: Brightness of the scene, 1: as the picture is.
        ground: Colour of what it lies on, blue first.
    """

    file: str
    degrees: float = 0.0
    near: float = 1.0
    light: float = 1.0
    ground: tuple[int, int, int] = (112, 140, 164)


@dataclass(frozen=True, slots=True)
class ThingsScript:
    """What is shown, and for how long.

    Attributes:
        shown: In turn.
        still_s: Seconds for which each lies still.
        moving_s: Seconds in which it makes room for the next.
    """

    shown: tuple[Showing, ...]
    still_s: float = 3.6
    moving_s: float = 0.8

    @property
    def duration_s(self) -> float:
        """Of the whole, seconds."""
        return len(self.shown) * (self.still_s + self.moving_s)


DEFAULT_THINGS: Final = ThingsScript(
    (
        Showing("key.png", -14, 1.25, 0.95, (70, 95, 130)),
        Showing("lamp.png", 8, 1.2, 0.85, (150, 140, 120)),
        Showing("coffee.png", 9, 1.1, 0.9),
        Showing("chelsea.png", -8, 1.15, 0.75, (96, 120, 84)),
        Showing("clock_motion.png", 5, 1.15, 0.95, (120, 120, 128)),
        Showing("rocket.jpg", 12, 1.2, 1.0, (84, 92, 140)),
        Showing("mug.png", -11, 1.3, 0.8, (120, 150, 150)),
        Showing("coffee.png", -15, 0.95, 0.7, (96, 120, 84)),
        Showing("chelsea.png", 14, 1.3, 0.95, (150, 140, 120)),
    )
)
"""Six things of `data/things/items.csv`, cup and cat twice, and a clock that is not in it; 40 s."""


class ThingsScene:
    """The table at one size and frame rate. Rendering starts with the first `render`."""

    def __init__(
        self,
        script: ThingsScript = DEFAULT_THINGS,
        *,
        width: int = 640,
        height: int = 360,
        fps: float = 5.0,
        seed: int = 0,
    ) -> None:
        """Note what to render.

        Args:
            script: What happens; at least one thing.
            width: Of the frame, pixels.
            height: Of the frame, pixels.
            fps: Frames a second, > 0.
            seed: Another seed, other noise.

        Raises:
            ValueError: A size, a rate or a script that cannot be rendered.
        """
        if min(width, height) < _LEAST_SIZE or not fps > 0 or not script.shown:
            raise ValueError("a scene needs at least 16 x 16 pixels, fps > 0, and something to show")
        self.script = script
        self.width = width
        self.height = height
        self.fps = fps
        self._seed = seed

    @property
    def frame_count(self) -> int:
        """Frames of the whole scene."""
        return max(1, round(self.script.duration_s * self.fps))

    def truth(self, t: float) -> Showing | None:
        """What lies still at `t` seconds; None while things move."""
        number, since_s = self._turn(t)
        return self.script.shown[number] if since_s >= self.script.moving_s else None

    def render(self, index: int) -> ImageArray:
        """Frame number `index`, from 0; a new array, uint8, (height, width, 3), blue first.

        Raises:
            CameraRefusedError: The pictures that come with the appliance are not there.
        """
        number, since_s = self._turn(index / self.fps)
        size = (self.width, self.height)
        here = _laid(self.script.shown[number], size)
        picture = here
        if since_s < self.script.moving_s:
            before = _laid(self.script.shown[number - 1], size)
            moved = min(self.width, round(self.width * since_s / self.script.moving_s))
            picture = np.hstack([before[:, moved:], here[:, :moved]])
        return _camera(size, self._seed).expose(picture.copy(), 1.0, index)

    def _turn(self, t: float) -> tuple[int, float]:
        """Which thing it is the turn of, and for how long it has been, with its coming."""
        each = self.script.moving_s + self.script.still_s
        number = int(t / each + 1e-9)
        return number % len(self.script.shown), max(0.0, t - number * each)


@lru_cache(maxsize=2)
def _camera(size: tuple[int, int], seed: int) -> Exposure:
    return Exposure(size, _NOISE, seed)


@lru_cache(maxsize=16)
def _laid(showing: Showing, size: tuple[int, int]) -> ImageArray:
    """A thing on its ground, without noise."""
    width, height = size
    thing, mask = _thing(showing.file)
    high, wide = mask.shape
    scale = _FILLED * showing.near * height / high
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), showing.degrees, scale)
    turn[:, 2] = turn[:, 2] + ((width - wide) / 2, (height - high) / 2)
    drawn = cv2.warpAffine(thing, turn, size, flags=cv2.INTER_AREA).astype(np.float32)
    cover = cv2.warpAffine(mask, turn, size, flags=cv2.INTER_LINEAR).astype(np.float32)[..., None] / 255
    grain = np.random.default_rng(7).standard_normal((max(1, height // 3), max(1, width // 24)), np.float32)
    fibre = cv2.resize(grain, size, interpolation=cv2.INTER_LINEAR)[..., None] * 7
    ground = np.asarray(showing.ground, np.float32) + fibre
    lit = (ground * (1 - cover) + drawn * cover) * np.float32(showing.light)
    return np.clip(lit, 0, 255).astype(np.uint8)


@cache
def _thing(file: str) -> tuple[ImageArray, ImageArray]:
    """A picture, BGR, and where the thing is in it, 0 or 255: a photograph is all of it, paper is none.

    Raises:
        CameraRefusedError: It is not there.
    """
    path = _FOLDER / file
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
    if bgr is None:
        raise CameraRefusedError(
            f"the scene's picture {file} is not there", hint="the folder data/things is part of the appliance"
        )
    height, width = bgr.shape[:2]
    corners = bgr[[0, 0, -1, -1], [0, -1, 0, -1]].astype(int)
    if corners.min() < 255 - 2 * _WHITE or np.ptp(corners, axis=0).max() > _WHITE:
        return np.asarray(bgr, np.uint8), np.full((height, width), 255, np.uint8)
    # What is seen through a handle is paper, too.
    paper = np.abs(bgr.astype(int) - bgr[0, 0]).max(axis=2) <= _WHITE
    return np.asarray(bgr, np.uint8), np.where(paper, 0, 255).astype(np.uint8)
