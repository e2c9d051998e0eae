"""One models process for all tests, and state directories that find it as if the appliance ran."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands import Ended, argv, call

from appliance.errors import WireError
from appliance.services import Layout
from appliance.wire import Client
from appliance.wire.messages import Ping

Enrol = Callable[..., Ended]


@pytest.fixture(scope="session")
def models_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a models process with the limits it has in the running appliance."""
    layout = Layout(tmp_path_factory.mktemp("models") / "state")
    process = subprocess.Popen(argv("--state", layout.state, "process", "models"))
    client = Client(layout.socket("models"))
    deadline = time.monotonic() + 30
    while True:
        try:
            client.call(Ping())
            break
        except WireError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    yield layout.socket("models")
    process.terminate()
    assert 0 == process.wait(30)


@pytest.fixture
def state(tmp_path: Path, models_socket: Path) -> Path:
    """An empty state directory whose models process answers already."""
    layout = Layout(tmp_path / "state")
    layout.socket("models").parent.mkdir(mode=0o700, parents=True)
    layout.socket("models").symlink_to(models_socket)
    layout.state.chmod(0o700)
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
