"""Spans of days of the week, by the clock on the wall: whether a moment lies in one. Pure.

A span that ends at or before the time it begins ends on the next day. Daylight saving does nothing to it: the
clock on the wall says when it begins and ends, so an hour that is skipped or comes twice is short or long in
the span that holds it, as for everybody in the office.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, tzinfo


@dataclass(frozen=True, slots=True)
class WeeklySpan:
    """A time of some days of the week.

    Attributes:
        days: On which it begins; 0 is Monday.
        begins: Included.
        ends: Not included; on the next day unless it is after `begins`; the same: a whole day.
    """

    days: frozenset[int]
    begins: time
    ends: time


def within(spans: Iterable[WeeklySpan], at: datetime, zone: tzinfo | None = None) -> bool:
    """Whether a moment lies in any of these spans.

    Args:
        spans: Any number; of none the answer is no.
        at: Aware.
        zone: Of the clock on the wall; None: this machine's.
    """
    local = at.astimezone(zone)
    now, today, yesterday = local.time().replace(tzinfo=None), local.weekday(), (local.weekday() - 1) % 7
    for span in spans:
        if span.begins < span.ends:
            if today in span.days and span.begins <= now < span.ends:
                return True
        elif (today in span.days and now >= span.begins) or (yesterday in span.days and now < span.ends):
            return True
    return False
