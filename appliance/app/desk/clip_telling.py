"""A clip as the desk's answers tell it: its times, what set it off; of one that is gone, what the log says.

Reads the log; asks nobody else, and decides nothing about who may see what.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from appliance.app.desk.saying import Names, nameless
from appliance.app.desk.sentences import sentence
from appliance.app.desk.times import moment
from appliance.decision import DECIDED
from appliance.errors import ApplianceError
from appliance.events import ClipBegun, ClipDeleted, ClipEnded, ObjectSeen
from appliance.store import Store, StoredEvent
from appliance.wire.messages import ClipTold

_BATCH: Final = 500
_DECISIONS: Final = {
    "subject_identified": "somebody it knows",
    "stranger_seen": "a stranger",
    "person_undecided": "somebody",
}


class ClipTelling:
    """Tells of clips.

    Args:
        store: The log.
        outside: Whether the cameras' video is sent elsewhere too.
    """

    def __init__(self, store: Store, *, outside: bool) -> None:
        self._store = store
        self._outside = outside

    def row(self, told: ClipTold) -> dict[str, Any]:
        """One that is there, as JSON values; see `clips.list`."""
        return {
            **_times(told.begin_ms, told.end_ms),
            "clip": told.clip,
            "camera": told.camera,
            "recording": told.state == "recording",
            "why": told.why,
            "fragments": told.fragments,
            "size_bytes": told.size_bytes,
            "width": told.width,
            "height": told.height,
            "labels": [{"label": label, "score": score} for label, score in told.labels],
            "because": self._because(told.causes),
            "streams": list(told.streams),
            "keep_until": moment(time_of(told.keep_until_ms)),
            "gone": None,
            "outside": self._outside,
        }

    def ended_at(self, camera: str, at_ms: int) -> str | None:
        """The clip of a moment by the log, whether or not it is still here."""
        after = 0
        while page := self._store.events(after=after, types=("clip_ended",), limit=_BATCH):
            for stored in page:
                event = stored.event
                if not isinstance(event, ClipEnded) or event.camera != camera:
                    continue
                if event.begin_ms <= at_ms < event.end_ms:
                    return event.clip
            after = page[-1].position
        return None

    def logged(self, clip: str) -> dict[str, Any] | None:
        """What the log says of a clip that is gone; None: nothing."""
        begun: ClipBegun | None = None
        ended: ClipEnded | None = None
        deleted: ClipDeleted | None = None
        after, types = 0, ("clip_begun", "clip_ended", "clip_deleted")
        while page := self._store.events(after=after, types=types, limit=_BATCH):
            for stored in page:
                event = stored.event
                if isinstance(event, ClipBegun) and event.clip == clip:
                    begun = event
                elif isinstance(event, ClipEnded) and event.clip == clip:
                    ended = event
                elif isinstance(event, ClipDeleted) and event.clip == clip:
                    deleted = event
            after = page[-1].position
        known = ended or begun
        if known is None:
            return None
        causes = ended.causes if ended is not None else tuple(filter(None, (begun.cause if begun else None,)))
        return {
            **_times(known.begin_ms, ended.end_ms if ended is not None else known.begin_ms),
            "clip": clip,
            "camera": known.camera,
            "recording": False,
            "why": ended.why if ended is not None else "",
            "fragments": 0,
            "size_bytes": 0,
            "width": 0,
            "height": 0,
            "labels": [],
            "because": self._because(causes),
            "streams": [],
            "keep_until": None,
            "gone": deleted.reason if deleted is not None else "lost",
            "outside": self._outside,
        }

    def _because(self, causes: Sequence[str]) -> list[str]:
        """What set a clip off, in words; each once."""
        found: dict[str, None] = {}
        for event in causes:
            try:
                found.setdefault(_words(self._store.event(event)))
            except ApplianceError:  # the log has forgotten it
                continue
        return list(found)


def _words(stored: StoredEvent) -> str:
    """What an event is as the cause of a clip; nobody is named."""
    if isinstance(stored.event, ObjectSeen):
        return stored.event.label
    if stored.event is None or stored.type in DECIDED:
        return _DECISIONS.get(stored.type, stored.type.replace("_", " "))
    return sentence(stored.event, Names(nameless, nameless, nameless, nameless))


def _times(begin_ms: int, end_ms: int) -> dict[str, Any]:
    return {
        "begin": moment(time_of(begin_ms)),
        "end": moment(time_of(end_ms)),
        "begin_ms": begin_ms,
        "end_ms": end_ms,
        "duration_s": (end_ms - begin_ms) / 1000,
    }


def time_of(ms: int | None) -> datetime | None:
    """A time in milliseconds since the epoch, aware."""
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)
