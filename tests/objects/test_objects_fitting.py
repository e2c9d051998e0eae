"""Bringing frames to a network's square and boxes back: nothing is lost on the way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.objects.fitting import Fit, fitted


@given(
    width=st.integers(1, 900),
    height=st.integers(1, 900),
    fit=st.sampled_from(["stretched", "letterboxed"]),
    share=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_a_point_of_the_frame_comes_back(
    width: int, height: int, fit: Fit, share: tuple[float, float]
) -> None:
    """Wherever a point of the frame is in the square, it is the same point of the frame again."""
    frame = fitted(np.zeros((height, width, 3), np.uint8), 416, fit)
    x, y = share[0] * width, share[1] * height
    in_square = np.array([[0, 0, x / frame.across[0], y / frame.across[1]]], np.float32)
    _, _, right, bottom = frame.in_frame(in_square)[0]

    assert pytest.approx((x, y), abs=0.01) == (right, bottom)
    assert (416, 416, 3) == frame.chip.shape


def test_a_letterbox_keeps_proportions_and_fills_the_rest_with_gray() -> None:
    """A wide frame leaves the lower part of the square gray; nothing of it is squeezed."""
    chip = fitted(np.full((360, 640, 3), 200, np.uint8), 416, "letterboxed").chip

    assert (chip[:234] == 200).all()
    assert (chip[234:] == 114).all()


def test_a_stretched_frame_fills_the_square() -> None:
    """Out of proportion, to the last row."""
    assert (fitted(np.full((360, 640, 3), 200, np.uint8), 300, "stretched").chip == 200).all()


@given(st.lists(st.tuples(*[st.floats(-2, 3, width=32)] * 4), min_size=1, max_size=5))
def test_boxes_are_cut_at_the_edge(corners: list[tuple[float, float, float, float]]) -> None:
    """A network may see half a dog beyond the frame; boxes end where the frame ends."""
    boxes = fitted(np.zeros((36, 64, 3), np.uint8), 300, "stretched").in_frame(np.array(corners, np.float32))

    assert (boxes >= 0).all()
    assert (boxes <= (64, 36, 64, 36)).all()
