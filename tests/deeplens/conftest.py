"""The models of hosted functions, as a box has them."""

import os
from pathlib import Path

import hosted_models
import pytest

from appliance.app.hosted_models import open_model_store
from appliance.deeplens.guest.descriptors import Models
from appliance.deeplens.model_store import ModelStore
from appliance.models.folder import ModelFolder
from appliance.models.install import install


@pytest.fixture(scope="session")
def model_folder() -> ModelFolder:
    """The checkout's networks; fetched now if CI did not do it before."""
    folder = ModelFolder()
    install(folder)
    return folder


@pytest.fixture
def model_store(tmp_path: Path, model_folder: ModelFolder) -> ModelStore:
    """The models of a box on which nobody has installed any."""
    return open_model_store(tmp_path / "state", model_folder)


@pytest.fixture(scope="session")
def built_in(tmp_path_factory: pytest.TempPathFactory, model_folder: ModelFolder) -> Models:
    """What a function finds on such a box."""
    root = tmp_path_factory.mktemp("built-in")
    store = open_model_store(root / "state", model_folder)
    return hosted_models.laid_out(store.shown(), root / "view")


@pytest.fixture(scope="session")
def material() -> Path:
    """The folder of clips that are not in the repository."""
    folder = os.environ.get("APPLIANCE_TEST_MATERIAL")
    if not folder:
        pytest.skip("APPLIANCE_TEST_MATERIAL names no folder")
    return Path(folder)
