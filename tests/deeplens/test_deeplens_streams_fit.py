"""Where a camera's picture lies in a frame of 2688 x 1520."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.deeplens.frame_fit import HEIGHT, WIDTH, Placement, fit, placed
from appliance.values import Box

SIZES = st.tuples(st.integers(48, 8000), st.integers(48, 8000)).filter(
    lambda size: max(size) <= 30 * min(size)
)
BOXES = st.builds(Box, st.floats(-500, 3000), st.floats(-500, 3000), st.floats(1, 3000), st.floats(1, 3000))


@given(SIZES)
def test_no_picture_is_distorted_by_more_than_two_percent(size: tuple[int, int]) -> None:
    """A pixel of the camera is as wide as it is high, but for 2 %."""
    placement = placed(*size)
    across, down = placement.width / size[0], placement.height / size[1]

    assert abs(across / down - 1) < 0.0205


@given(SIZES)
def test_a_picture_is_shown_whole_in_the_middle_and_as_large_as_fits(size: tuple[int, int]) -> None:
    """It touches two opposite edges of the frame and is centred between the others, to a pixel."""
    placement = placed(*size)
    right = WIDTH - placement.left - placement.width
    bottom = HEIGHT - placement.top - placement.height

    assert placement.width == WIDTH or placement.height == HEIGHT
    assert min(placement.left, placement.top) >= 0
    assert 0 <= right - placement.left <= 1
    assert 0 <= bottom - placement.top <= 1


@given(SIZES, BOXES)
def test_a_box_survives_the_way_into_the_frame_and_back(size: tuple[int, int], box: Box) -> None:
    """Coordinates that a function names can be told in the camera's own."""
    placement = placed(*size)
    back = placement.to_camera(placement.from_camera(box))

    assert (box.x, box.y, box.width, box.height) == pytest.approx(
        (back.x, back.y, back.width, back.height), abs=1e-6
    )


@given(SIZES)
def test_the_whole_picture_is_where_it_is_said_to_be(size: tuple[int, int]) -> None:
    """The box around the camera's picture is the part of the frame that shows it."""
    placement = placed(*size)
    shown = placement.from_camera(Box(0, 0, *size))

    assert (placement.left, placement.top, placement.width, placement.height) == pytest.approx(
        (shown.x, shown.y, shown.width, shown.height)
    )


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((2688, 1520), Placement(2688, 1520, 0, 0, 2688, 1520)),
        ((1920, 1080), Placement(1920, 1080, 0, 0, 2688, 1520)),
        ((1280, 720), Placement(1280, 720, 0, 0, 2688, 1520)),
        ((640, 480), Placement(640, 480, 330, 0, 2027, 1520)),
        ((480, 640), Placement(480, 640, 774, 0, 1140, 1520)),
        ((3440, 1440), Placement(3440, 1440, 0, 197, 2688, 1125)),
    ],
)
def test_cameras_of_common_sizes(size: tuple[int, int], expected: Placement) -> None:
    """16:9 is stretched by half a percent, other shapes are shown with black beside or above them."""
    assert expected == placed(*size)


def test_what_is_not_picture_is_black_also_after_another_picture() -> None:
    """A camera that comes back in another shape leaves nothing of its old picture at the sides."""
    frame = np.full((152, 268, 3), 77, np.uint8)
    fit(np.full((40, 100, 3), 200, np.uint8), frame)
    second = fit(np.full((90, 60, 3), 100, np.uint8), frame)
    inside = frame[second.top : second.top + second.height, second.left : second.left + second.width]

    assert inside.min() == inside.max() == 100
    assert int(frame.sum()) == int(inside.astype(int).sum())


@given(st.sampled_from([(40, 100), (90, 60), (304, 536), (152, 268), (15, 27)]), st.integers(0, 2))
def test_colours_stay_where_they_were(shape: tuple[int, int], channel: int) -> None:
    """The brightest corner of a channel is the brightest corner of the frame's picture."""
    picture = np.zeros((*shape, 3), np.uint8)
    picture[: shape[0] // 2, : shape[1] // 2, channel] = 250
    frame = np.empty((152, 268, 3), np.uint8)
    at = fit(picture, frame)
    middle = frame[at.top + at.height // 4, at.left + at.width // 4]
    opposite = frame[at.top + at.height * 3 // 4, at.left + at.width * 3 // 4]

    assert [250 * (each == channel) for each in range(3)] == middle.tolist()
    assert [0, 0, 0] == opposite.tolist()


def test_an_empty_picture_is_refused() -> None:
    """There is no place for nothing."""
    with pytest.raises(ValueError, match="0 x 10"):
        placed(0, 10)
