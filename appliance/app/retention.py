"""What goes when: captures, events, counters; what would go, and seeing to it while the appliance runs.

Enrolment photos are not kept at all, so that there is nothing to plan about them. The spool and the store do
the deleting; here settings and clock become dates.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

import structlog

from appliance.clock import Steadiness
from appliance.errors import ApplianceError
from appliance.events import CaptureRemoved
from appliance.evidence import Spool
from appliance.evidence.expiry import DueCapture
from appliance.services import Services
from appliance.settings import RetentionSettings, S3Settings
from appliance.sinks.naming import target_of
from appliance.store import NewEvent
from appliance.store.pruning import OldSegment
from appliance.values import CopyState

_log = structlog.get_logger()

PRUNE_S = 3600.0
"""How often the log and the counters are looked through."""
_MIB = 1024 * 1024

Class = Literal["captures", "events", "counters", "clips"]


@dataclass(frozen=True, slots=True)
class Going:
    """Something that is due to go.

    Attributes:
        of: Its class.
        what: An id of a capture or a clip, positions of events, a day.
        many: How many of them.
        size_bytes: Of files; None: not known.
        newest_at: When the newest of it was made, aware UTC; None: not said.
        reason: `expired`, `cap`, `room` of captures; `age`, `size` of events; `age` of counts;
            `age`, `size`, `room` of clips.
        held: Why it stays for now; None: it goes.
        copied: Whether a copy of the capture was verified; None: nothing is copied, or it is no capture.
    """

    of: Class
    what: str
    many: int
    size_bytes: int | None
    newest_at: datetime | None
    reason: str
    held: str | None = None
    copied: bool | None = None


class Retention:
    """Everything of one box that goes with time.

    Args:
        settings: When the log and the counters go; captures are the spool's own business.
        services: Opened.
        spool: The captures.
        bucket: Where they are copied to; None: nowhere.
    """

    def __init__(
        self,
        settings: RetentionSettings,
        services: Services,
        spool: Spool,
        bucket: S3Settings | None = None,
    ) -> None:
        self._settings = settings
        self._services = services
        self._spool = spool
        self._target = target_of(bucket) if bucket is not None and bucket.bucket else None

    def plan(self, now: datetime) -> list[Going]:
        """What would go if the clock is right. Nothing is changed.

        Args:
            now: Aware.

        Raises:
            EvidenceError: The spool cannot be read.
            StoreError: The database cannot.
        """
        due = self._due(now)
        found = self._going(due)
        found += [_segment(each) for each in self._segments(now, due)]
        day = self._day(now)
        if day is not None and (many := self._services.store.old_counts(day)):
            found.append(_counts(day, many))
        return found

    def run(self, now: datetime) -> list[Going]:
        """Delete what `plan` lists, captures first, and log it; returns what went.

        A wrong clock is not guarded against here: who runs this looked at the plan.

        Raises:
            EvidenceError: The spool cannot be read, or a capture not be deleted.
            StoreError: The database cannot.
        """
        went: list[Going] = []
        due = self._due(now)
        # Before anything goes: what is logged of it makes the database larger, and would take more along.
        segments = self._segments(now, due)
        for each, going in zip(due, self._going(due), strict=True):
            if self._spool.remove(each.entry.id):
                removed = CaptureRemoved(capture=each.entry.id, reason=each.reason)
                # After the file: what a crash leaves between, start-up finds missing, and says so.
                self._services.store.append_all([NewEvent(removed, at=now)])
                went.append(going)
        gone = self._services.store.drop_segments(segments, captures=self._captures())
        went += [_segment(segment) for segment in gone]
        if (many := self.prune_counts(now)) and (day := self._day(now)):
            went.append(_counts(day, many))
        return went

    def prune_events(self, now: datetime) -> Sequence[OldSegment]:
        """Drop some of the events that are due; nothing: there are none any more.

        Raises:
            EvidenceError: The spool cannot be read.
            StoreError: The database cannot.
        """
        return self._services.store.prune_events(
            before=self._before(now), max_bytes=self._max_bytes(), captures=self._captures()
        )

    def prune_counts(self, now: datetime) -> int:
        """Drop the counts that are due; how many went.

        Raises:
            StoreError: The database cannot.
        """
        day = self._day(now)
        return self._services.store.prune_counts(day) if day is not None else 0

    def sweep(self, stop: threading.Event) -> None:
        """Drop what is due every hour, a little at a time, until `stop` is set.

        Only once the clock has run evenly for an hour: nothing goes because of one that was set wrongly.
        """
        steadiness = Steadiness(self._services.clock)
        while True:
            now = self._services.clock.wall()
            try:
                if steadiness.look(now):
                    self.prune_events(now)
                    self.prune_counts(now)
            except ApplianceError as error:
                _log.warning("retention_failed", error=error.message, hint=error.advice)
            if stop.wait(PRUNE_S):
                return

    def copied(self) -> set[str]:
        """The captures whose copies were verified; none where nothing is copied.

        Raises:
            StoreError: The notes of that cannot be read.
        """
        if self._target is None:
            return set()
        notes = self._services.store.remote_copies(self._target)
        return {capture for capture, state in notes.items() if state is CopyState.VERIFIED}

    def _due(self, now: datetime) -> tuple[DueCapture, ...]:
        return self._spool.due(now, copied=self.copied) if self._services.layout.spool.exists() else ()

    def _going(self, due: Sequence[DueCapture]) -> list[Going]:
        there = self.copied() if due and self._target is not None else None
        return [
            Going(
                "captures",
                each.entry.id,
                1,
                each.entry.size_bytes,
                each.entry.sealed_at,
                each.reason,
                copied=None if there is None else each.entry.id in there,
            )
            for each in due
        ]

    def _segments(self, now: datetime, due: Sequence[DueCapture]) -> list[OldSegment]:
        """The events that are due once these captures are gone."""
        return self._services.store.old_segments(
            before=self._before(now),
            max_bytes=self._max_bytes(),
            captures=self._captures() - {each.entry.id for each in due},
        )

    def _captures(self) -> set[str]:
        """Ids of what is in the spool.

        Raises:
            EvidenceError: It cannot be read: then no event may go.
        """
        if not self._services.layout.spool.exists():
            return set()
        return {entry.id for entry in self._spool.list()}

    def _before(self, now: datetime) -> datetime | None:
        days = self._settings.events_days
        return None if days is None else now - timedelta(days=days)

    def _max_bytes(self) -> int | None:
        most = self._settings.events_max_mib
        return None if most is None else most * _MIB

    def _day(self, now: datetime) -> date | None:
        days = self._settings.counters_days
        return None if days is None else (now - timedelta(days=days)).date()


def _counts(day: date, many: int) -> Going:
    return Going("counters", f"before {day.isoformat()}", many, None, None, "age")


def _segment(each: OldSegment) -> Going:
    what = f"{each.first}-{each.last}"
    return Going("events", what, each.events, None, each.newest_at, each.reason, each.held)
