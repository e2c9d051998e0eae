"""A webcam's clip of one person who looks straight, is blurred, sits in the dark, and shows another picture.

Chromium takes a file of JPEG pictures one after the other for its fake webcam, and plays it over and over.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from appliance.values import ImageArray

PORTRAITS = Path(__file__).parents[2] / "data" / "portraits"
WIDTH, HEIGHT = 960, 720
ENROL = PORTRAITS / "enrol" / "obama.jpg"
OTHER_DAY = PORTRAITS / "scene" / "obama.png"
FACES = {ENROL: (271, 61, 186, 252), OTHER_DAY: (199, 27, 123, 168)}
"""Where the face is in each portrait: x, y, width, height."""


def webcam_picture(
    portrait: Path, *, face_px: float = 270, light: float = 1.0, blur: float = 0.0
) -> ImageArray:
    """A portrait as a webcam sees it, with the face in the middle of where the oval is.

    Args:
        portrait: One of `FACES`.
        face_px: Width of the face, of 960 pixels.
        light: What brightness is multiplied by.
        blur: Standard deviation, pixels.
    """
    whole = cv2.imread(str(portrait), cv2.IMREAD_UNCHANGED)
    if whole.shape[2] == 4:
        alpha = whole[:, :, 3:] / 255
        whole = (whole[:, :, :3] * alpha + 150 * (1 - alpha)).astype(np.uint8)
    x, y, width, height = FACES[portrait]
    scale = face_px / width
    move = np.array(
        [
            [scale, 0, WIDTH / 2 - scale * (x + width / 2)],
            [0, scale, 0.47 * HEIGHT - scale * (y + height / 2)],
        ]
    )
    seen = cv2.warpAffine(whole, move, (WIDTH, HEIGHT), flags=cv2.INTER_AREA, borderValue=(150, 150, 150))
    if blur:
        seen = cv2.GaussianBlur(seen, (0, 0), blur)
    return np.asarray(np.clip(seen * light, 0, 255), np.uint8)


def write_clip(path: Path, pictures: Sequence[tuple[ImageArray, int]]) -> Path:
    """Write a clip for `--use-file-for-fake-video-capture`.

    Args:
        path: Ends in `.mjpeg`.
        pictures: Each with how many frames it stays.
    """
    with path.open("wb") as file:
        for picture, frames in pictures:
            encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
            file.write(encoded * frames)
    return path
