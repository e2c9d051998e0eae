"""Chips: what dlib and OpenCV would cut out, from the neighbourhood of the face alone."""

from collections.abc import Mapping

import cv2
import dlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import ModelError
from appliance.faces.align import (
    ShapePredictor,
    chip_points,
    dlib_chip,
    dlib_rectangle,
    sface_chip,
    similarity,
    yunet_box,
)
from appliance.faces.reader import FaceReader
from appliance.models.folder import ModelFolder
from appliance.values import Box, ImageArray

PEOPLE = ["enrol/obama", "enrol/astronaut", "scene/obama", "scene/astronaut", "scene/biden"]


@settings(deadline=None)
@given(st.integers(-50, 2000), st.integers(-50, 2000), st.integers(2, 900))
def test_a_hog_box_survives_the_way_to_yunet_and_back(left: int, top: int, side: int) -> None:
    """`dlib_rectangle` undoes `yunet_box` exactly, so HOG's faces are aligned on HOG's own box."""
    rectangle = dlib.rectangle(left, top, left + side - 1, top + side - 1)

    assert rectangle == dlib_rectangle(yunet_box(rectangle))


@pytest.mark.parametrize("who", PEOPLE)
def test_the_dlib_chip_is_dlibs_to_the_pixel(
    reader: FaceReader, predictor: ShapePredictor, portraits: Mapping[str, ImageArray], who: str
) -> None:
    """Cutting out the neighbourhood first saves time and changes nothing."""
    bgr = portraits[who]
    rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    box = reader.detect(bgr)[0].box
    whole = dlib.get_face_chip(rgb, predictor.shape(rgb, dlib_rectangle(box)), size=150, padding=0.25)

    assert (whole == dlib_chip(bgr, box, predictor)).all()


@pytest.mark.parametrize("turn", [-40, -15, 0, 25, 40])
def test_a_tilted_head_is_cut_out_whole(
    reader: FaceReader, predictor: ShapePredictor, portraits: Mapping[str, ImageArray], turn: int
) -> None:
    """The corners of a turned chip lie within the neighbourhood that is cut out."""
    picture = portraits["enrol/astronaut"]
    centre = reader.detect(picture)[0].box.centre
    tilted = cv2.warpAffine(picture, cv2.getRotationMatrix2D(centre, turn, 0.8), (512, 512))
    rgb = cv2.cvtColor(tilted, cv2.COLOR_BGR2RGB)
    box = reader.detect(tilted)[0].box
    whole = dlib.get_face_chip(rgb, predictor.shape(rgb, dlib_rectangle(box)), size=150, padding=0.25)

    assert (whole == dlib_chip(tilted, box, predictor)).all()


@pytest.mark.parametrize("who", PEOPLE)
def test_the_sface_chip_is_opencvs(
    model_folder: ModelFolder, reader: FaceReader, portraits: Mapping[str, ImageArray], who: str
) -> None:
    """Within 3 of 255 gray levels of `cv2.FaceRecognizerSF.alignCrop`, which computes in single precision."""
    face = reader.detect(portraits[who])[0]
    row = [face.box.x, face.box.y, face.box.width, face.box.height, *face.points.reshape(-1), face.score]
    recogniser = cv2.FaceRecognizerSF.create(str(model_folder.path("sface-int8bq")), "")
    theirs = recogniser.alignCrop(portraits[who], np.array([row], dtype=np.float32))
    difference = np.abs(theirs.astype(int) - sface_chip(portraits[who], face.points))

    assert 3 >= difference.max()
    assert 0.1 > difference.mean()


@settings(max_examples=50, deadline=None)
@given(st.floats(0.2, 20), st.floats(-3.1, 3.1), st.floats(-500, 2000), st.floats(-500, 2000))
def test_the_similarity_takes_a_moved_template_home(scale: float, angle: float, x: float, y: float) -> None:
    """Turn, scale and shift the template by anything: the transform undoes it."""
    template = np.array(
        [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
    )
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (template @ turn.T + [x, y]).astype(np.float32)
    matrix = similarity(moved)

    assert 0.05 > np.abs(moved @ matrix[:, :2].T + matrix[:, 2] - template).max()


def test_five_points_in_one_place_are_no_error() -> None:
    """A detector gone wrong gives a useless chip, not an exception."""
    matrix = similarity(np.full((5, 2), 7, np.float32))

    assert np.isfinite(matrix).all()


@pytest.mark.parametrize(
    "box",
    [
        Box(-400, -400, 300, 300),
        Box(5000, 5000, 80, 80),
        Box(-100, 200, 200, 200),
        Box(600, 800, 200, 200),
        Box(0, 0, 1, 1),
        Box(-3000, -3000, 8000, 8000),
    ],
)
def test_a_box_over_the_edge_gives_a_chip_all_the_same(
    predictor: ShapePredictor, obama: ImageArray, box: Box
) -> None:
    """People enter and leave frames half; what is missing is black."""
    assert (150, 150, 3) == dlib_chip(obama, box, predictor).shape


def test_the_average_face_lies_where_the_chip_has_it(
    reader: FaceReader, predictor: ShapePredictor, obama: ImageArray
) -> None:
    """Points made from dlib's five agree with YuNet's, which see the mouth."""
    face = reader.detect(obama)[0]
    rgb = cv2.cvtColor(obama, cv2.COLOR_BGR2RGB)
    points = chip_points(predictor.shape(rgb, dlib_rectangle(face.box)))

    assert 0.06 > np.abs(points - face.points).max() / face.box.width


def test_a_file_that_is_no_predictor_is_a_typed_error(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The exception of dlib does not leave the room."""
    path = tmp_path_factory.mktemp("weights") / "shape.dat"
    path.write_bytes(b"\x01\x01 nothing of the kind")

    with pytest.raises(ModelError):
        ShapePredictor(path).open()
