"""What stands in the bars of a chart and in the table behind it: counts by time, hour of the week, name.

Pure functions of what the desk counted (`moments.bars`, `moments.hours`). Where a bar leads is handed in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY: Final = timedelta(days=1)
_SHADES: Final = 5

Counted = Mapping[str, Any]
"""As `moments.bars` answers: `{starts, until, series: [{key, total, many}], rest}`."""
Leads = Callable[[datetime, datetime], str]
"""The time of a bar → where it leads."""


@dataclass(frozen=True, slots=True)
class Row:
    """A bar, and its line of the table.

    Attributes:
        since: Begin of its time, ISO 8601 by the box's clock.
        until: Its end.
        words: Its time in words.
        value: How high it is.
        shown: That, as people read it.
        href: Where it leads; empty: there is nothing.
    """

    since: str
    until: str
    words: str
    value: float
    shown: str
    href: str


@dataclass(frozen=True, slots=True)
class Cell:
    """An hour of the week.

    Attributes:
        many: In all weeks together.
        shade: How dark, 0 (nothing) to 5 (the busiest).
    """

    many: int
    shade: int


@dataclass(frozen=True, slots=True)
class Named:
    """A line of a list that is ordered by count.

    Attributes:
        name: As it is called.
        many: How many.
        share: Of the largest, 0 to 1.
        href: Where it leads.
    """

    name: str
    many: int
    share: float
    href: str


def total(counted: Counted) -> int:
    """How many there were in all."""
    return sum(each["total"] for each in _all(counted))


def totals(counted: Counted) -> dict[str, int]:
    """By key, of those that have one, the most first."""
    return {each["key"]: each["total"] for each in counted["series"] if each["key"]}


def rows(counted: Counted, leads: Leads) -> list[Row]:
    """Bars of how many there were, of whatever key."""
    columns = [sum(column) for column in _columns(counted)]
    return [
        _row(since, until, many, str(many), leads(since, until) if many else "")
        for (since, until), many in zip(_times(counted), columns, strict=True)
    ]


def shares(counted: Counted, key: str, leads: Leads) -> list[Row]:
    """Bars of one key's share of all, in percent."""
    names = [each["key"] for each in _all(counted)]
    found = []
    for (since, until), column in zip(_times(counted), _columns(counted), strict=True):
        many = sum(column)
        of = sum(each for name, each in zip(names, column, strict=False) if name == key)
        shown = f"{of} of {many}" if many else "nobody"
        found.append(
            _row(since, until, 100 * of / many if many else 0, shown, leads(since, until) if of else "")
        )
    return found


def week(days: Sequence[Sequence[int]]) -> list[list[Cell]]:
    """Hours by days of the week: 24 rows of 7 cells, of `moments.hours`' seven lists of 24."""
    most = max((max(day) for day in days), default=0)
    return [[_cell(day[hour], most) for day in days] for hour in range(24)]


def busiest(days: Sequence[Sequence[int]]) -> str:
    """When most happens, in words; empty where nothing does."""
    most, hour, day = max((many, -h, -d) for d, day in enumerate(days) for h, many in enumerate(day))
    return f"{DAYS[-day]} from {-hour}:00 to {1 - hour}:00" if most else ""


def named(counts: Mapping[str, int], leads: Callable[[str], str]) -> list[Named]:
    """The most frequent first."""
    most = max(counts.values(), default=0)
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0].casefold()))
    return [Named(name, many, round(many / most, 4), leads(name)) for name, many in ordered if many]


def words_of(since: datetime, until: datetime) -> str:
    """The time of a bar: `Tue 4 May, 14:00 to 15:00`, `Tue 4 May`, `4 May to 10 May`."""
    if until - since > _DAY * 1.5:
        last = until - timedelta(seconds=1)
        return f"{since.day} {since:%b} to {last.day} {last:%b}"
    day = f"{since:%a} {since.day} {since:%b}"
    if f"{since:%H:%M}" == f"{until:%H:%M}" == "00:00":
        return day
    return f"{day}, {since:%H:%M} to {until:%H:%M}"


def _all(counted: Counted) -> list[Mapping[str, Any]]:
    rest = [] if counted["rest"] is None else [counted["rest"]]
    return [*counted["series"], *rest]


def _columns(counted: Counted) -> list[tuple[int, ...]]:
    """Of each bar, its number in each series; none where there is no series."""
    series = _all(counted)
    if not series:
        return [() for _ in counted["starts"]]
    return list(zip(*(each["many"] for each in series), strict=True))


def _times(counted: Counted) -> list[tuple[datetime, datetime]]:
    """Of each bar, by the box's clock."""
    edges = [datetime.fromtimestamp(each).astimezone() for each in (*counted["starts"], counted["until"])]
    return list(pairwise(edges))


def _row(since: datetime, until: datetime, value: float, shown: str, href: str) -> Row:
    first, last = (each.isoformat(timespec="seconds") for each in (since, until))
    return Row(first, last, words_of(since, until), round(value, 2), shown, href)


def _cell(many: int, most: int) -> Cell:
    return Cell(many, -(-many * _SHADES // most) if most else 0)
