"""`appliance locks`: what opens each, what keeps it shut, who has a PIN; and nothing that opens one."""

import json
import subprocess
from pathlib import Path

import pytest
from commands import Ended, argv, call
from locked_box import AGREED, SETTINGS, lock_program

from appliance.app.desk.passwords import Passwords
from appliance.cli.locks import locks as group
from appliance.events import UnlockDecided
from appliance.services import Layout, open_services
from appliance.settings import Settings


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A box with a lock that is off, and Ann, who agreed."""
    state = tmp_path / "state"
    with open_services(Settings(), Layout(state), create=True) as services:
        services.store.add_subject("Ann", consent=AGREED)
    program = json.dumps(list(lock_program(tmp_path)))
    (state / "appliance.toml").write_text(SETTINGS.format(policy="off", argv=program), encoding="utf-8")
    return state


def locks(state: Path, *words: object) -> Ended:
    """The command on that box."""
    return call("--state", state, "locks", *words)


def locks_with(state: Path, typed: str, *words: object) -> Ended:
    """The command with something on its standard input, in a process of its own."""
    line = argv("--state", state, "locks", *words)
    done = subprocess.run(line, input=typed, capture_output=True, text=True, check=False, timeout=120)
    return Ended(done.returncode, done.stdout, done.stderr)


def test_there_is_no_command_that_opens() -> None:
    """To look, to check, to set PINs; nothing else."""
    assert {"list", "check", "pin"} == set(group.commands)


def test_locks_are_listed_without_what_they_are_told(state: Path) -> None:
    """Door, camera, policy; no program, no address."""
    words, rows = locks(state, "list"), locks(state, "list", "--json")

    assert "front: door front, camera outside, off\n" == words.out
    assert ("front", "off") == tuple(json.loads(rows.out)[each] for each in ("id", "policy"))
    assert "lock.py" not in words.out + rows.out


def test_what_keeps_it_shut_is_said(state: Path, tmp_path: Path) -> None:
    """In sentences, with the reasons of late; and the lock is told nothing."""
    with open_services(Settings(), Layout(state)) as services:
        services.store.append(UnlockDecided(type="unlock_refused", lock="front", reason="off"))
    found = locks(state, "check", "front")
    row = json.loads(locks(state, "check", "--json").out)

    assert "keeps it shut: It is off" in found.out
    assert "keeps it shut: No rule" in found.out
    assert "lately 1 x off: the lock is off" in found.out
    assert ["off"] == row["lately"]
    assert not (tmp_path / "told").exists()


def test_another_lock_is_not_there(state: Path) -> None:
    """Said with those that are."""
    found = locks(state, "check", "cellar")

    assert found.code != 0
    assert "there are: front" in found.err


def test_a_pin_is_taken_from_standard_input(state: Path) -> None:
    """Kept as a hash that fits; listed without it; removed."""
    done = locks_with(state, "4711\n", "pin", "Ann")
    with open_services(Settings(), Layout(state)) as services:
        subject = services.store.subjects()[0].id
        kept = services.store.begin_pin_try(subject, attempts=3, pause_s=60.0).hash
    listed = locks(state, "pin")

    assert "set; it is shown nowhere\n" == done.out
    assert Passwords().fits(kept, "4711")
    assert "Ann" in listed.out
    assert "4711" not in done.out + done.err + listed.out
    assert "removed\n" == locks(state, "pin", "Ann", "--remove").out
    assert "nobody has a PIN\n" == locks(state, "pin").out


def test_a_pin_that_others_try_first_is_refused(state: Path) -> None:
    """With what helps, and without repeating it."""
    found = locks_with(state, "1234\n", "pin", "Ann")

    assert found.code != 0
    assert "1234" not in found.err
