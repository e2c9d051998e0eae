"""Both databases without tables, for every test of the migrations."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import PostgresServer, postgres_server
from sqlalchemy import Engine

from appliance.store.database import make_engine, sqlite_url


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server for the whole run."""
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of the test's own."""
    if request.param == "sqlite":
        made = make_engine(sqlite_url(tmp_path / "store.sqlite3"))
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        made = make_engine(server.empty())
    yield made
    made.dispose()
