"""What options take that click does not know: points in time, numbers that are numbers."""

import math
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import click

_AGO = re.compile(r"(\d{1,5})([mhdw])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


class Finite(click.FloatRange):
    """A number in a range; `nan`, which lies in every range, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number."""
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value!r} is not a number", param, ctx)
        return found


class Moment(click.ParamType[datetime]):
    """A day, a time, or how long ago.

    Args:
        end: A day stands for its end instead of its beginning.
    """

    name = "TIME"

    def __init__(self, *, end: bool = False) -> None:
        self._end = end

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """An aware UTC time; days and times without a zone are this machine's."""
        if isinstance(value, datetime):
            return value
        ago = _AGO.fullmatch(str(value))
        try:
            if ago is not None:
                return datetime.now(UTC) - int(ago[1]) * _UNITS[ago[2]]
            if re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
                day = date.fromisoformat(value) + timedelta(days=self._end)
                return datetime(day.year, day.month, day.day).astimezone().astimezone(UTC)
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time: write 2026-11-01, 2026-11-01T08:30 or 7d", param, ctx)
