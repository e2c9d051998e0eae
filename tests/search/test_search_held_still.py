"""An item held still is looked up once, and again only after it was gone."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.search import HeldStill, StillRules

RULES = StillRules()
ITEMS = np.eye(4, dtype=np.float32)


def near(item: int, wobble: float) -> np.ndarray:
    """A frame of an item that is not quite quiet."""
    row = ITEMS[item] + wobble * np.float32([0.5, -0.5, 0.5, -0.5])
    return (row / np.linalg.norm(row)).astype(np.float32)


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.floats(0, 1), st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.4, 3.0, -1.0])),
        max_size=80,
    )
)
def test_never_twice_without_having_moved_away(steps: list[tuple[int, float, float]]) -> None:
    """Between two look-ups there were frames unlike the first; before each there was rest."""
    held, at_s, seen = HeldStill(RULES), 0.0, []
    last: int | None = None
    for item, wobble, pause in steps:
        at_s += pause
        frame = near(item, wobble)
        seen.append((frame, at_s))
        if not held.look(frame, at_s):
            continue
        rest = [each for each, when in seen if 0 <= at_s - when < RULES.still_s]
        assert len(rest) < len(seen), "nothing can have rested before there was time for it"
        if last is not None:
            between = [float(frame @ seen[last][0]) for frame, _ in seen[last + 1 :]]
            assert min(between) < RULES.away
        last = len(seen) - 1


@given(st.integers(2, 200), st.floats(0, 0.3))
@example(5, 0.0)
@example(6, 0.0)
def test_what_stays_is_looked_up_once(frames: int, wobble: float) -> None:
    """However long, and however it trembles; the sixth of ten frames a second comes after 0.5 s."""
    held = HeldStill()
    random = np.random.default_rng(frames)
    found = sum(held.look(near(0, wobble * random.random()), at * 0.1) for at in range(frames))

    assert found == (frames >= 6)


def shown(held: HeldStill, item: int, begin_s: float, frames: int) -> int:
    """How often an item is looked up that is shown from then on, ten frames a second."""
    return sum(held.look(ITEMS[item], begin_s + at * 0.1) for at in range(frames))


def test_a_hand_before_the_lens_is_not_moving_away() -> None:
    """For a frame or two; half a second is."""
    held = HeldStill()

    assert shown(held, 0, 0.0, 20) == 1
    assert shown(held, 1, 2.0, 2) + shown(held, 0, 2.2, 20) == 0
    assert shown(held, 1, 4.2, 5) + shown(held, 0, 4.7, 20) == 1


def test_the_next_item_needs_no_empty_table_between() -> None:
    """One taken away while the next is put there."""
    held = HeldStill()

    assert [shown(held, item, at * 1.0, 10) for at, item in enumerate((0, 1, 2, 0))] == [1, 1, 1, 1]


def test_frames_far_apart_are_no_rest() -> None:
    """A camera that stood still says nothing of what was before it."""
    held = HeldStill()

    assert not any(held.look(ITEMS[0], at * 5.0) for at in range(10))


def test_after_forgetting_it_is_looked_up_again() -> None:
    """Say, when the catalogue has changed."""
    held = HeldStill()
    assert shown(held, 0, 0.0, 10) == 1
    held.forget()
    assert shown(held, 0, 1.0, 10) == 1


@pytest.mark.parametrize("wrong", [{"same": 0.5, "away": 0.6}, {"still_s": -1}, {"gap_s": 0}, {"same": 1.5}])
def test_rules_that_contradict_are_refused(wrong: dict[str, float]) -> None:
    """At once."""
    with pytest.raises(ValueError, match=r"above|hold"):
        StillRules(**wrong)
