"""Adding to counters, and who may be counted: what `counters` and `coffees` share. Within a transaction."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from appliance.store.records import LEADERBOARD
from appliance.store.tables import consents, counters


def agreed(connection: Connection, subject: str) -> bool:
    """Whether somebody agreed to be counted, and did not take it back; it cannot be taken back meanwhile."""
    wanted = (
        select(consents.c.purposes)
        .where(consents.c.subject == subject, consents.c.withdrawn_at.is_(None))
        .with_for_update(read=True)  # SQLite has no such clause and needs none: the transaction has the lock
    )
    return any(LEADERBOARD in json.loads(purposes) for (purposes,) in connection.execute(wanted))


def add(connection: Connection, place: Mapping[str, Any], many: int) -> None:
    """Add to a counter, or take from it. Each device has rows of its own: two never wait for each other.

    Args:
        connection: In the transaction of what is counted.
        place: `device`, `subject`, `counter`, `day`.
        many: How much; a counter at nothing is no row.
    """
    if many < 0:
        connection.execute(
            update(counters).where(*matches(counters, place)).values(count=counters.c.count + many)
        )
        connection.execute(delete(counters).where(*matches(counters, place), counters.c.count <= 0))
        return
    upsert(connection, counters, {**place, "count": many}, ("count",))


def upsert(connection: Connection, table: Table, row: Mapping[str, Any], sums: Sequence[str]) -> None:
    """Insert a row, or add to these columns of the one that is there."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(table).values(row)
    connection.execute(
        fresh.on_conflict_do_update(
            index_elements=list(table.primary_key.columns),
            set_={name: table.c[name] + fresh.excluded[name] for name in sums},
        )
    )


def matches(table: Table, key: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """Conditions: these columns have these values."""
    return [table.c[name] == value for name, value in key.items()]
