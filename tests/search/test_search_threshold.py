"""The threshold: few errors of both kinds, explained, and a default where there is too little to go by."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from appliance.search import ItemIndex, calibrate, spread, varied
from appliance.search.threshold import DEFAULT, HIGHEST, LOWEST, MOST_REFUSED, RATE

SOME = 20
"""Examples of what calibrates two hundred items each time."""


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1, float32."""
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def catalogue(
    count: int, *, size: int = 48, pictures: int = 1, seed: int = 0
) -> tuple[ItemIndex, np.ndarray]:
    """Items of chance, their pictures close together; and the items' middles."""
    random = np.random.default_rng(seed)
    middles = unit(random.standard_normal((count, size)))
    index = ItemIndex(size)
    for at, middle in enumerate(middles):
        for nth in range(pictures):
            index.put(f"{at}/{nth}", f"i{at:04}", unit(middle + 0.03 * random.standard_normal(size)))
    return index, middles


@settings(max_examples=SOME)
@given(st.sampled_from([0.02, 0.05, 0.2]), st.integers(0, 50))
def test_strangers_find_something_as_often_as_wanted(rate: float, seed: int) -> None:
    """Things of the same kind that calibration has not seen; the interval is wide, as 300 are few."""
    index, middles = catalogue(200, seed=seed)
    random = np.random.default_rng(seed + 1)
    shown = [(f"i{at:04}", unit(each + 0.05 * random.standard_normal(48))) for at, each in enumerate(middles)]
    threshold = calibrate(index, shown, rate=rate)
    strangers = unit(random.standard_normal((300, 48)))
    found = np.mean([threshold.counts(index.search(each, 1)[0].score) for each in strangers])

    assert (threshold.basis, threshold.items) == ("catalogue", 200)
    assert threshold.false_matches is not None
    assert threshold.false_matches <= rate
    assert found <= rate + 4 * np.sqrt(rate * (1 - rate) * (1 / 200 + 1 / 300)) + 0.01
    assert LOWEST <= threshold.score <= HIGHEST
    assert (threshold.same, threshold.false_refusals) == (200, 0.0)


def test_items_with_several_pictures_need_no_variations() -> None:
    """They are compared with themselves."""
    index, _ = catalogue(60, pictures=3)
    threshold = calibrate(index, ())

    assert (threshold.basis, threshold.items, threshold.same) == ("catalogue", 60, 180)
    assert threshold.false_refusals == 0.0
    assert "60 items" in threshold.explained()
    assert "180 other pictures" in threshold.explained()


def alike(count: int, near: float, apart: float, seed: int) -> tuple[ItemIndex, list[tuple[str, np.ndarray]]]:
    """Items around one direction, `apart` from it, and variations of them that are off by `near`."""
    random = np.random.default_rng(seed)
    middles = unit(unit(np.ones(48)) + apart * unit(random.standard_normal((count, 48))))
    index = ItemIndex(48)
    index.put_many([f"{at}" for at in range(count)], [f"i{at:04}" for at in range(count)], middles)
    shown = unit(middles + near * unit(random.standard_normal((count, 48))))
    return index, [(f"i{at:04}", each) for at, each in enumerate(shown)]


@settings(max_examples=SOME)
@given(
    st.floats(0.05, 1.5),
    st.floats(0.3, 2.0),
    st.sampled_from([0.005, 0.02, 0.05, 0.2]),
    st.integers(0, 50),
)
def test_no_more_than_a_fifth_is_ever_refused(near: float, apart: float, rate: float, seed: int) -> None:
    """However alike the things are, unless nothing is alike at all."""
    index, shown = alike(220, near, apart, seed)
    threshold = calibrate(index, shown, rate=rate)

    assert threshold.false_refusals is not None
    assert threshold.false_refusals <= MOST_REFUSED or threshold.score == LOWEST
    assert LOWEST <= threshold.score <= HIGHEST
    assert threshold.lowered == ("so alike that strange ones" in threshold.explained())


@settings(max_examples=SOME)
@given(st.floats(0.3, 1.2), st.floats(0.3, 2.0), st.integers(0, 50))
def test_the_fewer_false_matches_are_wanted_the_fewer_there_are(near: float, apart: float, seed: int) -> None:
    """The score rises with it, and so does what is refused."""
    index, shown = alike(220, near, apart, seed)
    rare, usual, often = (calibrate(index, shown, rate=rate) for rate in (0.005, 0.05, 0.5))

    assert rare.score >= usual.score >= often.score
    assert (rare.false_matches or 0) <= (usual.false_matches or 0) <= (often.false_matches or 0)


@settings(max_examples=SOME)
@given(st.floats(0.3, 1.0), st.integers(0, 50))
def test_no_other_score_makes_fewer_errors(near: float, seed: int) -> None:
    """Of those that refuse no more than they may."""
    index, shown = alike(60, near, 1.0, seed)
    threshold = calibrate(index, shown)
    assume(not threshold.twins)
    strange = [index.search(each, 1, without=item)[0].score for item, each in shown]
    known = [max(row @ each for row in index.features(item).values()) for item, each in shown]

    def errors(score: float) -> tuple[float, float]:
        """False matches and refusals, each as a share of what is wanted or allowed."""
        false, refused = np.mean(np.greater_equal(strange, score)), np.mean(np.less(known, score))
        return float(false) / RATE, float(refused) / MOST_REFUSED

    assert errors(threshold.score) == pytest.approx(
        ((threshold.false_matches or 0) / RATE, (threshold.false_refusals or 0) / MOST_REFUSED)
    )
    others = [errors(score) for score in np.linspace(LOWEST, HIGHEST, 200)]
    allowed = [sum(each) for each in others if each[1] <= 1]
    assert sum(errors(threshold.score)) <= min(allowed, default=99.0) + 1e-6


def test_things_apart_have_a_threshold_in_the_middle_between() -> None:
    """What strange things get at most, and what known things get at least, are equally far."""
    index, middles = catalogue(60, pictures=2)
    threshold = calibrate(index, ())
    strange = max(index.search(each, 1, without=f"i{at:04}")[0].score for at, each in enumerate(middles))

    assert (threshold.false_matches, threshold.false_refusals, threshold.lowered) == (0.0, 0.0, False)
    assert strange + 0.05 < threshold.score < 0.95


@pytest.mark.parametrize("count", [0, 1, 19])
def test_too_few_items_have_the_default(count: int) -> None:
    """And it says so, with how many it takes."""
    index, middles = catalogue(count)
    threshold = calibrate(index, [(f"i{at:04}", each) for at, each in enumerate(middles)])

    assert (threshold.score, threshold.basis, threshold.items) == (DEFAULT, "default", count)
    assert f"{count} items are too few" in threshold.explained()
    assert "20 are needed" in threshold.explained()


def test_a_rarer_rate_needs_more_items() -> None:
    """One in a hundred cannot be told of fifty."""
    index, _ = catalogue(50, pictures=2)

    assert calibrate(index, (), rate=0.01).basis == "default"
    assert calibrate(index, (), rate=0.05).basis == "catalogue"


def test_one_thing_twice_is_no_stranger_to_itself() -> None:
    """Items that look the same are told of, and do not raise the threshold."""
    index, _ = catalogue(60, pictures=2)
    alone = calibrate(index, ())
    for nth, row in enumerate(index.features("i0000").values()):
        index.put(f"twin/{nth}", "twin", row)
    threshold = calibrate(index, ())

    assert threshold.twins == 2
    assert threshold.score == pytest.approx(alone.score, abs=0.05)
    assert "2 items look like another one" in threshold.explained()


def test_unknown_items_and_impossible_rates() -> None:
    """An item removed in the meantime is left out; a rate of nothing is refused."""
    index, middles = catalogue(30)
    threshold = calibrate(index, [("gone", middles[0])])
    assert (threshold.items, threshold.same) == (0, 0)
    for rate in (0.0, 1.0):
        with pytest.raises(ValueError, match="rate"):
            calibrate(index, (), rate=rate)


def test_the_items_to_vary_are_spread_over_all() -> None:
    """The first and the last among them, the same each time."""
    items = [str(at) for at in range(1000)]
    assert spread(items, 2000) == items
    assert (len(spread(items, 100)), spread(items, 100)[0], spread(items, 100)[-1]) == (100, "0", "999")


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (300, 200), (224, 224)])
def test_variations_of_any_picture(shape: tuple[int, int]) -> None:
    """Four, always the same, none of them like another."""
    picture = np.random.default_rng(2).integers(0, 255, (*shape, 3)).astype(np.uint8)
    made = varied(picture)

    assert [each.shape for each in made] == [(320, 320, 3)] * 4
    assert all(np.array_equal(one, other) for one, other in zip(made, varied(picture), strict=True))
    assert len({each.tobytes() for each in made}) == 4


def test_a_plain_ground_is_changed_and_the_item_is_not() -> None:
    """White around a red disc gives way, white inside it stays."""
    down, across = np.mgrid[0:200, 0:200] - 100
    far = np.hypot(down, across)
    picture = np.full((200, 200, 3), 250, np.uint8)
    picture[far < 80] = (0, 0, 220)
    picture[far < 30] = 250
    for each in varied(picture):
        assert each[160, 160].min() > 120, "the middle is the item's"
        assert each[2, 2].max() < 240, "the corner was ground"
