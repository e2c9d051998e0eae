"""Which version of the tables a database has, and bringing an older one up to date.

A database of a newer appliance is refused, never guessed at. An older SQLite file is copied
beside itself first. The steps themselves are in the top-level `migrations/`, which is found by
its place and not imported.
"""

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.pool import PoolProxiedConnection

from appliance.errors import StoreError, StoreVersionError
from appliance.store.database import migrating, reading, translated

HEAD = "0010"
"""The revision this program works with; a test holds it against `migrations/versions`."""

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
"""Beside the package `appliance`, in a checkout and in an installation alike."""

_PG_LOCK = 0x0FF1CED0
"""Advisory lock under which one process of several upgrades a shared database."""


def version(engine: Engine) -> str | None:
    """The revision a database has; None when it has no tables of ours.

    Raises:
        StoreError: It cannot be read.
    """
    with reading(engine) as connection:
        return _version(connection)


def bring_up_to_date(engine: Engine, *, to: str = HEAD, scripts: Path = MIGRATIONS) -> bool:
    """Make the tables in a new database, upgrade an older one, leave a current one alone.

    Processes that start together may all call this: one does it, the others find it done.

    Args:
        engine: The database.
        to: The newest revision of `scripts`.
        scripts: Folder of the steps.

    Returns:
        Whether something was changed.

    Raises:
        StoreVersionError: The database is of a newer appliance.
        StoreError: It cannot be opened, or an upgrade failed and was rolled back.
    """
    found = version(engine)
    if found == to:
        return False
    if found is not None:
        _check_known(found, to, scripts)
    if found is not None and engine.dialect.name == "sqlite":
        _copy(engine, found)
    with migrating(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _PG_LOCK})
        if _version(connection) == to:
            return False  # somebody else did it while we waited for the lock
        upgrade(connection, to, scripts=scripts)
    return True


def upgrade(connection: Connection, revision: str, *, scripts: Path = MIGRATIONS) -> None:
    """Run the steps up to `revision` within the caller's transaction (of `migrating`)."""
    from alembic import command  # noqa: PLC0415 - slow, and only an upgrade needs it

    command.upgrade(_config(connection, scripts), revision)


def downgrade(connection: Connection, revision: str, *, scripts: Path = MIGRATIONS) -> None:
    """Run the steps down to `revision` (`base`: no tables), likewise."""
    from alembic import command  # noqa: PLC0415 - slow, and only an upgrade needs it

    command.downgrade(_config(connection, scripts), revision)


def _check_known(found: str, newest: str, scripts: Path) -> None:
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - slow, and only an upgrade needs it

    if found not in {step.revision for step in ScriptDirectory(str(scripts)).walk_revisions()}:
        raise StoreVersionError(
            f"the database has revision {found}, and this program knows up to {newest}",
            hint="upgrade the appliance, or restore the backup from before the upgrade",
        )


def _config(connection: Connection, scripts: Path) -> Any:
    """Alembic's configuration for a connection in a transaction; no file is read."""
    from alembic.config import Config  # noqa: PLC0415 - slow, and only an upgrade needs it

    if not (scripts / "env.py").is_file():
        raise StoreError("the migrations are missing from this installation", hint="install it again, whole")
    config = Config()
    # Alembic's configuration expands percent signs.
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _copy(engine: Engine, found: str) -> None:
    """Copy a SQLite database to `<file>.revision-<its revision>`, consistent even while others write.

    Whoever is removed later is removed there as well (`old_copies`), as long as it lies beside the database.
    """
    target = Path(f"{engine.url.database}.revision-{found}")
    spare = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        os.close(os.open(spare, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with translated(), engine.connect() as connection:
            pooled: PoolProxiedConnection = connection.connection
            copy = sqlite3.connect(spare)
            try:
                source: Any = pooled.driver_connection
                source.backup(copy)
            finally:
                copy.close()
        spare.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            "the database could not be copied before the upgrade, so it was not upgraded",
            hint="free some space in the state directory",
        ) from error
    finally:
        spare.unlink(missing_ok=True)
