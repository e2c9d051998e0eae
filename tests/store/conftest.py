"""A SQLite database of the test's own."""

from pathlib import Path

import pytest

from appliance.store import sqlite_url


@pytest.fixture
def address(tmp_path: Path) -> str:
    """Where it will be."""
    return sqlite_url(tmp_path / "store.sqlite3")
