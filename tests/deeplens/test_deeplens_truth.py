"""Where a hosted function's boxes are: on what our own detectors find in the camera's picture."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import kept_functions
import pytest
from commands import call
from hosted_functions import package_at
from hosted_models import CAT, PERSON, ROOT, shared

from appliance.deeplens.frame_fit import HEIGHT, WIDTH, placed
from appliance.faces.detect import YuNetDetector
from appliance.models.folder import ModelFolder
from appliance.values import Box

pytestmark = pytest.mark.debian(reason="bubblewrap")

CAT_IN_THE_PICTURE = Box(30, 0, 421, 300)
"""Left, top, width, height of the cat in its picture of 451 x 300 pixels, read off it by eye."""
SCENE = ROOT / "data" / "portraits" / "scene" / "obama.png"


def boxes(name: str, picture: Path, folder: Path) -> list[list[Any]]:
    """What a function publishes of the boxes it drew: label, corners in the frame, corners in the model's."""
    shown = folder / "shown"
    shown.mkdir()
    shutil.copy(picture, shown)
    package = package_at(folder / name, kept_functions.files(name))
    ran = call(
        *("--state", folder / "state", "deeplens", "run", package),
        *("--source", shown, "--frames", 5, "--seconds", 60, "--json"),
    )
    rows = [json.loads(line) for line in ran.out.splitlines()]
    found = [json.loads(each["payload"]) for each in rows if each.get("topic") == "boxes"]

    assert found, ran.out + ran.err
    last: list[list[Any]] = found[-1]
    return last


def in_frame(box: Box, picture: Path) -> tuple[float, ...]:
    """A box of a camera's picture, as corners in the frame that functions see."""
    read = cv2.imread(str(picture))
    assert read is not None
    height, width = read.shape[:2]
    moved = placed(width, height).from_camera(box)
    return moved.x, moved.y, moved.x + moved.width, moved.y + moved.height


def on_spot(drawn: Sequence[float], model: Sequence[float]) -> bool:
    """Whether corners drawn in Python 2's whole numbers are where the model's box is, to a few pixels.

    2688 // 300 is 8; with the box's own x added to make up for it, it comes to 9 in place of 8.96 across,
    and to 5 in place of 5.07 down.
    """
    true = [side * (WIDTH, HEIGHT)[at % 2] / 300 for at, side in enumerate(model)]
    return all(abs(left - right) <= 22 for left, right in zip(drawn, true, strict=True))


@pytest.mark.parametrize("picture", [PERSON, SCENE], ids=["astronaut", "obama"])
def test_face_boxes_lie_on_the_faces(picture: Path, model_folder: ModelFolder, tmp_path: Path) -> None:
    """The face project in Python 2 draws around the face that our detector finds in the picture itself."""
    read = cv2.imread(str(picture))
    assert read is not None
    detector = YuNetDetector(model_folder.path("yunet"))
    detector.open()
    ours = max(detector.detect(read), key=lambda face: face.score)
    drawn = boxes("face_fifo", picture, tmp_path)
    label, *corners = drawn[0]

    assert "face" == label
    assert shared(tuple(corners[:4]), in_frame(ours.box, picture)) > 0.5
    assert on_spot(corners[:4], corners[4:])


def test_a_cats_box_lies_on_the_cat(model_folder: ModelFolder, tmp_path: Path) -> None:
    """The object project in Python 2 draws around the cat, under VOC's name for it, and nowhere else."""
    del model_folder
    drawn = boxes("dog", CAT, tmp_path)
    cats = [corners for label, *corners in drawn if label == "cat"]

    assert 1 == len(cats)
    assert shared(tuple(cats[0][:4]), in_frame(CAT_IN_THE_PICTURE, CAT)) > 0.6
    assert on_spot(cats[0][:4], cats[0][4:])
