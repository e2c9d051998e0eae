"""The newest matches: last in, first out; each reader is shown each at most once."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.search import NewestMatches

READ = st.tuples(st.sampled_from("abcde"), st.integers(0, 4))


@given(st.lists(st.none() | READ, max_size=100), st.integers(1, 6), st.integers(1, 4))
def test_each_is_shown_to_a_reader_at_most_once(
    steps: list[tuple[str, int] | None], capacity: int, readers: int
) -> None:
    """Newest first, no more than asked for, none that was pushed out; however many readers there are."""
    kept: NewestMatches[int] = NewestMatches(capacity, readers)
    shown: Counter[tuple[str, int]] = Counter()
    count = 0
    for step in steps:
        if step is None:
            count += 1
            assert kept.put(count) == count
            continue
        reader, limit = step
        taken = kept.take(reader, limit)
        shown.update((reader, each) for each in taken)
        assert len(taken) <= limit
        assert taken == sorted(taken, reverse=True)
        assert all(each > count - capacity for each in taken)
        assert kept.newest(capacity) == list(range(count, max(0, count - capacity), -1))

    assert all(times == 1 for times in shown.values())


@given(st.lists(st.booleans(), max_size=60))
def test_a_reader_that_asks_for_everything_misses_nothing(steps: list[bool]) -> None:
    """Where the list is long enough: each match once."""
    kept: NewestMatches[int] = NewestMatches(100)
    seen: list[int] = []
    for put in steps:
        if put:
            kept.put(0)
        else:
            seen += kept.take("one", 100)
    seen += kept.take("one", 100)

    assert len(seen) == sum(steps)


def test_it_is_a_stack_for_each_reader() -> None:
    """What is left comes later, after what is newer."""
    kept: NewestMatches[str] = NewestMatches(3)
    for each in "abc":
        kept.put(each)

    assert kept.take("one", 1) == ["c"]
    kept.put("d")
    assert kept.take("one", 1) == ["d"]
    assert kept.take("one", 9) == ["b"], "a was pushed out"
    assert kept.take("other", 9) == ["d", "c", "b"]
    assert len(kept) == 3


def test_what_is_let_go_is_shown_to_nobody_and_makes_room_for_none_twice() -> None:
    """Numbers stay with their matches."""
    kept: NewestMatches[str] = NewestMatches(3)
    for each in "abc":
        kept.put(each)
    seen = kept.take("one", 1)
    kept.keep(lambda every: [None if each == "b" else each.upper() for each in every])

    assert ["c"] == seen
    assert ["C", "A"] == kept.newest(9)
    assert ["A"] == kept.take("one", 9)
    assert 4 == kept.put("d")
    assert ["d"] == kept.take("one", 9)


def test_nothing_fits_is_refused() -> None:
    """A list without room, or for nobody."""
    for wrong in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="fit"):
            NewestMatches(*wrong)
