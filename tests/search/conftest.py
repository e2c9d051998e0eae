"""The network that describes pictures."""

from typing import Any

import pytest

from appliance.models.folder import ModelFolder
from appliance.models.install import install
from appliance.networks import open_session


@pytest.fixture(scope="session")
def session() -> Any:
    """EfficientNet-Lite0; fetched now if CI did not do it before."""
    folder = ModelFolder()
    install(folder)
    return open_session(folder.path("efficientnet-lite0"))
