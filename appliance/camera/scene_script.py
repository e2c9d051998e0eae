"""What happens in the rendered scene and when: the door's swings, the people's walks, the truth.

Plain arithmetic on time; it draws nothing and opens nothing. Coordinates are design pixels
of a 1280 x 720 frame; `scene` scales them to the frame asked for. The camera hangs 1.87 m
high, 3.2 m in front of the door, so that everybody's head stays below the upper part of
the door, which is what the flood fill watches.
"""

import math
from dataclasses import dataclass

from appliance.values import Box

DESIGN_WIDTH = 1280
DESIGN_HEIGHT = 720

HORIZON_Y = 205.0
"""Height of the camera's eye in the picture, design pixels."""
CENTRE_X = 640.0
PIXELS_PER_METRE = 422.0
"""In the plane of the door, design pixels."""
HEAD_TOP_Y = 256.0
"""Top of everybody's head when they stand in the door, design pixels."""

OPENING = (450, 24, 830, 720)
"""The doorway: left, top, right, bottom in design pixels; its foot is below the picture."""

OPEN_ANGLE = 82.0
SWING_OPEN_S = 0.7
SWING_SHUT_S = 0.9

_ENTER_S = 0.7
_APPROACH_S = 2.4
_STAND_S = 1.5
_LEAVE_S = 1.1
WALK_S = _ENTER_S + _APPROACH_S + _STAND_S + _LEAVE_S
"""Seconds from coming into view to being gone."""

_FAR = 0.97
_NEAR = 2.0
"""Scale of a person in the corridor and in front of the camera; 1 is in the doorway."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """A cut-out under `data/portraits/scene` and where its face is.

    Attributes:
        file: Name of the PNG with alpha.
        pixels_per_metre: Its scale, by the height of the head taken as 0.24 to 0.26 m.
        face: Left, top, width, height of the face in the cut-out, pixels, as YuNet finds it.
    """

    file: str
    pixels_per_metre: float
    face: tuple[float, float, float, float]


PORTRAITS = {
    "obama": Portrait("obama.png", 800.0, (199, 22, 127, 168)),
    "astronaut": Portrait("astronaut.png", 535.0, (163, 48, 89, 111)),
    "biden": Portrait("biden.png", 800.0, (173, 38, 111, 154)),
}
"""Who can walk in, by the label the truth uses."""


@dataclass(frozen=True, slots=True)
class Swing:
    """The door begins to move.

    Attributes:
        at_s: When, seconds of the scene.
        to_open: Whether it opens or shuts.
    """

    at_s: float
    to_open: bool


@dataclass(frozen=True, slots=True)
class Walk:
    """Somebody comes in, stands before the camera and leaves to one side.

    Attributes:
        at_s: When they come into view behind the door, seconds of the scene.
        person: Key of `PORTRAITS`.
        leaves_right: To which side they go.
        stand_x: Where they stand, design pixels from the centre.
    """

    at_s: float
    person: str
    leaves_right: bool = False
    stand_x: float = 0.0


@dataclass(frozen=True, slots=True)
class Script:
    """A whole scene.

    Attributes:
        duration_s: Length, seconds.
        swings: Ascending in time, opening and shutting in turn, opening first.
        walks: Ascending in time.
    """

    duration_s: float
    swings: tuple[Swing, ...] = ()
    walks: tuple[Walk, ...] = ()

    def __post_init__(self) -> None:
        """Check that it can be played.

        Raises:
            ValueError: It is empty, out of order, or names somebody without a portrait.
        """
        if not self.duration_s > 0:
            raise ValueError(f"a scene of {self.duration_s} s has no frames")
        if any(b.at_s <= a.at_s for a, b in zip(self.swings, self.swings[1:], strict=False)):
            raise ValueError("swings must ascend in time")
        if any(swing.to_open == bool(index % 2) for index, swing in enumerate(self.swings)):
            raise ValueError("swings must open and shut in turn, opening first")
        if any(b.at_s < a.at_s for a, b in zip(self.walks, self.walks[1:], strict=False)):
            raise ValueError("walks must ascend in time")
        if unknown := {walk.person for walk in self.walks} - PORTRAITS.keys():
            raise ValueError(f"no portrait of {min(unknown)!r}; there are {', '.join(sorted(PORTRAITS))}")


@dataclass(frozen=True, slots=True)
class Pose:
    """Where and how large a person is at one moment.

    Attributes:
        person: Key of `PORTRAITS`.
        scale: 1 in the doorway, larger nearer.
        centre_x: Middle of the face, design pixels.
        head_top: Top of the cut-out, design pixels.
        tilt: Lean, degrees.
    """

    person: str
    scale: float
    centre_x: float
    head_top: float
    tilt: float

    @property
    def inside(self) -> bool:
        """In the room, so in front of the door frame rather than behind it."""
        return self.scale >= 1.0

    def face(self) -> Box:
        """The face in design pixels, without the lean, which moves it by a pixel or two."""
        portrait = PORTRAITS[self.person]
        zoom = PIXELS_PER_METRE * self.scale / portrait.pixels_per_metre
        _, top, width, height = portrait.face
        return Box(self.centre_x - width * zoom / 2, self.head_top + top * zoom, width * zoom, height * zoom)


@dataclass(frozen=True, slots=True)
class VisiblePerson:
    """Somebody whose face is in the picture.

    Attributes:
        person: Label, a key of `PORTRAITS`.
        face: Where the face is, pixels of the rendered frame.
        inside: In the room already, not behind the door frame.
    """

    person: str
    face: Box
    inside: bool


@dataclass(frozen=True, slots=True)
class Truth:
    """What is really going on at one moment of a scene.

    Attributes:
        angle: How far the door is open, degrees.
        door_open: Open by more than a crack of 5 degrees.
        people: Those whose face is in the picture, the farthest first.
    """

    angle: float
    door_open: bool
    people: tuple[VisiblePerson, ...]


def door_angle(script: Script, t: float) -> float:
    """How far the door is open at `t` seconds, degrees from 0 to `OPEN_ANGLE`."""
    angle = 0.0
    for swing in script.swings:
        if swing.at_s > t:
            break
        goal = OPEN_ANGLE if swing.to_open else 0.0
        length = SWING_OPEN_S if swing.to_open else SWING_SHUT_S
        angle += (goal - angle) * _ease((t - swing.at_s) / length)
    return angle


def poses(script: Script, t: float) -> list[Pose]:
    """Everybody who is on the way at `t` seconds, the farthest first."""
    found = [_pose(walk, t - walk.at_s) for walk in script.walks if walk.at_s <= t < walk.at_s + WALK_S]
    return sorted(found, key=lambda pose: pose.scale)


def visits(*people: str, first_s: float = 2.0, every_s: float = 10.5, tail_s: float = 10.0) -> Script:
    """A scene in which people come in one after the other, the door shutting behind each."""
    swings: list[Swing] = []
    walks: list[Walk] = []
    for index, person in enumerate(people):
        start = first_s + index * every_s
        swings += [Swing(start, to_open=True), Swing(start + 3.6, to_open=False)]
        offset = 30.0 * (-1) ** index
        walks.append(Walk(start + 0.6, person, leaves_right=bool(index % 2), stand_x=offset))
    return Script(first_s + max(0, len(people) - 1) * every_s + tail_s, tuple(swings), tuple(walks))


def _pose(walk: Walk, t: float) -> Pose:
    """The person of `walk`, `t` seconds after coming into view."""
    side = 1.0 if walk.leaves_right else -1.0
    entering = _ease(t / _ENTER_S)
    nearing = _ease((t - _ENTER_S) / _APPROACH_S)
    leaving = max(0.0, (t - _ENTER_S - _APPROACH_S - _STAND_S) / _LEAVE_S)
    # Perspective: equal steps towards the camera make unequal steps in size.
    scale = 1.0 / (1.0 / _FAR + (1.0 / _NEAR - 1.0 / _FAR) * nearing)
    steps = math.sin(2 * math.pi * 1.7 * t)
    walking = 1.0 if nearing < 1 or leaving > 0 else 0.25
    x = CENTRE_X + 330 * (1 - entering) + walk.stand_x * nearing + side * 1000 * leaving**1.6
    x += 5.0 * scale * walking * math.sin(2 * math.pi * 0.85 * t)
    top = HORIZON_Y + (HEAD_TOP_Y - HORIZON_Y) * scale + 3.0 * scale * walking * abs(steps)
    return Pose(walk.person, scale, x, top, 1.2 * walking * math.sin(2 * math.pi * 0.85 * t + 0.6))


def _ease(x: float) -> float:
    """0 before 0, 1 after 1, smooth in between."""
    x = min(1.0, max(0.0, x))
    return x * x * (3 - 2 * x)
