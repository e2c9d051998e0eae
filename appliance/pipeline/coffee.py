"""The coffees of one camera, frame by frame: its faces and the cups near them, and what counts, on record.

Faces and cups are of the same frame. Nothing is put on record, and nothing told, of who did not agree to be
counted. Finding cups is another room's, whose they are the coffee room's; here the two meet, by protocol.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from appliance.coffee import Corner, Drinker, Shown, Taken, Turns
from appliance.events import CoffeeTaken
from appliance.pipeline.records import Recording
from appliance.pipeline.stays import Stay
from appliance.pipeline.visitors import Visitors, is_visitor, visitor_number
from appliance.settings import CoffeeSettings
from appliance.tracking import Track
from appliance.values import Box, DetectedObject, Frame, FrameStamp, ImageArray

_MOST_PEOPLE: Final = 3
"""People before whom cups are looked for in a frame, the nearest: each takes a look of its own."""

_SHOWN_CUPS: Final = 8

Tell = Callable[[str, Sequence[Shown]], None]
"""Told, by camera, what is to be shown; returns at once."""


class CupFinding(Protocol):
    """Finds cups."""

    def find(self, bgr: ImageArray, faces: Sequence[Box]) -> list[DetectedObject]:
        """Cups within reach of these faces, in a fixed order, each once; boxes in pixels of the frame."""


@dataclass(frozen=True, slots=True)
class Before:
    """A coffee of an earlier run of this process.

    Attributes:
        who: Whose.
        at: When, aware.
    """

    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CoffeeRooms:
    """What the corners of a box share.

    Attributes:
        settings: Of counting.
        cups: Finds them.
        agreed: Whether somebody agreed to be counted, by their id; as of a second ago at most.
        turns: Who took one when.
        visitors: Those who are not enrolled; None: they are not counted.
        before: Coffees of earlier runs that still keep somebody from the next.
        tell: Told what is to be shown; None: nobody is.
        lock: Held by whichever camera counts.
    """

    settings: CoffeeSettings
    cups: CupFinding
    agreed: Callable[[str], bool]
    turns: Turns
    visitors: Visitors | None = None
    before: list[Before] = field(default_factory=list)
    tell: Tell | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Coffees:
    """The coffees before one camera.

    Args:
        camera: Its id.
        rooms: What it works with; None: no coffees are counted here.
        records: Where events go.
    """

    def __init__(self, camera: str, rooms: CoffeeRooms | None, records: Recording) -> None:
        self._camera = camera
        self._rooms = rooms
        self._records = records
        self._corner = Corner(rooms.settings, rooms.turns) if rooms is not None else None
        self._looked_s: float | None = None
        self._shown: list[Shown] = []

    def observe(self, frame: Frame, tracks: Sequence[Track], stays: Mapping[int, Stay]) -> None:
        """Look at a frame, if it is time again, and put on record what counts.

        Args:
            frame: The next one.
            tracks: The faces found in this very frame; none if none were looked for.
            stays: What is known of each, by the track's number.
        """
        rooms, corner = self._rooms, self._corner
        if rooms is None or corner is None:
            return
        now_s = frame.stamp.monotonic_s
        self._remember(rooms, frame.stamp)
        if self._looked_s is None or now_s - self._looked_s >= 0.95 / rooms.settings.looks_per_s:
            self._looked_s = now_s
            people = sorted(tracks, key=lambda track: (-track.face.box.area, track.number))[:_MOST_PEOPLE]
            cups = rooms.cups.find(frame.bgr(), [track.face.box for track in people]) if people else []
            with rooms.lock:
                drinkers = [self._drinker(rooms, track, stays[track.number], now_s) for track in tracks]
                taken = corner.look(drinkers, cups, now_s)
                events = [self._event(rooms, each, stays.values(), now_s) for each in taken]
            if events:
                self._records.log(events, frame.stamp.wall)
        self._tell(rooms, corner.shown(now_s))

    def interrupted(self) -> None:
        """No frame comes for now, or none that can be believed."""
        if self._rooms is not None and self._corner is not None:
            self._corner.interrupted()
            self._tell(self._rooms, [])

    def overlay(self) -> list[dict[str, Any]]:
        """The cups of the frame that was last looked at, for viewers, as things are told of."""
        if self._corner is None:
            return []
        return [
            {
                "box": [round(v) for v in cup.box.corners],
                "label": cup.label,
                "score": round(cup.score, 3),
                "track": cup.number,
            }
            for cup in self._corner.cups[:_SHOWN_CUPS]
        ]

    def told_of(self, encounter: str) -> dict[str, Any]:
        """What viewers are told of somebody: `{coffee: {phase, left_s}}`, or nothing."""
        told = next((each for each in self._shown if each.encounter == encounter), None)
        return {} if told is None else {"coffee": {"phase": told.phase, "left_s": round(told.left_s, 2)}}

    def _drinker(self, rooms: CoffeeRooms, track: Track, stay: Stay, now_s: float) -> Drinker:
        return Drinker(stay.encounter_id, track.face.box, self._who(rooms, stay, now_s))

    def _who(self, rooms: CoffeeRooms, stay: Stay, now_s: float) -> str | None:
        """Whom a coffee of this stay counts for; None: nobody, or it is not known yet."""
        if stay.encounter.identified:
            return stay.label if stay.label is not None and rooms.agreed(stay.label) else None
        if stay.stranger is not None and rooms.visitors is not None:
            return rooms.visitors.key(stay.encounter_id, stay.encounter.kept, now_s)
        return None

    def _event(self, rooms: CoffeeRooms, taken: Taken, stays: Any, now_s: float) -> CoffeeTaken:
        stay = next(each for each in stays if each.encounter_id == taken.encounter)
        visitor = None
        if is_visitor(taken.who) and rooms.visitors is not None:
            visitor = rooms.visitors.took(taken.encounter, stay.encounter.kept, now_s)
            rooms.turns.remember(f"visitor:{visitor}", now_s)
        return CoffeeTaken(
            camera=self._camera,
            door=stay.door,
            visit=stay.visit,
            encounter=taken.encounter,
            subject=None if visitor is not None else taken.who,
            visitor=visitor,
            label=taken.label,
            score=round(taken.score, 4),
        )

    def _remember(self, rooms: CoffeeRooms, stamp: FrameStamp) -> None:
        """Take over what happened before this process began, by the first frame's two clocks."""
        if not rooms.before:
            return
        with rooms.lock:
            for each in rooms.before:
                ago_s = max(0.0, (stamp.wall - each.at).total_seconds())
                rooms.turns.remember(each.who, stamp.monotonic_s - ago_s)
            rooms.before.clear()

    def _tell(self, rooms: CoffeeRooms, shown: list[Shown]) -> None:
        self._shown = shown
        if rooms.tell is not None:
            rooms.tell(self._camera, shown)


def shown_person(who: str) -> dict[str, Any]:
    """Whom something is shown of: `{subject, visitor}`, one at most; neither: a visitor without a number."""
    visitor = visitor_number(who)
    return {"subject": None if is_visitor(who) else who, "visitor": visitor}
