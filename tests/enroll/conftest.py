"""One models process for all tests, and state directories that find it as if the appliance ran."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands import Ended, call
from models_process import lend, models_process

from appliance.services import Layout

Enrol = Callable[..., Ended]


@pytest.fixture(scope="session")
def models_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a models process with the limits it has in the running appliance."""
    with models_process(tmp_path_factory.mktemp("models") / "state") as socket:
        yield socket


@pytest.fixture
def state(tmp_path: Path, models_socket: Path) -> Path:
    """An empty state directory whose models process answers already."""
    layout = Layout(tmp_path / "state")
    lend(models_socket, layout)
    # So that no settings of the machine the tests run on are read.
    layout.settings_file.write_text('site = "test"\n', encoding="utf-8")
    return layout.state


@pytest.fixture
def enrol(state: Path) -> Enrol:
    """`appliance enroll …` on that state directory."""
    return lambda *arguments: call("--state", state, "enroll", *arguments)


@pytest.fixture(scope="session")
def portraits() -> Path:
    """Two people's portraits to enrol from."""
    return Path(__file__).parents[2] / "data" / "portraits" / "enrol"
