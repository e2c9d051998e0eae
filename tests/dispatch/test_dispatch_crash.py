"""kill -9 of a real dispatcher, with a real database, in the middle of a real command."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from outboxes import StoreBench

Wait = Callable[[Callable[[], object]], None]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Start a dispatcher over `tmp_path`; killed at the end, with its song allowed to end."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("dispatch_process.py")), str(tmp_path)],
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'support'}"},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
    (tmp_path / "go").touch()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StoreBench]:
    """The same database, seen from here."""
    bench = StoreBench(tmp_path)
    yield bench
    bench.store.close()


def done(folder: Path) -> list[str]:
    """What the actions wrote."""
    path = folder / "done"
    return path.read_text().splitlines() if path.exists() else []


def test_a_song_interrupted_by_kill_9_is_unknown_and_not_repeated(
    store: StoreBench, spawn: Callable[[], subprocess.Popen[bytes]], wait_for: Wait, tmp_path: Path
) -> None:
    """The next dispatcher says unknown, never plays it again, and goes on with the next one."""
    first = store.put("song")
    dispatcher = spawn()
    wait_for(lambda: done(tmp_path) == ["begin song"])
    assert {first: "running"} == store.states()
    dispatcher.kill()
    dispatcher.wait()
    assert {first: "running"} == store.states()

    (tmp_path / "go").touch()
    wait_for(lambda: done(tmp_path) == ["begin song", "end song"])
    second = store.put("song")
    spawn()
    wait_for(lambda: store.states()[second] == "delivered")

    assert {first: "unknown", second: "delivered"} == store.states()
    assert ["begin song", "end song"] * 2 == done(tmp_path)
    assert [("action_unknown", "song")] == [
        (event.type, event.event.action) for event in store.store.events() if event.type.startswith("action")
    ]


def test_nothing_at_least_once_is_lost_by_kill_9(
    store: StoreBench, spawn: Callable[[], subprocess.Popen[bytes]], wait_for: Wait, tmp_path: Path
) -> None:
    """Killed at any moment, again and again: in the end every hook was run at least once."""
    numbers = [store.put("hook") for _ in range(12)]
    for seen in (3, 6):
        dispatcher = spawn()
        wait_for(lambda: len(done(tmp_path)) >= seen)  # noqa: B023 - called in this turn of the loop only
        dispatcher.kill()
        dispatcher.wait()
    spawn()
    wait_for(lambda: set(store.states().values()) == {"delivered"})

    assert set(numbers) == set(store.states())
    assert done(tmp_path).count("end hook") >= 12


def test_sigterm_gives_up_a_song_as_unknown_and_leaves_no_command(
    store: StoreBench, spawn: Callable[[], subprocess.Popen[bytes]], wait_for: Wait, tmp_path: Path
) -> None:
    """An orderly stop does not wait for a long song, kills it, and says that it may have been heard."""
    number = store.put("song")
    dispatcher = spawn()
    wait_for(lambda: done(tmp_path) == ["begin song"])
    dispatcher.terminate()

    assert 0 == dispatcher.wait(10)
    assert {number: "unknown"} == store.states()
    (tmp_path / "go").touch()
    assert ["begin song"] == done(tmp_path)
