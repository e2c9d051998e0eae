"""The spool's folder beside another process that looks after it at the same time."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from captures import NOW

from appliance.evidence.spool_folder import SpoolFolder
from appliance.ids import seeded_ids

CLEANING = """
import sys
from pathlib import Path
from appliance.evidence.spool_folder import SpoolFolder

print("cleaning", flush=True)
while True:
    SpoolFolder(Path(sys.argv[1])).drop_partials()
"""


@pytest.fixture
def quick_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: what waits for no disk is done more often in a second."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder:
        yield Path(folder)


def test_no_capture_is_refused_while_another_process_cleans_up(quick_disk: Path) -> None:
    """At whatever moment it looks, also between a file's making and its lock: each comes to its place."""
    folder = SpoolFolder(quick_disk / "spool")
    folder.make()
    with subprocess.Popen(
        [sys.executable, "-c", CLEANING, folder.path],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as cleaner:
        assert cleaner.stdout is not None
        cleaner.stdout.readline()
        ids, until = seeded_ids(7), time.monotonic() + 1.0
        written = []
        try:
            while time.monotonic() < until:
                written.append(ids(NOW))
                folder.write(written[-1], b"sealed", NOW)
                if len(written) % 10:
                    folder.remove(written[-1])
        finally:
            cleaner.kill()
    kept = [each for number, each in enumerate(written, start=1) if not number % 10]

    assert sorted(kept) == sorted(entry.id for entry in folder.list())
    assert [] == list(folder.path.glob("*.partial"))
