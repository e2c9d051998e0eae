"""Quality: falls with every fault, names the fault, and stays within its range."""

from collections.abc import Mapping
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from appliance.faces.quality import POOR, Judgement, Reason, judge, turn
from appliance.faces.reader import FaceReader
from appliance.values import Box, DetectedFace, ImageArray

UPRIGHT = np.array([[45, 47], [104, 47], [75, 78], [50, 103], [101, 103]], np.float32)


def of_picture(reader: FaceReader, picture: ImageArray) -> Judgement:
    """The judgement of a picture's largest face."""
    return reader.assess(picture, reader.detect(picture)[0])[1]


@pytest.mark.parametrize("who", ["enrol/obama", "enrol/astronaut", "scene/obama", "scene/biden"])
def test_a_good_portrait_has_no_fault(
    reader: FaceReader, portraits: Mapping[str, ImageArray], who: str
) -> None:
    """What people should enrol from is accepted without a remark."""
    judgement = of_picture(reader, portraits[who])

    assert () == judgement.reasons
    assert 60 < judgement.quality.total


def test_the_total_is_the_least_measure(reader: FaceReader, obama: ImageArray) -> None:
    """A face is as usable as its worst property."""
    quality = of_picture(reader, obama).quality

    assert min(quality.measures.values()) == quality.total
    assert {"size", "sharpness", "light", "pose", "detection"} == set(quality.measures)


def test_blur_lowers_sharpness_step_by_step(reader: FaceReader, obama: ImageArray) -> None:
    """More blur never scores better, and a heavy one is named."""
    found = [of_picture(reader, cv2.GaussianBlur(obama, (0, 0), sigma)) for sigma in (1, 6, 12, 20)]
    sharpness = [judgement.quality.measures["sharpness"] for judgement in found]

    assert sorted(sharpness, reverse=True) == sharpness
    assert (Reason.LOW_SHARPNESS,) == found[-1].reasons


@pytest.mark.parametrize(("gain", "reason"), [(0.07, Reason.LOW_BRIGHTNESS), (4.0, Reason.HIGH_BRIGHTNESS)])
def test_too_little_and_too_much_light_are_told_apart(
    reader: FaceReader, obama: ImageArray, gain: float, reason: Reason
) -> None:
    """The person at the camera learns which way to mend it."""
    face = reader.detect(obama)[0]
    chip = reader.sample(obama, face).dlib_chip
    judgement = judge(face, np.clip(chip * gain, 0, 255).astype(np.uint8))

    assert reason in judgement.reasons


def test_a_small_face_is_named(reader: FaceReader, obama: ImageArray) -> None:
    """Too far from the camera."""
    frame = np.full((180, 320, 3), 127, np.uint8)
    frame[10:160, 100:220] = cv2.resize(obama, (120, 150), interpolation=cv2.INTER_AREA)

    assert Reason.SMALL_BOUNDING_BOX in of_picture(reader, frame).reasons


def turned(share: float) -> DetectedFace:
    """A face whose nose has moved towards one eye by a share of the eyes' distance."""
    points = UPRIGHT.copy()
    points[2, 0] += share * 59
    return DetectedFace(Box(20, 20, 120, 120), points, 0.9)


def test_turning_away_lowers_the_pose(reader: FaceReader, obama: ImageArray) -> None:
    """Frontal is best, a profile is named, and both sides count alike."""
    chip = reader.sample(obama, reader.detect(obama)[0]).dlib_chip
    poses = [judge(turned(share), chip).quality.measures["pose"] for share in (0.0, 0.3, 0.45, 0.6)]

    assert sorted(poses, reverse=True) == poses
    assert 100 == poses[0]
    assert (Reason.EXTREME_POSE,) == judge(turned(0.55), chip).reasons
    # Not exactly alike: the upright points are those of a real, slightly uneven face.
    assert (
        pytest.approx(judge(turned(0.3), chip).quality.measures["pose"], abs=5)
        == judge(turned(-0.3), chip).quality.measures["pose"]
    )


def test_an_uncertain_detection_is_named(reader: FaceReader, obama: ImageArray) -> None:
    """What may not be a face at all is of no use."""
    face = reader.detect(obama)[0]
    chip = reader.sample(obama, face).dlib_chip

    assert (Reason.LOW_CONFIDENCE,) == judge(replace(face, score=0.55), chip).reasons


@settings(max_examples=60, deadline=None)
@given(
    points=hnp.arrays(np.float32, (5, 2), elements=st.floats(-2000, 2000, width=32)),
    level=st.integers(0, 255),
    noise=st.integers(0, 80),
    score=st.floats(0, 1),
)
def test_every_measure_stays_within_its_range(
    points: np.ndarray, level: int, noise: int, score: float
) -> None:
    """Whatever detector and camera come up with: 0 to 100, and one code for each poor measure."""
    random = np.random.default_rng(noise)
    chip = np.clip(level + random.normal(0, noise, (150, 150, 3)), 0, 255).astype(np.uint8)
    judgement = judge(DetectedFace(Box(0, 0, 50, 60), points, score), chip)
    values = judgement.quality.measures.values()

    assert all(0 <= value <= 100 for value in values)
    assert sum(value < POOR for value in values) == len(judgement.reasons)


@pytest.mark.parametrize(
    ("points", "least", "most"),
    [
        # As the detector found them in photographs: (their) right eye, left eye, nose, corners of the mouth.
        ([[95, 114], [167, 113], [131, 152], [103, 191], [163, 190]], -0.1, 0.1),
        ([[118, 90], [170, 88], [161, 122], [124, 149], [168, 147]], 0.13, 0.45),
        ([[86, 88], [138, 90], [95, 122], [88, 147], [132, 149]], -0.45, -0.13),
    ],
)
def test_turning_has_a_side(points: list[list[int]], least: float, most: float) -> None:
    """Above 0 to somebody's own left, the right of a picture as a camera takes it; some 0 straight ahead."""
    assert least < turn(np.array(points, np.float32)) < most


@given(st.floats(-0.6, 0.6), st.floats(0.3, 4), st.floats(-40, 40))
def test_turning_knows_mirrors_not_scales_and_tilts(share: float, scale: float, degrees: float) -> None:
    """Mirrored it is the other side, by as much; how near and how tilted somebody is changes nothing."""
    points = turned(share).points.astype(np.float64)
    angle = np.radians(degrees)
    tilted = scale * points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    mirrored = (points * [-1, 1])[[1, 0, 2, 4, 3]]
    found = turn(points.astype(np.float32))

    assert found == pytest.approx(turn(tilted.astype(np.float32)), abs=1e-3)
    assert found == pytest.approx(-turn(mirrored.astype(np.float32)), abs=1e-3)


def test_turning_of_a_photograph_and_of_its_mirror(
    reader: FaceReader, portraits: Mapping[str, ImageArray]
) -> None:
    """A real face, turned to its left: left, and right in the mirror."""
    picture = portraits["scene/obama"]
    both = [picture, np.ascontiguousarray(picture[:, ::-1])]
    one, other = (turn(reader.assess(each, reader.detect(each)[0])[0].face.points) for each in both)

    assert one > 0.13
    assert other < -0.13


def test_eyes_at_one_place_are_turned_nowhere() -> None:
    """Landmarks that make no face divide by nothing."""
    assert turn(np.zeros((5, 2), np.float32)) == 0.0
