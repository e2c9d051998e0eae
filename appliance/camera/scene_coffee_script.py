"""What happens in the rendered coffee corner and when: who comes by, with which cup, and where one stands.

Plain arithmetic on time; it draws nothing. Coordinates are design pixels of a 1280 x 720 frame. The camera
stands on the coffee machine: whoever takes a cup is a metre away, and a mug is as wide as three quarters of a
face.
"""

import math
from dataclasses import dataclass

from appliance.camera.scene_script import DESIGN_WIDTH, PIXELS_PER_METRE, PORTRAITS, Pose
from appliance.values import Box

CUP_WIDTH = 0.118 * PIXELS_PER_METRE
"""Of a mug with its handle at scale 1, design pixels."""
COUNTER_Y = 636
"""Top of the counter before the camera, design pixels."""
MUG_COLOURS = ("white", "red", "blue", "yellow")

_SCALE = 2.0
_HEAD_TOP = 66.0
_COME_S = 1.6
_GO_S = 1.3
_OUTSIDE = 420.0
"""Design pixels from the edge of the picture at which nothing of a person is seen."""
_SIP_EVERY_S = 3.6
_SIP_S = 1.5
_WALKING_HZ = 0.9
_STANDING_HZ = 0.28


@dataclass(frozen=True, slots=True)
class Stop:
    """Somebody comes to the corner, stands there, and goes.

    Attributes:
        at_s: When they come into view, seconds of the scene.
        person: Key of `PORTRAITS`.
        stay_s: For how long they stand there; 0: they walk through.
        mug: Colour of the mug in their hand; None: they have none.
        stand_x: Where they stand, design pixels.
        from_left: From which side they come; they go to the other.
        mug_side: Their hand: -1 to the left of the picture, 1 to the right.
        second_mug: Colour of another in their other hand, for somebody else; None: they have none.
    """

    at_s: float
    person: str
    stay_s: float = 7.0
    mug: str | None = "white"
    stand_x: float = DESIGN_WIDTH / 2
    from_left: bool = True
    mug_side: int = 1
    second_mug: str | None = None

    @property
    def over_s(self) -> float:
        """When they are gone, seconds of the scene."""
        return self.at_s + _COME_S + self.stay_s + _GO_S


@dataclass(frozen=True, slots=True)
class StandingMug:
    """A mug that stands on the counter all the time.

    Attributes:
        x: Its middle, design pixels.
        colour: Of `MUG_COLOURS`.
    """

    x: float
    colour: str = "white"


@dataclass(frozen=True, slots=True)
class CoffeeScript:
    """A whole scene.

    Attributes:
        duration_s: Length, seconds.
        stops: Ascending in time.
        mugs: On the counter.
    """

    duration_s: float
    stops: tuple[Stop, ...] = ()
    mugs: tuple[StandingMug, ...] = ()

    def __post_init__(self) -> None:
        """Check that it can be played.

        Raises:
            ValueError: It is empty, out of order, or names a portrait or a colour that there is not.
        """
        if not self.duration_s > 0:
            raise ValueError(f"a scene of {self.duration_s} s has no frames")
        if any(b.at_s < a.at_s for a, b in zip(self.stops, self.stops[1:], strict=False)):
            raise ValueError("stops must ascend in time")
        if unknown := {stop.person for stop in self.stops} - PORTRAITS.keys():
            raise ValueError(f"no portrait of {min(unknown)!r}; there are {', '.join(sorted(PORTRAITS))}")
        colours = {mug.colour for mug in self.mugs}
        colours |= {each for stop in self.stops for each in (stop.mug, stop.second_mug) if each is not None}
        if unknown := colours - set(MUG_COLOURS):
            raise ValueError(f"no mug colour {min(unknown)!r}; there are {', '.join(MUG_COLOURS)}")


@dataclass(frozen=True, slots=True)
class Mug:
    """A mug at one moment.

    Attributes:
        box: Where, design pixels, with its handle.
        colour: Of `MUG_COLOURS`.
        handle_right: On which side its handle is.
        holder: Who has it in their hand, a key of `PORTRAITS`; None: it stands.
    """

    box: Box
    colour: str
    handle_right: bool
    holder: str | None


DEFAULT_COFFEE = CoffeeScript(
    48.0,
    (
        Stop(2.0, "obama", stay_s=8.0),
        Stop(16.0, "biden", stay_s=0.0, mug=None, from_left=False),
        Stop(21.0, "astronaut", stay_s=8.0, mug="yellow", mug_side=-1, from_left=False),
        Stop(36.0, "biden", stay_s=7.0, mug=None, stand_x=700),
    ),
    (StandingMug(250.0, "blue"), StandingMug(800.0)),
)
"""Two people take a coffee, one walks through, one stands before a mug that nobody touches; 48 s."""

PLACES = ((2.0, "obama"), (21.0, "astronaut"))
"""Whose coffees count in it, by the second at which they come."""


def people(script: CoffeeScript, t: float) -> list[tuple[Stop, Pose]]:
    """Everybody who is in view at `t` seconds, in the script's order."""
    return [(stop, _pose(stop, t - stop.at_s)) for stop in script.stops if stop.at_s <= t < stop.over_s]


def mugs(script: CoffeeScript, t: float) -> list[Mug]:
    """Every mug at `t` seconds: those that stand, then those in hands."""
    wide = CUP_WIDTH * _SCALE
    found = [
        Mug(
            Box(mug.x - wide / 2, COUNTER_Y + 6 - wide * 0.8, wide, wide * 0.8),
            mug.colour,
            handle_right=True,
            holder=None,
        )
        for mug in script.mugs
    ]
    for stop, pose in people(script, t):
        if stop.mug is not None:
            found.append(_held(stop, pose, t - stop.at_s, stop.mug, stop.mug_side))
        if stop.second_mug is not None:
            found.append(_held(stop, pose, t - stop.at_s, stop.second_mug, -stop.mug_side))
    return found


def _held(stop: Stop, pose: Pose, t: float, colour: str, side: int) -> Mug:
    """A mug in somebody's hand: before the chest, and now and then at the chin."""
    face = pose.face()
    wide = CUP_WIDTH * pose.scale
    standing = t - _COME_S
    sip = 0.0
    if 0 < standing < stop.stay_s:
        phase = standing % _SIP_EVERY_S
        sip = math.sin(math.pi * phase / _SIP_S) ** 2 if phase < _SIP_S else 0.0
    x = face.centre[0] + side * face.width * (0.62 - 0.30 * sip)
    y = face.y + face.height * (1.95 - 0.62 * sip) + 4.0 * math.sin(2 * math.pi * 0.7 * t)
    return Mug(
        Box(x - wide / 2, y - wide * 0.4, wide, wide * 0.8),
        colour,
        side > 0,
        stop.person,
    )


def _pose(stop: Stop, t: float) -> Pose:
    side = 1.0 if stop.from_left else -1.0
    start = -_OUTSIDE if stop.from_left else DESIGN_WIDTH + _OUTSIDE
    coming = _ease(t / _COME_S)
    going = max(0.0, (t - _COME_S - stop.stay_s) / _GO_S)
    x = start + (stop.stand_x - start) * coming + side * (DESIGN_WIDTH + _OUTSIDE) * going**1.5
    walking = coming < 1 or going > 0
    speed = _WALKING_HZ if walking else _STANDING_HZ
    x += (6.0 if walking else 9.0) * math.sin(2 * math.pi * speed * t)
    top = _HEAD_TOP + (5.0 if walking else 2.0) * abs(math.sin(2 * math.pi * speed * t))
    return Pose(stop.person, _SCALE, x, top, 1.0 * math.sin(2 * math.pi * speed * t + 0.6))


def _ease(x: float) -> float:
    """0 before 0, 1 after 1, smooth in between."""
    x = min(1.0, max(0.0, x))
    return x * x * (3 - 2 * x)
