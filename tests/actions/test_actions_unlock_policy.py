"""The policy of a lock: everything has to hold, and each thing by itself keeps it shut."""

import contextlib
from datetime import timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unlocks import MORNING, WRONG, WRONG_PINS, Case, fine

from appliance.actions.unlock_policy import Now, PinWord, Reason, judge, judge_pin


def _judged(case: Case) -> Reason:
    """What the whole policy says, as `UnlockAction` asks it."""
    reason = judge(case.terms, case.decided, case.strictly, case.person, case.now)
    return judge_pin(case.terms, case.pin) if reason is Reason.GRANTED else reason


@pytest.mark.parametrize("policy", ["face_and_pin", "face_alone"])
def test_a_lock_opens_when_everything_holds(policy: str) -> None:
    """With nothing amiss both policies open; else no refusal below would say anything."""
    assert Reason.GRANTED is _judged(fine(policy))


@pytest.mark.parametrize("policy", ["face_and_pin", "face_alone"])
@pytest.mark.parametrize("wrong", WRONG)
def test_each_condition_alone_keeps_it_shut(wrong: str, policy: str) -> None:
    """One thing that is not so is enough, and is named."""
    make, reason = WRONG[wrong]

    assert reason is _judged(make(fine(policy)))


@pytest.mark.parametrize("word", WRONG_PINS)
def test_without_a_fitting_pin_it_stays_shut(word: PinWord) -> None:
    """Where a PIN is asked for, nothing but one that fits will do."""
    case = fine()

    assert WRONG_PINS[word] is _judged(
        Case(case.terms, case.decided, case.strictly, case.person, case.now, word)
    )


def test_a_pin_never_makes_up_for_another_condition() -> None:
    """A PIN that fits opens nothing that the rest of the policy would not."""
    opened = [name for name, (make, _) in WRONG.items() if _judged(make(fine())) is Reason.GRANTED]

    assert [] == opened


def test_two_wrongs_make_no_right() -> None:
    """No two conditions cancel each other out."""
    opened = []
    for one, other in combinations(WRONG, 2):
        case = fine("face_alone")
        for each in (one, other):
            # What one of them took away altogether the other cannot change.
            with contextlib.suppress(TypeError):
                case = WRONG[each][0](case)
        if _judged(case) is Reason.GRANTED:
            opened.append((one, other))

    assert [] == opened


def test_every_reason_is_reached() -> None:
    """No reason stands in the list that nothing leads to."""
    found = {reason for _, reason in WRONG.values()} | set(WRONG_PINS.values()) | {Reason.GRANTED}

    assert set(Reason) == found


@given(wall_s=st.floats(-100, 100), frame_s=st.floats(-100, 100), limit_s=st.floats(1, 5))
def test_it_opens_for_young_decisions_by_both_clocks(wall_s: float, frame_s: float, limit_s: float) -> None:
    """Whatever the clocks do: opened means that by both of them it is neither too old nor to come."""
    case = fine("face_alone").but("terms", decision_s=limit_s)
    now = Now(MORNING + timedelta(seconds=wall_s), 100.0 + frame_s)
    opened = (
        _judged(Case(case.terms, case.decided, case.strictly, case.person, now, case.pin)) is Reason.GRANTED
    )

    slack = 1e-5  # microseconds of the wall clock
    assert not opened or (-0.25 - slack <= min(wall_s, frame_s) and max(wall_s, frame_s) <= limit_s + slack)
    assert opened or not (0 <= min(wall_s, frame_s) and max(wall_s, frame_s) <= limit_s - slack)


@given(score=st.floats(), threshold=st.floats(), margin=st.none() | st.floats(), wanted=st.floats(0, 1))
def test_it_opens_for_numbers_that_reach_what_is_asked(
    score: float, threshold: float, margin: float | None, wanted: float
) -> None:
    """Score and lead reach what the lock asks for, or it stays shut; what is no number reaches nothing."""
    case = fine("face_alone").but(
        "strictly", score=score, threshold=threshold, margin=margin, margin_wanted=wanted
    )
    reached = score >= threshold and (margin is None or margin >= wanted)

    assert reached == (_judged(case) is Reason.GRANTED)


def test_a_door_that_is_not_named_is_the_cameras() -> None:
    """Before a door that is shut a camera may name none; the camera itself says whose it is."""
    assert Reason.GRANTED is _judged(fine().but("decided", door=None))
