"""`appliance doctor`: every look is taken, whatever the others find, and a problem ends with 1."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import stores
from camera_clips import write_clip
from stores import sql

from appliance.app.embedding import ENROLLED_MODELS
from appliance.camera import Scene
from appliance.dispatch import Outcome
from appliance.events import CameraDisturbed
from appliance.services import Layout, open_services
from appliance.settings import load
from appliance.store import NewEvent, sqlite_url
from appliance.values import SFACE


def found(box: Any) -> tuple[int, dict[str, str]]:
    """Exit code, and health by what was looked at."""
    done = box.call("doctor", "--json")
    assert "" == done.err
    return done.code, {finding["subject"]: finding["health"] for finding in json.loads(done.out)}


def about(box: Any, subject: str) -> list[tuple[str, str, str]]:
    """Health, words and advice of the findings about something: what to do, and what to type."""
    findings = json.loads(box.call("doctor", "--json").out)
    return [
        (each["health"], each["words"], f"{each['hint']}; {each['command']}".strip("; "))
        for each in findings
        if each["subject"] == subject
    ]


def opened(box: Any) -> Any:
    """The box's services."""
    return open_services(load(box.state / "appliance.toml"), Layout(box.state))


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
    assert "the chain of 7 events holds" in done.out
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
        (finding["health"], f"remove-reference {reference}" in finding["command"])
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


def test_an_event_that_is_none_is_a_problem(box: Any) -> None:
    """An action that waits for it would wait for ever; the nearest is named."""
    box.settings('[[actions]]\nid = "x"\non = ["dor_opened"]\n')

    assert [("problem", True)] == [
        (health, "did you mean 'door_opened'?" in words) for health, words, _ in about(box, "settings")
    ]


def test_what_the_keys_protect_is_said(box: Any) -> None:
    """A key file is worth a note: it does not protect a stolen box."""
    assert [("note", True)] == [
        (health, "not a stolen box" in words) for health, words, _ in about(box, "keys")
    ]


def test_recognition_is_promised_in_a_sentence(box: Any) -> None:
    """How many strangers would pass; and people with one photo only are counted, without names."""
    promise, single = about(box, "recognition")

    assert "ok" == promise[0]
    assert "1 in 1,000 strangers would pass" in promise[1]
    assert ("note", True) == (single[0], single[1].startswith("1 of 1 people have a single reference"))
    assert "appliance enroll report" in single[2]
    assert "Ann" not in str((promise, single))


def test_people_who_look_alike_are_counted(box: Any) -> None:
    """One line, and where to read who they are."""
    with opened(box) as services:
        other = services.store.add_subject("Bea", consent=stores.AGREED)
        services.store.add_reference(other.id, stores.face(0.501, ENROLLED_MODELS), quality=80.0, details={})

    assert [("note", "see who they are, and what helps; appliance enroll report")] == [
        (health, hint) for health, words, hint in about(box, "recognition") if "so alike" in words
    ]


def test_references_that_the_composition_cannot_compare_are_a_problem(box: Any) -> None:
    """Everybody was enrolled with another model: nobody would ever be recognised."""
    with opened(box) as services:
        services.store.remove_reference(services.store.references()[0].id)
        services.store.add_reference(box.subject, stores.face(models=[SFACE]), quality=80.0, details={})

    assert ["problem"] == [health for health, *_ in about(box, "recognition")]


@pytest.mark.parametrize(("age", "health"), [(timedelta(), "problem"), (timedelta(days=8), "note")])
def test_dead_letters_are_told_with_the_action(box: Any, age: timedelta, health: str) -> None:
    """What failed for good this week is a problem, what failed earlier a note; both say how to try again."""
    box.settings('[[actions]]\nid = "song"\non = ["door_opened"]\n')
    then = datetime.now(UTC) - age
    with opened(box) as services:
        services.store.append_all([NewEvent(stores.OPENED)])
        (row,) = services.store.claim(datetime.now(UTC) + timedelta(seconds=1))
        services.store.finish(row.id, Outcome.DEAD, error="no loudspeaker")
    sql(
        sqlite_url(box.state / "appliance.db"),
        "UPDATE outbox SET finished_at = :then",
        then=then.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    )

    ((found, words, hint),) = about(box, "outbox")

    assert health == found
    assert "1 action failed for good" in words
    assert "song" in words
    assert "appliance outbox retry" in hint


def test_an_action_that_was_cut_off_is_a_note(box: Any) -> None:
    """Nobody knows whether the song was played; it is not played again."""
    box.settings(
        '[[actions]]\nid = "song"\non = ["door_opened"]\nkind = "command"\nargv = ["play"]\n'
        'delivery = "at_most_once"\n'
    )
    with opened(box) as services:
        services.store.append_all([NewEvent(stores.OPENED)])
        services.store.claim(datetime.now(UTC) + timedelta(seconds=1))
        services.store.recover(datetime.now(UTC))

    assert [("note", True)] == [(health, "cut off" in words) for health, words, _ in about(box, "outbox")]


def test_a_clock_behind_the_files_is_a_problem(box: Any) -> None:
    """Whatever the state was written to last was written in the past."""
    tomorrow = time.time() + 86_400
    os.utime(box.state / "device.json", (tomorrow, tomorrow))

    assert [("problem", True)] == [(health, "set back" in words) for health, words, _ in about(box, "clock")]


def test_a_clock_behind_the_log_is_a_problem(box: Any) -> None:
    """No event can be of tomorrow."""
    with opened(box) as services:
        services.store.append_all([NewEvent(stores.OPENED, at=datetime.now(UTC) + timedelta(days=1))])

    assert ("problem", True) in [
        (health, "still to come" in words) for health, words, _ in about(box, "clock")
    ]


@pytest.mark.parametrize(
    ("kinds", "health", "more"),
    [
        (["camera_covered"], ["problem"], ""),
        (["camera_covered", "camera_clear"], [], ""),
        (["camera_clear", "camera_dark"], ["problem"], ""),
        (["camera_moved"], ["note"], ""),
        (["camera_dark", "camera_moved"], ["problem", "note"], ""),
        (["camera_dark"], [], "disturbed_after_s = 0\n"),
    ],
)
def test_what_the_loop_last_said_of_a_cameras_sight(
    box: Any, tmp_path: Path, kinds: list[Any], health: list[str], more: str
) -> None:
    """A cover that was not taken off since is a problem; a camera that was moved is worth a look.

    Of a camera whose sight nobody watches nobody will ever say that it is over.
    """
    box.settings(camera(pictures(tmp_path / "shown", Scene(width=320, height=180).render(0))) + more)
    with opened(box) as services:
        for kind in kinds:
            services.store.append_all([NewEvent(CameraDisturbed(type=kind, camera="entrance"))])

    told = [(found, words) for found, words, _ in about(box, "camera entrance")]

    assert health == [found for found, words in told if "since" in words or "moved on" in words]


def test_a_camera_that_is_gone_is_not_complained_of(box: Any) -> None:
    """It was dark when it was taken out of the settings."""
    with opened(box) as services:
        services.store.append_all([NewEvent(CameraDisturbed(type="camera_dark", camera="attic"))])

    assert [] == about(box, "camera attic")


def pictures(folder: Path, *frames: Any) -> Path:
    """A folder of pictures, as a camera."""
    folder.mkdir()
    for number, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{number}.png"), frame)
    return folder


def camera(source: Path, *, door: str | None = None) -> str:
    """Settings with one camera, and a door of these lines if any."""
    text = f'[[cameras]]\nid = "entrance"\nsource = "{source}"\nwhen = "always"\n'
    return text if door is None else f'{text}[[doors]]\nid = "front"\ncamera = "entrance"\n{door}'


def test_a_camera_with_its_cap_on_is_a_problem(box: Any, tmp_path: Path) -> None:
    """It gives pictures, but nothing is on them."""
    dark = np.random.default_rng(1).integers(0, 12, (240, 320, 3), np.uint8)
    box.settings(camera(pictures(tmp_path / "dark", dark, dark)))

    ((health, words, hint),) = about(box, "camera entrance")

    assert "problem" == health
    assert "dark" in words
    assert "cap" in hint


CALIBRATED = "region = [0.34, 0.05, 0.66, 0.3]\nseed = [0.45, 0.15]\nshut_fraction = 0.93\n"


@pytest.mark.parametrize(
    ("frame", "door", "health", "words"),
    [
        (0, CALIBRATED, "ok", "it looks shut"),
        (38, CALIBRATED, "ok", "it looks open"),
        (0, "", "note", "not calibrated"),
        (0, CALIBRATED.replace("0.93", "0.4"), "note", "runs into the wall"),
        (0, "region = [0.4, 0.1, 0.41, 0.11]\nseed = [0.405, 0.105]\n", "problem", "pixels"),
    ],
)
def test_a_door_is_held_against_the_picture(  # noqa: PLR0917 - by parametrize
    box: Any, tmp_path: Path, frame: int, door: str, health: str, words: str
) -> None:
    """Whether what the settings say of it makes sense now, and with which command to say it anew."""
    picture = Scene(width=640, height=360).render(frame)
    box.settings(camera(pictures(tmp_path / "door", picture), door=door))

    ((found, said, hint),) = about(box, "door front")

    assert health == found, said
    assert words in said
    assert ("appliance door calibrate" in hint) == ("it looks shut" not in said or health != "ok")
