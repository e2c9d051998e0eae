"""Without bubblewrap, where the admin accepted that: limits hold, and what stands open is what was said."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import hostile_functions as hostile
import pytest

from appliance.app.examining.contained import contained
from appliance.deeplens.containment import Containment, containment, this_machine
from appliance.errors import ContainmentError
from appliance.services import Layout
from appliance.settings import Settings, parse

SOURCE = """
root = os.environ["DEEPLENS_ROOT"]
tell(cwd=os.listdir("."), note=open(root + "/opt/awscam/artifacts/a.xml").read(), uid=os.getuid(),
     weights=open(root + "/opt/awscam/artifacts/m/w.bin").read(), tmp=fault(open, root + "/tmp/mine", "w"))
tell(memory=fault(bytearray, 2 << 30), root=fault(os.setresuid, 0, 0, 0) if os.getuid() else "own")
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
tell(new_privileges=status["NoNewPrivs"].strip())
"""


def _uncontained() -> Containment:
    """A system without bubblewrap, as our own account: others may not read where Python is."""
    return Containment(replace(this_machine(None), root=False), "no_bwrap")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other accounts may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_nothing_starts_uncontained_unless_accepted(tmp_path: Path) -> None:
    """The error says what would be open, worst first, and how to accept it."""
    found = containment({"PATH": str(tmp_path)})
    with pytest.raises(ContainmentError) as caught:
        hostile.start(tmp_path / "f", "tell(ran=True)", found)

    assert "no_bwrap" == found.missing
    assert "bwrap (bubblewrap) is not installed" in caught.value.message
    assert all(each in caught.value.message for each in found.not_contained)
    assert ("keys, database and spool" in found.not_contained[0]) == (os.geteuid() != 0)
    assert "accept_uncontained" in caught.value.hint


def test_a_system_that_refuses_views_says_so(tmp_path: Path) -> None:
    """A bwrap that is there and fails, as in a locked-down container: what it said is kept for the admin."""
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n")
    program.chmod(0o755)
    found = containment({"PATH": str(tmp_path)})

    assert "refused" == found.missing
    assert "No permissions to create a new namespace" in found.detail
    assert found.machine.bwrap is None


def test_the_doctor_says_how_it_is(tmp_path: Path) -> None:
    """Whoever looks after the box reads whether functions are contained, and what to do if not."""
    layout = Layout(tmp_path / "state")
    (lacking,) = contained(Settings(), layout, _uncontained())
    (accepted,) = contained(parse("[deeplens]\naccept_uncontained = true\n"), layout, _uncontained())
    (fine,) = contained(Settings(), layout, Containment(this_machine("/usr/bin/bwrap"), None))

    assert ("functions", "note") == (lacking.subject, lacking.health)
    assert "install bubblewrap (on Debian: apt install bubblewrap)" == lacking.hint
    assert lacking.words.endswith("None is started.")
    assert accepted.words.endswith("That was accepted.")
    assert ("ok", "") == (fine.health, fine.hint)
    assert [] == list(contained(parse("[deeplens]\nenabled = false\n"), layout))


def test_an_accepted_function_runs_with_limits_alone(tmp_path: Path) -> None:
    """It finds what the device had in a folder of its own, gains no privileges, and has a limit."""
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "w.bin").write_text("weights")
    told = hostile.run(
        tmp_path / "f",
        SOURCE,
        _uncontained(),
        accepted=True,
        artifacts={"m": tmp_path / "m"},
        notes={"a.xml": b"note"},
    )
    expected = {
        "cwd": ["hostile.py"],
        "note": "note",
        "weights": "weights",
        "uid": os.geteuid(),
        "tmp": None,
        "memory": "MemoryError",
        "new_privileges": "1",
    }

    assert "exit 0" == told.ended
    assert expected == {each: told.outcomes[each] for each in expected}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change to another account")
@pytest.mark.debian(reason="python3-gi, which brings the system's Python")
def test_root_runs_an_accepted_function_as_nobody_in_particular(open_folder: Path) -> None:
    """Its account is its own, so that keys and state stay closed to it even so."""
    secret = open_folder / "secret"
    secret.write_text("x")
    secret.chmod(0o600)
    (open_folder / "m").mkdir()
    (open_folder / "m" / "w.bin").write_text("weights")
    found = Containment(replace(this_machine(None), python="/usr/bin/python3"), "no_bwrap")
    source = SOURCE + f"tell(secret=fault(open, {str(secret)!r}))"
    told = hostile.run(
        open_folder / "f",
        source,
        found,
        name="nobody",  # uncontained, it is ended by its account, and with it all of the same name
        accepted=True,
        artifacts={"m": open_folder / "m"},
        notes={"a.xml": b"note"},
    )

    assert "exit 0" == told.ended
    assert 60578 <= told.outcomes["uid"] <= 61183
    assert "Permission denied" == told.outcomes["secret"]
    assert "Operation not permitted" == told.outcomes["root"]


def test_what_it_leaves_in_its_session_ends_with_it(tmp_path: Path) -> None:
    """Children that stay in the function's session are found and ended, and its folder is removed."""
    child = hostile.start(
        tmp_path / "f",
        "for _ in range(3):\n    if os.fork() == 0:\n        time.sleep(60)\n"
        "tell(root=os.environ['DEEPLENS_ROOT'])",
        _uncontained(),
        accepted=True,
    )
    try:
        told = hostile.attend(child, tmp_path / "log", until="root")

        assert [] == child.alive()
        assert not Path(told.outcomes["root"]).exists()
    finally:
        child.close()
