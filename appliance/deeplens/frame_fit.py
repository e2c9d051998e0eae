"""Where a camera's picture lies in a frame as functions see it, and back.

Functions were written for 2688 x 1520 pixels and draw at places they know by heart, so that size is always
kept. A camera of nearly that shape is stretched over it; another is shown whole in the middle, black beside
or above it. Pure geometry and the scaling itself; takes no frames from anywhere.
"""

from dataclasses import dataclass

import cv2

from appliance.values import Box, ImageArray

WIDTH = 2688
"""Pixels of a frame as functions see it."""
HEIGHT = 1520
STRETCHED_UP_TO = 0.02
"""A shape that differs by less is stretched: 16:9 does by 0.5 %, 4:3 by a quarter."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture of one size lies in a frame of another.

    Attributes:
        source_width: Of the camera's picture, pixels.
        source_height: Likewise.
        left: First column of the frame that shows the picture.
        top: First row.
        width: Columns that show it.
        height: Rows that show it.
    """

    source_width: int
    source_height: int
    left: int
    top: int
    width: int
    height: int

    def from_camera(self, box: Box) -> Box:
        """A box of the camera's picture, in pixels of the frame."""
        across, down = self._scale
        return Box(self.left + box.x * across, self.top + box.y * down, box.width * across, box.height * down)

    def to_camera(self, box: Box) -> Box:
        """A box of the frame, in pixels of the camera's picture; may reach over its edge into the black."""
        across, down = self._scale
        return Box(
            (box.x - self.left) / across, (box.y - self.top) / down, box.width / across, box.height / down
        )

    @property
    def _scale(self) -> tuple[float, float]:
        """Pixels of the frame to a pixel of the picture, across and down."""
        return self.width / self.source_width, self.height / self.source_height


def placed(width: int, height: int, in_width: int = WIDTH, in_height: int = HEIGHT) -> Placement:
    """Where a picture of `width` x `height` pixels lies in a frame.

    Args:
        width: Of the picture, pixels, >= 1.
        height: Likewise.
        in_width: Of the frame, pixels, >= 1.
        in_height: Likewise.

    Raises:
        ValueError: A size is not positive.
    """
    if min(width, height, in_width, in_height) < 1:
        raise ValueError(f"no picture of {width} x {height} pixels in {in_width} x {in_height}")
    shape = width * in_height / (height * in_width)
    if abs(shape - 1) < STRETCHED_UP_TO:
        return Placement(width, height, 0, 0, in_width, in_height)
    shown_width = min(in_width, max(1, round(in_width * min(1.0, shape))))
    shown_height = min(in_height, max(1, round(in_height * min(1.0, 1 / shape))))
    left, top = (in_width - shown_width) // 2, (in_height - shown_height) // 2
    return Placement(width, height, left, top, shown_width, shown_height)


def fit(picture: ImageArray, frame: ImageArray) -> Placement:
    """Draw a picture into a frame where it belongs, black around it.

    Args:
        picture: uint8, (h, w, 3), blue first, any size.
        frame: uint8, (h, w, 3), contiguous; drawn over.

    Returns:
        Where it lies.

    Raises:
        ValueError: The picture is empty.
    """
    height, width = picture.shape[:2]
    placement = placed(width, height, frame.shape[1], frame.shape[0])
    size = placement.width, placement.height
    right, bottom = placement.left + placement.width, placement.top + placement.height
    for beside in (frame[: placement.top], frame[bottom:], frame[:, : placement.left], frame[:, right:]):
        beside[:] = 0
    inside = frame[placement.top : bottom, placement.left : right]
    if size == (width, height):
        inside[:] = picture
        return placement
    shrinks = placement.width < width or placement.height < height
    cv2.resize(picture, size, inside, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return placement


def take_one_core() -> None:
    """Let OpenCV use one core in this process: the loop needs the others more."""
    cv2.setNumThreads(1)
