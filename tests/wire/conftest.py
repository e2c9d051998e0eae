"""A socket's path, a peer in a process of its own, and raw connections for what no client would send."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PEER = Path(__file__).with_name("peer_process.py")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a server may listen; its folder does not exist yet."""
    return tmp_path / "run" / "peer.sock"


@pytest.fixture
def spawn() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `peer_process.py` with arguments; whatever still runs is killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(*args: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(PEER), *map(str, args)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def peer(path: Path, spawn: Callable[..., subprocess.Popen[str]]) -> subprocess.Popen[str]:
    """A serving process that listens at `path`."""
    process = spawn(path)
    wait_for(lambda: listens(path))
    return process


@pytest.fixture
def raw(path: Path) -> Iterator[Callable[[], socket.socket]]:
    """Connect to `path` without our client."""
    opened: list[socket.socket] = []

    def dial() -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(10)
        sock.connect(str(path))
        opened.append(sock)
        return sock

    yield dial
    for sock in opened:
        sock.close()


def listens(path: Path) -> bool:
    """Whether somebody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        return sock.connect_ex(str(path)) == 0


def wait_for(ready: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait until it is so, or fail."""
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture(name="wait_for")
def _wait_for() -> Callable[[Callable[[], bool]], None]:
    """Wait until something is so, or fail."""
    return wait_for
