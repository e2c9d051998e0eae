"""How usable a face is: five measures from 0 to 100, and in plain codes what is wrong.

Cheap enough for every face of every frame (about 0.1 ms). It looks at one picture; it does not know whether
the face is alive, nor whose it is. The scales are ours. They were set on 100 people of LFW, comparing sharp
photos with blurred, darkened, brightened and shrunk ones: SFace's mated scores stay near 0.6 while a measure
is above 30 and have fallen to 0.5 or less where most photos go below it. They order the frames of an
encounter and turn away photos no embedder can use; they are not ISO/IEC 29794-5 scores.
"""

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from appliance.values import DetectedFace, FloatArray, ImageArray, Quality

POOR = 30.0
"""A measure below this gets its reason code; the default of `faces.min_quality`."""

_FACE_IN_CHIP = slice(30, 120)
"""The part of a 150-px dlib chip that is face rather than background, both ways."""


class Reason(StrEnum):
    """Why a face is of little use, in the words Amazon Rekognition gives callers of IndexFaces."""

    SMALL_BOUNDING_BOX = "SMALL_BOUNDING_BOX"
    LOW_SHARPNESS = "LOW_SHARPNESS"
    LOW_BRIGHTNESS = "LOW_BRIGHTNESS"
    HIGH_BRIGHTNESS = "HIGH_BRIGHTNESS"
    EXTREME_POSE = "EXTREME_POSE"
    LOW_CONFIDENCE = "LOW_CONFIDENCE"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A face's quality with what is wrong with it.

    Attributes:
        quality: The measures and their least.
        reasons: One code for each measure below `POOR`; empty for a good face.
    """

    quality: Quality
    reasons: tuple[Reason, ...]


def judge(face: DetectedFace, dlib_chip: ImageArray) -> Judgement:
    """Judge a face by where it was found and by its chip.

    Args:
        face: Box, points and score.
        dlib_chip: uint8, (150, 150, 3), RGB.
    """
    face_part = dlib_chip[_FACE_IN_CHIP, _FACE_IN_CHIP]
    gray: ImageArray = cv2.cvtColor(face_part, cv2.COLOR_RGB2GRAY)  # type: ignore[assignment]
    mean, spread = (float(value[0, 0]) for value in cv2.meanStdDev(gray))
    measures = {
        "size": _ramp(face.box.width, 20, 100),
        "sharpness": _sharpness(gray, spread),
        "light": _light(gray, mean, spread),
        "pose": _pose(face.points),
        "detection": _ramp(face.score, 0.5, 0.85),
    }
    codes = {
        "size": Reason.SMALL_BOUNDING_BOX,
        "sharpness": Reason.LOW_SHARPNESS,
        "light": Reason.LOW_BRIGHTNESS if mean < _MIDDLE_GRAY else Reason.HIGH_BRIGHTNESS,
        "pose": Reason.EXTREME_POSE,
        "detection": Reason.LOW_CONFIDENCE,
    }
    reasons = tuple(codes[name] for name, value in measures.items() if value < POOR)
    return Judgement(Quality(min(measures.values()), measures), reasons)


def turn(points: FloatArray) -> float:
    """How far a face is turned: how much the nose moved to one side, in distances of the eyes. No angle.

    Of somebody who looks straight into the camera some 0, give or take 0.1; above 0 for who turned to their
    own left, which is the right side of a picture that is not mirrored; 0.5 or so in half profile.

    Args:
        points: float32, (5, 2), as of a `DetectedFace`.

    Returns:
        0, too, where both eyes are at one place.
    """
    right, left, nose, mouth_right, mouth_left = points.astype(np.float64)
    across = left - right
    middle = (right + left + mouth_right + mouth_left) / 4
    distance_squared = float(across @ across)
    return float((nose - middle) @ across) / distance_squared if distance_squared >= 1 else 0.0


_MIDDLE_GRAY = 118
"""Below this mean a face with poor light is called dark, above it bright."""


def _ramp(value: float, useless: float, perfect: float) -> float:
    """0 at `useless`, 100 at `perfect`, straight in between."""
    return 100 * min(1.0, max(0.0, (value - useless) / (perfect - useless)))


def _sharpness(gray: ImageArray, spread: float) -> float:
    """Energy of fine structure, relative to the contrast so that a dim face is not called blurred."""
    # Smoothed first, or the steps of 8-bit values would count as structure in a blurred face.
    smooth = cv2.GaussianBlur(gray.astype(np.float32), (0, 0), 1.0)
    deviation = float(cv2.meanStdDev(cv2.Laplacian(smooth, cv2.CV_32F, ksize=1))[1][0, 0])
    return _ramp(deviation / max(spread, 4.0), 0.025, 0.10)


def _light(gray: ImageArray, mean: float, spread: float) -> float:
    """Neither dark nor glaring, with some contrast, and with few pixels at either end."""
    histogram = cv2.calcHist([gray], [0], None, [256], [0, 256]).ravel()
    clipped = float(histogram[:4].sum() + histogram[252:].sum()) / gray.size
    return min(
        _ramp(mean, 8, 60), _ramp(255 - mean, 15, 65), _ramp(spread, 2, 18), _ramp(0.6 - clipped, 0, 0.4)
    )


def _pose(points: FloatArray) -> float:
    """How frontal and upright the five points are; the worst of turning, nodding and tilting.

    Turning (yaw) moves the nose towards one eye; nodding (pitch) moves it up or down between eyes and mouth;
    tilting (roll) turns the line between the eyes. These are proxies, not angles.
    """
    right, left, nose, mouth_right, mouth_left = points.astype(np.float64)
    across = left - right
    eyes, mouth = (right + left) / 2, (mouth_right + mouth_left) / 2
    distance = float(np.hypot(*across))
    down = mouth - eyes
    length = float(np.hypot(*down))
    if distance < 1 or length < 1:
        return 0.0
    yaw = abs(turn(points))
    # A face turned away also narrows: the eyes come closer together than the face is long.
    narrow = length / distance
    pitch = abs(float((nose - eyes) @ down) / length**2 - 0.55)
    roll = abs(float(np.degrees(np.arctan2(across[1], across[0]))))
    return min(
        _ramp(0.6 - yaw, 0, 0.4),
        _ramp(2.4 - narrow, 0, 0.8),
        _ramp(0.4 - pitch, 0, 0.2),
        _ramp(75 - roll, 0, 45),
    )
