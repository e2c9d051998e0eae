"""A drawn mug, with what its owner's fingers cover of it. Drawn large, to be shrunk; the same every time."""

from functools import cache
from typing import Final

import cv2
import numpy as np

from appliance.values import ImageArray

_TALL: Final = 400
"""Height of the drawing, pixels; it is a quarter wider."""
_HOLE: Final = 0.66
"""Of the handle, in radii of it."""
_DARK: Final = -0.55
"""From the middle to the left edge, -1: where the mug turns from the light."""
_COLOURS: Final = {
    "white": (235, 240, 242),
    "red": (50, 50, 190),
    "blue": (150, 90, 40),
    "yellow": (60, 190, 240),
}
_COFFEE: Final = (28, 52, 92)
_SKIN: Final = (128, 158, 205)


@cache
def draw_mug(colour: str, *, handle_right: bool, held: bool) -> tuple[ImageArray, ImageArray]:
    """A mug with coffee.

    Args:
        colour: white, red, blue or yellow.
        handle_right: On which side its handle is.
        held: With fingers through the handle.

    Returns:
        Its colours multiplied by alpha, BGR, uint8, and alpha, uint8; 5 wide by 4 high.
    """
    tall, wide = _TALL, _TALL * 5 // 4
    paint = np.asarray(_COLOURS[colour], np.float32)
    left, right, top, foot = 0.04 * wide, 0.68 * wide, 0.13 * tall, 0.97 * tall
    middle, reach = (left + right) / 2, (right - left) / 2
    depth = reach * 0.26
    y, x = np.mgrid[0:tall, 0:wide].astype(np.float32)
    across = np.clip((x - middle) / reach, -1, 1)
    picture = np.zeros((tall, wide, 3), np.float32)
    alpha = np.zeros((tall, wide), np.float32)

    def lay(where: np.ndarray, shade: np.ndarray | float, tint: np.ndarray = paint) -> None:
        lit = np.broadcast_to(np.asarray(shade, np.float32), where.shape)[..., None] * tint
        picture[where] = lit[where]
        alpha[where] = 255

    ring = np.hypot((x - right) / (0.27 * tall), (y - 0.52 * tall) / (0.27 * tall))
    lay((ring < 1) & (ring > _HOLE), 0.55 + 0.4 * np.clip(1 - np.abs(ring - 0.83) / 0.17, 0, 1))
    body = (np.abs(x - middle) <= reach) & (y >= top) & (y <= foot - depth)
    body |= ((x - middle) / reach) ** 2 + ((y - foot + depth) / depth) ** 2 <= 1
    shade = 0.62 + 0.38 * np.sqrt(np.clip(1 - (across + 0.35) ** 2 / 1.9, 0, 1))
    lay(body, shade * (1 - 0.25 * np.clip((_DARK - across) / 0.45, 0, 1)))

    def mouth(grown: float, flat: float, lower: float = 0.0) -> np.ndarray:
        found: np.ndarray = (
            ((x - middle) / (reach * grown)) ** 2 + ((y - top - lower * depth) / (depth * flat)) ** 2
        ) <= 1
        return found

    lay(mouth(1.0, 1.0), 0.98)
    lay(mouth(0.93, 0.88), 0.55 + 0.25 * (across * 0.5 + 0.5))
    lay(
        mouth(0.93, 0.88) & mouth(0.9, 0.85, 0.35),
        0.8 + 0.4 * (across * 0.5 + 0.5),
        np.asarray(_COFFEE, np.float32),
    )
    if held:
        skin = np.asarray(_SKIN, np.float32)
        for number in range(3):
            finger = np.hypot(
                (x - right - 0.2 * tall) / (0.15 * tall), (y - (0.38 + 0.13 * number) * tall) / (0.075 * tall)
            )
            lay(finger < 1, 1.0 - 0.25 * np.clip(finger, 0, 1) ** 2, skin)
    if not handle_right:
        picture, alpha = picture[:, ::-1], alpha[:, ::-1]
    soft = cv2.GaussianBlur(np.dstack([picture, alpha]), (0, 0), 1.2)
    drawn = np.clip(soft, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(drawn[..., :3]), np.ascontiguousarray(drawn[..., 3])
