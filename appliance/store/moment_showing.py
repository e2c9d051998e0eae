"""Which clip shows a moment: one of its own camera at that time, else one that it set off elsewhere.

A rule may record another camera than the one that saw something: what is seen at the gate is filmed at the
drive. What set a clip off stands in the log, which is asked only where another camera's clip is of that time.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, func, select

from appliance.events import ClipBegun, ClipEnded
from appliance.store.log import parsed
from appliance.store.moment_events import ENCOUNTER
from appliance.store.moment_question import FOR_EVER_MS
from appliance.store.moment_records import MomentClip
from appliance.store.moment_rows import time_of
from appliance.store.moment_tables import SEEN, moment_clips
from appliance.store.tables import events

_READ: Final = 64
"""So many clips' beginnings and ends after an event are looked through for it."""


class MomentShowing:
    """The clips that show some moments of a device.

    Args:
        connection: To read with.
        device: Whose.
        cameras: By number, of all of this device.
        rows: Of the table `moments`.
    """

    def __init__(
        self, connection: Connection, device: str, cameras: Mapping[int, str], rows: Sequence[Any]
    ) -> None:
        self._connection = connection
        self._device = device
        self._clips: dict[int, list[MomentClip]] = {}
        own = {row["place"] for row in rows}
        self._read(cameras, [row["at"] for row in rows], own)
        # Of what frames show nothing is set off: an event of its own does that.
        self._read(cameras, [row["at"] for row in rows if row["kind"] != SEEN], set(cameras) - own)

    def clip(self, row: Any) -> MomentClip | None:
        """The one that shows this moment; None: none does.

        Args:
            row: One of those that were given.
        """
        at = time_of(row["at"])
        own = (each for each in reversed(self._clips.get(row["place"], ())) if each.shows(at))
        if (found := next(own, None)) is not None or row["kind"] == SEEN:
            return found
        others = {
            each.id: each
            for place, clips in self._clips.items()
            if place != row["place"]
            for each in clips
            if each.shows(at)
        }
        return self._set_off(row, others) if others else None

    def _read(self, cameras: Mapping[int, str], times: Sequence[int], places: set[int]) -> None:
        if not times or not places:
            return
        wanted = (
            select(moment_clips)
            .where(
                moment_clips.c.place.in_(places),
                moment_clips.c.begin_ms <= max(times),
                func.coalesce(moment_clips.c.end_ms, FOR_EVER_MS) > min(times),
            )
            .order_by(moment_clips.c.begin_ms)
        )
        for row in self._connection.execute(wanted).mappings():
            end = None if row["end_ms"] is None else time_of(row["end_ms"])
            clip = MomentClip(row["clip"], cameras[row["place"]], time_of(row["begin_ms"]), end)
            self._clips.setdefault(row["place"], []).append(clip)

    def _set_off(self, row: Any, others: Mapping[str, MomentClip]) -> MomentClip | None:
        """Of these clips the first that one of the moment's events set off, or extended."""
        of = events.c.encounter if row["kind"] == ENCOUNTER else events.c.id
        wanted = select(events.c.id, events.c.position).where(
            events.c.device == self._device, of == row["about"]
        )
        causes = {each.id: int(each.position) for each in self._connection.execute(wanted)}
        if not causes:
            return None  # the log has forgotten it
        said = (
            select(events)
            .where(
                events.c.device == self._device,
                events.c.type.in_(("clip_begun", "clip_ended")),
                events.c.position > min(causes.values()),
            )
            .order_by(events.c.position)
            .limit(_READ)
        )
        for found in self._connection.execute(said).mappings():
            event = parsed(found).event
            if isinstance(event, ClipBegun | ClipEnded) and event.clip in others:
                of_it = event.causes if isinstance(event, ClipEnded) else (event.cause,)
                if not causes.keys().isdisjoint(of_it):
                    return others[event.clip]
        return None
