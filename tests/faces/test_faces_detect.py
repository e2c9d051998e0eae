"""Detectors: one contract for both, coordinates of the full frame, a fixed order."""

from collections.abc import Mapping

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import ModelError
from appliance.faces.align import ShapePredictor
from appliance.faces.detect import FaceDetector, HogDetector, YuNetDetector, in_order
from appliance.models.folder import ModelFolder
from appliance.values import Box, DetectedFace, ImageArray


@pytest.fixture(scope="session")
def yunet(model_folder: ModelFolder) -> YuNetDetector:
    """As the loop has it."""
    found = YuNetDetector(model_folder.path("yunet"))
    found.open()
    return found


@pytest.fixture(scope="session")
def hog(predictor: ShapePredictor) -> HogDetector:
    """Without doubling the picture, for speed; with dlib's own cut-off a fold of a space suit is a face."""
    found = HogDetector(predictor, upsample=0, min_score=0.8)
    found.open()
    return found


@pytest.fixture(params=["yunet", "hog"])
def detector(request: pytest.FixtureRequest, yunet: FaceDetector, hog: FaceDetector) -> FaceDetector:
    """Either."""
    return {"yunet": yunet, "hog": hog}[request.param]


def on_frame(faces: Mapping[tuple[int, int, int], ImageArray], size: tuple[int, int]) -> ImageArray:
    """A gray frame of (width, height) with pictures at (x, y) scaled to a width."""
    frame = np.full((size[1], size[0], 3), 127, np.uint8)
    for (x, y, width), picture in faces.items():
        height = picture.shape[0] * width // picture.shape[1]
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        frame[y : y + height, x : x + width] = small
    return frame


@pytest.mark.parametrize("person", ["obama", "astronaut", "biden"])
def test_each_portrait_has_one_face(
    detector: FaceDetector, portraits: Mapping[str, ImageArray], person: str
) -> None:
    """Its points lie in the box, the person's right eye on the picture's left, the mouth below the nose."""
    (face,) = detector.detect(portraits[f"scene/{person}"])
    right, left, nose, mouth_right, mouth_left = face.points

    assert 0.7 <= face.score <= 1
    assert right[0] < nose[0] < left[0]
    assert right[1] < nose[1] < mouth_right[1]
    assert mouth_right[0] < mouth_left[0]
    assert face.box.x < right[0] < left[0] < face.box.x + face.box.width


def test_both_detectors_find_the_same_points(
    yunet: YuNetDetector, hog: HogDetector, portraits: Mapping[str, ImageArray]
) -> None:
    """HOG's points are laid over the eyes and stay within a tenth of the face of YuNet's."""
    for picture in portraits.values():
        ours, theirs = yunet.detect(picture)[0], hog.detect(picture)[0]

        assert 0.1 > np.abs(ours.points - theirs.points).max() / ours.box.width
        assert 0.6 < ours.box.overlap(theirs.box)


@pytest.mark.parametrize("width_px", [160, 300, 320, 480])
def test_yunet_finds_what_opencv_finds(
    model_folder: ModelFolder, portraits: Mapping[str, ImageArray], width_px: int
) -> None:
    """Box, points and score of `cv2.FaceDetectorYN` with the published file, also for odd widths."""
    frame = on_frame(
        {
            (0, 60, 200): portraits["scene/biden"],
            (900, 100, 300): portraits["scene/obama"],
            (420, 60, 420): portraits["scene/astronaut"],
        },
        (1280, 723),
    )
    ours = YuNetDetector(model_folder.path("yunet"), width_px=width_px, min_score=0.6)
    ours.open()
    size = (width_px, round(723 * width_px / 1280))
    theirs = cv2.FaceDetectorYN.create(str(model_folder.path("yunet-int8bq")), "", size, 0.6, 0.3)
    rows = theirs.detect(cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR))[1]
    scale = np.array([1280 / size[0], 723 / size[1]])
    expected = sorted(rows, key=lambda row: -row[2] * row[3])
    found = ours.detect(frame)

    assert len(expected) == len(found) >= 2
    for row, face in zip(expected, found, strict=True):
        assert pytest.approx(row[14], abs=1e-4) == face.score
        assert 0.01 > np.abs(row[4:14].reshape(5, 2) * scale - face.points).max()
        assert pytest.approx(row[:4] * np.tile(scale, 2), abs=0.01) == (
            face.box.x,
            face.box.y,
            face.box.width,
            face.box.height,
        )


def test_an_empty_picture_has_no_face(detector: FaceDetector) -> None:
    """Neither an error nor a guess."""
    assert [] == detector.detect(np.full((360, 640, 3), 90, np.uint8))


def test_coordinates_are_those_of_the_full_frame(yunet: YuNetDetector, obama: ImageArray) -> None:
    """The same scene at three resolutions: boxes and points grow with it."""
    scene = on_frame({(400, 60, 400): obama}, (1280, 720))
    small = cv2.resize(scene, (640, 360), interpolation=cv2.INTER_AREA)
    large = cv2.resize(scene, (1920, 1080), interpolation=cv2.INTER_LINEAR)
    found = [yunet.detect(picture)[0] for picture in (small, scene, large)]
    widths = [
        face.box.width / picture.shape[1] for face, picture in zip(found, (small, scene, large), strict=True)
    ]

    assert pytest.approx(widths[1], rel=0.1) == widths[0]
    assert pytest.approx(widths[1], rel=0.1) == widths[2]
    assert 12 > np.abs(found[1].points - found[0].points * 2).max()


def test_the_largest_face_comes_first(yunet: YuNetDetector, portraits: Mapping[str, ImageArray]) -> None:
    """Three people at different distances, listed by size."""
    frame = on_frame(
        {
            (40, 60, 200): portraits["scene/biden"],
            (900, 100, 300): portraits["scene/obama"],
            (420, 60, 420): portraits["scene/astronaut"],
        },
        (1280, 720),
    )
    areas = [face.box.area for face in yunet.detect(frame)]

    assert 3 == len(areas)
    assert sorted(areas, reverse=True) == areas


def test_a_face_is_found_from_six_percent_of_the_width(yunet: YuNetDetector, obama: ImageArray) -> None:
    """About 80 of 1280 pixels across the face."""
    frame = on_frame({(600, 300, 300): obama}, (1280, 720))
    (face,) = yunet.detect(frame)

    assert 65 < face.box.width < 95


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (500, 3), (33, 31), (320, 1)])
def test_odd_sizes_are_no_error(yunet: YuNetDetector, size: tuple[int, int]) -> None:
    """A one-pixel picture from a broken source has no face, and that is all."""
    assert [] == yunet.detect(np.zeros((size[1], size[0], 3), np.uint8))


def test_a_read_only_frame_serves(yunet: YuNetDetector, obama: ImageArray) -> None:
    """Frames are shared between rooms and cannot be written to."""
    frame = obama.copy()
    frame.flags.writeable = False

    assert 1 == len(yunet.detect(frame))


def test_many_sizes_one_after_another_leave_the_result_alone(yunet: YuNetDetector, obama: ImageArray) -> None:
    """Uploads of every shape pass through one detector, which forgets old sizes and not the answer."""
    before = yunet.detect(obama)[0].points
    for height in range(200, 260, 8):
        yunet.detect(np.zeros((height, 640, 3), np.uint8))

    assert (before == yunet.detect(obama)[0].points).all()


def test_a_file_that_is_no_network_is_a_typed_error(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The runtime's own exception does not leave the room."""
    path = tmp_path_factory.mktemp("weights") / "yunet.onnx"
    path.write_bytes(b"nothing of the kind")

    with pytest.raises(ModelError):
        YuNetDetector(path).open()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 3)), max_size=8), st.randoms())
def test_the_order_does_not_depend_on_the_detector(
    places: list[tuple[int, int, int]], random: "st.random.Random"
) -> None:
    """Whatever order faces come in, they leave in the same one."""
    faces = [DetectedFace(Box(x, y, side, side), np.zeros((5, 2), np.float32), 0.9) for x, y, side in places]
    shuffled = faces.copy()
    random.shuffle(shuffled)

    assert [face.box for face in in_order(faces)] == [face.box for face in in_order(shuffled)]


def test_a_small_face_is_looked_at_once_more(
    yunet: YuNetDetector, portraits: Mapping[str, ImageArray]
) -> None:
    """In a 1280-pixel frame, points of faces 60 to 100 pixels wide come nearer to the full portrait's.

    By a quarter at least, on average; box and score stay, for trackers and dlib's alignment.
    """
    coarse, refined = [], []
    for picture in portraits.values():
        near = yunet.detect(picture)[0]
        for width in (60, 80, 100):
            zoom = width / near.box.width
            small = cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)[:700]
            frame = np.full((720, 1280, 3), 127, np.uint8)
            frame[10 : 10 + small.shape[0], 600 : 600 + small.shape[1]] = small
            face = yunet.detect(frame)[0]
            again = yunet.refine(frame, face)
            truth = near.points * zoom + np.array([600, 10])
            coarse.append(np.abs(face.points - truth).mean())
            refined.append(np.abs(again.points - truth).mean())

            assert (face.box, face.score) == (again.box, again.score)

    assert np.mean(refined) < 0.75 * np.mean(coarse)


def test_a_large_face_is_not_looked_at_again(detector: FaceDetector, obama: ImageArray) -> None:
    """Its points are as exact as the detector finds them."""
    face = detector.detect(obama)[0]

    assert face is detector.refine(obama, face)


@given(x=st.integers(-60, 1270), y=st.integers(-60, 710), width=st.integers(3, 140))
@settings(max_examples=30, deadline=None)
def test_a_face_that_is_not_there_any_more_keeps_its_points(
    yunet: YuNetDetector, x: int, y: int, width: int
) -> None:
    """Nothing is found from near, also over the frame's edges: the face stays as it was."""
    face = DetectedFace(Box(x, y, width, width * 1.3), np.full((5, 2), 7, np.float32), 0.8)

    assert face is yunet.refine(np.full((720, 1280, 3), 127, np.uint8), face)


def test_a_neighbour_is_not_taken_for_a_small_face(
    yunet: YuNetDetector, portraits: Mapping[str, ImageArray]
) -> None:
    """Two heads close together, each refined: each keeps its own points."""
    heads = {(500, 300, 160): portraits["scene/biden"], (660, 300, 160): portraits["scene/obama"]}
    frame = on_frame(
        {(x, y, w): picture[: picture.shape[0] // 2] for (x, y, w), picture in heads.items()}, (1280, 720)
    )
    faces = yunet.detect(frame)

    left, right = sorted((yunet.refine(frame, face).points[:, 0] for face in faces), key=np.mean)
    assert 500 < left.min() < left.max() < 660 < right.min() < right.max() < 820
