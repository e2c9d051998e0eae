"""What events of the log mean, written as moments, in a transaction: each event once.

Which events mean something, `moment_events` says; how far the log was read, `moments_kept` notes.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from appliance.store.moment_events import ENCOUNTER, Alone, Clip, Stay, meaning
from appliance.store.moment_rows import Document, MomentRows, millis
from appliance.store.moment_tables import moment_clips, moment_places, moments
from appliance.store.records import StoredEvent
from appliance.store.tables import subjects


class MomentFollowing:
    """Writes what events mean, in a transaction.

    Args:
        connection: Of it.
        device: Whose log.
        kept_ms: From when on moments are kept.
    """

    def __init__(self, connection: Connection, device: str, kept_ms: int) -> None:
        self._connection = connection
        self._device = device
        self._rows = MomentRows(connection, device)
        self._kept_ms = kept_ms

    def write(self, found: Sequence[StoredEvent]) -> int:
        """How many documents were written, new or anew."""
        written = 0
        for stored in found:
            meant = meaning(stored)
            if isinstance(meant, Clip):
                self._clip(meant)
            elif isinstance(meant, Stay):
                written += self._stay(stored, meant)
            elif isinstance(meant, Alone):
                more = {"door": meant.door, "about": stored.id, "event": stored.id}
                written += self._put(meant.camera, millis(stored.at), stored.type, meant.labels, more)
        return written

    def _put(self, camera: str, at_ms: int, kind: str, labels: Any, more: dict[str, Any]) -> int:
        if at_ms < self._kept_ms:
            return 0
        return self._rows.put([Document(camera, at_ms, kind, labels, more)])

    def _stay(self, stored: StoredEvent, word: Stay) -> int:
        own = moments.c.place.in_(own_places(self._device))
        wanted = (
            select(moments, moment_places.c.camera)
            .join(moment_places, moment_places.c.id == moments.c.place)
            .where(moments.c.about == word.encounter, own)
        )
        before = self._connection.execute(wanted).mappings().first()
        if before is None and word.corrects is not None:
            return 0  # it is too long ago, or of somebody who is gone
        if before is not None and before["corrected"] and word.corrects is None:
            return 0  # what somebody said who knows stands
        if before is not None:
            self._rows.take_away([before])
        if word.subject is not None and not self._enrolled(word.subject):
            return 0
        camera, at_ms, door = (
            (word.camera, millis(stored.at), word.door)
            if before is None
            else (before["camera"], before["at"], before["door"])
        )
        more = {
            "door": door,
            "verdict": word.verdict,
            "subject": word.subject,
            "about": word.encounter,
            "event": stored.id,
            "corrected": bool(word.corrects),
        }
        return self._put(camera, at_ms, ENCOUNTER, {}, more)

    def _enrolled(self, subject: str) -> bool:
        """Whether somebody is there: of who was removed meanwhile nothing is written any more."""
        wanted = select(subjects.c.id).where(subjects.c.id == subject, subjects.c.wrapped_key.is_not(None))
        return self._connection.execute(wanted).first() is not None

    def _clip(self, clip: Clip) -> None:
        self._connection.execute(delete(moment_clips).where(moment_clips.c.clip == clip.clip))
        if clip.camera is None:
            return
        values = {
            "clip": clip.clip,
            "place": self._rows.place(clip.camera),
            "begin_ms": clip.begin_ms,
            "end_ms": clip.end_ms,
        }
        self._connection.execute(insert(moment_clips).values(values))


def own_places(device: str) -> Any:
    """The numbers of a device's cameras, as a query."""
    return select(moment_places.c.id).where(moment_places.c.device == device)
