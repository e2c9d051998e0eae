"""One search service for the tests of a module, empty for each test; stores of the tests' own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from search_server import SearchServer, search_server
from stores import store

from appliance.store import Store, sqlite_url


@pytest.fixture(scope="module")
def running_search() -> Iterator[SearchServer]:
    """The service, for the module."""
    with search_server() as server:
        yield server


@pytest.fixture
def search(running_search: SearchServer) -> Iterator[SearchServer]:
    """The same, with nothing in it; no request was against the rules."""
    running_search.documents.clear()
    running_search.templates.clear()
    running_search.went.clear()
    running_search.answers.clear()
    running_search.authorization = None
    running_search.most_bytes = 100 << 20
    yield running_search

    assert [] == running_search.faults


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables, to be copied: making them takes longer than most of these tests."""
    path = tmp_path_factory.mktemp("prepared") / "store.sqlite3"
    with store(sqlite_url(path)):
        return path


@pytest.fixture
def box(tmp_path: Path, prepared: Path) -> Iterator[Store]:
    """An open store."""
    path = tmp_path / "store.sqlite3"
    shutil.copyfile(prepared, path)
    with store(sqlite_url(path)) as opened:
        yield opened
