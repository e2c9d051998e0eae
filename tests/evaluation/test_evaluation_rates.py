"""Rates and intervals: against published values, and against what is known of them."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.evaluation.rates import (
    FEWEST_PEOPLE,
    Rate,
    per_cent,
    plain_rate,
    repeated_rate,
    wilson,
)

SEED = 20260105


@pytest.mark.parametrize(
    ("count", "trials", "published"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0000, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_wilson_is_as_newcombe_published_it(count: int, trials: int, published: tuple[float, float]) -> None:
    """To the four digits of the table."""
    assert published == tuple(round(bound, 4) for bound in wilson(count, trials))


@pytest.mark.parametrize(
    ("count", "trials", "published"),
    [
        # A. Agresti, An Introduction to Categorical Data Analysis, 2nd edition (2007), 1.4.
        (9, 10, (0.596, 0.982)),
        (0, 25, (0.000, 0.133)),
    ],
)
def test_wilson_is_as_agresti_published_it(count: int, trials: int, published: tuple[float, float]) -> None:
    """To the three digits of the book."""
    assert published == tuple(round(bound, 3) for bound in wilson(count, trials))


@given(st.integers(1, 5000), st.data())
def test_wilson_holds_the_rate_and_mirrors(trials: int, data: st.DataObject) -> None:
    """The observed share lies inside, bounds are rates, and failures and successes swap places."""
    count = data.draw(st.integers(0, trials))
    lower, upper = wilson(count, trials)
    other = wilson(trials - count, trials)

    assert 0 <= lower <= count / trials <= upper <= 1
    assert pytest.approx((1 - other[1], 1 - other[0]), abs=1e-12) == (lower, upper)


@given(st.integers(0, 50), st.integers(51, 500))
def test_more_trials_of_the_same_share_narrow_wilson(count: int, trials: int) -> None:
    """Four times the trials give a narrower interval."""
    lower, upper = wilson(count, trials)
    more_lower, more_upper = wilson(4 * count, 4 * trials)

    assert upper - lower > more_upper - more_lower


@pytest.mark.parametrize(
    ("count", "trials", "confidence"), [(0, 0, 0.95), (3, 2, 0.95), (-1, 2, 0.95), (1, 2, 1)]
)
def test_what_is_no_proportion_is_refused(count: int, trials: int, confidence: float) -> None:
    """No trial, more events than trials, fewer than none, or a confidence of one."""
    with pytest.raises(ValueError, match="is no proportion"):
        wilson(count, trials, confidence=confidence)


def test_none_failed_is_said_with_its_bound() -> None:
    """Never "0 %" alone: how many were tried, and what may still be."""
    rate = plain_rate(0, 20)

    assert 0.0 == rate.lower
    assert "0 of 20, at most 16.1 %" == rate.words
    assert "all of 20, at least 83.9 %" == plain_rate(20, 20).words


def test_nothing_tried_is_not_measured() -> None:
    """No value, and an interval that excludes nothing."""
    rate = plain_rate(0, 0)

    assert (None, 0.0, 1.0, "none", "not measured") == (
        rate.value,
        rate.lower,
        rate.upper,
        rate.method,
        rate.words,
    )
    assert rate == repeated_rate(np.zeros(0, np.bool_), np.zeros(0, np.int64), seed=SEED)


@given(st.floats(1e-5, 1 - 1e-5))
def test_a_rate_between_none_and_all_never_reads_like_one_of_them(rate: float) -> None:
    """0.001 % and 99.999 % keep their digits."""
    assert 0 < float(per_cent(rate)) < 100


def repeated(people: int, searches: int, rates: np.ndarray, seed: int) -> Rate:
    """Each person makes some searches that fail at a rate of their own."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), searches)
    failed = rng.random(people * searches) < rates[person]
    return repeated_rate(failed, person, seed=seed, replicates=400)


def test_the_bootstrap_covers_the_truth_about_as_often_as_it_says() -> None:
    """40 people with 30 searches each, whose own rates vary widely: 95 % intervals hold the mean rate.

    Of 300 repetitions, between 90 and 98 % do; Wilson's interval, which takes searches for
    independent, holds it in far fewer.
    """
    held = naive = 0
    for seed in range(300):
        rates = np.random.default_rng(1000 + seed).beta(1, 4, size=40)
        rate = repeated(40, 30, rates, seed)
        held += rate.holds(0.2)
        lower, upper = wilson(rate.count, rate.trials)
        naive += lower <= 0.2 <= upper

    assert 0.90 * 300 <= held <= 0.98 * 300
    assert naive < 0.70 * 300


def test_resampling_both_people_of_a_search_is_wider_than_one() -> None:
    """Where a few people attract strangers, the interval knows."""
    rng = np.random.default_rng(SEED)
    person, other = rng.integers(0, 60, 3000), rng.integers(0, 60, 3000)
    failed = (other < 6) & (rng.random(3000) < 0.5)
    one = repeated_rate(failed, person, seed=SEED)
    both = repeated_rate(failed, person, other, seed=SEED)

    assert one.value == both.value
    assert both.upper - both.lower > 1.5 * (one.upper - one.lower)


def test_few_people_who_failed_are_not_taken_for_few_who_can() -> None:
    """Two of 50 people failed at each of 100 searches: that is 2 of 50, not 200 of 5,000."""
    person = np.repeat(np.arange(50), 100)
    rate = repeated_rate(person < 2, person, seed=SEED)

    assert "wilson over people" == rate.method
    assert wilson(2, 50) == (rate.lower, rate.upper)
    assert (200, 5000, 50) == (rate.count, rate.trials, rate.people)


@pytest.mark.parametrize("fails", [False, True])
def test_all_alike_is_bounded_by_the_number_of_people(*, fails: bool) -> None:
    """Searching 20 people 1,000 times without an error says no more than 20 trials would."""
    person = np.tile(np.arange(20), 1000)
    rate = repeated_rate(np.full(20_000, fails), person, seed=SEED)

    assert wilson(20 * fails, 20) == (rate.lower, rate.upper)


@given(st.integers(FEWEST_PEOPLE, 20), st.integers(0, 2**31), st.permutations(range(40)))
def test_names_do_not_matter(failing: int, seed: int, names: list[int]) -> None:
    """Numbering people in another way gives the same rate, and searches may come in any order."""
    person = np.repeat(np.arange(40), 5)
    failed = person < failing
    rate = repeated_rate(failed, person, seed=seed, replicates=50)
    order = np.random.default_rng(seed).permutation(200)
    again = repeated_rate(failed[order], person[order], seed=seed, replicates=50)
    renamed = repeated_rate(failed, np.array(names)[person], seed=seed, replicates=400)

    assert rate == again
    assert (rate.value, rate.people) == (renamed.value, renamed.people)
    assert 0 <= renamed.lower <= rate.value <= renamed.upper <= 1


def test_trials_need_their_people() -> None:
    """Arrays that are not parallel are refused, not cut."""
    with pytest.raises(ValueError, match="not parallel"):
        repeated_rate(np.zeros(3, np.bool_), np.zeros(2, np.int64), seed=SEED)


def test_resampling_holds_no_more_than_it_says() -> None:
    """Thousands of people and 30,000 different pairs of them: some 50 MB at once, however many replicates."""
    rng = np.random.default_rng(3)
    person, other = rng.integers(0, 3000, (2, 30_000))
    failed = rng.random(30_000) < 0.1
    tracemalloc.start()
    try:
        found = repeated_rate(failed, person, other, seed=1, replicates=200)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert "bootstrap" == found.method
    assert peak < 60_000_000
