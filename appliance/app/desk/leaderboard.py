"""Places: who had how many in a day, a week, a month, or ever, and who shares a place with whom.

Pure. Who may be shown, and by what name, is for who asks; days are the office's, as they were counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, TypedDict, get_args

Period = Literal["day", "week", "month", "all"]
PERIODS: Final[tuple[Period, ...]] = get_args(Period)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many somebody had.

    Attributes:
        text: What they are called where it is shown.
        count: At least 1.
        subject: Whose, by opaque id; None: a visitor's.
    """

    text: str
    count: int
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """Somebody with their place.

    Attributes:
        place: From 1; who is level shares one, and the next is as many further on.
        counted: Who, and how many.
    """

    place: int
    counted: Counted


class Row(TypedDict):
    """A line of a leaderboard, as it is told.

    Attributes:
        key: Tells it from others; says nothing of the person, and is another one tomorrow.
        place: From 1.
        text: What the person is called.
        count: How often.
    """

    key: str
    place: int
    text: str
    count: int


def set_apart(texts: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What to call people so that no two are called the same.

    Args:
        texts: Who and what they would be called, in an order that stays: the first keeps it, the next ones
            have a number behind it, from 2. Letters that differ in case alone are the same.

    Returns:
        Who and what they are called.
    """
    wanted = dict(texts)
    taken: set[str] = set()
    found: dict[str, str] = {}
    again: list[tuple[str, str]] = []
    for who, text in wanted.items():
        if text.casefold() in taken:
            again.append((who, text))
        else:
            found[who] = text
            taken.add(text.casefold())
    # Only now: whoever is called "AB 2" by their own wish keeps that.
    numbers: dict[str, int] = {}
    for who, text in again:
        same = text.casefold()
        number = numbers.get(same, 1) + 1
        while f"{same} {number}" in taken:
            number += 1
        numbers[same] = number
        found[who] = f"{text} {number}"
        taken.add(f"{same} {number}")
    return found


def first_day(period: Period, today: date) -> date:
    """The first day of a period that today is in: weeks begin on Monday."""
    match period:
        case "day":
            return today
        case "week":
            return today - timedelta(days=today.weekday())
        case "month":
            return today.replace(day=1)
        case "all":
            return date.min


def places(counted: Iterable[Counted]) -> list[Placed]:
    """Everybody with their place: most first, and who is level by what they are called."""
    ordered = sorted(counted, key=lambda each: (-each.count, each.text.casefold(), each.subject or ""))
    found: list[Placed] = []
    for number, each in enumerate(ordered, start=1):
        level = bool(found) and found[-1].counted.count == each.count
        found.append(Placed(found[-1].place if level else number, each))
    return found
