"""`appliance check` and `--camera`: what is right, what is wrong and where."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import call

from appliance.cli.context import Context, with_camera
from appliance.errors import SettingsError
from appliance.events import event_types
from appliance.settings import Settings, parse

RIGHT = """
[[cameras]]
id = "entrance"
source = "rtsp://viewer:hunter2@camera.example/main"
width_px = 640

[[doors]]
id = "main"
camera = "entrance"

[[actions]]
id = "terminal"
on = ["door_opened"]
"""


def written(folder: Path, text: str) -> Path:
    """A settings file."""
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_right_is_called_right(tmp_path: Path) -> None:
    """Exit code 0, the file's name, how much is configured, and what follows from an empty key list."""
    path = written(tmp_path, RIGHT)
    done = call("--settings", path, "check")

    assert (0, "") == (done.code, done.err)
    assert f"{path} is right: 1 camera(s), 1 door(s)" in done.out
    assert "no picture of a stranger will be stored" in done.out


def test_json_names_what_is_configured_and_no_address(tmp_path: Path) -> None:
    """Stable names; the camera's password is in neither form of the answer."""
    path = written(tmp_path, RIGHT)
    plain, as_json = call("--settings", path, "check"), call("--settings", path, "check", "--json")

    assert {
        "file": str(path),
        "overlay": None,
        "overlaid": [],
        "ok": True,
        "cameras": ["entrance"],
        "doors": ["main"],
        "actions": ["terminal"],
        "recipients": 0,
    } == json.loads(as_json.out)
    assert "hunter2" not in plain.out + as_json.out


def test_a_typo_is_told_with_line_key_and_the_nearest_key(tmp_path: Path) -> None:
    """One line per fault, each with all three."""
    path = written(tmp_path, RIGHT.replace("width_px", "widht_px").replace("on =", "onn ="))
    done = call("--settings", path, "check")

    assert 2 == done.code
    assert f"{path}:5: cameras[0].widht_px: unknown key; did you mean 'width_px'?" in done.errors
    assert f"{path}:13: actions[0].onn: unknown key; did you mean 'on'?" in done.errors
    assert "" == done.out
    assert "hunter2" not in done.err


WRONG = (
    RIGHT.replace('["door_opened"]', '["door_open", "door_shut", "rain"]')
    + """
[evidence]
recipients = [
  "ssh-ed25519 garbage",
]
"""
)


@pytest.mark.parametrize("command", ["check", "run"])
def test_what_cannot_run_is_not_called_right(tmp_path: Path, command: str) -> None:
    """A recipient that is no key, a misspelt event: `check` says so, and `run` does not begin.

    Each fault has its line, its setting and, for an event, the nearest there is; no key is repeated.
    """
    path = written(tmp_path, WRONG)
    done = call("--settings", path, "--state", tmp_path / "state", command)

    assert 2 == done.code
    assert [
        f"{path}:16: evidence.recipients[0] is not a complete ssh-ed25519 public key",
        f"{path}:13: actions[0].on: there is no event 'door_open'; did you mean 'door_opened'?",
    ] == done.errors[:2]
    assert done.errors[2].startswith(f"{path}:13: actions[0].on: there is no event 'rain'; there are: ")
    assert 1 == len(done.hints)
    assert "garbage" not in done.err
    assert not (tmp_path / "state").exists()


def test_every_event_may_trigger_an_action(tmp_path: Path) -> None:
    """What the program can say, the settings can wait for."""
    path = written(tmp_path, RIGHT.replace('["door_opened"]', json.dumps(event_types())))

    assert 0 == call("--settings", path, "check").code


def test_a_value_out_of_range_does_not_repeat_secrets(tmp_path: Path) -> None:
    """The fault is told by its key; what a source says is never shown."""
    path = written(tmp_path, RIGHT + '\n[store]\nurl = ["postgresql://u:hunter3@h/d"]\n')
    done = call("--settings", path, "check")

    assert 2 == done.code
    assert "store.url" in done.err
    assert "hunter" not in done.err


def test_a_file_that_is_not_there_and_one_that_is_no_text(tmp_path: Path) -> None:
    """Each is one sentence with the file's name."""
    junk = tmp_path / "junk.toml"
    junk.write_bytes(b"\xff\xfe\x00")

    assert (2, f"{tmp_path / 'none.toml'}: there is no settings file") == call(
        "--settings", tmp_path / "none.toml", "check"
    ).refusal
    assert (2, f"{junk}: not UTF-8 text (byte 0)") == call("--settings", junk, "check").refusal


def test_describe_lists_every_setting(tmp_path: Path) -> None:
    """Those of the models' JSON schema, found by another way; each with its meaning and restart scope."""
    rows = json.loads(call("--state", tmp_path, "check", "--describe", "--json").out)
    plain = call("--state", tmp_path, "check", "--describe").out
    schema = Settings.model_json_schema()

    assert set(leaves(schema, schema)) == {row["key"] for row in rows}
    assert all(row["meaning"] and row["scope"] for row in rows)
    assert all(row["key"] in plain for row in rows)


def leaves(schema: dict[str, Any], whole: dict[str, Any], before: str = "") -> Iterator[str]:
    """Keys of a JSON schema's settings; `[]` stands for one of several."""
    for name, field in schema["properties"].items():
        inner, mark = field, "."
        if field.get("type") == "array" and "$ref" in field.get("items", {}):
            inner, mark = field["items"], "[]."
        target = whole["$defs"].get(inner["$ref"].rpartition("/")[2], {}) if "$ref" in inner else {}
        if "properties" in target:
            yield from leaves(target, whole, f"{before}{name}{mark}")
        else:
            yield f"{before}{name}"


# ---------------------------------------------------------------- --camera


def test_the_scene_brings_its_door() -> None:
    """Without any settings the bundled scene is watched as a door."""
    settings = with_camera(Settings(), "scene:door", None)

    assert [("camera", "door")] == [(each.id, each.when.value) for each in settings.cameras]
    assert [("door", "camera")] == [(each.id, each.camera) for each in settings.doors]


def test_a_source_without_a_door_is_read_always() -> None:
    """Nobody has to configure a door to look at a clip."""
    assert ["always"] == [each.when.value for each in with_camera(Settings(), "clip.mp4", None).cameras]


def test_the_first_cameras_settings_and_doors_are_taken_over() -> None:
    """The source alone changes; doors of other cameras are left out, other settings stay."""
    text = (
        RIGHT
        + '\n[[cameras]]\nid = "yard"\nsource = "/dev/video1"\nwhen = "always"\n[log]\nlevel = "error"\n'
    )
    settings = with_camera(parse(text), "clip.mp4", None)
    (camera,) = settings.cameras

    assert ("camera", "clip.mp4", 640, "door") == (
        camera.id,
        camera.source.get_secret_value(),
        camera.width_px,
        camera.when.value,
    )
    assert ["camera"] == [door.camera for door in settings.doors]
    assert "error" == settings.log.level


def test_a_door_that_is_not_there_cannot_be_waited_for() -> None:
    """`--when door` on a plain clip is an error in one line, without the source in it."""
    with pytest.raises(
        SettingsError, match=r"^--camera: camera 'camera' reads faces when = 'door'"
    ) as caught:
        with_camera(Settings(), "rtsp://u:hunter2@h/main", "door")

    assert "hunter2" not in caught.value.message + caught.value.hint


def test_when_is_one_of_three() -> None:
    """It may come from the environment, where nobody has checked it."""
    with pytest.raises(SettingsError, match=r"--camera: one of these is needed: door, approach, always"):
        with_camera(Settings(), "scene:door", "sometimes")


def test_the_settings_file_beside_the_state_is_found(tmp_path: Path) -> None:
    """Unless another one is named."""
    (tmp_path / "appliance.toml").write_text('site = "beside"\n', encoding="utf-8")
    named = written(tmp_path, 'site = "named"\n')

    assert "beside" == Context(None, tmp_path).settings.site
    assert "named" == Context(named, tmp_path).settings.site
    assert named == Context(named, tmp_path).need_settings_file()


def test_what_the_ui_changed_is_told(tmp_path: Path) -> None:
    """The overlay beside the state holds over the file, for every command, and check names its keys."""
    path, state = written(tmp_path, RIGHT), tmp_path / "state"
    state.mkdir()
    overlay = state / "overlay.toml"
    overlay.write_text("[recognition]\nfpir = 0.01\n", encoding="utf-8")
    plain = call("--settings", path, "--state", state, "check")
    told = json.loads(call("--settings", path, "--state", state, "check", "--json").out)

    assert f"changed in the UI, by {overlay}: recognition.fpir" in plain.out
    assert (str(overlay), ["recognition.fpir"]) == (told["overlay"], told["overlaid"])
    assert 0.01 == Context(path, state).settings.recognition.fpir


def test_a_broken_overlay_is_refused_with_its_line(tmp_path: Path) -> None:
    """Like the file: nothing starts with half of what somebody wanted."""
    path, state = written(tmp_path, RIGHT), tmp_path / "state"
    state.mkdir()
    (state / "overlay.toml").write_text("[recognition]\nfprr = 0.01\n", encoding="utf-8")
    done = call("--settings", path, "--state", state, "check")

    assert 2 == done.code
    assert "overlay.toml:2: recognition.fprr: unknown key; did you mean 'fpir'?" in done.err
