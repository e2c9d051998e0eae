"""What a frame says of the door, and of the camera itself."""

from dataclasses import dataclass
from enum import StrEnum


class DoorState(StrEnum):
    """What the flood fill says of the door."""

    OPEN = "open"
    SHUT = "shut"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class DoorReading:
    """The door in one frame.

    Attributes:
        state: Debounced state.
        fraction: Share of the region that the fill covered in this frame, 0 to 1.
        changed: The state is another than in the reading before.
    """

    state: DoorState
    fraction: float
    changed: bool


class Disturbance(StrEnum):
    """What keeps a camera that sends pictures from seeing what it used to."""

    MOVED = "moved"
    COVERED = "covered"
    DARK = "dark"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class CameraReading:
    """The condition of a camera at one frame.

    Attributes:
        begun: A disturbance that is said now, for the first time.
        lasted_s: Set when the camera sees again just now: how long it did not, seconds.
        blind: Dark, covered or frozen has been said, and the picture is still like that.
    """

    begun: Disturbance | None = None
    lasted_s: float | None = None
    blind: bool = False
