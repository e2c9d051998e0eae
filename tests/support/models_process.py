"""A models process for many tests, with the limits it has in the running appliance."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from commands import argv

from appliance.errors import WireError
from appliance.services import Layout
from appliance.wire import Client
from appliance.wire.messages import Ping


@contextmanager
def models_process(state: Path) -> Iterator[Path]:
    """Start one on a state directory of its own, and end it in good order; its socket."""
    layout = Layout(state)
    process = subprocess.Popen(argv("--state", layout.state, "process", "models"))
    client = Client(layout.socket("models"))
    deadline = time.monotonic() + 90
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


def lend(models_socket: Path, layout: Layout) -> None:
    """Let a box find a models process as if it had one of its own."""
    layout.socket("models").parent.mkdir(mode=0o700, parents=True)
    layout.socket("models").symlink_to(models_socket)
    layout.state.chmod(0o700)
