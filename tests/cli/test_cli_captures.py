"""`appliance captures …`: sealed pictures are listed and copied by the box, and opened by the admin."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from appliance.evidence import make_identity

CONTENT = {"metadata.json", "frame-1.jpg", "face-1.jpg"}


def test_what_is_in_the_spool_is_listed(box: Any) -> None:
    """By id, with size and time; as JSON, too."""
    (row,) = json.loads(box.call("captures", "list", "--json").out)

    assert box.capture == row["capture"]
    assert (box.state / "spool" / f"{box.capture}.age").stat().st_size == row["size_bytes"]
    assert box.capture in box.call("captures", "list").out


def test_before_the_first_capture_the_list_is_empty(box: Any) -> None:
    """A box on which somebody was enrolled and nothing ran yet has no spool; that is no error."""
    shutil.rmtree(box.state / "spool")

    assert (0, "no captures are stored\n", "") == tuple(vars(box.call("captures", "list")).values())
    assert [] == json.loads(box.call("captures", "list", "--json").out)


def test_a_copy_is_the_same_bytes(box: Any, tmp_path: Path) -> None:
    """All of them, or those named; still sealed."""
    for target, names in (("all", ()), ("named", (box.capture,))):
        done = box.call("captures", "copy", *names, "--to", tmp_path / "new" / target)
        copied = tmp_path / "new" / target / f"{box.capture}.age"

        assert (0, "") == (done.code, done.err)
        assert (box.state / "spool" / copied.name).read_bytes() == copied.read_bytes()


def test_a_copy_is_told_as_json(box: Any, tmp_path: Path) -> None:
    """Which capture went to which file, and its size."""
    (row,) = json.loads(box.call("captures", "copy", "--to", tmp_path / "to", "--json").out)

    assert (box.capture, str(tmp_path / "to" / f"{box.capture}.age")) == (row["capture"], row["file"])
    assert Path(row["file"]).stat().st_size == row["size_bytes"]


def test_a_copy_that_cannot_be_written_is_one_sentence(box: Any, tmp_path: Path) -> None:
    """A folder that is a file's child cannot be made."""
    (tmp_path / "file").touch()

    assert 3 == box.call("captures", "copy", "--to", tmp_path / "file" / "folder").refusal[0]


@pytest.mark.parametrize("name", ["nothing", "../device", "0198d62f-7a80-7a46-8b3c-c014e496ec50"])
def test_a_capture_that_is_not_there(box: Any, tmp_path: Path, name: str) -> None:
    """Neither copied nor opened, and no path leads out of the spool."""
    copied = box.call("captures", "copy", name, "--to", tmp_path / "to")
    opened = box.call("captures", "open", name, "--identity", box.identity, "--out", tmp_path / "opened")

    assert 8 == copied.refusal[0] == opened.refusal[0]
    assert [] == list((tmp_path / "to").iterdir())
    assert not (tmp_path / "opened").exists()


def test_the_admin_opens_a_capture(box: Any, tmp_path: Path) -> None:
    """By its id on the box, or from a copied file; with the key that the box has never seen."""
    sealed = box.state / "spool" / f"{box.capture}.age"
    for number, what in enumerate((box.capture, sealed)):
        target = tmp_path / f"opened-{number}"
        done = box.call("captures", "open", what, "--identity", box.identity, "--out", target)

        assert (0, "") == (done.code, done.err)
        assert CONTENT == {path.name for path in target.iterdir()}
        assert box.capture == json.loads((target / "metadata.json").read_text())["capture"]


def test_another_private_key_opens_nothing(box: Any, tmp_path: Path) -> None:
    """Exit code 3, and nothing is written."""
    make_identity(tmp_path / "other.txt")
    done = box.call(
        "captures", "open", box.capture, "--identity", tmp_path / "other.txt", "--out", tmp_path / "opened"
    )

    assert 3 == done.refusal[0]
    assert not (tmp_path / "opened").exists()


def test_one_fitting_key_among_several_is_enough(box: Any, tmp_path: Path) -> None:
    """`--identity` may be repeated."""
    make_identity(tmp_path / "other.txt")
    keys = ("--identity", tmp_path / "other.txt", "--identity", box.identity)

    assert 0 == box.call("captures", "open", box.capture, *keys, "--out", tmp_path / "opened").code


@pytest.mark.parametrize("content", [b"", b"ssh-ed25519 AAAA me@desk\n", b"\xff\xfe\x00"])
def test_a_file_that_is_no_private_key(box: Any, tmp_path: Path, content: bytes) -> None:
    """The public half, an empty file, something binary: one sentence."""
    (tmp_path / "key").write_bytes(content)

    assert 3 == box.call("captures", "open", box.capture, "--identity", tmp_path / "key").refusal[0]


def test_a_damaged_capture_is_said_to_be_damaged(box: Any, tmp_path: Path) -> None:
    """Cut short on its way, it opens not at all rather than in part."""
    sealed = (box.state / "spool" / f"{box.capture}.age").read_bytes()
    (tmp_path / "cut.age").write_bytes(sealed[:-100])
    done = box.call(
        "captures", "open", tmp_path / "cut.age", "--identity", box.identity, "--out", tmp_path / "opened"
    )

    assert 8 == done.refusal[0]
    assert not (tmp_path / "opened").exists()


def test_a_new_identity_is_private_and_never_written_over(box: Any, tmp_path: Path) -> None:
    """Mode 0600, its public half printed as the setting it becomes; the second time nothing changes."""
    path = tmp_path / "admin" / "identity.txt"
    made = box.call("captures", "new-identity", "--out", path)
    content = path.read_bytes()
    again = box.call("captures", "new-identity", "--out", path)

    assert 0o600 == path.stat().st_mode & 0o777
    assert '[evidence] recipients = ["age1' in made.out
    assert "AGE-SECRET-KEY" not in made.out + made.err
    assert (3, f"{path} exists already") == again.refusal
    assert content == path.read_bytes()
