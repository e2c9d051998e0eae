"""State directories with real keys and a real database, and the models process that enrols."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.app.embedding import ModelsClient, photo_models
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelsClient]:
    """The models process, as a command would start it."""
    state = tmp_path_factory.mktemp("models-state")
    command = [sys.executable, "-m", "appliance", "--state", str(state), "process", "models"]
    with photo_models(Layout(state), command) as client:
        yield client


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """A box after its first boot."""
    with open_services(Settings(), Layout(tmp_path / "state"), create=True) as opened:
        yield opened


@pytest.fixture(scope="session")
def material() -> Path:
    """The folder with clips that are not in the repository."""
    folder = os.environ.get("APPLIANCE_TEST_MATERIAL")
    if not folder:
        pytest.skip("APPLIANCE_TEST_MATERIAL names no folder")
    return Path(folder)
