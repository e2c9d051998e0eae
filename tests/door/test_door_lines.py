"""Fine lines: kept in any light, lost when a leaf moves; and the step of brightness at a door's edge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.door.lines import compare_lines, compare_upright_lines, lit_apart, steps_at

HEIGHT, WIDTH = 36, 96
GAINS = st.floats(0.4, 2.0)


def lined(seed: int, *, contrast: float = 0.35) -> np.ndarray:
    """A door with mouldings: upright lines, darker than what they stand in, where the seed says."""
    rng = np.random.default_rng(seed)
    pixels = np.full((HEIGHT, WIDTH), 120.0, np.float32)
    for band in range(0, WIDTH, 8):
        pixels[:, band + rng.integers(1, 6)] *= 1 - contrast
    return pixels


def test_a_picture_keeps_its_own_lines() -> None:
    """All of them, and there are enough of them to go by."""
    found = compare_lines(lined(1), lined(1))

    assert 1.0 == pytest.approx(found.kept)
    assert found.telling
    assert found.all_kept(0.99)


@given(st.integers(0, 1000), GAINS)
def test_lines_are_kept_under_any_gain(seed: int, gain: float) -> None:
    """A lamp, a cloud, another exposure: less than a twentieth is lost."""
    shut = lined(seed)

    assert compare_lines(shut, shut * np.float32(gain)).kept > 0.95


@given(st.integers(0, 1000), GAINS, GAINS)
def test_lines_are_kept_under_a_smooth_gradient(seed: int, left: float, right: float) -> None:
    """Light that falls off across the door."""
    shut = lined(seed)
    slope = np.linspace(left, right, WIDTH, dtype=np.float32)[None, :]

    assert compare_lines(shut, shut * slope).kept > 0.95


@given(st.integers(0, 1000), st.integers(0, WIDTH // 8 - 1), st.sampled_from([-3, 3]), GAINS)
def test_a_line_that_moves_is_missed(seed: int, band: int, by: int, gain: float) -> None:
    """One of twelve, by three pixels, whatever the light does meanwhile."""
    shut = lined(seed)
    moved = shut.copy()
    columns = slice(8 * band, 8 * band + 8)
    moved[:, columns] = np.roll(shut[:, columns], by, axis=1)

    assert compare_lines(shut, moved * np.float32(gain)).kept < 0.6


@given(st.integers(0, 1000), st.floats(0.4, 0.8), st.integers(0, 5))
def test_what_blinds_cast_leaves_upright_lines(seed: int, shade: float, start: int) -> None:
    """Stripes of shadow across the door draw lines of their own, but none that stand upright."""
    shut = lined(seed)
    striped = shut.copy()
    for row in range(start, HEIGHT, 6):
        striped[row : row + 3] *= np.float32(shade)

    assert compare_upright_lines(shut, striped).all_kept(0.9)


@given(st.integers(0, 1000), st.integers(0, WIDTH // 8 - 1), st.sampled_from([-3, 3]), GAINS)
def test_an_upright_line_that_moves_is_missed(seed: int, band: int, by: int, gain: float) -> None:
    """As among all lines."""
    shut = lined(seed)
    moved = shut.copy()
    columns = slice(8 * band, 8 * band + 8)
    moved[:, columns] = np.roll(shut[:, columns], by, axis=1)

    assert compare_upright_lines(shut, moved * np.float32(gain)).kept < 0.6


def test_lines_beside_the_door_are_lost_to_who_comes_before_them_alone() -> None:
    """Somebody's outline on the wall is none of the wall's lines; an opened door, and light, leave those."""
    shut = lined(3)
    opened, somebody = shut.copy(), shut.copy()
    opened[:, 30:66] = 90.0
    somebody[:, 8:14] = 40.0
    kept = [compare_lines(shut, each * np.float32(0.7)).kept_beside(28, 68) for each in (opened, somebody)]

    assert min(kept[0]) > 0.95
    assert kept[1][0] < 0.6
    assert kept[1][1] > 0.95


def test_where_no_wall_is_seen_none_of_its_lines_is_lost() -> None:
    """The region shows the leaf alone."""
    assert (1.0, 1.0) == compare_lines(lined(1), lined(2)).kept_beside(2, WIDTH - 3)


def test_a_door_without_lines_tells_nothing() -> None:
    """Whatever it is compared with: an even leaf is judged by other signs."""
    even = np.full((HEIGHT, WIDTH), 120.0, np.float32)
    found = compare_lines(even, even)

    assert not found.telling
    assert not found.all_kept(0.0)


@given(GAINS, GAINS, st.integers(10, WIDTH - 10))
def test_a_step_is_as_high_as_the_light_differs(left: float, right: float, edge: int) -> None:
    """What lies on one side of the edge is brighter by one factor, the other side by another."""
    shut = np.full((HEIGHT, WIDTH), 200.0, np.float32)
    lit = shut * np.float32(left)
    lit[:, edge:] = shut[:, edge:] * np.float32(right)
    found = steps_at(shut, lit, (edge,))
    less, more = sorted((left, right))
    exact = np.log((200 * more + 8) / (200 * less + 8))

    assert exact == pytest.approx(found, abs=1e-3)
    assert found >= steps_at(shut, shut * np.float32(left), (edge,)) == pytest.approx(0.0, abs=1e-3)


def test_the_highest_step_counts_and_one_at_the_border_is_none() -> None:
    """Of several edges the worst; where a side has no pixel there is nothing to compare."""
    shut = np.full((HEIGHT, WIDTH), 200.0, np.float32)
    lit = shut.copy()
    lit[:, 60:] = 100.0

    assert 0.0 == steps_at(shut, lit, (0, WIDTH)) == steps_at(shut, lit, ())
    assert steps_at(shut, lit, (60,)) == steps_at(shut, lit, (20, 60)) > 0.6


@given(st.floats(0.2, 0.8), st.floats(0, 1), st.integers(10, WIDTH - 10))
def test_light_that_changes_on_one_side_alone_is_told(darker: float, share: float, edge: int) -> None:
    """0 for a shadow over both sides, 1 where one side keeps its light; between them, what is missing."""
    shut = np.full((HEIGHT, WIDTH), 200.0, np.float32)
    change = np.log(darker)
    lit = (shut + 8) * np.float32(np.exp(share * change)) - 8
    lit[:, edge:] = ((shut + 8) * np.float32(darker) - 8)[:, edge:]

    assert 1 - share == pytest.approx(lit_apart(shut, lit, (edge,)), abs=1e-3)


def test_what_hardly_changed_is_lit_alike() -> None:
    """Noise beside a side that stays as it was is no light on one side alone."""
    shut = np.full((HEIGHT, WIDTH), 200.0, np.float32)
    lit = shut.copy()
    lit[:, 48:] *= 0.97

    assert 0.0 == lit_apart(shut, lit, (48,)) == lit_apart(shut, lit, (0, WIDTH))
