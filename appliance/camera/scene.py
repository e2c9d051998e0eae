"""A rendered office door: the same picture every time for the same time, with the truth beside it.

For the first try-out, for tests and for demonstrations: people in the public domain walk
in through a door that nobody had to film. It is a picture generator only; `sources` makes
a camera of it.
"""

import math
from functools import lru_cache

import cv2
import numpy as np

from appliance.camera import scene_set
from appliance.camera.scene_light import Exposure
from appliance.camera.scene_people import cutouts, draw_person
from appliance.camera.scene_script import (
    DESIGN_HEIGHT,
    DESIGN_WIDTH,
    HORIZON_Y,
    OPEN_ANGLE,
    OPENING,
    PIXELS_PER_METRE,
    Pose,
    Script,
    Truth,
    VisiblePerson,
    door_angle,
    poses,
    visits,
)
from appliance.values import Box, ImageArray

DEFAULT_SCRIPT = visits("obama", "astronaut", "biden")
"""Shut for 2 s, then three people 10.5 s apart, each let in and the door shut behind them; 33 s."""

_CAMERA_DISTANCE = 3.2
"""Metres from the camera to the plane of the door."""
_DOOR_WIDTH = (OPENING[2] - OPENING[0]) / PIXELS_PER_METRE
_CRACK = 5.0
"""Degrees up to which a door counts as shut."""
_SHUT = 0.05
"""Degrees below which the leaf need not be turned."""
_LEAST_SIZE = 16
_MOST_DRIFT = 0.5
_FLOOR_Y = scene_set.COUNTER_Y + 8
"""People end behind the counter."""


class Scene:
    """The door scene at one size and frame rate. Rendering starts with the first `render`."""

    def __init__(
        self,
        script: Script = DEFAULT_SCRIPT,
        *,
        width: int = DESIGN_WIDTH,
        height: int = DESIGN_HEIGHT,
        fps: float = 10.0,
        door_colour: str = "blue",
        light_drift: float = 0.05,
        noise: float = 2.2,
        seed: int = 0,
    ) -> None:
        """Note what to render.

        Args:
            script: What happens.
            width: Of the frame, pixels; a frame that is not 16:9 shows the middle of the picture.
            height: Of the frame, pixels.
            fps: Frames a second, > 0.
            door_colour: Key of `scene_set.DOOR_COLOURS`.
            light_drift: Share by which the light slowly rises and falls, 0 to 0.5.
            noise: Standard deviation of the sensor's noise, gray levels, 0 for none.
            seed: Another seed, other noise and other phases of the light.

        Raises:
            ValueError: A size, rate or colour that cannot be rendered.
        """
        if (
            min(width, height) < _LEAST_SIZE
            or not fps > 0
            or not 0 <= light_drift <= _MOST_DRIFT
            or not noise >= 0
        ):
            raise ValueError(
                "a scene needs at least 16 x 16 pixels, fps > 0, light_drift 0 to 0.5, noise >= 0"
            )
        if door_colour not in scene_set.DOOR_COLOURS:
            raise ValueError(f"no door colour {door_colour!r}; there are {', '.join(scene_set.DOOR_COLOURS)}")
        self.script = script
        self.width = width
        self.height = height
        self.fps = fps
        self._colour = scene_set.DOOR_COLOURS[door_colour]
        self._light_drift = light_drift
        self._noise = noise
        self._seed = seed
        self._scale = max(width / DESIGN_WIDTH, height / DESIGN_HEIGHT)
        full_width = max(width, round(DESIGN_WIDTH * self._scale))
        full_height = max(height, round(DESIGN_HEIGHT * self._scale))
        self._crop = ((full_width - width) // 2, (full_height - height) // 2)
        self._full = (full_width, full_height)
        self._stage: _Stage | None = None

    @property
    def frame_count(self) -> int:
        """Frames of the whole scene."""
        return max(1, round(self.script.duration_s * self.fps))

    def truth(self, t: float) -> Truth:
        """What is going on at `t` seconds, with faces in pixels of the rendered frame."""
        angle = door_angle(self.script, t)
        frame = Box(0, 0, self.width, self.height)
        people = []
        for pose in poses(self.script, t):
            face = pose.face()
            if not pose.inside and not OPENING[0] <= pose.centre_x <= OPENING[2]:
                continue
            box = Box(
                face.x * self._scale - self._crop[0],
                face.y * self._scale - self._crop[1],
                face.width * self._scale,
                face.height * self._scale,
            )
            if box.overlap(frame) > 0:
                people.append(VisiblePerson(pose.person, box, pose.inside))
        return Truth(angle, angle > _CRACK, tuple(people))

    def render(self, index: int) -> ImageArray:
        """Frame number `index`, from 0; a new array, uint8, (height, width, 3), blue first.

        Raises:
            CameraRefusedError: The portraits that come with the appliance are not there.
        """
        if self._stage is None:
            self._stage = _stage(self._full, self._scale, self._colour, self._noise, self._seed)
        t = index / self.fps
        picture = self._stage.compose(door_angle(self.script, t), poses(self.script, t))
        picture = self._stage.exposure.expose(picture, self._light(t), index)
        x, y = self._crop
        return picture[y : y + self.height, x : x + self.width].copy() if (x or y) else picture

    def _light(self, t: float) -> float:
        """Brightness at `t` seconds, about 1."""
        phase = (self._seed % 97) / 97 * 2 * math.pi
        slow = math.sin(2 * math.pi * t / 23 + phase)
        return 1.0 + self._light_drift * (0.75 * slow + 0.25 * math.sin(2 * math.pi * t / 6.1 + 2 * phase))


@lru_cache(maxsize=2)
def _stage(
    size: tuple[int, int], scale: float, colour: scene_set.Colour, noise: float, seed: int
) -> "_Stage":
    """Half a second's work, kept for a scene that is played again."""
    return _Stage(size, scale, colour, noise, seed)


class _Stage:
    """Everything that is computed once: set, portraits, vignette and noise. Rendering changes none of it."""

    def __init__(
        self, size: tuple[int, int], scale: float, colour: scene_set.Colour, noise: float, seed: int
    ) -> None:
        self._scale = scale
        self._set = scene_set.build(scale, colour, seed)
        width, height = size
        wall = self._set.wall
        if wall.shape[:2] != (height, width):
            raise AssertionError(f"the set has {wall.shape[1]}x{wall.shape[0]}, not {width}x{height}")
        cutouts()  # what is missing is said before the first frame
        self.exposure = Exposure(size, noise, seed)

    def compose(self, angle: float, people: list[Pose]) -> ImageArray:
        """The picture without light and noise."""
        stage = self._set
        picture = stage.wall.copy()
        left, top, right, bottom = stage.opening
        doorway = picture[top:bottom, left:right]
        doorway[:] = stage.corridor
        for pose in people:
            if not pose.inside:
                draw_person(doorway, pose, origin=(left, top), size=self._scale, floor_y=_FLOOR_Y)
        self._draw_leaf(doorway, angle)
        for pose in people:
            if pose.inside:
                draw_person(picture, pose, origin=(0, 0), size=self._scale, floor_y=_FLOOR_Y)
        front = picture[stage.counter_top :]
        cv2.multiply(front, stage.counter_rest, dst=front, scale=1 / 255)
        cv2.add(front, stage.counter, dst=front)
        return picture

    def _draw_leaf(self, doorway: ImageArray, angle: float) -> None:
        """The leaf, hinged on the left, swung into the corridor by `angle` degrees."""
        high, wide = doorway.shape[:2]
        leaf = self._set.leaf
        if angle < _SHUT:
            doorway[:] = leaf[:high, :wide]
            return
        turn = math.radians(min(angle, OPEN_ANGLE))
        far = _CAMERA_DISTANCE / (_CAMERA_DISTANCE + _DOOR_WIDTH * math.sin(turn))
        free_x = (_DOOR_WIDTH * math.cos(turn) - _DOOR_WIDTH / 2) * PIXELS_PER_METRE * far
        x = (free_x + (OPENING[2] - OPENING[0]) / 2) * self._scale
        horizon = (HORIZON_Y - OPENING[1]) * self._scale
        bottom = leaf.shape[0]
        corners = np.asarray(
            [(0, 0), (x, horizon * (1 - far)), (x, horizon + (bottom - horizon) * far), (0, bottom)],
            np.float32,
        )
        flat = np.asarray([(0, 0), (leaf.shape[1], 0), (leaf.shape[1], bottom), (0, bottom)], np.float32)
        warp = cv2.getPerspectiveTransform(flat, corners)
        columns = min(wide, max(1, math.ceil(x)))
        shaded = cv2.convertScaleAbs(leaf, alpha=0.62 + 0.38 * math.cos(turn))
        cv2.warpPerspective(
            shaded,
            warp,
            (columns, high),
            dst=(part := doorway[:, :columns].copy()),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
        doorway[:, :columns] = part
        # The edge of the leaf, 4 cm thick, seen when it stands open.
        edge = max(1, round(0.04 * PIXELS_PER_METRE * far * math.sin(turn) * self._scale))
        first = min(wide - 1, round(x))
        dark = tuple(int(v * 0.5) for v in shaded[bottom // 8, leaf.shape[1] // 2])
        cv2.rectangle(
            doorway, (first, round(float(corners[1][1]))), (min(wide, first + edge) - 1, high), dark, -1
        )
