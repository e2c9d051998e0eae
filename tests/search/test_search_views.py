"""What counts in a frame is always a part of it, and something."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.search import VIEWS, largest_of, seen, view_box
from appliance.values import Box, DetectedObject

NUMBER = st.floats(-500, 3000)
SIZE = st.floats(0.5, 3000)


@given(
    st.sampled_from(VIEWS),
    st.integers(1, 2500),
    st.integers(1, 2500),
    st.none() | st.builds(Box, NUMBER, NUMBER, SIZE, SIZE),
)
def test_a_view_is_inside_the_frame_and_not_empty(
    view: str, width: int, height: int, box: Box | None
) -> None:
    """Wherever the box is that was found."""
    left, top, right, bottom = view_box(view, width, height, largest=box)

    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


def test_the_three_views() -> None:
    """All; a square in the middle; the thing with a little around it."""
    box = Box(100, 50, 200, 100)

    assert view_box("all", 640, 480) == (0, 0, 640, 480)
    assert view_box("centre", 640, 480) == (152, 72, 488, 408)
    assert view_box("largest", 640, 480, largest=box) == (84, 42, 316, 158)
    assert view_box("centre", 640, 480, largest=box) == view_box("centre", 640, 480)


@pytest.mark.parametrize("box", [None, Box(10, 10, 20, 200), Box(-300, 10, 320, 200), Box(700, 10, 200, 200)])
def test_without_a_thing_the_middle_counts(box: Box | None) -> None:
    """None found; too narrow; hardly in the frame; beside it."""
    assert view_box("largest", 640, 480, largest=box) == view_box("centre", 640, 480)


def test_a_part_of_the_frame_is_no_copy() -> None:
    """And the pixels are those."""
    frame = np.arange(480 * 640 * 3, dtype=np.uint32).astype(np.uint8).reshape(480, 640, 3)
    part = seen(frame, "centre")

    assert np.shares_memory(part, frame)
    assert np.array_equal(part, frame[72:408, 152:488])


def test_whoever_shows_a_thing_is_not_the_thing() -> None:
    """People are larger; of equal ones the first."""

    def thing(label: str, side: float) -> DetectedObject:
        return DetectedObject(label, 1, 0.9, Box(0, 0, side, side))

    assert largest_of([thing("person", 400), thing("cup", 80), thing("book", 90)]) == Box(0, 0, 90, 90)
    assert largest_of([thing("person", 400)], without=()) == Box(0, 0, 400, 400)
    assert largest_of([thing("person", 400)]) is None


@pytest.mark.parametrize(
    ("view", "width", "share"), [("middle", 9, 0.5), ("all", 0, 0.5), ("centre", 9, 1.5)]
)
def test_what_is_no_view_is_refused(view: str, width: int, share: float) -> None:
    """By name, size or share."""
    with pytest.raises(ValueError, match="view"):
        view_box(view, width, 9, share=share)
