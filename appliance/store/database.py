"""The engine: how a connection is set up, how transactions begin, what the database's errors mean.

Reads see one moment (a snapshot). Writes take the database's lock at once (`BEGIN IMMEDIATE`), so
that "one writer" is the database's promise and not a process of ours. A committed transaction
survives `kill -9` and a power cut (WAL with `synchronous=FULL`: one flush per commit).
"""

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from appliance.errors import StoreError, StoreFullError

DEFAULT_PATIENCE_S = 5.0
"""Seconds a transaction waits for another one's lock before it gives up."""

_WAL_PAUSE_S = 0.02
_SHORTLY_MS = 50
"""How long one attempt to empty the write-ahead log may wait: writers wait for it meanwhile."""

_WRITE = "appliance_write"
_PG_DISK_FULL = {"53100"}
_PG_LOCKED = {"55P03", "40P01", "40001", "57014"}
_PG_GONE = ("08", "57P")


def sqlite_url(path: Path) -> str:
    """The address of a SQLite file."""
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def make_engine(address: str, *, patience_s: float = DEFAULT_PATIENCE_S) -> Engine:
    """An engine for `sqlite:///…` or `postgresql+psycopg://…`; nothing is opened yet.

    Raises:
        StoreError: Another kind of database, or its driver is not installed. The address is not
            repeated: it may hold a password.
    """
    try:
        url = make_url(address)
        if url.get_backend_name() == "sqlite":
            return _sqlite(url, patience_s)
        if url.get_backend_name() == "postgresql":
            return _postgresql(url.set(drivername="postgresql+psycopg"), patience_s)
    except ArgumentError as error:
        raise StoreError("store.url is not the address of a database") from error
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError(
            "the driver for PostgreSQL is not installed",
            hint="pip install 'office-door-appliance[postgresql]'",
        ) from error
    raise StoreError(
        f"the store cannot use {url.get_backend_name()}", hint="use SQLite, or postgresql+psycopg://…"
    )


def _sqlite(url: URL, patience_s: float) -> Engine:
    if not url.database or url.database == ":memory:":
        raise StoreError("the store needs a file", hint="sqlite:////var/lib/…/store.sqlite3")
    path = Path(url.database)
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": patience_s})

    @event.listens_for(engine, "do_connect")
    def _private(*_: Any) -> None:
        # SQLite makes the file with the umask's mode; its WAL inherits the mode of the file.
        # Where it cannot be made, opening it fails next, with an error of SQLite's.
        if not path.exists():
            with suppress(OSError):
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, below
        _use_wal(connection, patience_s)
        for pragma in (
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",  # a destroyed key is overwritten, not only unlinked
            "trusted_schema=OFF",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _use_wal(connection: sqlite3.Connection, patience_s: float) -> None:
    """Switch to write-ahead logging, waiting for others who are at it.

    SQLite does not call its busy handler while it changes the journal mode: of several processes
    that open a new database at once, all but one would be told it is locked.
    """
    give_up = time.monotonic() + patience_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
            if not busy or time.monotonic() > give_up:
                raise
            time.sleep(_WAL_PAUSE_S)
        else:
            return


def _postgresql(url: URL, patience_s: float) -> Engine:
    options = f"-c lock_timeout={int(patience_s * 1000)} -c timezone=UTC"
    if "options" in url.query:
        options = f"{url.query['options']} {options}"
    return create_engine(
        url.difference_update_query(["options"]),
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={"options": options, "connect_timeout": max(2, round(patience_s))},
    )


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one moment and changes nothing.

    Raises:
        StoreError: The database cannot be read.
    """
    with translated(), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin() as transaction:
            yield connection
            transaction.rollback()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that commits at the end of the block, or leaves nothing behind.

    Raises:
        StoreFullError: No space.
        StoreError: Locked for too long, lost, damaged.
    """
    with translated(), engine.connect().execution_options(**{_WRITE: True}) as connection, connection.begin():
        yield connection


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """A writing transaction in which SQLite's tables may be replaced by altered copies.

    Dropping a table that others point to would be refused, or empty those, were foreign keys looked
    at during it; they are checked at the end instead. (SQLite ignores the switch inside a transaction.)

    Raises:
        StoreFullError: No space.
        StoreError: Locked, lost, damaged, or left with a reference to nothing; nothing was changed.
    """
    if engine.dialect.name != "sqlite":
        with writing(engine) as connection:
            yield connection
        return
    with translated(), engine.connect().execution_options(**{_WRITE: True}) as connection:
        raw: Any = connection.connection.driver_connection
        raw.execute("PRAGMA foreign_keys=OFF").close()
        try:
            with connection.begin():
                yield connection
                if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                    raise StoreError("the upgrade would leave references to nothing; it was undone")
        finally:
            raw.execute("PRAGMA foreign_keys=ON").close()


def empty_write_ahead_log(engine: Engine, *, patience_s: float) -> bool:
    """Move SQLite's write-ahead log into the database and cut it to nothing.

    Tried again and again while others read or write, each time too shortly to hold them up.
    PostgreSQL keeps dead rows until it vacuums, and its own log as it is configured to; nothing is
    done there.

    Args:
        engine: Of the database.
        patience_s: Seconds after which it is given up; tried once at least.

    Returns:
        Whether SQLite's log is empty now; true for PostgreSQL.
    """
    if engine.dialect.name != "sqlite":
        return True
    give_up = time.monotonic() + patience_s
    with translated(), engine.connect() as connection:
        raw: Any = connection.connection.driver_connection  # outside any transaction, where SQLite wants it
        (kept,) = raw.execute("PRAGMA busy_timeout").fetchone()
        raw.execute(f"PRAGMA busy_timeout={_SHORTLY_MS}").close()
        try:
            while not _truncated(raw):
                if time.monotonic() >= give_up:
                    return False
                time.sleep(_WAL_PAUSE_S)
            return True
        finally:
            raw.execute(f"PRAGMA busy_timeout={kept}").close()


def _truncated(raw: sqlite3.Connection) -> bool:
    """One attempt. That others are in the way is told in the row of the result, and is no error."""
    try:
        (busy, _, _) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error:
        return False
    return not busy


@contextmanager
def translated() -> Iterator[None]:
    """Turn the database's errors into ours.

    Raises:
        StoreFullError: No space.
        StoreError: Everything else.
    """
    try:
        yield
    except DBAPIError as error:
        raise _meaning(error.orig) from error
    except PoolTimeoutError as error:
        raise StoreError("no connection to the database came free in time") from error


def _meaning(error: BaseException | None) -> StoreError:
    if isinstance(error, sqlite3.Error):
        return _sqlite_meaning(error)
    state = str(getattr(error, "sqlstate", None) or "")
    for known, (kind, message, hint) in ((_PG_DISK_FULL, _FULL), (_PG_LOCKED, _LOCKED)):
        if state in known:
            return kind(f"{message} (SQLSTATE {state})", hint=hint)
    if not state or state.startswith(_PG_GONE):
        return StoreError("the database server cannot be reached", hint="check that it runs, and store.url")
    return StoreError(f"the database refused: SQLSTATE {state}")


def _sqlite_meaning(error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    said = _SQLITE_SAYS.get(code & 0xFF)
    if said is None:
        return StoreError(f"the database refused: {name}")
    kind, message, hint = said
    return kind(f"{message} ({name})", hint=hint)


_FULL = (
    StoreFullError,
    "no space left for the database; nothing was written",
    "free some space on the state directory's disk",
)
_LOCKED = (
    StoreError,
    "the database stayed locked by somebody else for too long",
    "a backup or another program holds it; see which process has the file open",
)
_SQLITE_SAYS: Mapping[int, tuple[type[StoreError], str, str]] = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_CANTOPEN: (
        StoreError,
        "the database file cannot be opened",
        "check that the state directory exists, and its owner",
    ),
    sqlite3.SQLITE_READONLY: (
        StoreError,
        "the database file cannot be written",
        "check its owner and the mount",
    ),
    sqlite3.SQLITE_CORRUPT: (StoreError, "the database file is damaged", "restore it from your backup"),
    sqlite3.SQLITE_NOTADB: (StoreError, "the file is not a database", "restore it from your backup"),
    sqlite3.SQLITE_IOERR: (
        StoreError,
        "the disk failed under the database",
        "check free space and the disk",
    ),
}
