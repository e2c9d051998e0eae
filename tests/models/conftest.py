"""The installed models, and a small world of made-up ones."""

from pathlib import Path

import pytest
from weights import World

from appliance.models.folder import ModelFolder
from appliance.models.install import install


@pytest.fixture(scope="session")
def installed() -> ModelFolder:
    """The checkout's models; fetched now if CI did not do it before."""
    folder = ModelFolder()
    install(folder)
    return folder


@pytest.fixture
def world(tmp_path: Path) -> World:
    """See `World`."""
    return World(tmp_path)
