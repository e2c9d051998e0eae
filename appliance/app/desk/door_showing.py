"""Operations of looking at a door that is being set up: its fill painted, shown shut and open, a proposal.

The looking is the models process's, the arithmetic the door room's. What was shown, and what was said of
it, is asked for again where the door is saved (`doors`); nothing is written here.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import Field

from appliance.app.desk.eyes import Eyes
from appliance.app.desk.operations import Answer, Arguments, Asked, Operation
from appliance.errors import ApplianceError, PeerGoneError
from appliance.permissions import Caller, Permission
from appliance.wire.messages import (
    DoorKept,
    DoorProposed,
    FillPainted,
    KeepDoor,
    PaintFill,
    PictureShut,
    ProposeDoor,
    ShutPictured,
)

Region = tuple[float, float, float, float]
Point = tuple[float, float]

JUDGED: Final = frozenset(
    {"camera", "region", "seed", "tolerance", "shut_fraction", "open_below", "shut_above"}
)
"""What a judgement of a door rests on: with another of these it is another door."""
_PROPOSED: Final = JUDGED - {"camera"}
_LOOK_S: Final = 2.0
"""How long a door is looked at when somebody says how it is."""
_MOST_TOLD: Final = 16
"""Works at doors whose last proposal is remembered."""
_ID = Field(max_length=64)


class Paint(Arguments):
    """A look at what a fill covers.

    Attributes:
        camera: Which.
        region: Left, top, right, bottom in fractions of the frame.
        seed: x, y likewise.
        tolerance: Gray levels.
        after: The number of the frame that the caller has.
        width_px: Of the picture.
    """

    camera: str = _ID
    region: Region
    seed: Point
    tolerance: int = Field(ge=1, le=100)
    after: int = -1
    width_px: int = Field(default=960, ge=64, le=1920)


class Look(Arguments):
    """Attributes: camera: which; door: the one being set up; state: what the caller says it is now."""

    camera: str = _ID
    door: str = _ID
    state: Literal["shut", "open"]


class Propose(Arguments):
    """Attributes: camera, door: as shown; the rest as it stands on the page; keep: what of it is to stay."""

    camera: str = _ID
    door: str = _ID
    region: Region
    seed: Point
    tolerance: int = Field(ge=1, le=100)
    shut_fraction: float = Field(default=0.6, ge=0, le=1)
    open_below: float = Field(default=0.5, ge=0, le=1)
    shut_above: float = Field(default=0.8, ge=0, le=1)
    keep: Literal["nothing", "region", "all"] = "nothing"


class Showing:
    """Doors being shown by whoever sets them up.

    Args:
        eyes: Looks.
    """

    def __init__(self, eyes: Eyes) -> None:
        self._eyes = eyes
        self._told: OrderedDict[str, tuple[Mapping[str, Any], bool]] = OrderedDict()

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("doors.paint", Paint, Permission.DOORS, self._paint),
            Operation("doors.look", Look, Permission.DOORS, self._look),
            Operation("doors.propose", Propose, Permission.DOORS, self._propose),
        ]

    def told_apart(self, who: Caller, names: Sequence[str], door: Mapping[str, Any]) -> bool | None:
        """Whether shut and open are told apart by these settings; None: it was not shown both, or not lately.

        Args:
            who: Showed it.
            names: The door's while it was shown.
            door: The settings, `JUDGED`.
        """
        for name in names:
            setup = _setup(who, door["camera"], name)
            proposed, usable = self._told.get(setup, ({}, False))
            if proposed and all(door[name] == value for name, value in proposed.items()):
                # What was said of these very settings holds: one page does not say two things.
                return usable
            try:
                judged = {**door, "id": "door", "camera": "camera"}
                wanted = ProposeDoor(setup=setup, door=judged, keep="all")
                return self._eyes.think(wanted, DoorProposed).message.usable
            except ApplianceError:
                # Not shown both, or not to be judged: under its other name, or as it was found before.
                continue
        return None

    def shut_picture(
        self, who: Caller, names: Sequence[str], camera: str, region: Region
    ) -> tuple[Literal["kept", "not_shown", "moved"], bytes | None]:
        """The picture of the door as it was shown shut; without one, why there is none."""
        for name in names:
            wanted = PictureShut(setup=_setup(who, camera, name), region=region)
            try:
                reply = self._eyes.think(wanted, ShutPictured)
            except PeerGoneError:
                # What it was shown went with it.
                break
            if reply.blob:
                return "kept", reply.blob
            if reply.message.frames:
                return "moved", None
        return "not_shown", None

    def _paint(self, asked: Asked[Paint]) -> Answer:
        """A JPEG with what the fill covers tinted, its number, and the share covered."""
        given = asked.arguments
        wanted = PaintFill(
            region=given.region,
            seed=given.seed,
            tolerance=given.tolerance,
            after=given.after,
            width_px=given.width_px,
        )
        reply = self._eyes.look(given.camera, wanted, FillPainted, timeout_s=10.0)
        return Answer(reply.message.model_dump(exclude={"type", "version"}), reply.blob)

    def _look(self, asked: Asked[Look]) -> Answer:
        """Look at the door for a moment, and keep that as shut or open."""
        given = asked.arguments
        setup = _setup(asked.who, given.camera, given.door)
        wanted = KeepDoor(setup=setup, state=given.state, seconds=_LOOK_S)
        self._told.pop(setup, None)
        reply = self._eyes.look(given.camera, wanted, DoorKept)
        return Answer(reply.message.model_dump(mode="json", exclude={"type", "version"}))

    def _propose(self, asked: Asked[Propose]) -> Answer:
        """How to watch the door that was shown in both states, or how well these settings do."""
        given = asked.arguments
        door = given.model_dump(mode="json", exclude={"door", "keep"})
        setup = _setup(asked.who, given.camera, given.door)
        wanted = ProposeDoor(
            setup=setup,
            door={"id": "door", **door, "camera": "camera"},
            keep=given.keep,
        )
        found = self._eyes.think(wanted, DoorProposed).message
        told = found.model_dump(mode="json", exclude={"type", "version"})
        told["door"] = {name: value for name, value in told["door"].items() if name in _PROPOSED}
        self._told[setup] = told["door"], found.usable
        self._told.move_to_end(setup)
        while len(self._told) > _MOST_TOLD:
            self._told.popitem(last=False)
        return Answer(told)


def _setup(caller: Caller, camera: str, door: str) -> str:
    """Names one person's work at one door; opaque, so that nothing else can be read out of it."""
    parts = "\0".join((caller.kind, caller.session or caller.id, camera, door))
    return hashlib.sha256(parts.encode()).hexdigest()[:32]
