"""The models process's limits hold, and what meets them does not take the process down."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.app.embedding import photo_models
from appliance.errors import ModelError, PhotoError, WireError
from appliance.services import Layout
from appliance.wire import Client
from appliance.wire.messages import EmbedPhoto, PhotoEmbedded, Ping

PROGRAM = Path(__file__).parents[1] / "support" / "hungry_process.py"
LIMIT_MIB = 3072
"""More than the libraries map on start-up, whatever the number of processors."""
PORTRAIT = Path(__file__).parents[2] / "data" / "portraits" / "enrol" / "obama.jpg"


@pytest.fixture(scope="module")
def hungry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, list[int]]]:
    """A limited process: its socket, and the limits it has."""
    socket = tmp_path_factory.mktemp("hungry") / "run" / "models.sock"
    with subprocess.Popen(
        [sys.executable, str(PROGRAM), str(socket), str(LIMIT_MIB)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        limits = [int(number) for number in process.stdout.readline().split()]
        client = Client(socket)
        await_answer(client)
        yield client, limits
        process.kill()


def await_answer(client: Client) -> None:
    """Wait until it answers."""
    deadline = time.monotonic() + 20
    while True:
        try:
            client.call(Ping())
        except WireError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def take(client: Client, mib: int) -> int:
    """Ask it to take so much; how much it got."""
    return client.call(EmbedPhoto(), PhotoEmbedded, blob=str(mib).encode()).message.width


def test_the_limits_are_those_asked_for(hungry: tuple[Client, list[int]]) -> None:
    """Address space, open files, and no core dump, in which there would be faces."""
    assert [LIMIT_MIB << 20, 256, 0] == hungry[1]


def test_taking_too_much_fails_and_the_next_one_is_answered(hungry: tuple[Client, list[int]]) -> None:
    """Three times over: the memory is given back, and the process stays."""
    client, _ = hungry
    for _ in range(3):
        with pytest.raises(WireError, match="MemoryError"):
            take(client, LIMIT_MIB)

        assert 64 == take(client, 64)


def test_a_models_process_that_cannot_start_is_told_as_such(tmp_path: Path) -> None:
    """A command that ends at once is not waited for."""
    began = time.monotonic()
    with (
        pytest.raises(ModelError, match="did not start"),
        photo_models(Layout(tmp_path), [sys.executable, "-c", "raise SystemExit(5)"]),
    ):
        pass

    assert time.monotonic() - began < 15


def test_a_command_starts_one_for_itself_and_ends_it(tmp_path: Path) -> None:
    """No appliance runs: a face is embedded by every model, what is no picture is refused, nothing stays."""
    command = [sys.executable, "-m", "appliance", "--state", str(tmp_path / "state"), "process", "models"]
    with photo_models(Layout(tmp_path / "state"), command) as models:
        found = models.embed(PORTRAIT.read_bytes())
        with pytest.raises(PhotoError) as caught:
            models.embed(b"%PDF-1.7")

    assert (1, ()) == (found.faces, found.reasons)
    assert {"dlib", "dlib-mirror", "sface"} == set(found.templates)
    assert "not_a_picture" == caught.value.reason
    assert not (tmp_path / "state" / "run").exists()


KILLED = """
import sys, time
from pathlib import Path
from appliance.app.embedding import photo_models
from appliance.services import Layout

state = Path(sys.argv[1])
with photo_models(Layout(state), [sys.executable, "-m", "appliance", "--state", state, "process", "models"]):
    print("ready", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_command_started_ends_with_it(tmp_path: Path) -> None:
    """Killed during an enrolment: the models process it started for itself does not stay for ever."""
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "state")], stdout=subprocess.PIPE, text=True
    ) as command:
        assert command.stdout is not None
        assert "ready" == command.stdout.readline().strip()
        (started,) = Path(f"/proc/{command.pid}/task/{command.pid}/children").read_text().split()
        command.kill()

    deadline = time.monotonic() + 60
    while running(started) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running(started)


def running(pid: str) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False
