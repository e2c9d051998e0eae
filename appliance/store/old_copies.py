"""Copies of the database that upgrades left beside it: whoever is erased is erased there as well.

A copy is made before an upgrade (`schema`), so that one can go back. It holds the keys of everybody who was
there then, wrapped; here those go of whom the database itself has none any more, and so do pictures of the
catalogue. Copies elsewhere are
backups, which nothing here reaches.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Engine, Table, select

from appliance.store.database import reading
from appliance.store.search_tables import search_pictures
from appliance.store.tables import operators, subjects

_log = structlog.get_logger()

_ERASING: Final[Mapping[Table, tuple[str, ...]]] = {
    subjects: ("UPDATE subjects SET wrapped_key = NULL, sealed_profile = NULL WHERE id = ?",),
    operators: ("UPDATE operators SET wrapped_key = NULL, sealed_login = NULL WHERE id = ?",),
    search_pictures: (
        "DELETE FROM search_images WHERE picture = ?",
        "DELETE FROM search_features WHERE picture = ?",
        "DELETE FROM search_pictures WHERE id = ?",
    ),
}
"""Tables of keys, and how what a key opens goes from a copy with it."""


def old_copies(engine: Engine) -> list[Path]:
    """The copies beside a SQLite database, oldest revision first; PostgreSQL has none."""
    if engine.dialect.name != "sqlite" or engine.url.database is None:
        return []
    database = Path(engine.url.database)
    return sorted(database.parent.glob(f"{database.name}.revision-[0-9]*[0-9]"))


def follow_erasures(engine: Engine) -> None:
    """Destroy in every copy the keys that the database has no more. A copy that cannot be changed is told of.

    Raises:
        StoreError: The database itself cannot be read.
    """
    copies = old_copies(engine)
    if not copies:
        return
    with reading(engine) as connection:
        alive = {
            table: set(
                connection.execute(select(table.c.id).where(table.c.wrapped_key.is_not(None))).scalars()
            )
            for table in _ERASING
        }
    for copy in copies:
        try:
            for table, ids in alive.items():
                _destroy(copy, table, ids)
        except sqlite3.Error as error:
            _log.error(
                "erased_data_still_in_old_copy",
                file=copy.name,
                reason=type(error).__name__,
                hint="delete it from the state directory",
            )


def delete_copies(engine: Engine) -> int:
    """Delete the copies: their keys are wrapped by a device key that is gone. How many they were."""
    copies = old_copies(engine)
    for copy in copies:
        copy.unlink(missing_ok=True)
    return len(copies)


def _destroy(copy: Path, table: Table, alive: set[str]) -> None:
    """Destroy the keys of all but those who are alive, and leave nothing of them in the file."""
    with closing(sqlite3.connect(copy)) as raw:
        raw.execute("PRAGMA secure_delete=ON").close()
        known = raw.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table.name,))
        if known.fetchone() is None:
            return
        kept = raw.execute(f"SELECT id FROM {table.name} WHERE wrapped_key IS NOT NULL").fetchall()  # noqa: S608
        gone = [(each,) for (each,) in kept if each not in alive]
        if gone:
            with raw:
                for statement in _ERASING[table]:
                    raw.executemany(statement, gone)
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
