"""Are the tables true of the people at hand: pairs, rates, and what is said of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_people import photographs, true_fpir

from appliance.evaluation.table_check import LEVELS, MOST_PEOPLE, as_json, check, nonmated_pairs, words

SEED = 20260105


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(0, 2**31))
def test_every_pair_of_different_people_is_compared_once(owners: list[int], seed: int) -> None:
    """Against two plain loops; nobody with themselves."""
    owner = np.sort(np.array(owners, np.int64))
    scores = np.random.default_rng(seed).normal(size=(len(owner), len(owner))).astype(np.float32)
    scores = scores + scores.T
    pairs = nonmated_pairs(owner, lambda block: scores[block], seed=SEED)
    wanted = sorted(
        (float(scores[i, j]), *sorted((int(owner[i]), int(owner[j]))))
        for i in range(len(owner))
        for j in range(i + 1, len(owner))
        if owner[i] != owner[j]
    )
    found = [
        (score, *sorted((int(one), int(other))))
        for score, one, other in zip(pairs.scores, pairs.one, pairs.other, strict=True)
    ]

    assert wanted == sorted(found)
    assert len(set(owners)) == pairs.people


def test_of_many_people_so_many_are_drawn_that_it_stays_quick() -> None:
    """At random and repeatably, whatever blocks they come in."""
    owner = np.repeat(np.arange(MOST_PEOPLE + 150), 2)
    scores = np.zeros((len(owner), len(owner)), np.float32)
    one, again = (nonmated_pairs(owner, lambda block: scores[block], seed=SEED) for _ in range(2))

    assert MOST_PEOPLE == one.people == len({*one.one, *one.other})
    assert MOST_PEOPLE * (MOST_PEOPLE - 1) // 2 * 4 == len(one.scores)
    assert one.one.tolist() == again.one.tolist()
    assert {*one.one} != {*nonmated_pairs(owner, lambda block: scores[block], seed=SEED + 1).one}


def cosine_at(fmr: float, dimensions: int) -> float:
    """The cosine that this share of people on a sphere reaches, found by halving."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if true_fpir(middle, dimensions=dimensions, enrolled=1) > fmr else (low, middle)
        )
    return low


@pytest.mark.parametrize(
    ("tables", "agreement"), [(24, "as measured"), (60, "more alike"), (16, "less alike")]
)
def test_people_are_held_against_the_tables(tables: int, agreement: str) -> None:
    """Directions in 24 dimensions: tables of 24 hold, of 60 promise too much, of 16 too little."""
    vectors, _ = photographs(80, dimensions=24, alike=(14.0, 4.0), seed=SEED)
    scores = vectors @ vectors.T
    pairs = nonmated_pairs(np.repeat(np.arange(80), 2), lambda block: scores[block], seed=SEED)
    checks = check(pairs, lambda fmr: cosine_at(fmr, tables), seed=SEED)

    assert 4 * 80 * 79 // 2 == len(pairs.scores)
    assert LEVELS[: len(checks)] == tuple(each.fmr for each in checks)
    assert agreement == checks[0].agreement
    said = " ".join(words(checks, pairs, "they"))
    assert ("ask for a smaller FPIR" in said) == (agreement == "more alike")


def test_only_rates_that_so_many_pairs_can_show_are_looked_at() -> None:
    """At least three matches have to be expected; with too few pairs, how many are needed is said."""
    owner = np.arange(20)
    scores = np.zeros((20, 20), np.float32)
    pairs = nonmated_pairs(owner, lambda block: scores[block], seed=SEED)

    assert () == check(pairs, lambda _: 0.5, seed=SEED)
    assert ["they: 190 pair(s) of pictures of different people are too few to say; 300 are needed"] == words(
        (), pairs, "they"
    )


def test_one_person_makes_no_pair() -> None:
    """However many pictures they have."""
    pairs = nonmated_pairs(np.zeros(5, np.int64), lambda block: np.ones((5, 5), np.float32)[block], seed=1)

    assert (0, 1) == (len(pairs.scores), pairs.people)
    assert () == check(pairs, lambda _: 0.5, seed=SEED)


def test_the_names_of_the_json_are_stable() -> None:
    """Scripts read them."""
    owner = np.arange(30)
    scores = np.zeros((30, 30), np.float32)
    pairs = nonmated_pairs(owner, lambda block: scores[block], seed=SEED)
    document = as_json(check(pairs, lambda _: 0.5, seed=SEED), pairs)

    assert {"pairs": 435, "people": 30} == {name: document[name] for name in ("pairs", "people")}
    assert [
        {"fmr", "threshold", "measured", "lower", "upper", "count", "agreement"},
    ] == [set(each) for each in document["levels"]]
