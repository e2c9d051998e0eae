"""A picture of the shut door that somebody vouched for, kept so that the watch need not guess at its start.

Made where a door is calibrated or set up, with nobody in it: gray, of the door's region only, at most
`_WIDTH_PX` wide. Where it is kept, and when it is read, is for others.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from appliance.door.snapshot import Snapshot, some
from appliance.errors import InputError
from appliance.settings import DoorSettings
from appliance.values import ImageArray, Region

_WIDTH_PX = 192
"""Twice what the watch looks at."""
_FORMAT = 1
_MOST_BYTES = 1 << 20
_PNG, _SIZE_AT = b"\x89PNG\r\n\x1a\n", 16
"""How a PNG begins, and where its width and height stand, four bytes each."""
_MOST_HIGH_PX = 4096
"""Higher than the picture of any camera; a few bytes of PNG may claim to be anything."""


@dataclass(frozen=True, slots=True)
class ShutPicture:
    """The shut door.

    Attributes:
        region: What it shows: left, top, right, bottom in fractions of the frame.
        gray: Luma, uint8, (h, w), at most 192 wide.
    """

    region: tuple[float, float, float, float]
    gray: ImageArray

    def is_of(self, door: DoorSettings) -> bool:
        """Whether it shows what this door's settings look at; not so after the region was drawn anew."""
        return bool(np.allclose(self.region, door.region, atol=1e-4))


def shut_picture(pictures: Sequence[Snapshot], region: tuple[float, float, float, float]) -> ShutPicture:
    """The mean of pictures that show the door shut, with nobody before it.

    Args:
        pictures: At least one; all of the same size.
        region: To be cut out.
    """
    height, width = pictures[0].gray.shape
    left, top, right, bottom = Region(*region).pixels(width, height)
    chosen = [pictures[i].gray[top:bottom, left:right] for i in some(range(len(pictures)))]
    mean = np.mean(np.stack(chosen).astype(np.float32), axis=0)
    if mean.shape[1] > _WIDTH_PX:
        size = _WIDTH_PX, max(1, round(mean.shape[0] * _WIDTH_PX / mean.shape[1]))
        mean = np.asarray(cv2.resize(mean, size, interpolation=cv2.INTER_AREA))
    return ShutPicture(region, np.rint(mean).astype(np.uint8))


def encode(picture: ShutPicture) -> bytes:
    """As a file: JSON with the region and a PNG."""
    _, png = cv2.imencode(".png", picture.gray)
    body = {
        "format": _FORMAT,
        "region": [float(each) for each in picture.region],
        "png": base64.b64encode(png.tobytes()).decode(),
    }
    return (json.dumps(body) + "\n").encode()


def decode(content: bytes) -> ShutPicture:
    """Back from a file.

    Raises:
        InputError: It is not one of these.
    """
    if len(content) > _MOST_BYTES:
        raise _unusable()
    try:
        body = json.loads(content)
        left, top, right, bottom = (float(each) for each in body["region"])
        png = base64.b64decode(body["png"], validate=True)
        known = body["format"] == _FORMAT and _is_small_png(png)
        gray = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE) if known else None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError, cv2.error) as error:
        raise _unusable() from error
    if gray is None:
        raise _unusable()
    return ShutPicture((left, top, right, bottom), np.asarray(gray, np.uint8))


def _is_small_png(png: bytes) -> bool:
    """Whether it says of itself that it is a PNG of a size that we write; looked at before it is decoded."""
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (_SIZE_AT, _SIZE_AT + 4))
    return png.startswith(_PNG) and 0 < width <= _WIDTH_PX and 0 < height <= _MOST_HIGH_PX


def _unusable() -> InputError:
    return InputError(
        "this is no picture of the shut door as a calibration keeps it",
        hint="show it shut where doors are set up",
        command="or: appliance door calibrate --keep",
    )
