"""What tests of video share."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from footage import Kept, opened_vault

from appliance.vault import Vault


@pytest.fixture(scope="session")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """One vault for all: making its key takes longer than a test."""
    return opened_vault(tmp_path_factory.mktemp("vault"))


@pytest.fixture
def kept(tmp_path: Path, vault: Vault) -> Kept:
    """Clips in a folder that is not there yet."""
    return Kept(tmp_path / "video" / "clips", vault)


@pytest.fixture(autouse=True)
def _loops_of_its_own(request: pytest.FixtureRequest) -> Iterator[None]:
    """A browser that another file keeps open runs a loop in this thread; these tests run their own."""
    others = None if "page" in request.fixturenames else asyncio._get_running_loop()
    if others is None:
        yield
        return
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(others)
