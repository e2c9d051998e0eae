"""`appliance door`: calibrate, watch and show on the bundled scene, and what cannot be used."""

import json
from pathlib import Path

import cv2
import pytest
from camera_clips import write_pictures
from commands import call

from appliance.cli.context import SCENE_DOOR


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty state directory."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def proposed(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What calibrate says of the bundled scene, as a file of settings, with its picture beside it."""
    folder = tmp_path_factory.mktemp("proposed")
    done = call("--state", state, "door", "calibrate", "--clip", "scene:door", "--out", folder / "seen.png")
    assert 0 == done.code, done.err
    (folder / "door.toml").write_text(done.out, encoding="utf-8")
    return folder


def timeline(state: Path, *arguments: object) -> tuple[list[dict], dict]:
    """The rows and the summary of a watch of the bundled scene."""
    done = call("--state", state, "door", "watch", "--clip", "scene:door", "--json", "--changes", *arguments)
    assert 0 == done.code, done.err
    rows = [json.loads(line) for line in done.out.splitlines()]
    return rows[:-1], rows[-1]["summary"]


def test_calibrate_proposes_settings_that_work(state: Path, proposed: Path) -> None:
    """The printed block is TOML that watch takes, and with it the scene's three openings are seen."""
    rows, summary = timeline(state, "--doors", proposed / "door.toml")

    assert ["shut", *["open", "shut"] * 3] == [row["state"] for row in rows]
    assert (3, 3) == (summary["times_opened"], summary["times_shut"])
    assert all(0 <= row["fraction"] <= 1 for row in rows)


def test_calibrate_paints_what_it_proposes(proposed: Path) -> None:
    """The PNG is the scene's frame, with something painted on it."""
    picture = cv2.imread(str(proposed / "seen.png"))

    assert picture is not None
    assert (720, 1280, 3) == picture.shape


def test_both_rules_watch_the_scene(state: Path) -> None:
    """The scene's own door without settings: three openings by either rule, the plain one never unsure."""
    _, followed = timeline(state)
    _, plain = timeline(state, "--rule", "plain")

    assert 3 == followed["times_opened"] == plain["times_opened"]
    assert followed["frames"] == plain["frames"] == 330


def test_show_draws_a_moment(state: Path, tmp_path: Path) -> None:
    """A PNG of the wanted moment; another file name is refused."""
    done = call(
        "--state", state, "door", "show", "--clip", "scene:door", "--at-s", "1", "--out", tmp_path / "a.png"
    )

    assert 0 == done.code, done.err
    assert cv2.imread(str(tmp_path / "a.png")) is not None
    refused = call("--state", state, "door", "show", "--clip", "scene:door", "--out", tmp_path / "a.gif")
    assert (3, f"{tmp_path / 'a.gif'} is not named .png") == refused.refusal


def test_a_clip_that_never_changes_is_refused(state: Path, tmp_path: Path) -> None:
    """Exit code 3, and what to record instead."""
    folder = write_pictures(tmp_path / "same", frames=30)
    pictures = sorted(folder.iterdir())
    for each in pictures[1:]:
        each.write_bytes(pictures[0].read_bytes())
    done = call("--state", state, "door", "calibrate", "--clip", folder)

    assert 3 == done.code
    assert done.errors[0].startswith(("nothing changes", "the clip has"))
    assert done.hints


def test_without_a_door_watch_says_how_to_get_one(state: Path, tmp_path: Path) -> None:
    """Exit code 2, and calibrate is named."""
    folder = write_pictures(tmp_path / "pictures", frames=3)
    done = call("--state", state, "door", "watch", "--clip", folder)

    assert (2, "there is no door in the settings") == done.refusal
    assert "calibrate" in done.hints[0]


@pytest.mark.parametrize("region", ["0.1,0.2", "a,b,c,d", "0,0,2,1"])
def test_a_region_that_is_none_is_refused(state: Path, region: str) -> None:
    """Four fractions, or exit code 2."""
    done = call("--state", state, "door", "watch", "--clip", "scene:door", "--region", region)

    assert 2 == done.code
    assert "4 numbers from 0 to 1" in done.errors[0]


def test_a_seed_outside_the_region_is_refused(state: Path) -> None:
    """The settings' own rule holds for the command line."""
    done = call("--state", state, "door", "watch", "--clip", "scene:door", "--seed", "0.9,0.9")

    assert (2, "this door cannot be watched: seed must lie inside region") == done.refusal


@pytest.mark.parametrize("text", ["", "doors = 3", "[[doors]]\nid = 'X Y'", "[["])
def test_a_file_without_usable_doors_is_refused(state: Path, tmp_path: Path, text: str) -> None:
    """Exit code 2 and one sentence that names the file."""
    file = tmp_path / "door.toml"
    file.write_text(text, encoding="utf-8")
    done = call("--state", state, "door", "watch", "--clip", "scene:door", "--doors", file)

    assert 2 == done.code
    assert str(file) in done.errors[0]
    assert "Traceback" not in done.err


def test_an_unknown_camera_is_refused(state: Path) -> None:
    """Live needs a configured camera."""
    done = call("--state", state, "door", "calibrate", "--camera", "attic")

    assert 2 == done.code
    assert "attic" in done.errors[0]


def test_the_scene_needs_no_settings(state: Path) -> None:
    """Its own door is known: region and seed are those of `run --camera scene:door`."""
    done = call("--state", state, "door", "watch", "--clip", "scene:door", "--json", "--changes")

    assert SCENE_DOOR["shut_fraction"] > 0.9
    assert 0 == done.code
