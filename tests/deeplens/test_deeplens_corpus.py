"""Functions as people published them, each run in a real view as `appliance deeplens try` runs them.

The models that their authors trained are replaced by stand-ins, installed by the commands of MODELS.md.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import kept_functions
import pytest
from commands import call
from hosted_functions import package_at
from hosted_models import PERSON

from appliance.models.folder import ModelFolder

pytestmark = pytest.mark.debian(reason="bubblewrap")

STAND_INS = (
    ("frozen_model", "--like", "classifier", "--labels", "9"),
    ("image-classification", "--like", "classifier", "--labels", "3"),
    ("style", "--like", "featurizer", "--output", "Convolution_last_conv:150528"),
    ("deeppose", "--like", "featurizer", "--output", "heatmaps:8464"),
    ("fish-neo", "--like", "classifier", "--labels", "5"),
)
"""What `appliance deeplens models install` is told."""

DRAWING = {
    "face_fifo": '"face": ',
    "things_late_picture": '"person": ',
    "tabs_mixed": '"face": ',
    "display_missing": '"person": ',
    "cat_or_dog": '"cat": ',
    "hot_dog": "Not hotdog",
    "bootstrap_upload": '"null": 0.0',
    "coffee": '"face": "true"',
    "head_pose": '"pose": ',
    "style": "styled",
    "pose": "[[",
    "loose_drawing": '"person": ',
    "trash": "\\n",
    "pictures_in_json": "data:image/jpeg;base64,/9j/",
}
"""Those with a project stream, and what they publish of a woman."""

PUBLISHING = {"featurizer": '{ "features": "', "neo": '"0": '}
"""Those without one."""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory, model_folder: ModelFolder) -> Path:
    """A state directory with the stand-ins."""
    del model_folder
    folder = tmp_path_factory.mktemp("corpus") / "state"
    for each in STAND_INS:
        assert 0 == call("--state", folder, "deeplens", "models", "install", *each).code
    return folder


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera sees: a woman."""
    folder = tmp_path_factory.mktemp("pictures")
    shutil.copy(PERSON, folder)
    return folder


def tried(state: Path, pictures: Path, package: Path, *more: object) -> dict[str, Any]:
    """What `try` says of one."""
    done = call("--state", state, "deeplens", "try", package, "--source", pictures, "--json", *more)
    row: dict[str, Any] = json.loads(done.out.splitlines()[0])
    return row


def laid_out(name: str, folder: Path) -> Path:
    """A function's files in a folder."""
    return package_at(folder / name, kept_functions.files(name))


@pytest.mark.parametrize("name", [*DRAWING, *PUBLISHING])
def test_a_function_of_its_kind_runs(name: str, state: Path, pictures: Path, tmp_path: Path) -> None:
    """Six frames, messages with what it found, pictures where it draws, no dead thread, no error."""
    row = tried(state, pictures, laid_out(name, tmp_path), "--frames", 6)
    said = "".join(row["first_messages"] + row["last_messages"])

    assert ("runs", "", [], []) == (row["verdict"], row["why"], row["threads_died"], row["error_messages"])
    assert row["frames"] >= 6
    assert sum(row["inferences"].values()) >= 3
    assert (name in DRAWING) == (row["project_stream"]["pictures"] > 0)
    assert {**DRAWING, **PUBLISHING}[name] in said
    assert (name == "bootstrap_upload") == (row["uploads"] > 0)
