"""How each door is, by the last word of the log: what pages say of doors as present.

The office screen says the same, from the events as they come (`board`); what a door is like now by the
pictures themselves is the live view's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from appliance.events import DoorHeldOpen, ProcessChanged
from appliance.store import Store, StoredEvent
from appliance.store.timeline import Wanted

UNKNOWN: Final = "unknown"
_MOVED: Final = ("door_opened", "door_shut", "door_unsure", "door_held_open")
_ENDED: Final = ("process_stopped", "process_restarted")
_LOOP: Final = "loop"
_AMONG: Final = 100
"""Ends of processes among which the last one of the loop is looked for."""


@dataclass(frozen=True, slots=True)
class DoorNow:
    """A door.

    Attributes:
        id: Its id.
        state: `open`, `held_open`, `shut`, `unsure`; `unknown`: nobody has watched it since;
            empty: it never moved.
        at: Since when; None: it never moved.
    """

    id: str
    state: str
    at: datetime | None


def door_states(store: Store, doors: Sequence[str]) -> list[DoorNow]:
    """Each door, in their order.

    Raises:
        StoreError: The log cannot be read.
    """
    ends = store.events(types=_ENDED, limit=_AMONG, newest_first=True) if doors else []
    ended = next((each for each in ends if _of_the_loop(each)), None)
    return [_state(door, _last(store, door), ended) for door in doors]


def _last(store: Store, door: str) -> StoredEvent | None:
    """The event with which a door moved last."""
    found = store.entries(Wanted(encounters=False, types=_MOVED, door=door), (), limit=1)
    return found[0].events[-1] if found else None


def _state(door: str, moved: StoredEvent | None, ended: StoredEvent | None) -> DoorNow:
    if moved is None:
        return DoorNow(door, "", None)
    if ended is not None and ended.position > moved.position:
        # What it did while nobody watched is not known.
        return DoorNow(door, UNKNOWN, ended.at)
    event = moved.event
    state = "held_open" if isinstance(event, DoorHeldOpen) else getattr(event, "state", "unsure")
    return DoorNow(door, str(getattr(state, "value", state)), moved.at)


def _of_the_loop(stored: StoredEvent) -> bool:
    return isinstance(stored.event, ProcessChanged) and stored.event.process == _LOOP
