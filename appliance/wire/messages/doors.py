"""What the models process is asked by who sets up a door: paint it, look at it, propose how to watch it.

Nothing here changes a door; settings do.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from appliance.wire.messages.message import Message


class PaintFill(Message):
    """Paint what a door's fill covers over the newest frame; the shared memory's descriptor comes along.

    Answered by `FillPainted` with the JPEG in the blob.

    Attributes:
        region: Left, top, right, bottom in fractions of the frame.
        seed: x, y in fractions of the frame, inside the region.
        tolerance: Gray levels.
    """

    type: Literal["paint_fill"] = "paint_fill"
    version: Literal[1] = 1
    region: tuple[float, float, float, float]
    seed: tuple[float, float]
    tolerance: int = Field(ge=1, le=100)
    width_px: int = Field(default=960, ge=64, le=1920)
    after: int = -1
    wait_s: float = Field(default=1.0, ge=0, le=5)


class FillPainted(Message):
    """What is to be known of the painted frame.

    Attributes:
        fraction: Share of the region that the fill covers, 0 to 1.
        spills: Share of the region's left or right side that it reaches, 0 to 1: there it runs out of the
            door.
    """

    type: Literal["fill_painted"] = "fill_painted"
    version: Literal[1] = 1
    sequence: int
    fraction: float
    spills: float


class KeepDoor(Message):
    """Look at a door for a moment and keep what was seen, as the shut or as the opened one.

    The shared memory's descriptor comes along. What is kept are small gray pictures, in memory, for a
    quarter of an hour. Answered by `DoorKept`.

    Attributes:
        setup: Whose set-up it is; opaque.
        state: What somebody who stands there says that it is now.
        seconds: How long to look.
    """

    type: Literal["keep_door"] = "keep_door"
    version: Literal[1] = 1
    setup: str = Field(min_length=1, max_length=100)
    state: Literal["shut", "open"]
    seconds: float = Field(default=2.0, gt=0, le=5)


class DoorKept(Message):
    """How much was seen.

    Attributes:
        frames: Pictures kept of this state.
        still: Nothing moved meanwhile.
        states: The states of which there are pictures now.
    """

    type: Literal["door_kept"] = "door_kept"
    version: Literal[1] = 1
    frames: int
    still: bool
    states: tuple[str, ...]


class ProposeDoor(Message):
    """Propose how to watch the door that was kept in both states. Answered by `DoorProposed`.

    Attributes:
        setup: As in `KeepDoor`.
        door: The settings of the door, of which some are proposed.
        keep: `nothing`: region, seed and the rest are proposed; `region`: it stays as it is; `all`: these
            very settings are judged.
    """

    type: Literal["propose_door"] = "propose_door"
    version: Literal[1] = 1
    setup: str = Field(min_length=1, max_length=100)
    door: Mapping[str, Any]
    keep: Literal["nothing", "region", "all"] = "nothing"


class DoorProposed(Message):
    """How to watch a door, and how well that works on what was kept; see `appliance.door.Proposal`.

    Attributes:
        door: The settings.
        usable: The two states are told apart.
        words: The same in words.
        separation: How far the two fills lie apart, in shares of the shut door's.
        shut: Share of the region that the fill covers when it is shut.
        opened: And when it is open.
        agreed: Share of the pictures about which the watch is right.
        notes: What it leaves open, in words.
    """

    type: Literal["door_proposed"] = "door_proposed"
    version: Literal[1] = 1
    door: Mapping[str, Any]
    usable: bool
    words: str
    separation: float
    shut: float
    opened: float
    agreed: float
    notes: tuple[str, ...] = ()


class PictureShut(Message):
    """Make the picture of the shut door that is to be kept, of what was looked at as shut.

    Answered by `ShutPictured` with the picture as a file has it in the blob; see `appliance.door`.

    Attributes:
        setup: As in `KeepDoor`.
        region: What it shows: left, top, right, bottom in fractions of the frame.
    """

    type: Literal["picture_shut"] = "picture_shut"
    version: Literal[1] = 1
    setup: str = Field(min_length=1, max_length=100)
    region: tuple[float, float, float, float]


class ShutPictured(Message):
    """What the picture was made of; without pictures, or if something moved in them, there is none.

    Attributes:
        frames: Pictures of the shut door there are still; 0: it was not shown, or too long ago.
        still: Nothing moved in the region meanwhile.
    """

    type: Literal["shut_pictured"] = "shut_pictured"
    version: Literal[1] = 1
    frames: int
    still: bool
