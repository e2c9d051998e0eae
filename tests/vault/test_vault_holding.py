"""Who holds the device key: many at a time, or alone the one that changes it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import appliance
from appliance.errors import VaultError
from appliance.vault import held

PATH = str(Path(appliance.__file__).parents[1])
HOLDER = """
import signal, sys
from pathlib import Path
from appliance.vault import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    signal.pause()
"""


def test_many_hold_it_and_nobody_changes_it_beside_them(tmp_path: Path) -> None:
    """Whoever changes it is refused at once while one of them is left, and taken after the last."""
    with held(tmp_path):
        with (
            held(tmp_path),
            pytest.raises(VaultError, match="holds the present key"),
            held(tmp_path, alone=True),
        ):
            pass
        with pytest.raises(VaultError, match="holds the present key"), held(tmp_path, alone=True):
            pass
    with held(tmp_path, alone=True):
        pass


def test_nobody_takes_hold_of_it_while_it_is_changed(tmp_path: Path) -> None:
    """After waiting; nor does another who would change it."""
    with held(tmp_path, alone=True):
        for alone, says in ((False, "is being changed"), (True, "holds the present key")):
            with pytest.raises(VaultError, match=says), held(tmp_path, alone=alone, patience_s=0.1):
                pass
    with held(tmp_path):
        pass


def test_whoever_is_killed_holds_it_no_more(tmp_path: Path) -> None:
    """By -9, without a file that somebody would have to delete."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": PATH},
    ) as other:
        assert other.stdout is not None
        assert b"held\n" == other.stdout.readline()
        with pytest.raises(VaultError), held(tmp_path, alone=True):
            pass
        other.kill()

    with held(tmp_path, alone=True):
        assert [] == list(tmp_path.iterdir())


def test_what_cannot_be_locked_is_said(tmp_path: Path) -> None:
    """In our words, with the directory's name."""
    with pytest.raises(VaultError, match="missing cannot be locked"), held(tmp_path / "missing"):
        pass
