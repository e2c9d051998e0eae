"""A supervisor's log of what its children and itself did, and supervisors in threads and processes."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.backoff import BackOff
from appliance.clock import SystemClock
from appliance.events import ProcessChanged
from appliance.supervisor import ChildSpec, Supervisor

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


class Diary:
    """What children wrote, line by line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[str]:
        """All of it so far."""
        return self.path.read_text().splitlines() if self.path.exists() else []

    def pids(self, name: str, word: str = "up") -> list[int]:
        """Process ids that a child wrote, in order."""
        return [int(line.split()[2]) for line in self.lines() if line.startswith(f"{name} {word} ")]

    def spec(self, name: str, *what: str, **more: object) -> ChildSpec:
        """A child of `child_process.py` that writes here."""
        argv = (sys.executable, str(HERE / "child_process.py"), name, str(self.path), *what)
        return ChildSpec(name, argv, env={"PYTHONPATH": str(ROOT)}, **more)  # type: ignore[arg-type]


class Run:
    """A supervisor in a thread, with the changes it told of and the error it ended with."""

    def __init__(self, children: list[ChildSpec], options: dict[str, Any]) -> None:
        self.changes: list[ProcessChanged] = []
        self.error: BaseException | None = None
        self.supervisor = Supervisor(
            children,
            self.changes.append,
            SystemClock(),
            BackOff(first_s=0.05, cap_s=0.2),
            grace_s=options.get("grace_s", 2.0),
            healthy_s=options.get("healthy_s", 60.0),
            environment=options.get("environment"),
            renew=options.get("renew"),
        )
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.supervisor.run()
        except BaseException as error:  # noqa: BLE001 - kept for the test to look at
            self.error = error

    def told(self) -> list[tuple[str, str, str]]:
        """Type, process and reason of each change."""
        return [(c.type, c.process, c.reason) for c in self.changes]

    def states(self) -> list[tuple[str, str]]:
        """Name and state of each child."""
        return [(child.name, child.state) for child in self.supervisor.status().children]

    def stop(self) -> None:
        """Stop it and wait."""
        self.supervisor.stop()
        self.thread.join(30)
        assert not self.thread.is_alive()


@pytest.fixture
def diary(tmp_path: Path) -> Diary:
    """An empty diary."""
    return Diary(tmp_path / "diary")


@pytest.fixture
def run() -> Iterator[Callable[..., Run]]:
    """Run a supervisor over children in a thread; stopped at the end."""
    runs: list[Run] = []

    def start(*children: ChildSpec, **options: Any) -> Run:
        runs.append(Run(list(children), options))
        return runs[-1]

    yield start
    for one in runs:
        one.stop()


@pytest.fixture
def spawn(diary: Diary) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `supervisor_process.py` over children; it and what its children wrote are killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(*children: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(HERE / "supervisor_process.py"), str(diary.path), *children],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
    for line in diary.lines():
        words = line.split()
        if words[1] in {"up", "left"} and alive(int(words[2])):
            os.kill(int(words[2]), signal.SIGKILL)


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}


@pytest.fixture(name="alive")
def _alive() -> Callable[[int], bool]:
    """Whether a process runs."""
    return alive


@pytest.fixture
def wait_for() -> Callable[[Callable[[], object]], None]:
    """Wait until something is so, or fail."""

    def wait(ready: Callable[[], object]) -> None:
        until = time.monotonic() + 20
        while not ready():
            assert time.monotonic() < until, "it did not happen in time"
            time.sleep(0.01)

    return wait
