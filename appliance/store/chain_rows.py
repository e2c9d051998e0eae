"""The rows of a chain as the database has them, whoever wrote them: read so that none ends the checking.

What the appliance writes it can read; what somebody else wrote may be no time, no number, no hash. That is a
broken chain, at its position, like any other. Nothing is checked here that `checking` checks.
"""

from collections.abc import Generator
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, String, select, type_coerce

from appliance.store.chain import SEGMENT, SignedHead
from appliance.store.checking import broken
from appliance.store.tables import TIME_CHARS, Time, checkpoints, events, parse_time, time_text


def events_of(
    connection: Connection, device: str, *, up_to: int | None = None
) -> Generator[dict[str, Any], None, None]:
    """A device's events in the order of their positions, columns by name; to be closed by who stops reading.

    Args:
        connection: In a transaction.
        device: Whose.
        up_to: Position of the last; None: all.

    Raises:
        ChainBrokenError: What stands in one is nothing that the appliance writes.
    """
    wanted = select(*_raw(events)).where(events.c.device == device).order_by(events.c.position)
    if up_to is not None:
        wanted = wanted.where(events.c.position <= up_to)
    position = 0
    # A cursor on the server would stay open.
    with connection.execution_options(yield_per=SEGMENT).execute(wanted) as found:
        rows = iter(found.mappings())
        while True:
            try:
                row = dict(next(rows, {}))
                if not row:
                    return
                _parse(row)
                position = row["position"]
            except (ValueError, TypeError) as error:
                raise broken(position + 1) from error
            yield row


def checkpoints_of(connection: Connection, device: str) -> dict[int, SignedHead]:
    """A device's checkpoints, by position.

    Raises:
        ChainBrokenError: One is nothing that the appliance writes.
    """
    wanted = select(*_raw(checkpoints)).where(checkpoints.c.device == device)
    found: dict[int, SignedHead] = {}
    for kept in connection.execute(wanted.order_by(checkpoints.c.position)).mappings():
        row = dict(kept)
        try:
            _parse(row)
            found[row["position"]] = SignedHead(**row)
        except (ValueError, TypeError) as error:
            where = row["position"] if type(row["position"]) is int else max(found, default=0)
            raise broken(where, "its checkpoint is nothing that the appliance writes") from error
    return found


def _raw(table: FromClause) -> list[ColumnElement[Any]]:
    """Its columns, times as text: read as times, one that is none would end the reading of hundreds."""
    return [
        type_coerce(column, String(TIME_CHARS)).label(column.name)
        if isinstance(column.type, Time)
        else column
        for column in table.c
    ]


def _parse(row: dict[str, Any]) -> None:
    """Make times of its times.

    Raises:
        ValueError: One is not a time as we write it, or the position is no number.
        TypeError: One is not even text.
    """
    if type(row["position"]) is not int:
        raise ValueError("a position is a number")
    for name in ("at", "dropped_at"):
        text = row.get(name)
        if text is None and name == "dropped_at":
            continue
        row[name] = parse_time(str(text))
        if time_text(row[name]) != text:
            raise ValueError("a time is written in one way alone")
