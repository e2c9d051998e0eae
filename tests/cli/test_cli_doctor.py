"""`appliance doctor`: every look is taken, whatever the others find, and a problem ends with 1."""

import json
from pathlib import Path
from typing import Any

import pytest
from camera_clips import write_clip
from stores import sql

from appliance.store import sqlite_url


def found(box: Any) -> tuple[int, dict[str, str]]:
    """Exit code, and health by what was looked at."""
    done = box.call("doctor", "--json")
    assert "" == done.err
    return done.code, {finding["subject"]: finding["health"] for finding in json.loads(done.out)}


def test_a_healthy_box(box: Any) -> None:
    """No problem, exit code 0; what is not set up yet is a note."""
    code, health = found(box)

    assert (0, set()) == (code, {subject for subject in health if health[subject] == "problem"})
    assert {"python", "models", "disk", "log", "people", "recipients", "cameras", "clock"} <= set(health)
    assert ("ok", "ok", "note") == (health["models"], health["log"], health["processes"])


def test_the_plain_form_says_the_same(box: Any) -> None:
    """A line each, with a sign in front and what to do beneath."""
    done = box.call("doctor")

    assert (0, "") == (done.code, done.err)
    assert "the chain of 7 event(s) holds" in done.out
    assert "the appliance does not run\n    start it with: appliance run" in done.out


def test_a_box_before_its_first_run(tmp_path: Path, box: Any) -> None:
    """Nothing is there yet, and nothing of that is a problem; looking makes nothing."""
    state = tmp_path / "new"
    done = box.call("--state", state, "doctor", "--json")

    assert 0 == done.code
    assert not state.exists()


def test_a_camera_is_opened_for_a_look(box: Any, tmp_path: Path) -> None:
    """One that gives pictures is well; one that is no video, or not there, is a problem, and all are told."""
    write_clip(tmp_path / "clip.mkv")
    (tmp_path / "junk.mkv").write_bytes(b"no video" * 100)
    box.settings(
        "".join(
            f'[[cameras]]\nid = "{name}"\nsource = "{tmp_path / name}.mkv"\nwhen = "always"\n'
            for name in ("none", "junk", "clip")
        )
    )
    code, health = found(box)

    assert 1 == code
    assert ["problem", "problem", "ok"] == [health[f"camera {name}"] for name in ("none", "junk", "clip")]


def test_damaged_models_are_a_problem(box: Any, one_wrong_byte: Path) -> None:
    """And the log is looked at all the same."""
    box.settings(f'[models]\ndirectory = "{one_wrong_byte}"\n')
    code, health = found(box)

    assert (1, "problem", "ok") == (code, health["models"], health["log"])


@pytest.mark.parametrize("name", ["device.key", "signing.key", "device.json"])
def test_a_lost_file_of_the_state_is_a_problem(box: Any, name: str) -> None:
    """Each one without which the database is of no use."""
    (box.state / name).unlink()
    code, health = found(box)

    assert (1, "problem", "ok") == (code, health["log"], health["models"])


def test_a_tampered_log_is_a_problem(box: Any) -> None:
    """The chain is verified from its beginning."""
    sql(sqlite_url(box.state / "appliance.db"), "DELETE FROM events WHERE position = 4")
    code, health = found(box)

    assert (1, "problem") == (code, health["log"])


def test_a_damaged_template_is_a_problem_with_a_name(box: Any) -> None:
    """The reference that nobody is recognised by is named, and the command that mends it."""
    database = sqlite_url(box.state / "appliance.db")
    reference = sql(database, "SELECT id FROM face_references")[0].id
    sql(database, "UPDATE templates SET sealed_embedding = :noise", noise=b"noise")
    done = box.call("doctor", "--json")

    assert 1 == done.code
    assert [("problem", True)] == [
        (finding["health"], f"remove-reference {reference}" in finding["hint"])
        for finding in json.loads(done.out)
        if reference in finding["words"]
    ]


def test_a_state_directory_that_others_may_enter_is_a_problem(box: Any) -> None:
    """It says which command mends it."""
    box.state.chmod(0o755)
    done = box.call("doctor")

    assert 1 == done.code
    assert f"chmod 700 {box.state}" in done.out


def test_a_recipient_that_is_no_key_is_a_problem(box: Any) -> None:
    """Captures could not be sealed to it."""
    box.settings('[evidence]\nrecipients = ["me@example.org"]\n')
    code, health = found(box)

    assert (1, "problem") == (code, health["recipients"])
