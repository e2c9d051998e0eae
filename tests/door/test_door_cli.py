"""`appliance door`: calibrate, watch and show on the bundled scene, and what cannot be used."""

import json
import stat
import tomllib
from pathlib import Path

import cv2
import pytest
from camera_clips import write_pictures
from commands import call
from door_pictures import DOOR, opening, seconds

from appliance.cli.context import SCENE_DOOR
from appliance.door.shut_picture import decode
from appliance.settings import DoorSettings
from appliance.values import WHOLE_FRAME


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


def recorded(folder: Path, **opened: object) -> Path:
    """A folder of pictures of a door: three seconds shut, then three opened."""
    folder.mkdir()
    pictures = [*seconds(0, 3), *opening(3, **opened), *seconds(3.5, 6.5, opened=1.0, **opened)]
    for number, each in enumerate(pictures):
        cv2.imwrite(str(folder / f"{number:03d}.png"), each.gray(WHOLE_FRAME))
    return folder


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip that is as it should be."""
    return recorded(tmp_path_factory.mktemp("clips") / "opened")


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


def test_a_proposal_that_must_not_be_used_cannot_be_pasted(state: Path, tmp_path: Path) -> None:
    """A room as dark as the door: shown, every line a comment; the command fails and says what to do."""
    alike = recorded(tmp_path / "alike", room=DOOR - 11)
    done = call("--state", state, "door", "calibrate", "--clip", alike)

    assert 3 == done.code, done.out
    assert "# [[doors]]" in done.out
    assert {} == tomllib.loads(done.out)
    assert "do not use this" in done.errors[0]
    assert "nobody in the picture" in done.hints[0]


def test_what_a_calibration_assumes_is_said(state: Path, proposed: Path) -> None:
    """A clip cannot show that the door was shut at first: the block says so, and JSON does."""
    assert "# assumed: the door was shut at the beginning" in (proposed / "door.toml").read_text("utf-8")
    done = call("--state", state, "door", "calibrate", "--clip", "scene:door", "--json")
    row = json.loads(done.out)

    assert "the door was shut at the beginning, and nobody was in the picture" == row["assumes"]
    # Somebody comes in through the scene's door.
    assert any("nobody should be in the picture" in note for note in row["notes"])
    assert row["usable"]
    assert row["new_door"]


def test_pictures_of_the_camera_are_private(state: Path, proposed: Path, tmp_path: Path) -> None:
    """What calibrate and show write shows the office: mode 0600."""
    shown = tmp_path / "shown.png"
    done = call("--state", state, "door", "show", "--clip", "scene:door", "--out", shown)

    assert 0 == done.code, done.err
    assert [0o600, 0o600] == [stat.S_IMODE(each.stat().st_mode) for each in (proposed / "seen.png", shown)]


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A state directory that is not there yet."""
    return tmp_path / "fresh"


def test_calibrate_keeps_a_picture_where_it_is_told_to(fresh: Path, opened: Path) -> None:
    """A private file of the proposed region, for the door that is proposed; it is said where it lies."""
    done = call(
        *("--state", fresh, "door", "calibrate", "--clip", opened),
        *("--door", "side", "--keep", "--json"),
    )
    file = fresh / "doors" / "side.json"
    row = json.loads(done.out)
    door = DoorSettings.model_validate(row["door"])

    assert 0 == done.code, done.err
    assert f"{file}: picture of the shut door" in done.err
    assert row["picture_kept"]
    assert decode(file.read_bytes()).is_of(door)
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


def test_calibrate_keeps_nothing_unasked(fresh: Path, opened: Path) -> None:
    """It says in a line that it could; the block on standard output is as before."""
    done = call("--state", fresh, "door", "calibrate", "--clip", opened, "--json")

    assert not fresh.exists()
    assert 1 == sum("--keep" in line for line in done.err.splitlines())
    assert not json.loads(done.out)["picture_kept"]


def test_calibrate_keeps_no_picture_of_what_is_not_to_be_used(fresh: Path, tmp_path: Path) -> None:
    """Nor does it take an earlier one away, or speak of keeping."""
    alike = recorded(tmp_path / "alike", room=DOOR - 11)
    done = call("--state", fresh, "door", "calibrate", "--clip", alike, "--keep")

    assert 3 == done.code, done.out
    assert not fresh.exists()
    assert "picture of the shut door" not in done.err


def test_watch_begins_as_the_loop_does(tmp_path: Path, fresh: Path, opened: Path) -> None:
    """With the kept picture for a door just as it stands in the settings, and without for any other."""
    state = ("--state", fresh)
    calibrated = call(*state, "door", "calibrate", "--clip", opened, "--door", "front", "--keep")
    camera = '[[cameras]]\nid = "camera"\nsource = "scene:door"\n'
    (fresh / "appliance.toml").write_text(camera + calibrated.out, encoding="utf-8")
    filled = tmp_path / "filled"
    filled.mkdir()
    for number, each in enumerate(seconds(0, 2, opened=1.0, room=DOOR + 40)):
        cv2.imwrite(str(filled / f"{number:03d}.png"), each.gray(WHOLE_FRAME))
    watch = (*state, "door", "watch", "--clip", filled, "--changes", "--json")
    known, other = call(*watch), call(*watch, "--tolerance", "13")
    states = [json.loads(done.out.splitlines()[0])["state"] for done in (known, other)]

    assert ["open", "shut"] == states


@pytest.mark.parametrize("command", [["calibrate"], ["watch"], ["show", "--out", "never.png"]])
def test_a_camera_beside_a_clip_is_refused(state: Path, command: list[str]) -> None:
    """Which of the two is meant is not guessed."""
    done = call("--state", state, "door", *command, "--clip", "scene:door", "--camera", "nope")

    assert (2, "--clip and --camera cannot both be given") == done.refusal


SETTINGS = """
[[cameras]]
id = "entrance"
source = "scene:door"

[[doors]]
id = "front"
camera = "entrance"
region = [0.3, 0.0, 0.7, 0.3]
seed = [0.5, 0.1]
rule = "plain"
debounce_s = 0.7
held_open_s = 30.0
"""


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    """A settings file with a camera and a door whose seldom settings are not the defaults."""
    file = tmp_path / "appliance.toml"
    file.write_text(SETTINGS, encoding="utf-8")
    return file


def test_the_block_keeps_what_is_not_proposed(configured: Path, state: Path, opened: Path) -> None:
    """Rule, debounce and the time held open of the door in the settings come back in the block."""
    done = call("--settings", configured, "--state", state, "door", "calibrate", "--clip", opened)
    # An even room fills as the door does under the plain rule: the block comes as comments, by design.
    lines = [line.removeprefix("# ") for line in done.out.splitlines()]
    (block,) = tomllib.loads("\n".join(lines[lines.index("[[doors]]") :]))["doors"]

    assert 3 == done.code
    assert {"rule": "plain", "debounce_s": 0.7, "held_open_s": 30.0}.items() <= block.items()
    assert "is a new door" not in done.err


def test_a_new_door_is_said_to_be_one(configured: Path, state: Path, opened: Path) -> None:
    """A slip in --door makes a door of its own: that is no secret."""
    done = call(
        *("--settings", configured, "--state", state, "door", "calibrate", "--clip", opened),
        *("--door", "fornt"),
    )

    assert "fornt is a new door; the settings have: front" in done.err
    assert ["fornt"] == [each["id"] for each in tomllib.loads(done.out)["doors"]]


def test_a_region_of_hardly_a_pixel_is_refused(state: Path) -> None:
    """Not "unsure" all day with exit code 0."""
    done = call(
        *("--state", state, "door", "watch", "--clip", "scene:door"),
        *("--region", "0.5,0.0,0.5005,0.3", "--seed", "0.5001,0.1"),
    )

    assert 3 == done.code
    assert "1 by 216 pixels of 1280 by 720" in done.errors[0]


@pytest.mark.parametrize("option", ["--fps", "--shut-s", "--open-s"])
@pytest.mark.parametrize("value", ["nan", "inf", "600"])
def test_numbers_that_are_none_are_refused(state: Path, option: str, value: str) -> None:
    """Neither no number at all nor minutes of somebody's patience."""
    done = call("--state", state, "door", "calibrate", "--clip", "scene:door", option, value)

    assert 2 == done.code
    assert "Traceback" not in done.err
