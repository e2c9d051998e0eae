"""Drawing what was seen over a copy of a frame, for people who look. Never over evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.values import ImageArray, Region

Colour = tuple[int, int, int]
"""Blue, green, red."""

IDENTIFIED: Colour = (90, 190, 60)
STRANGER: Colour = (60, 60, 220)
UNDECIDED: Colour = (200, 160, 60)
OBJECT: Colour = (255, 165, 20)
"""As the DeepLens sample project drew them."""
COFFEE: Colour = (70, 110, 30)
FOUND: Colour = (150, 60, 150)
"""What visual search found."""
_INK: Colour = (255, 255, 255)
_SHADE: Colour = (40, 40, 40)


@dataclass(frozen=True, slots=True)
class Mark:
    """A box with a caption.

    Attributes:
        corners: Left, top, right, bottom, pixels.
        caption: What stands above it.
        colour: Of box and caption's ground.
    """

    corners: tuple[int, int, int, int]
    caption: str
    colour: Colour


def object_mark(label: str, score: float, corners: Sequence[float]) -> Mark:
    """A thing's box, with its label and how certain it is in percent.

    Args:
        label: What it is called.
        score: 0 to 1.
        corners: Left, top, right, bottom, pixels.
    """
    left, top, right, bottom = (round(each) for each in corners)
    return Mark((left, top, right, bottom), f"{label} {score:.0%}", OBJECT)


def annotate(picture: ImageArray, marks: Sequence[Mark], doors: Mapping[str, str]) -> ImageArray:
    """A copy of a picture with faces and things marked and the doors' states in its corner.

    Args:
        picture: BGR, uint8, (h, w, 3); left as it is.
        marks: One per face or thing; later ones are drawn over earlier ones.
        doors: Door id → what to say of it.
    """
    drawn = picture.copy()
    scale = max(0.4, picture.shape[1] / 1600)
    for mark in marks:
        left, top, right, bottom = mark.corners
        cv2.rectangle(drawn, (left, top), (right, bottom), mark.colour, max(1, round(2 * scale)), cv2.LINE_AA)
        _text(drawn, mark.caption, (left, top), scale, mark.colour)
    for row, (door, state) in enumerate(sorted(doors.items())):
        _text(drawn, f"{door}: {state}", (12, round((row + 1) * 44 * scale) + 4), scale, _SHADE)
    return drawn


def _text(picture: ImageArray, text: str, at: tuple[int, int], scale: float, ground: Colour) -> None:
    """Text on a filled ground, its lower left corner at `at`, moved into the picture where needed."""
    # OpenCV's built-in strokes know ASCII only.
    plain = text.encode("ascii", "replace").decode()
    (width, height), base = cv2.getTextSize(plain, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    x = min(max(0, at[0]), max(0, picture.shape[1] - width - 8))
    y = max(height + base + 4, at[1])
    cv2.rectangle(picture, (x, y - height - base - 4), (x + width + 8, y), ground, cv2.FILLED)
    cv2.putText(picture, plain, (x + 4, y - base - 1), cv2.FONT_HERSHEY_SIMPLEX, scale, _INK, 1, cv2.LINE_AA)


def annotate_door(
    picture: ImageArray,
    region: Region,
    seed: tuple[float, float],
    filled: NDArray[np.bool_],
    caption: str,
) -> ImageArray:
    """A copy of a picture with a door's region, its seed and what a fill covers.

    Args:
        picture: BGR, uint8, (h, w, 3); left as it is.
        region: The watched area.
        seed: Where the fill starts, (x, y) in fractions of the picture.
        filled: What it covers of the region, bool, of any size.
        caption: What stands above the region.
    """
    drawn = picture.copy()
    height, width = picture.shape[:2]
    left, top, right, bottom = region.pixels(width, height)
    size = right - left, bottom - top
    cover = cv2.resize(filled.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(np.bool_)
    part = drawn[top:bottom, left:right]
    tint = np.asarray(IDENTIFIED, np.float32)
    part[cover] = (0.5 * part[cover] + 0.5 * tint).astype(np.uint8)
    scale = max(0.4, width / 1600)
    cv2.rectangle(drawn, (left, top), (right - 1, bottom - 1), STRANGER, max(1, round(2 * scale)))
    at = round(seed[0] * width), round(seed[1] * height)
    cv2.drawMarker(drawn, at, STRANGER, cv2.MARKER_CROSS, max(8, round(24 * scale)), max(1, round(2 * scale)))
    _text(drawn, caption, (left, top), scale, _SHADE)
    return drawn


def encode_png(picture: ImageArray) -> bytes:
    """A picture as PNG.

    Args:
        picture: BGR, uint8, (h, w, 3).

    Raises:
        ValueError: It is no such picture.
    """
    done, data = cv2.imencode(".png", picture)
    if not done:
        raise ValueError(f"a picture of shape {picture.shape} cannot be written as PNG")
    return bytes(data)
