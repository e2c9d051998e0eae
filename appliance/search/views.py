"""What counts in a frame: all of it, a box in its middle, or the largest thing that was found in it.

Finds nothing itself: boxes are handed in. Where there is none, the middle counts.
"""

from collections.abc import Collection, Iterable
from typing import Final, Literal, get_args

from appliance.values import Box, DetectedObject, ImageArray

View = Literal["all", "centre", "largest"]
VIEWS: Final[tuple[View, ...]] = get_args(View)

CENTRE_SHARE: Final = 0.7
"""Side of the box in the middle, as a share of the frame's shorter side: what somebody holds up fills
that."""
MARGIN: Final = 0.08
"""What is added to a found box on each side, as a share of its own size: detectors cut close."""
LEAST_PX: Final = 48
"""A found box with a shorter side than this shows too little to be described."""
HOLDERS: Final = frozenset({"person"})
"""Labels that never count as the largest thing: whoever shows something is larger than it."""


def largest_of(things: Iterable[DetectedObject], *, without: Collection[str] = HOLDERS) -> Box | None:
    """The box of the largest thing, of equal ones the first, or None where nothing counts.

    Args:
        things: As a detector gives them.
        without: Labels that do not count.
    """
    return max((each.box for each in things if each.label not in without), key=_area, default=None)


def view_box(
    view: View, width: int, height: int, *, largest: Box | None = None, share: float = CENTRE_SHARE
) -> tuple[int, int, int, int]:
    """What counts in a frame of that size.

    Args:
        view: Which.
        width: Of the frame, pixels, at least 1.
        height: Of the frame, pixels, at least 1.
        largest: For the view `largest`; may reach over the edge. None, too small or outside: the middle
            counts.
        share: Side of the box in the middle, as a share of the shorter side, above 0, at most 1.

    Returns:
        Left, top, right, bottom in whole pixels inside the frame, never empty.

    Raises:
        ValueError: There is no such view, or a size or the share is out of range.
    """
    if width < 1 or height < 1 or not 0 < share <= 1:
        raise ValueError(f"no view of {width} x {height} pixels, share {share}")
    if view == "all":
        return 0, 0, width, height
    if view not in VIEWS:
        raise ValueError(f"there is no view {view!r}; known are {', '.join(VIEWS)}")
    if view == "largest" and largest is not None:
        found = _around(largest, width, height)
        if found is not None:
            return found
    side = max(1, round(min(width, height) * share))
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def seen(bgr: ImageArray, view: View, *, largest: Box | None = None) -> ImageArray:
    """The part of a frame that counts, uint8 (h, w, 3): a view of the same memory; see `view_box`."""
    height, width = bgr.shape[:2]
    left, top, right, bottom = view_box(view, width, height, largest=largest)
    return bgr[top:bottom, left:right]


def _area(box: Box) -> float:
    return box.area


def _around(box: Box, width: int, height: int) -> tuple[int, int, int, int] | None:
    """A box with its margin inside the frame, or None where too little of it is."""
    left, top, right, bottom = box.corners
    if min(min(right, width) - max(left, 0), min(bottom, height) - max(top, 0)) < LEAST_PX:
        return None
    across, down = box.width * MARGIN, box.height * MARGIN
    return (
        int(max(0, left - across)),
        int(max(0, top - down)),
        int(min(width, round(right + across))),
        int(min(height, round(bottom + down))),
    )
