"""Pictures as JPEG, for evidence and for viewers. Nothing is drawn and nothing written to disk."""

import cv2
import numpy as np

from appliance.values import ImageArray


def shrunk(picture: ImageArray, width_px: int) -> ImageArray:
    """A picture averaged down to a width; one that is no wider stays as it is."""
    height, width = picture.shape[:2]
    if width <= width_px:
        return picture
    size = width_px, max(1, round(height * width_px / width))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def encode_jpeg(picture: ImageArray, quality: int) -> bytes:
    """A picture as JPEG.

    Args:
        picture: BGR, uint8, (h, w, 3).
        quality: 0 to 100.

    Raises:
        ValueError: It is no such picture.
    """
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"a picture of shape {picture.shape} cannot be written as JPEG")
    return bytes(data)
