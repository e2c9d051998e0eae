"""Trying object detection out: on a picture, a clip, or the live camera, as the loop would look.

Introduces frames to the objects room and draws what it found. Nothing is logged, published or kept.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from appliance.app.detecting import opened_detector
from appliance.camera.annotate import annotate, object_mark
from appliance.camera.jpeg import encode_jpeg
from appliance.errors import InputError
from appliance.faces.photo import decode_photo
from appliance.models.folder import ModelFolder
from appliance.objects import ObjectWatch, least_score
from appliance.picture_files import read_picture
from appliance.settings import ObjectsSettings
from appliance.values import CameraId, Frame, FrameStamp, ImageArray, ObjectsReading, Region

_QUALITY = 92
_WHEN = datetime(2026, 1, 1, tzinfo=UTC)


class StillFrame:
    """A picture as the only frame of a camera.

    Args:
        bgr: uint8, (h, w, 3), blue first.
    """

    def __init__(self, bgr: ImageArray) -> None:
        self._bgr = bgr
        self.stamp = FrameStamp(CameraId("picture"), 0, 0.0, _WHEN)

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self._bgr.shape[1])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self._bgr.shape[0])

    def bgr(self) -> ImageArray:
        """The picture."""
        return self._bgr

    def gray(self, region: Region) -> ImageArray:
        """The green of a region, which is most of its brightness."""
        left, top, right, bottom = region.pixels(self.width, self.height)
        return self._bgr[top:bottom, left:right, 1]


def still(path: Path) -> StillFrame:
    """A picture file as a frame.

    Raises:
        InputError: It cannot be read.
        PhotoError: It is no picture.
    """
    content = read_picture(path)
    if not isinstance(content, bytes):
        why = "there is no such file" if content == "no_file" else "it is too large"
        raise InputError(f"{path}: {why}", hint="name a JPEG, PNG or WebP file")
    return StillFrame(decode_photo(content))


def looked_at(
    frames: Iterable[Frame], watch: ObjectsSettings, folder: ModelFolder
) -> Iterator[tuple[Frame, ObjectsReading]]:
    """The frames that are looked at, each with the things in it.

    Raises:
        ModelError: The model is not installed.
    """
    seen = ObjectWatch(watch, opened_detector(folder, watch.model, least_score(watch)))
    for frame in frames:
        reading = seen.observe(frame)
        if reading is not None:
            yield frame, reading


def drawn(frame: Frame, reading: ObjectsReading) -> bytes:
    """A JPEG of a frame with its things, their labels and how certain they are."""
    marks = [object_mark(each.label, each.thing.score, each.thing.box.corners) for each in reading.things]
    return encode_jpeg(annotate(frame.bgr(), marks, {}), _QUALITY)
