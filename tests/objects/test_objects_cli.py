"""`appliance objects …`: what is printed, drawn and refused, as somebody at a terminal meets it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from commands import Ended, call

ROOT = Path(__file__).parents[2]
CAT, CUP = ROOT / "data" / "things" / "chelsea.png", ROOT / "data" / "things" / "coffee.png"

SETTINGS = """
[[cameras]]
id = "kitchen"
source = "scene:door"
when = "always"

[[objects]]
id = "pets"
camera = "kitchen"
thresholds = { cat = 0.9 }

[[objects.triggers]]
id = "cat-there"
label = "cat"
dwell_s = 0.4
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory with settings."""
    (tmp_path / "appliance.toml").write_text(SETTINGS, encoding="utf-8")
    return tmp_path


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Two seconds of a cat that stays, as a folder of pictures."""
    folder = tmp_path / "film"
    folder.mkdir()
    picture = cv2.imread(str(CAT))
    for i in range(10):
        cv2.imwrite(str(folder / f"{i:03}.jpg"), picture)
    return folder


def objects(state: Path, *arguments: object) -> Ended:
    """A command on that box, in this process."""
    return call("--state", state, "objects", *arguments)


def test_a_picture_is_told_in_words_and_percent(state: Path) -> None:
    """Label, certainty, and which thing it is; the sum of it on standard error."""
    done = objects(state, "watch", "--picture", CUP, "--model", "coco")

    assert 0 == done.code
    assert "    0.00 s  cup 95% #1, dining table 76% #2\n" == done.out
    assert "1 frame(s) looked at by coco: " in done.err
    assert "cup in 100%, at best 95%" in done.err


def test_a_picture_is_told_as_json(state: Path) -> None:
    """Stable names; boxes in pixels; a summary at the end."""
    done = objects(state, "watch", "--picture", CAT, "--json")
    row, last = (json.loads(line) for line in done.out.splitlines())
    (seen,) = row["objects"]

    assert {"t_s": 0.0, "triggers": []}.items() <= row.items()
    assert {"label": "cat", "label_id": 8, "track": 1, "track_label": "cat"}.items() <= seen.items()
    assert 0.99 < seen["score"] <= 1
    assert 0 <= seen["box"][0] < seen["box"][2] <= 451
    assert ("voc", 1, "cat", 1.0) == (
        last["summary"]["model"],
        last["summary"]["frames"],
        last["summary"]["labels"][0]["label"],
        last["summary"]["labels"][0]["share"],
    )


def test_a_clip_is_looked_at_as_the_settings_say(state: Path, film: Path) -> None:
    """The trigger of the settings goes off once, after its time."""
    done = objects(state, "watch", "--clip", film, "--triggers", "--json")
    row, last = (json.loads(line) for line in done.out.splitlines())

    assert [{"trigger": "cat-there", "track": 1, "dwell_s": 0.4}] == row["triggers"]
    assert {"frames": 10, "model": "voc"}.items() <= last["summary"].items()


def test_what_is_given_goes_before_the_settings(state: Path) -> None:
    """Another threshold, only some labels, another model: the rest of the settings holds."""
    none = objects(state, "watch", "--picture", CAT, "--label", "dog")
    coco = objects(state, "watch", "--picture", CAT, "--model", "coco", "--threshold", "0.9")

    assert ("", 0) == (none.out, none.code)
    assert "nothing seen" in none.err
    assert "    0.00 s  cat 91% #1\n" == coco.out


def test_boxes_are_drawn_on_a_copy(state: Path, tmp_path: Path) -> None:
    """The cup's left edge is drawn from top to bottom; what is beside things is as it was."""
    out = tmp_path / "seen.jpg"
    done = objects(state, "watch", "--picture", CUP, "--model", "coco", "--draw", out)
    drawn, plain = (cv2.imread(str(path)).astype(int) for path in (out, CUP))
    edge = np.abs(drawn[60:200, 168:178] - plain[60:200, 168:178]).sum(axis=2).max(axis=1)
    elsewhere = np.abs(drawn[300:390, 100:500] - plain[300:390, 100:500])

    assert 0 == done.code
    assert plain.shape == drawn.shape
    assert 0o600 == out.stat().st_mode & 0o777
    assert edge.min() > 120
    assert elsewhere.max() < 60


def test_frames_of_a_clip_are_drawn_into_a_folder(state: Path, film: Path, tmp_path: Path) -> None:
    """One JPEG for each frame that is looked at and has things in it."""
    out = tmp_path / "new" / "seen"
    done = objects(state, "watch", "--clip", film, "--draw", out)

    assert 0 == done.code
    assert 10 == len(list(out.glob("*.jpg")))


@pytest.mark.parametrize(
    ("arguments", "code", "says", "hint"),
    [
        (["--picture", "none.jpg"], 3, "there is no such file", "name a JPEG"),
        (["--picture", __file__], 3, "not a picture", "JPEG"),
        (["--picture", CUP, "--label", "cup"], 2, "knows no 'cup'", "appliance objects models voc"),
        (["--picture", CUP, "--label", "dgo"], 2, "did you mean 'dog'?", "appliance objects models voc"),
        (["--picture", CUP, "--clip", CUP], 2, "give one of", "only one is looked at"),
        (["--camera", "roof"], 2, "there is no camera 'roof'", "--clip FILE"),
        (["--picture", CUP, "--draw", "seen.png"], 3, "not named .jpg", ""),
        (
            ["--clip", ROOT / "data" / "things", "--draw", "seen.jpg"],
            3,
            "the name of one picture",
            "a folder",
        ),
        (["--picture", CUP, "--label", "Cup!"], 2, "cannot be looked for", ""),
    ],
)
def test_what_cannot_be_looked_at_is_refused_in_one_sentence(
    state: Path, arguments: list[object], code: int, says: str, hint: str
) -> None:
    """With what to do about it, before anything is looked at."""
    done = objects(state, "watch", *arguments)
    refused, sentence = done.refusal

    assert code == refused
    assert says in sentence
    assert hint in "".join(done.hints)


def test_a_model_that_is_not_installed_says_how_to_get_it(state: Path, tmp_path: Path) -> None:
    """Its own name in the command: it is optional."""
    settings = f'{SETTINGS}\n[models]\ndirectory = "{tmp_path / "none"}"\n'
    (state / "appliance.toml").write_text(settings, encoding="utf-8")
    done = objects(state, "watch", "--picture", CUP, "--model", "yolox")

    assert (5, ["install it with: appliance models install yolox-nano"]) == (done.refusal[0], done.hints)


def test_a_model_that_there_is_not_is_said_once(state: Path) -> None:
    """By what the argument is called, with those there are."""
    done = objects(state, "models", "nope")

    assert "Invalid value for '[NAME]': 'nope' is not one of 'voc', 'coco', 'yolox'." == done.refusal[1]


def test_the_models_are_listed_with_what_they_know(state: Path) -> None:
    """All of them in short, one of them with its labels' numbers."""
    rows = {row["name"]: row for row in json.loads(objects(state, "models", "--json").out)}
    voc = objects(state, "models", "voc").out.splitlines()

    assert ["voc", "coco", "yolox"] == list(rows)
    assert [20, 80, 80] == [len(row["labels"]) for row in rows.values()]
    assert "12  dog" in voc[12]
    assert 21 == len(voc)


def test_wrong_labels_in_the_settings_are_found_by_check(state: Path) -> None:
    """With file, line, and the nearest label that there is; a second watch of a camera, too."""
    wrong = SETTINGS.replace('label = "cat"', 'label = "cta"')
    (state / "appliance.toml").write_text(wrong, encoding="utf-8")
    label = call("--state", state, "check")
    (state / "appliance.toml").write_text(
        f'{SETTINGS}\n[[objects]]\nid = "more"\ncamera = "kitchen"\n', encoding="utf-8"
    )
    second = call("--state", state, "check")

    assert (
        "appliance.toml:12: objects[0].triggers: the model 'voc' knows no 'cta'; did you mean 'cat'?"
        in label.errors[0]
    )
    assert "objects[1].camera: there are things looked for on camera 'kitchen' already" in second.errors[0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({'camera = "kitchen"': 'camera = "roof"'}, "there is no camera 'roof'"),
        ({"cat = 0.9": "cat = 0.01"}, "at least 0.05"),
        ({"dwell_s = 0.4": "dwell_s = 0.4\nregion = [0.5, 0, 0.4, 1]"}, "left < right"),
        (
            {"dwell_s = 0.4": 'dwell_s = 0.4\n[[objects.triggers]]\nid = "cat-there"\nlabel = "dog"'},
            "two triggers",
        ),
        ({"dwell_s = 0.4": "dwell = 0.4"}, "dwell"),
    ],
)
def test_settings_that_cannot_be_are_found_by_check(state: Path, change: dict[str, str], says: str) -> None:
    """Each with words that say what would do."""
    text = SETTINGS
    for before, after in change.items():
        text = text.replace(before, after)
    (state / "appliance.toml").write_text(text, encoding="utf-8")
    done = call("--state", state, "check")

    assert 0 != done.code
    assert says in " ".join(done.errors + done.hints)
