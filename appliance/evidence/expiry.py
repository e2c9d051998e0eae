"""When captures go: by age, as far as the clock is to be believed, and when the spool or the disk is full.

A capture's age counts from its file's modification time, which is the moment of sealing. Clocks
are wrong now and then, on a box without a battery at every boot, so an age is believed only as
far as the clock has earned it; see `Expiry.sweep`. Nothing is logged as an event here.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import structlog

from appliance.clock import Clock, Steadiness
from appliance.evidence.spool_folder import SpoolEntry, SpoolFolder
from appliance.settings import EvidenceSettings

Copied = Callable[[], Collection[str]]
"""Tells the captures of which there is a verified copy elsewhere; asked only where it decides."""

_log = structlog.get_logger()

MIB = 1024 * 1024
_SPARE = 0.1
"""Share of the size cap that a sweep keeps free: 100 MiB of the default, some 80 captures."""

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
    reason: Literal["expired", "cap", "room"]


@dataclass(frozen=True, slots=True)
class DueCapture:
    """A capture that is due to go, and why.

    Attributes:
        entry: Its file.
        reason: `expired` (its time is over), `cap` (the spool is full) or `room` (the disk nearly is).
    """

    entry: SpoolEntry
    reason: Literal["expired", "cap", "room"]


class Expiry:
    """Sweeps one folder.

    Args:
        folder: The files.
        settings: Expiry, cap and floor.
        clock: Both of it, held against each other.
        free: Tells the free space where a folder is.
    """

    def __init__(
        self, folder: SpoolFolder, settings: EvidenceSettings, clock: Clock, free: Callable[[Path], int]
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._steadiness = Steadiness(clock)
        self._free = free
        self._deleted_unsteady = 0
        self._untold: list[RemovedCapture] = []

    def sweep(self, at: datetime, *, room: int = 0, copied: Copied = frozenset) -> tuple[RemovedCapture, ...]:
        """Delete what is due, as `due` says; returns what went, in that order.

        Before it stands what went in an earlier call that failed.

        What a wrong clock can do is bounded. Until the wall clock has agreed with the
        monotonic one for an hour (since this spool's first sweep, or since the last jump),
        age deletes no more than ten captures in all. With a steady clock, a file dated in
        the future or before 2025 was sealed by a clock that was wrong: its days count from
        now on. A clock that says it is before 2025 deletes nothing by age. Size and free
        space do not ask the clock.

        Args:
            at: The wall clock, aware.
            room: Bytes to free at least, for a capture that did not fit.
            copied: See `due`.

        Raises:
            EvidenceError: The folder cannot be read, or a capture not be deleted.
        """
        steady = self._is_steady(at)
        if steady and at >= _CLOCK_WAS_SET:
            self._redate(at)
        most = None if steady else _UNSTEADY_LIMIT - self._deleted_unsteady
        for each in self.due(at, room=room, most_by_age=most, copied=copied):
            if each.reason == "expired" and not steady:
                self._deleted_unsteady += 1
            if self._folder.remove(each.entry.id):
                self._untold.append(RemovedCapture(each.entry.id, each.reason))
        removed, self._untold = tuple(self._untold), []
        if removed:
            _log.info("captures_expired", count=len(removed))
        return removed

    def due(
        self, at: datetime, *, room: int = 0, most_by_age: int | None = None, copied: Copied = frozenset
    ) -> tuple[DueCapture, ...]:
        """What is to go; nothing is changed.

        First what is too old, copied or not: its time is over. Then, until a tenth of the size cap is free
        again and until the disk has the room that is wanted, the oldest of those that are copied, and then
        the oldest of the others. The tenth is room for what comes until the next sweep.

        Args:
            at: The wall clock, aware.
            room: Bytes to free at least.
            most_by_age: No more than so many because of their age; None: all.
            copied: Tells of which there is a verified copy.

        Raises:
            EvidenceError: The folder cannot be read.
        """
        entries = self._folder.list()
        old = [each for each in entries if self._is_old(each, at)][:most_by_age]
        found = [DueCapture(each, "expired") for each in old]
        gone = {each.id for each in old}
        left = [each for each in entries if each.id not in gone]
        cap = self._settings.max_mib * MIB
        surplus = sum(entry.size_bytes for entry in left) - cap + max(int(cap * _SPARE), room)
        short = self._short_by() - sum(each.size_bytes for each in old)
        if surplus > 0 or short > 0:
            there = copied()
            left.sort(key=lambda each: each.id not in there)
        for entry in left:
            if surplus <= 0 and short <= 0:
                break
            found.append(DueCapture(entry, "cap" if surplus > 0 else "room"))
            surplus -= entry.size_bytes
            short -= entry.size_bytes
        return tuple(found)

    def _short_by(self) -> int:
        """Bytes that the disk lacks of the room that is wanted on it."""
        floor = self._settings.make_room_mib * MIB
        if not floor or not self._folder.path.exists():
            return 0
        with self._folder.trouble("measure"):
            return floor - self._free(self._folder.path)

    def _is_old(self, entry: SpoolEntry, now: datetime) -> bool:
        if now < _CLOCK_WAS_SET or _is_misdated(entry, now):
            return False
        return now - entry.sealed_at >= timedelta(days=self._settings.expire_days)

    def _redate(self, now: datetime) -> None:
        for entry in self._folder.list():
            if _is_misdated(entry, now):
                self._folder.date(entry.id, now)

    def _is_steady(self, now: datetime) -> bool:
        steady = self._steadiness.look(now)
        if self._steadiness.jumped:
            _log.warning("wall_clock_jumped", room="evidence")
            self._deleted_unsteady = 0
        return steady


def _is_misdated(entry: SpoolEntry, now: datetime) -> bool:
    """Sealed by a clock that was wrong."""
    return entry.sealed_at < _CLOCK_WAS_SET or entry.sealed_at > now + _AHEAD
