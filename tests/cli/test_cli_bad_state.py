"""A state directory in bad shape: one sentence, the error family's exit code, never a traceback."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from commands import call, run
from stores import sql

from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.store import sqlite_url

READS = [
    ("events", "list"),
    ("events", "verify"),
    ("outbox", "list"),
    ("enroll", "list"),
    ("enroll", "show", "Ann"),
]
"""Commands that read the state, one of each group."""


@pytest.mark.parametrize("command", READS)
def test_no_state_directory(tmp_path: Path, command: tuple[str, ...]) -> None:
    """It says which directory was looked in, makes none, and tells what to do."""
    done = call("--state", tmp_path / "none", *command)

    assert (6, f"there is no database in {tmp_path / 'none'}") == done.refusal
    assert "--state" in done.hints[0]
    assert not (tmp_path / "none").exists()


def test_no_state_directory_has_no_captures(tmp_path: Path) -> None:
    """That is not the same as having none stored: the directory may be misspelt."""
    done = call("--state", tmp_path / "none", "captures", "list")

    assert (6, f"there is no state directory {tmp_path / 'none'}") == done.refusal
    assert not (tmp_path / "none").exists()


def test_captures_need_neither_key_nor_database(box: Any, tmp_path: Path) -> None:
    """Sealed files are listed and copied from a box whose keys are lost or whose database is damaged."""
    (box.state / "device.key").unlink()
    (box.state / "appliance.db").write_bytes(b"not a database, " * 500)

    assert box.capture in box.call("captures", "list").out
    assert 0 == box.call("captures", "copy", "--to", tmp_path / "to").code
    assert [f"{box.capture}.age"] == [path.name for path in (tmp_path / "to").iterdir()]


@pytest.mark.parametrize("command", READS)
def test_a_lost_device_key(box: Any, command: tuple[str, ...]) -> None:
    """The key is named; a new one is not made, for it would open nothing."""
    (box.state / "device.key").unlink()
    done = box.call(*command)

    assert 7 == done.refusal[0]
    assert "device.key" in done.errors[0]
    assert "backup" in done.hints[0]
    assert not (box.state / "device.key").exists()


@pytest.mark.parametrize("name", ["device.key", "signing.key"])
def test_another_boxs_key(box: Any, tmp_path: Path, name: str) -> None:
    """A key of the right form that does not fit is refused, whichever of the two it is."""
    with open_services(Settings(), Layout(tmp_path / "other"), create=True):
        pass
    (box.state / name).write_bytes((tmp_path / "other" / name).read_bytes())

    assert 7 == box.call("events", "list").refusal[0]


@pytest.mark.parametrize("name", ["device.key", "signing.key"])
def test_a_key_that_is_none(box: Any, name: str) -> None:
    """Something else under a key's name; what it holds is not repeated."""
    (box.state / name).write_bytes(b"hunter2\n")

    assert 7 == box.call("events", "list").refusal[0]
    assert "hunter2" not in box.call("events", "list").err


@pytest.mark.parametrize("name", ["device.key", "signing.key"])
def test_a_key_that_others_may_read_is_not_used(box: Any, name: str) -> None:
    """With the command that mends it."""
    (box.state / name).chmod(0o644)
    done = box.call("events", "list")

    assert 7 == done.refusal[0]
    assert "chmod" in done.hints[0]


@pytest.mark.parametrize("content", ["", "[]", "5", "null", "{}", '{"device": ', "\x00"])
def test_a_damaged_device_id(box: Any, content: str) -> None:
    """Whatever is in the file."""
    (box.state / "device.json").write_text(content, encoding="utf-8")
    done = box.call("events", "list")

    assert (6, f"{box.state / 'device.json'} is missing or damaged") == done.refusal


def test_a_database_of_a_newer_version(box: Any) -> None:
    """One sentence with both versions, and the database is left as it is."""
    sql(sqlite_url(box.state / "appliance.db"), "UPDATE alembic_version SET version_num = '9999'")
    done = box.call("events", "list")

    assert 6 == done.refusal[0]
    assert "9999" in done.errors[0]
    assert "upgrade the appliance" in done.hints[0]


@pytest.mark.parametrize("content", [b"not a database, " * 500, b"\0" * 8192])
def test_a_file_that_is_no_database(box: Any, content: bytes) -> None:
    """Something else under the database's name."""
    (box.state / "appliance.db").write_bytes(content)

    assert 6 == box.call("events", "list").refusal[0]


def test_a_database_cut_in_half(box: Any) -> None:
    """What a full disk or a broken copy leaves."""
    path = box.state / "appliance.db"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])

    assert 6 == box.call("events", "verify").refusal[0]


def test_unreadable_settings_stand_in_every_commands_way(box: Any) -> None:
    """With file and line, before anything is opened."""
    box.settings("site = office\n")
    done = box.call("events", "list")

    assert 2 == done.code
    assert f"{box.state / 'appliance.toml'}:1: not valid TOML" in done.errors[0]
    assert "Traceback" not in done.err


def test_a_state_directory_that_cannot_be_made(tmp_path: Path) -> None:
    """Beneath a file, say."""
    (tmp_path / "file").touch()
    done = run("--state", tmp_path / "file" / "state", "run", "--camera", "scene:door")

    assert 6 == done.refusal[0]
    assert str(tmp_path / "file" / "state") in done.errors[0]


@pytest.mark.parametrize(
    "arguments",
    [
        ("evnts", "list"),
        ("events", "lsit"),
        ("events", "list", "--limti", "3"),
        ("captures", "open", "x"),
        ("captures", "open", "x", "--identity", "/none"),
        ("models", "convert", "/none", "out", "--kind", "dlib"),
        ("run", "--when", "sometimes"),
    ],
)
def test_a_slip_of_the_finger(box: Any, arguments: tuple[str, ...]) -> None:
    """Every error has the same form, those of the command line's grammar as well."""
    done = box.call(*arguments)

    assert 2 == done.refusal[0]
    assert done.hints[0].startswith("see: appliance")


def test_the_state_may_be_moved(box: Any, tmp_path: Path) -> None:
    """Nothing in it knows where it lies."""
    shutil.move(box.state, tmp_path / "elsewhere")

    assert 0 == call("--state", tmp_path / "elsewhere", "events", "verify").code


def test_a_path_that_is_no_text(tmp_path: Path) -> None:
    """File names may hold any bytes; a database's address may not."""
    done = call("--state", tmp_path / "caf\udce9", "events", "list")

    assert (2, "--state: the path is not UTF-8 text") == done.refusal


@pytest.mark.parametrize(
    "command",
    [
        ("events", "show", "\udcff\udcfeabcd"),
        ("enroll", "show", "\udcff"),
        ("captures", "copy", "\udcff", "--to", "{}/copies"),
        ("captures", "open", "\udcff", "--identity", "{}/state/device.json"),
    ],
)
def test_words_that_are_no_text(box: Any, tmp_path: Path, command: tuple[str, ...]) -> None:
    """Bytes that are not UTF-8 name nothing, and are no traceback."""
    assert box.call(*(word.format(tmp_path) for word in command)).refusal[0] in {6, 8}
