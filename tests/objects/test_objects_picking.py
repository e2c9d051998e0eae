"""Which boxes are things: against OpenCV's own suppression, and what must hold of any boxes."""

from random import Random

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.objects.picking import pick
from appliance.values import Box, FloatArray

OVERLAP = 0.4503
"""No ratio of small whole numbers: rounding cannot tell our side of it from OpenCV's."""


@st.composite
def answers(draw: st.DrawFn) -> tuple[FloatArray, FloatArray]:
    """Boxes and scores of three labels; sides from 0 on, many of them overlapping, scores all different."""
    numbers = st.integers(0, 40)
    drawn = draw(st.lists(st.tuples(numbers, numbers, numbers, numbers), max_size=25))
    found, count = np.array(drawn, np.float32).reshape(-1, 4), len(drawn)
    corners, sides = found[:, :2], found[:, 2:]
    order = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).permutation(count * 3)
    scores = (order.astype(np.float32).reshape(count, 3) + 1) / (count * 3 + 1)
    return np.concatenate([corners, corners + sides], axis=1), scores


def least(score: float = 0.2999) -> FloatArray:
    """From that score on, for each of three labels."""
    return np.full(3, score, np.float32)


def overlap(one: FloatArray, other: FloatArray) -> float:
    """Of two boxes given by their corners; an empty one overlaps nothing."""
    sides = [(each[0], each[1], each[2] - each[0], each[3] - each[1]) for each in (one, other)]
    if any(each[2] <= 0 or each[3] <= 0 for each in sides):
        return 0.0
    first, second = (Box(*(float(value) for value in each)) for each in sides)
    return first.overlap(second)


@given(answers())
def test_things_are_apart_and_what_was_dropped_is_in_the_way_of_none(
    given_: tuple[FloatArray, FloatArray],
) -> None:
    """No two things of a label overlap; every box certain enough is a thing or overlaps a better one."""
    boxes, scores = given_
    picked = pick(boxes, scores, least(), OVERLAP)
    kept = list(zip(picked.rows, picked.labels, strict=True))

    for row, label in zip(*np.nonzero(scores >= least()), strict=True):
        better = [r for r, of in kept if of == label and scores[r, label] > scores[row, label]]
        in_the_way = any(overlap(boxes[r], boxes[row]) > OVERLAP + 1e-6 for r in better)
        alone = all(overlap(boxes[r], boxes[row]) <= OVERLAP + 1e-6 for r in better)

        assert in_the_way or alone
        assert ((row, label) in kept) == alone


@given(answers(), st.randoms(use_true_random=False))
def test_the_order_of_the_networks_boxes_does_not_matter(
    given_: tuple[FloatArray, FloatArray], chance: Random
) -> None:
    """Scores decide, and they are all different here."""
    boxes, scores = given_
    shuffled = np.array(sorted(range(len(boxes)), key=lambda _: chance.random()), np.int64)
    one, other = (
        pick(boxes, scores, least(), OVERLAP),
        pick(boxes[shuffled], scores[shuffled], least(), OVERLAP),
    )

    assert one.scores.tolist() == other.scores.tolist()
    assert one.rows.tolist() == shuffled[other.rows].tolist()
    assert sorted(one.scores, reverse=True) == one.scores.tolist()


@given(answers())
def test_one_label_is_picked_as_opencv_does(given_: tuple[FloatArray, FloatArray]) -> None:
    """OpenCV's suppression of boxes is the reference, where no box is empty."""
    boxes, scores = given_
    whole = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    boxes, scores = boxes[whole], scores[whole, :1]
    rectangles = [[float(v) for v in (x, y, right - x, bottom - y)] for x, y, right, bottom in boxes]
    reference = cv2.dnn.NMSBoxes(rectangles, scores[:, 0].tolist(), 0.2999, OVERLAP) if rectangles else []

    assert [int(each) for each in reference] == pick(boxes, scores, least()[:1], OVERLAP).rows.tolist()


def test_equally_certain_boxes_go_by_their_place() -> None:
    """The same frame gives the same things, always."""
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [50, 0, 60, 10]], np.float32)
    scores = np.full((3, 3), 0.5, np.float32)

    assert [0, 2] * 3 == pick(boxes, scores, least(), OVERLAP).rows.tolist()
    assert [0, 0, 1, 1, 2, 2] == pick(boxes, scores, least(), OVERLAP).labels.tolist()


def test_a_label_has_its_own_least_score() -> None:
    """What one label takes for certain is not enough for another."""
    boxes = np.array([[0, 0, 10, 10]], np.float32)
    scores = np.full((1, 3), 0.5, np.float32)

    assert [1] == pick(boxes, scores, np.array([0.6, 0.5, 2.0], np.float32), OVERLAP).labels.tolist()


@pytest.mark.parametrize("certain", [101, 5000])
def test_a_frame_has_at_most_a_hundred_things(certain: int) -> None:
    """A network gone wild costs a bounded time."""
    at = np.arange(certain, dtype=np.float32)[:, None] * 20
    boxes = np.concatenate([at, at, at + 10, at + 10], axis=1)

    assert 100 == len(pick(boxes, np.full((certain, 3), 0.9, np.float32), least(), OVERLAP).rows)
