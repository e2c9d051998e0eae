"""Both databases, one after the other, for every contract of the store."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import stores
from postgres import PostgresServer, postgres_server

from appliance.clock import ManualClock
from appliance.store import Store, sqlite_url

MakeStore = Callable[..., Store]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server for the whole run."""
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of the test's own, with tables."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "store.sqlite3")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.migrated()


@pytest.fixture
def clock() -> ManualClock:
    """Noon, until the test says otherwise."""
    return ManualClock(stores.NOON)


@pytest.fixture
def make_store(address: str, clock: ManualClock) -> Iterator[MakeStore]:
    """Opens stores on the test's database, and closes them after it."""
    with ExitStack() as opened:

        def make(**options: Any) -> Store:
            return opened.enter_context(stores.store(address, **{"clock": clock, **options}))

        yield make
