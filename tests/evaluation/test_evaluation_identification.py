"""Searching: who is found, who is taken for whom, and that the rates are what they are known to be."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from synthetic_people import photographs, true_fnir, true_fpir

from appliance.evaluation.identification import Searches, enough, search, splits

SEED = 20260105
Photos = list[NDArray[np.int64]]


def albums(*sizes: int) -> Photos:
    """People with so many photos each."""
    starts = np.cumsum([0, *sizes])
    return [np.arange(first, last) for first, last in pairwise(starts)]


def separated(photos: Photos, own: float, others: float) -> np.ndarray:
    """Scores that are `own` between photos of one person and `others` between those of two."""
    owner = np.repeat(np.arange(len(photos)), [len(each) for each in photos])
    return np.where(owner[:, None] == owner[None, :], own, others).astype(np.float32)


def searched(scores: np.ndarray, photos: Photos, **size: int) -> Searches:
    """All searches of some rounds."""
    chosen = {"references": 1, "probes": 1, "rounds": 5, "seed": SEED, **size}
    return search(scores, list(splits(photos, **chosen)))


# ---------------------------------------------------------------- splits


@given(
    st.lists(st.integers(0, 7), min_size=1, max_size=12),
    st.integers(1, 6),
    st.integers(0, 6),
    st.integers(1, 3),
    st.integers(1, 3),
)
def test_a_split_keeps_its_promises(
    sizes: list[int], enrolled: int, strangers: int, references: int, probes: int
) -> None:
    """Nobody is on both sides, no photo is probe and reference, everybody brings their own photos."""
    photos = albums(*sizes)
    size = {"enrolled": enrolled, "strangers": strangers, "references": references, "probes": probes}
    if not enough(photos, **size):
        with pytest.raises(ValueError, match="too few people"):
            list(splits(photos, **size, rounds=1, seed=SEED))
        return
    for split in splits(photos, **size, rounds=3, seed=SEED):
        assert (enrolled, strangers) == (len(split.enrolled), len(split.strangers))
        assert enrolled + strangers == len({*split.enrolled, *split.strangers})
        assert (enrolled, references) == split.references.shape
        assert (enrolled, probes) == split.mated.shape
        assert (strangers, probes) == split.nonmated.shape
        for person, inside, searching in zip(split.enrolled, split.references, split.mated, strict=True):
            assert references + probes == len({*inside, *searching})
            assert {*inside, *searching} <= set(photos[person])
        for person, searching in zip(split.strangers, split.nonmated, strict=True):
            assert probes == len(set(searching))
            assert set(searching) <= set(photos[person])


def test_splits_are_found_wherever_there_are_enough_people() -> None:
    """People with few photos are kept for the strangers: `enough` and `splits` agree at the edge."""
    photos = albums(4, 4, 1, 1)

    assert enough(photos, enrolled=2, strangers=2, references=3, probes=1)
    for split in splits(photos, enrolled=2, strangers=2, references=3, probes=1, rounds=20, seed=SEED):
        assert {0, 1} == set(split.enrolled)
    assert not enough(photos, enrolled=3, strangers=0, references=3, probes=1)
    assert not enough(photos, enrolled=2, strangers=1, references=3, probes=2)
    assert not enough(photos, enrolled=0, strangers=1, references=1, probes=1)


def test_rounds_differ_and_repeat() -> None:
    """Another round is another split; the same seed the same splits; another seed others."""
    photos = albums(*[4] * 30)
    size = {"enrolled": 10, "strangers": 20, "references": 1, "probes": 1, "rounds": 3}
    first, again = (list(splits(photos, **size, seed=SEED)) for _ in range(2))
    other = list(splits(photos, **size, seed=SEED + 1))

    assert [s.references.tolist() for s in first] == [s.references.tolist() for s in again]
    assert 6 == len({tuple(s.enrolled) for s in (*first, *other)})


def test_more_references_add_to_the_same_ones() -> None:
    """A round with three references differs from that with one in nothing but the two more."""
    photos = albums(*[4] * 12)
    size = {"enrolled": 5, "strangers": 5, "probes": 1, "rounds": 2, "seed": SEED}
    for few, many in zip(
        splits(photos, **size, references=1), splits(photos, **size, references=3), strict=True
    ):
        assert few.enrolled.tolist() == many.enrolled.tolist()
        assert few.references[:, 0].tolist() == many.references[:, 0].tolist()
        assert few.mated.tolist() == many.mated.tolist()


# ---------------------------------------------------------------- searches


def test_people_who_are_perfectly_apart_are_never_mistaken() -> None:
    """No error at any threshold between the two scores, and bounds beside the zeros."""
    photos = albums(*[4] * 20)
    found = searched(separated(photos, 1.0, 0.0), photos, enrolled=10, strangers=10)

    assert 0 == found.fpir(0.5, seed=SEED).count
    assert 0 == found.fnir(0.5, seed=SEED).count
    assert found.fnir(0.5, seed=SEED).upper > 0.1
    assert 50 == found.fnir(1.1, seed=SEED).count
    assert 50 == found.fpir(0.0, seed=SEED).count


def test_people_who_all_look_alike_are_never_named() -> None:
    """Equal scores are no identification, whatever the threshold; every stranger is taken for somebody."""
    photos = albums(*[2] * 10)
    found = searched(separated(photos, 1.0, 1.0), photos, enrolled=5, strangers=5)

    assert (1.0, 1.0) == (found.fnir(-2.0, seed=SEED).value, found.fpir(1.0, seed=SEED).value)


def test_a_score_at_the_threshold_counts() -> None:
    """As at the door: at or above."""
    photos = albums(*[2] * 4)
    found = searched(separated(photos, 0.75, 0.25), photos, enrolled=2, strangers=2)

    assert (0, 10) == (found.fnir(0.75, seed=SEED).count, found.fnir(0.7500001, seed=SEED).count)
    assert (10, 0) == (found.fpir(0.25, seed=SEED).count, found.fpir(0.2500001, seed=SEED).count)


def test_one_person_enrolled_is_always_first() -> None:
    """N = 1: nobody else can be ranked before them."""
    photos = albums(*[2] * 6)
    scores = np.random.default_rng(SEED).normal(size=(12, 12)).astype(np.float32)
    found = searched(scores, photos, enrolled=1, strangers=5)

    assert found.first.all()
    assert 0.0 == found.fnir(-10.0, seed=SEED).value


def test_people_with_one_photo_are_strangers_only() -> None:
    """They cannot be enrolled and searched by; as strangers they count."""
    photos = albums(1, 1, 1, 2, 2)
    found = searched(separated(photos, 1.0, 0.0), photos, enrolled=2, strangers=3, rounds=10)

    assert {3, 4} == set(found.mated_person)
    assert {0, 1, 2} == set(found.nonmated_person)


def test_without_strangers_there_is_no_fpir() -> None:
    """It is not measured; what needs no stranger is."""
    photos = albums(*[2] * 5)
    found = searched(separated(photos, 1.0, 0.0), photos, enrolled=5, strangers=0)

    assert None is found.fpir(0.5, seed=SEED).value
    assert None is found.threshold_at(0.01)
    assert 0 == found.fnir(0.5, seed=SEED).count


def test_no_split_is_no_search() -> None:
    """It is refused; an empty result would look like a measurement."""
    with pytest.raises(ValueError, match="no split"):
        search(np.zeros((2, 2), np.float32), [])


def test_scores_are_means_over_all_probes_and_references() -> None:
    """Against the definition, pair by pair."""
    photos = albums(*[5] * 6)
    rng = np.random.default_rng(SEED)
    scores = rng.normal(size=(30, 30)).astype(np.float32)
    [split] = splits(photos, enrolled=3, strangers=3, references=3, probes=2, rounds=1, seed=SEED)
    found = search(scores, [split])
    for row, probes in enumerate(split.nonmated):
        means = [np.mean([scores[p, r] for p in probes for r in refs]) for refs in split.references]
        assert pytest.approx(max(means), abs=1e-6) == found.nonmated[row]
        assert split.enrolled[int(np.argmax(means))] == found.nonmated_nearest[row]
    for row, probes in enumerate(split.mated):
        means = [np.mean([scores[p, r] for p in probes for r in refs]) for refs in split.references]
        assert pytest.approx(means[row], abs=1e-6) == found.mated[row]
        assert (means[row] > max(means[:row] + means[row + 1 :])) == found.first[row]


@given(st.integers(0, 2**31), st.floats(-3, 3), st.floats(0, 2))
def test_a_higher_threshold_is_stricter(seed: int, threshold: float, more: float) -> None:
    """FPIR never rises with it and FNIR never falls; both are rates inside their intervals."""
    photos = albums(*[2] * 12)
    scores = np.random.default_rng(seed).normal(size=(24, 24)).astype(np.float32)
    found = searched(scores, photos, enrolled=6, strangers=6)
    rates = {
        at: (found.fpir(at, seed=1, replicates=50), found.fnir(at, seed=1, replicates=50))
        for at in (threshold, threshold + more)
    }

    assert rates[threshold][0].count >= rates[threshold + more][0].count
    assert rates[threshold][1].count <= rates[threshold + more][1].count
    for pair in rates.values():
        for rate in pair:
            assert 0 <= rate.lower <= rate.upper <= 1
            assert 0 <= (rate.value or 0) <= 1


@given(st.integers(0, 2**31))
def test_what_photos_are_called_does_not_matter(seed: int) -> None:
    """Renumbering photos together with their scores changes nothing."""
    rng = np.random.default_rng(seed)
    photos = albums(*[3] * 8)
    scores = rng.normal(size=(24, 24)).astype(np.float32)
    order = rng.permutation(24)
    place = np.argsort(order)
    [split] = splits(photos, enrolled=4, strangers=4, references=2, probes=1, rounds=1, seed=seed)
    moved = type(split)(
        split.enrolled,
        split.strangers,
        place[split.references],
        place[split.mated],
        place[split.nonmated],
    )
    one, two = search(scores, [split]), search(scores[np.ix_(order, order)], [moved])

    assert one.nonmated.tolist() == two.nonmated.tolist()
    assert (one.mated.tolist(), one.first.tolist()) == (two.mated.tolist(), two.first.tolist())


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=60), st.floats(0.001, 0.999))
def test_the_measured_threshold_is_the_lowest_that_keeps_the_rate(steps: list[int], wanted: float) -> None:
    """With ties as well: at it the wanted FPIR is kept, and at the score below it is not."""
    nonmated = np.array(steps, np.float64) / 4
    nobody = np.zeros(len(steps), np.int64)
    found = Searches(nonmated, nobody, nobody, np.ones(1), np.zeros(1, np.int64), np.ones(1, np.bool_), 2, 3)
    threshold = found.threshold_at(wanted)
    if threshold is None:
        assert wanted * len(steps) < 1
        return

    assert found.false_positives(threshold).mean() <= wanted
    below = nonmated[nonmated < threshold]
    assert not len(below) or found.false_positives(below.max()).mean() > wanted


def test_one_round_is_plain_counting() -> None:
    """Every search is by somebody else, so the interval is Wilson's."""
    photos = albums(*[2] * 20)
    found = searched(separated(photos, 1.0, 0.0), photos, enrolled=10, strangers=10, rounds=1)

    assert ("wilson", "wilson") == (found.fpir(0.5, seed=1).method, found.fnir(0.5, seed=1).method)


# ---------------------------------------------------------------- known truth


def test_rates_are_those_that_the_geometry_gives() -> None:
    """Directions on a sphere: FPIR and FNIR of 1:N search are integrals, and intervals hold them.

    At three thresholds, in eight populations of 300. Of 24 intervals of each rate at least 20 hold
    the truth, and the populations' mean comes close to it.
    """
    alike, thresholds = (14.0, 4.0), (0.55, 0.65, 0.75)
    true = [
        (
            true_fpir(at, dimensions=16, enrolled=20),
            true_fnir(at, dimensions=16, enrolled=20, alike=alike),
        )
        for at in thresholds
    ]
    values, held = [], []
    for seed in range(8):
        vectors, photos = photographs(300, dimensions=16, alike=alike, seed=seed)
        found = searched(vectors @ vectors.T, photos, enrolled=20, strangers=100, rounds=25)
        rates = [
            (found.fpir(at, seed=SEED, replicates=200), found.fnir(at, seed=SEED, replicates=200))
            for at in thresholds
        ]
        values.append([[rate.value for rate in pair] for pair in rates])
        held.append(
            [[r.holds(t) for r, t in zip(*both, strict=True)] for both in zip(rates, true, strict=True)]
        )

    assert (20 <= np.array(held).sum(axis=(0, 1))).all()
    assert pytest.approx(np.array(true), rel=0.1, abs=0.006) == np.array(values).mean(axis=0)
