"""A function infers on no more frames a second than it is given, and waits for nothing else."""

import math

from hypothesis import given
from hypothesis import strategies as st

from appliance.deeplens.guest.pace import Pace

APART_S = 0.0625


class Hours:
    """A clock that goes on by what is slept, and by what a test says."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept: list[float] = []

    def now(self) -> float:
        """Seconds."""
        return self.now_s

    def sleep(self, seconds: float) -> None:
        """Go on."""
        assert seconds > 0
        self.slept.append(seconds)
        self.now_s += seconds


def paced(apart_s: float = APART_S) -> tuple[Pace, Hours]:
    """A pace, and its clock."""
    hours = Hours()
    pace = Pace(now=hours.now, sleep=hours.sleep)
    pace.set(apart_s)
    return pace, hours


def test_a_fast_function_has_the_pace_that_was_set() -> None:
    """Taking and inferring take 10 ms here: the first makes up for a turn before it, a hundred take 99."""
    pace, hours = paced()
    for _ in range(101):
        hours.now_s += 0.004
        pace.taken()
        pace.wait()
        began = hours.now_s
        hours.now_s += 0.006

    assert math.isclose(100.004 + 99 * APART_S, began, abs_tol=1e-9)


@given(st.lists(st.floats(0.0, 0.5), min_size=1, max_size=40))
def test_nobody_waits_longer_than_a_turn_and_nobody_is_ahead(works_s: list[float]) -> None:
    """Whatever a function does between: never more inferences than turns, never two turns' wait."""
    pace, hours = paced()
    begun = []
    for work_s in works_s:
        hours.now_s += work_s
        pace.taken()
        pace.wait()
        begun.append(hours.now_s)

    assert all(each <= APART_S + 1e-9 for each in hours.slept)
    for first, after in zip(begun, begun[2:], strict=False):
        assert after - first >= APART_S - 1e-9  # a late turn is made up for once, never twice


def test_a_slow_function_waits_for_nothing() -> None:
    """It has no turn to wait for."""
    pace, hours = paced()
    for _ in range(10):
        hours.now_s += 0.2
        pace.taken()
        pace.wait()

    assert not hours.slept


def test_a_second_look_at_the_same_frame_waits_for_nothing() -> None:
    """Faces cut out of one frame and looked at one after the other are one turn; so is no frame at all."""
    pace, hours = paced()
    pace.wait()
    pace.taken()
    for _ in range(20):
        pace.wait()

    assert not hours.slept


def test_without_a_limit_nobody_waits() -> None:
    """Before the first frames came, nothing was said of a pace."""
    pace, hours = paced(0.0)
    for _ in range(20):
        pace.taken()
        pace.wait()

    assert not hours.slept
