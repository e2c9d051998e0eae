"""A recorder that is killed in the middle of a clip: what was on the disk is there at the next start."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from footage import Kept, opened_vault
from recording_process import SIZE

import appliance

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_moment_a_clip_keeps_every_fragment_that_was_written(tmp_path: Path, seed: int) -> None:
    """By -9: at most the one that was being written is missing; all opens, nothing is left half-done."""
    vault = opened_vault(tmp_path)
    path = os.pathsep.join([str(Path(appliance.__file__).parents[1]), str(SUPPORT)])
    process = subprocess.Popen(
        [sys.executable, SUPPORT / "recording_process.py", tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert process.stdout is not None
    with process, process.stdout as said:
        clip = said.readline().strip()
        numbers = [said.readline() for _ in range(random.Random(seed).randrange(1, 40))]
        process.kill()
        numbers += said.read().split()
    kept = Kept(tmp_path / "clips", vault)
    found = kept.clips.clip(clip)

    assert "interrupted" == found.ended
    assert list(range(len(found.fragments))) == [each.number for each in found.fragments]
    assert len(numbers) <= len(found.fragments) <= len(numbers) + 1
    for note in found.fragments:
        assert bytes([note.number % 251]) * SIZE == kept.clips.read(clip, note.number)[1]
    assert not list((tmp_path / "clips" / clip).glob(".*"))
