"""The wall clock and the monotonic clock, as one injectable thing.

Intervals use monotonic seconds; the log uses aware UTC wall time. Rooms take a `Clock` and
never call `time` or `datetime.now` themselves, so that a replay tells the recording's time
and tests need not sleep.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

_JUMP_S = 60.0
"""More than clocks drift apart between two looks, less than anybody sets one by."""


class Clock(Protocol):
    """Both clocks of one machine."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary point; never goes back."""

    def wall(self) -> datetime:
        """Aware UTC time; may jump when somebody sets the clock."""


class Steadiness:
    """Whether the wall clock is to be believed about ages: it agreed with the monotonic one for long enough.

    Clocks are wrong now and then, on a box without a battery at every boot, and nothing may be deleted
    because of a clock that is a year ahead.

    Args:
        clock: Both of it.
        after_s: How long they must have agreed, since the first look or the last jump.
    """

    def __init__(self, clock: Clock, *, after_s: float = 3600.0) -> None:
        self._clock = clock
        self._after_s = after_s
        self._anchor: tuple[float, datetime] | None = None
        self.jumped = False

    def look(self, wall: datetime) -> bool:
        """Whether it is to be believed now.

        Args:
            wall: What it says, aware. `jumped` tells afterwards whether it had jumped since the last look;
                it counts as steady from this one on, if it goes on evenly.
        """
        monotonic = self._clock.monotonic()
        self.jumped = False
        if self._anchor is not None:
            passed = monotonic - self._anchor[0]
            if abs((wall - self._anchor[1]).total_seconds() - passed) <= _JUMP_S:
                return passed >= self._after_s
            self.jumped = True
        self._anchor = (monotonic, wall)
        return False


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
