"""Plain values in, things and made-up detectors out: what the tests of the objects room are built from."""

from collections.abc import Sequence

import numpy as np
from factories import PictureFrame, stamp

from appliance.settings import ObjectsSettings
from appliance.values import Box, DetectedObject, Frame, ImageArray

WIDTH, HEIGHT = 640, 360


def thing(
    label: str = "dog", score: float = 0.9, box: tuple[float, float, float, float] | None = None
) -> DetectedObject:
    """A thing with a box of left, top, width, height; in the middle of the frame unless told."""
    return DetectedObject(label, 12, score, Box(*(box or (270, 130, 100, 100))))


def blank(sequence: int = 0, at_s: float | None = None) -> Frame:
    """A black frame of 640 by 360 pixels."""
    return PictureFrame(np.zeros((HEIGHT, WIDTH, 3), np.uint8), stamp(sequence, at_s))


def watch_settings(**more: object) -> ObjectsSettings:
    """A watch of the camera `entrance`."""
    return ObjectsSettings.model_validate({"id": "pets", "camera": "entrance", **more})


class ToyDetector:
    """Finds what it was told beforehand: per frame, a list of things; nothing once that is used up.

    Attributes:
        looked: How many frames it was shown.
    """

    def __init__(self, script: Sequence[Sequence[DetectedObject]]) -> None:
        self._script = [list(each) for each in script]
        self.looked = 0

    def detect(self, bgr: ImageArray) -> list[DetectedObject]:
        """The next frame's things."""
        self.looked += 1
        return self._script.pop(0) if self._script else []
