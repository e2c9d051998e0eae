"""Where bars over time begin and end: at whole hours and midnights of somebody's own clock.

A day has 23 or 25 hours when clocks are changed, and an hour begins on the half in some places: bars follow
the clock on the wall there. What is counted between the edges is for others.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from appliance.errors import FormError

WIDTHS: Final = (60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 604_800)
"""Seconds that a bar may be wide: a minute to a week."""
MOST_BARS: Final = 1000
FINE_S: Final = 900
"""Bars narrower than this are counted one by one, and only of so long:"""
FINE_FOR: Final = timedelta(hours=8)
LONGEST: Final = timedelta(days=1100)
_WANTED: Final = 180
"""Bars that a picture has when nobody says how wide they are; half as many at least, where that can be."""
_DAY_S: Final = 86_400
_HOUR_S: Final = 3600


def zone_of(name: str | None) -> tzinfo | None:
    """A time zone by its name (`Europe/Berlin`); None: this machine's.

    Raises:
        FormError: There is none of that name here.
    """
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        words = "this machine knows no such time zone"
        raise FormError(words, fields={"zone": words}) from error


def width_for(since: datetime, until: datetime) -> int:
    """How wide bars are to be, so that there are not too many: seconds, one of `WIDTHS`."""
    lasts = (until - since).total_seconds()
    fitting = (
        each for each in WIDTHS if lasts / each <= _WANTED and (each >= FINE_S or until - since <= FINE_FOR)
    )
    return next(fitting, WIDTHS[-1])


def edges_of(since: datetime, until: datetime, width_s: int, zone: tzinfo | None) -> list[datetime]:
    """The edges of all bars that have something of a span of time, ascending, aware UTC.

    Args:
        since: Its beginning, aware.
        until: Its end.
        width_s: Of a bar, one of `WIDTHS`.
        zone: Whose clock; None: this machine's.

    Raises:
        FormError: It ends before it begins, is too long, or there would be too many bars.
    """
    if since >= until:
        words = "the end is before the beginning"
        raise FormError(words, fields={"until": words})
    if until - since > LONGEST:
        words = "that is longer than three years"
        raise FormError(words, fields={"since": words})
    too_fine = width_s < FINE_S and until - since > FINE_FOR
    if too_fine or (until - since) / timedelta(seconds=width_s) > MOST_BARS - 2:
        words = "there would be too many bars: ask for wider ones, or for a shorter time"
        raise FormError(words, fields={"width_s": words})
    return (_even if width_s <= _HOUR_S else _by_the_clock)(since, until, width_s, zone)


def _even(since: datetime, until: datetime, width_s: int, zone: tzinfo | None) -> list[datetime]:
    """An hour or less: equally far apart, whole ones by the clock at the beginning."""
    width = timedelta(seconds=width_s)
    wall = since.astimezone(zone)
    of_hour = timedelta(minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)
    edge = since.astimezone(UTC) - of_hour % width
    edges = [edge]
    while edges[-1] < until:
        edges.append(edges[-1] + width)
    return edges


def _by_the_clock(since: datetime, until: datetime, width_s: int, zone: tzinfo | None) -> list[datetime]:
    """More than an hour: at the same times of each day, however long it is."""
    wall = since.astimezone(zone).replace(tzinfo=None)
    wall = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    if width_s > _DAY_S:
        wall -= timedelta(days=wall.weekday())
    step = timedelta(seconds=width_s)
    edges: list[datetime] = []
    while not edges or edges[-1] < until:
        edge = _moment(wall, zone)
        # An hour that there is not on the day the clocks go forward makes no bar of its own.
        if not edges or edge > edges[-1]:
            edges.append(edge)
        wall += step
    first = max(i for i, edge in enumerate(edges) if edge <= since)
    return edges[first:]


def _moment(wall: datetime, zone: tzinfo | None) -> datetime:
    local = wall.astimezone() if zone is None else wall.replace(tzinfo=zone)
    return local.astimezone(UTC)
