"""Whether it is quiet now, by the box's own clock. Pure."""

from collections.abc import Iterable
from datetime import datetime, time, tzinfo

from appliance.settings import QuietHours
from appliance.settings.audio import WEEKDAYS
from appliance.weekly import WeeklySpan, within


def is_quiet(spans: Iterable[QuietHours], at: datetime, zone: tzinfo | None = None) -> bool:
    """Whether a moment lies within one of the spans.

    Args:
        spans: Of the settings.
        at: Aware.
        zone: Of the clock on the wall; None: this machine's.
    """
    return within((_span(each) for each in spans), at, zone)


def _span(hours: QuietHours) -> WeeklySpan:
    days = frozenset(WEEKDAYS.index(day) for day in hours.days)
    return WeeklySpan(days, time.fromisoformat(hours.start), time.fromisoformat(hours.end))
