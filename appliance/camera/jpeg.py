"""Pictures as JPEG, for evidence and for viewers. Nothing is drawn and nothing written to disk."""

import cv2

from appliance.values import ImageArray


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
