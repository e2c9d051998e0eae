"""The doors of one camera: their changes on record, the visits between them, doors that are held open.

Works on the frames' own time. Knows the door room by protocol, nothing of faces, and not what disturbs the
camera: it is told whether its pictures can be believed. While they cannot, every door is unsure, and the door
room is not shown what it would learn wrongly; what a door did meanwhile is not known, so that no opening and,
but for seconds, no visit lasts through it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from appliance.events import DoorChanged, DoorHeldOpen
from appliance.ids import IdFactory
from appliance.pipeline.records import Recording
from appliance.values import DoorReading, DoorState, Frame

_KINDS: dict[DoorState, Any] = {
    DoorState.OPEN: "door_opened",
    DoorState.SHUT: "door_shut",
    DoorState.UNSURE: "door_unsure",
}

_SAME_VISIT_S = 10.0
"""An open door, not seen for so long, may have been shut in between: another visit."""


class DoorWatching(Protocol):
    """The door room, as the loop needs it."""

    def observe(self, frame: Frame) -> DoorReading:
        """The door in this frame."""


@dataclass(slots=True)
class _Door:
    """A door with its current visit."""

    watch: DoorWatching
    held_open_s: float
    state: DoorState = DoorState.UNSURE
    visit: str | None = None
    fraction: float = 0.0
    not_shut_s: float | None = None
    open_since_s: float | None = None
    held_said: bool = False


class Doors:
    """What is known of a camera's doors, frame by frame.

    Args:
        camera: The camera's id.
        watches: The doors it sees, by their ids.
        held_open_s: Seconds after which an open door is said to be held open, by door; 0 or missing: never.
        records: Where changes go.
        ids: For visits.
    """

    def __init__(
        self,
        camera: str,
        watches: Mapping[str, DoorWatching],
        held_open_s: Mapping[str, float],
        records: Recording,
        ids: IdFactory,
    ) -> None:
        self._camera = camera
        self._doors = {name: _Door(watch, held_open_s.get(name, 0.0)) for name, watch in watches.items()}
        self._records = records
        self._ids = ids
        self._looked_s: float | None = None
        self._interrupted = False

    def observe(self, frame: Frame, *, blind: bool) -> None:
        """Look at every door in a frame, and put on record what changed.

        Args:
            frame: The next one.
            blind: The camera is known to see nothing: no door is looked at, and each is unsure.
        """
        if blind:
            self.interrupted()
            for name, door in self._doors.items():
                self._believe(name, door, DoorState.UNSURE, frame)
            return
        self._resume(frame.stamp.monotonic_s)
        for name, door in self._doors.items():
            reading = door.watch.observe(frame)
            door.fraction = reading.fraction
            if reading.state is not DoorState.SHUT:
                door.not_shut_s = frame.stamp.monotonic_s
            self._believe(name, door, reading.state, frame)
            self._watch_held(name, door, frame)

    def interrupted(self) -> None:
        """Nothing is seen for now (blind, or lost): how long a door stays open is counted anew."""
        self._interrupted = True
        for door in self._doors.values():
            door.open_since_s, door.held_said = None, False

    def _resume(self, now_s: float) -> None:
        """The doors are looked at again; a visit goes on if it was interrupted for seconds only."""
        if self._interrupted and self._looked_s is not None and now_s - self._looked_s >= _SAME_VISIT_S:
            for door in self._doors.values():
                door.visit = None
        self._interrupted, self._looked_s = False, now_s

    def not_shut_since(self, since_s: float) -> bool:
        """Whether any door was open or unsure, with eyes open, at that monotonic time or after it."""
        return any(
            door.not_shut_s is not None and door.not_shut_s >= since_s for door in self._doors.values()
        )

    def entrance(self) -> tuple[str | None, str | None]:
        """The door that is or was last not shut, with its visit: where somebody new comes from."""
        name, door = max(
            self._doors.items(),
            key=lambda item: -1.0 if item[1].not_shut_s is None else item[1].not_shut_s,
            default=(None, None),
        )
        return name, door.visit if door is not None else None

    def overlay(self) -> dict[str, Any]:
        """State and fraction of each, for viewers."""
        return {
            name: {"state": door.state.value, "fraction": round(door.fraction, 3)}
            for name, door in self._doors.items()
        }

    def _believe(self, name: str, door: _Door, state: DoorState, frame: Frame) -> None:
        opens = state is DoorState.OPEN and door.visit is None
        if state is door.state and not opens:
            return
        at = frame.stamp.wall
        if opens:
            door.visit = self._ids(at)
        event = DoorChanged(
            type=_KINDS[state],
            camera=self._camera,
            door=name,
            visit=door.visit,
            state=state,
            fraction=round(door.fraction, 4),
        )
        self._records.log([event], at)
        door.state = state
        if state is DoorState.SHUT:
            door.visit = door.open_since_s = None
            door.held_said = False

    def _watch_held(self, name: str, door: _Door, frame: Frame) -> None:
        """Say once per opening that a door stays open; one that is unsure may be shut."""
        now = frame.stamp.monotonic_s
        if door.state is not DoorState.OPEN:
            return
        if door.open_since_s is None:
            door.open_since_s = now
        open_s = now - door.open_since_s
        if not door.held_open_s or door.held_said or open_s < door.held_open_s:
            return
        door.held_said = True
        held = DoorHeldOpen(camera=self._camera, door=name, visit=door.visit, open_s=round(open_s, 3))
        self._records.log([held], frame.stamp.wall)
