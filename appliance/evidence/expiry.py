"""When captures go: by age, as far as the clock is to be believed, and when the spool is full.

A capture's age counts from its file's modification time, which is the moment of sealing. Clocks
are wrong now and then, on a box without a battery at every boot, so an age is believed only as
far as the clock has earned it; see `Expiry.sweep`. Nothing is logged as an event here.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import structlog

from appliance.clock import Clock
from appliance.evidence.spool_folder import SpoolFolder
from appliance.settings import EvidenceSettings

_log = structlog.get_logger()

MIB = 1024 * 1024
_SPARE = 0.1
"""Share of the size cap that a sweep keeps free: 100 MiB of the default, some 80 captures."""

_STEADY_AFTER_S = 3600.0
"""How long the wall clock must agree with the monotonic one before it is believed."""
_JUMP_S = 60.0
"""More than clocks drift apart between two sweeps, less than anybody sets one by."""
_UNSTEADY_LIMIT = 10
"""Captures that age may delete before the clock has been steady for that long."""
_AHEAD = timedelta(days=1)
"""A file dated later than this from now was sealed by a clock that was wrong."""
_CLOCK_WAS_SET = datetime(2025, 1, 1, tzinfo=UTC)
"""Earlier than this software; a clock that says so has not been set."""


@dataclass(frozen=True, slots=True)
class RemovedCapture:
    """A capture that a sweep deleted, and why; the words are those of `capture_removed`."""

    id: str
    reason: Literal["expired", "cap"]


class Expiry:
    """Sweeps one folder.

    Args:
        folder: The files.
        settings: Expiry and cap.
        clock: Both of it, held against each other.
    """

    def __init__(self, folder: SpoolFolder, settings: EvidenceSettings, clock: Clock) -> None:
        self._folder = folder
        self._settings = settings
        self._clock = clock
        self._anchor: tuple[float, datetime] | None = None
        self._deleted_unsteady = 0
        self._untold: list[RemovedCapture] = []

    def sweep(self, at: datetime, *, room: int = 0) -> tuple[RemovedCapture, ...]:
        """Delete what is too old, then the oldest until a tenth of the size cap is free again.

        Returns what went, in that order, and before it what went in an earlier call that failed.
        The tenth is room for what comes until the next sweep.

        What a wrong clock can do is bounded. Until the wall clock has agreed with the
        monotonic one for an hour (since this spool's first sweep, or since the last jump),
        age deletes no more than ten captures in all. With a steady clock, a file dated in
        the future or before 2025 was sealed by a clock that was wrong: its days count from
        now on. A clock that says it is before 2025 deletes nothing by age. The size cap
        does not ask the clock.

        Args:
            at: The wall clock, aware.
            room: Bytes to free at least, for a capture that did not fit.

        Raises:
            EvidenceError: The folder cannot be read, or a capture not be deleted.
        """
        self._by_age(at)
        entries = self._folder.list()
        cap = self._settings.max_mib * MIB
        surplus = sum(entry.size_bytes for entry in entries) - cap + max(int(cap * _SPARE), room)
        for entry in entries:
            if surplus <= 0:
                break
            if self._folder.remove(entry.id):
                self._untold.append(RemovedCapture(entry.id, "cap"))
            surplus -= entry.size_bytes
        removed, self._untold = tuple(self._untold), []
        if removed:
            _log.info("captures_expired", count=len(removed))
        return removed

    def _by_age(self, now: datetime) -> None:
        steady = self._is_steady(now)
        if now < _CLOCK_WAS_SET:
            return
        for entry in self._folder.list():
            if entry.sealed_at < _CLOCK_WAS_SET or entry.sealed_at > now + _AHEAD:
                if steady:
                    self._folder.date(entry.id, now)
            elif now - entry.sealed_at >= timedelta(days=self._settings.expire_days):
                if not steady:
                    if self._deleted_unsteady >= _UNSTEADY_LIMIT:
                        return
                    self._deleted_unsteady += 1
                if self._folder.remove(entry.id):
                    self._untold.append(RemovedCapture(entry.id, "expired"))

    def _is_steady(self, now: datetime) -> bool:
        monotonic = self._clock.monotonic()
        if self._anchor is not None:
            passed = monotonic - self._anchor[0]
            if abs((now - self._anchor[1]).total_seconds() - passed) <= _JUMP_S:
                return passed >= _STEADY_AFTER_S
            _log.warning("wall_clock_jumped", room="evidence")
        self._anchor = (monotonic, now)
        self._deleted_unsteady = 0
        return False
