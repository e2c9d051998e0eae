"""The time that a page of moments looks at: what an address asks for, by the box's clock, as its days are.

Pure values. Where bars begin and end within that time is the desk's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

DAYS: Final = (1, 3, 7, 30)
"""What may be chosen with one click; three days are what the DeepLens project's own dashboard showed."""
USUAL_DAYS: Final = 3
LONGEST: Final = timedelta(days=1000)
SHORTEST: Final = timedelta(minutes=5)
HOURS_OF: Final = timedelta(days=39)
"""So much at most is looked at for the busiest hours."""
_DAY: Final = timedelta(days=1)
_WIDTHS: Final = (
    (timedelta(hours=1), 60),
    (timedelta(hours=6), 300),
    (timedelta(hours=13), 900),
    (timedelta(hours=36), 1800),
    (timedelta(hours=84), 3600),
    (timedelta(days=9), 10_800),
    (timedelta(days=18), 21_600),
    (timedelta(days=92), 86_400),
)
"""Up to so long → seconds of a bar, so that there are some sixty, which a phone shows; longer: weeks."""
_WEEK_S: Final = 604_800


@dataclass(frozen=True, slots=True)
class Span:
    """A time that is looked at.

    Attributes:
        since: Its begin, aware, by the box's clock.
        until: Its end, likewise.
        days: How many it was asked for by; None: by its begin and end.
    """

    since: datetime
    until: datetime
    days: int | None = None

    @property
    def width_s(self) -> int:
        """How wide a bar is, seconds."""
        return next((width for most, width in _WIDTHS if self.until - self.since <= most), _WEEK_S)

    @property
    def width(self) -> str:
        """The same in words."""
        minutes = self.width_s // 60
        if minutes == 1:
            return "a minute"
        if minutes < 60:  # noqa: PLR2004
            return f"{minutes} minutes"
        hours = minutes // 60
        if hours < 24:  # noqa: PLR2004
            return "an hour" if hours == 1 else f"{hours} hours"
        return "a day" if self.width_s < _WEEK_S else "a week"

    def fields(self) -> dict[str, str]:
        """What stands for its begin and end in fields of a form, by the box's clock; empty: it is days."""
        if self.days is not None:
            return {"since": "", "until": ""}
        ends = (("since", self.since), ("until", self.until))
        return {name: at.astimezone().strftime("%Y-%m-%dT%H:%M") for name, at in ends}

    def address(self) -> dict[str, str]:
        """What stands for it in an address."""
        if self.days is not None:
            return {"days": str(self.days)}
        return address(self.since, self.until)


def address(since: datetime, until: datetime) -> dict[str, str]:
    """What stands for a time in an address: by the box's clock, to the minute, with its offset from UTC.

    Without it the hour that comes twice when summer ends would be its first one.
    """
    return {
        name: at.astimezone().isoformat(timespec="minutes")
        for name, at in (("since", since), ("until", until))
    }


def span_of(given: Mapping[str, str], now: datetime) -> tuple[Span, dict[str, str]]:
    """What an address asks for, and what of it could not be taken, with the usual in its place.

    Args:
        given: The address's `days`, or its `since` and `until`: `2026-05-04T08:30` or `2026-05-04` by the
            box's clock, or `2026-05-04T08:30+02:00`.
        now: Aware.
    """
    days = given.get("days", "")
    usual = int(days) if days in {str(each) for each in DAYS} else USUAL_DAYS
    end = now.astimezone().replace(second=0, microsecond=0) + timedelta(minutes=1)
    otherwise = Span(end - timedelta(days=usual), end, usual)
    if not given.get("since") and not given.get("until"):
        return otherwise, {}
    faults: dict[str, str] = {}
    times: dict[str, datetime] = {}
    for name in ("since", "until"):
        if given.get(name):
            try:
                times[name] = _read(given[name], end_of_day=name == "until")
            except (ValueError, OverflowError, OSError):
                faults[name] = "a day and a time, as 2026-05-04T08:30"
    if faults:
        return otherwise, faults
    until = times.get("until", end)
    try:
        since = times.get("since", until - timedelta(days=usual))
        since = max(since, until - LONGEST)
    except OverflowError:
        return otherwise, {"until": "that is too long ago"}
    if until - since < SHORTEST:
        return otherwise, {"until": "the end is before the beginning, or too soon after it"}
    return Span(since, until), {}


def _read(text: str, *, end_of_day: bool) -> datetime:
    """Aware, by the box's clock; of an hour that comes twice, without an offset, the first.

    Raises:
        ValueError: It is no time.
    """
    at = datetime.fromisoformat(text)
    if len(text) == len("2026-05-04") and end_of_day:
        at += _DAY
    return at.astimezone()
