"""The wall clock and the monotonic clock, as one injectable thing.

Intervals use monotonic seconds; the log uses aware UTC wall time. Rooms take a `Clock` and
never call `time` or `datetime.now` themselves, so that a replay tells the recording's time
and tests need not sleep.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Both clocks of one machine."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary point; never goes back."""

    def wall(self) -> datetime:
        """Aware UTC time; may jump when somebody sets the clock."""


class SystemClock:
    """The clocks of this machine."""

    def monotonic(self) -> float:
        """Seconds since boot or so; never goes back."""
        return time.monotonic()

    def wall(self) -> datetime:
        """Now, aware, UTC."""
        return datetime.now(UTC)


class ManualClock:
    """Clocks that stand still until told: for replays and tests.

    A replay sets both from the recording's own timestamps, which makes the log it writes
    the same every time.
    """

    def __init__(self, wall: datetime, monotonic: float = 0.0) -> None:
        self._wall = wall
        self._monotonic = monotonic

    def monotonic(self) -> float:
        """The monotonic seconds last set."""
        return self._monotonic

    def wall(self) -> datetime:
        """The wall time last set."""
        return self._wall

    def advance(self, seconds: float) -> None:
        """Move both clocks forward by `seconds` >= 0."""
        self._monotonic += seconds
        self._wall += timedelta(seconds=seconds)

    def set(self, *, wall: datetime, monotonic: float) -> None:
        """Put both clocks where the caller says, backwards too (the wall clock may jump)."""
        self._wall = wall
        self._monotonic = monotonic
