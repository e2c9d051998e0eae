"""The index: the answer is that of comparing everything by float32, whatever is put and removed."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from appliance.search import ItemIndex, Match


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1, float32."""
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def brute(known: dict[str, tuple[str, np.ndarray]], features: np.ndarray, k: int) -> list[Match]:
    """What comparing everything gives: float32 numbers, multiplied and added in float64."""
    best: dict[str, tuple[float, str]] = {}
    for picture, (item, row) in known.items():
        score = float((row.astype(np.float64)[None] * features.astype(np.float64)).sum(axis=1)[0])
        best[item] = min(best.get(item, (2.0, "")), (-score, picture))
    order = sorted((score, item, picture) for item, (score, picture) in best.items())
    return [Match(item, picture, -score) for score, item, picture in order[:k]]


@given(seed=st.integers(0, 2**32), size=st.integers(2, 40), count=st.integers(0, 200), k=st.integers(1, 12))
def test_the_answer_is_that_of_comparing_everything(seed: int, size: int, count: int, k: int) -> None:
    """Also where rows are equal, nearly equal, or more than one picture of an item is among the best."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((3, size))
    spread = random.choice([0.0, 1e-7, 1e-3, 1.0], count)[:, None]
    rows = unit(centres[random.integers(0, 3, count)] + spread * random.standard_normal((count, size)))
    known = {f"p{random.integers(0, 60)}": (f"i{random.integers(0, 25)}", row) for row in rows}
    index = ItemIndex(size)
    for picture, (item, row) in known.items():
        index.put(picture, item, row)
    asked = unit(centres[0] + random.choice([0.0, 1e-4, 1.0]) * random.standard_normal(size))

    assert index.search(asked, k) == brute(known, asked, k)
    assert index.search(asked, k, without="i3") == brute(
        {picture: each for picture, each in known.items() if each[0] != "i3"}, asked, k
    )


@pytest.mark.parametrize("alike", [False, True], ids=["spread", "alike"])
def test_recall_is_that_of_float32(*, alike: bool) -> None:
    """Of 3000 pictures with 1280 numbers, as numpy's float32 product orders them, so far as that can tell."""
    random = np.random.default_rng(5)
    rows = np.maximum(random.standard_normal((3000, 1280)), 0) * (random.random((3000, 1280)) < 0.3)
    rows = unit(rows + (3 * random.random(1280) if alike else 0))
    index = ItemIndex()
    index.put_many([str(at) for at in range(3000)], [str(at) for at in range(3000)], rows)
    for asked in unit(rows[:20] + 0.05 * random.standard_normal((20, 1280))):
        scores = rows @ asked
        found = index.search(asked, 10)
        order = np.sort(scores)[::-1][:10]

        assert np.allclose([match.score for match in found], order, atol=1e-6)
        assert {match.item for match in found} >= {
            str(at) for at in np.flatnonzero(scores > order[-1] + 1e-6)
        }


class IndexMachine(RuleBasedStateMachine):
    """Put, put again, and remove, in any order, beside a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.index = ItemIndex(8)
        self.known: dict[str, tuple[str, np.ndarray]] = {}

    @rule(picture=st.integers(0, 12), item=st.integers(0, 4), seed=st.integers(0, 20))
    def put(self, picture: int, item: int, seed: int) -> None:
        """A new picture, or other features or another item for one."""
        row = unit(np.random.default_rng(seed).standard_normal(8))
        self.index.put(f"p{picture}", f"i{item}", row)
        self.known[f"p{picture}"] = (f"i{item}", row)

    @rule(picture=st.integers(0, 12))
    def remove(self, picture: int) -> None:
        """One that is there, or is not."""
        assert self.index.remove(f"p{picture}") == (self.known.pop(f"p{picture}", None) is not None)

    @invariant()
    def it_is_the_dictionary(self) -> None:
        """As many, the same items, the same features, the same answers."""
        asked = unit(np.arange(1, 9))
        assert len(self.index) == len(self.known)
        assert self.index.items() == sorted({item for item, _ in self.known.values()})
        assert self.index.item_count == len(self.index.items())
        assert self.index.search(asked, 3) == brute(self.known, asked, 3)
        for item in self.index.items():
            assert sorted(self.index.features(item)) == sorted(
                p for p, (i, _) in self.known.items() if i == item
            )


test_any_order_of_changes = IndexMachine.TestCase


def test_equal_scores_are_in_the_order_of_ids() -> None:
    """Whatever the order they came in."""
    row = unit(np.ones(16))
    index = ItemIndex(16)
    for picture, item in (("9", "b"), ("8", "b"), ("7", "c"), ("6", "a")):
        index.put(picture, item, row)

    assert [(match.item, match.picture) for match in index.search(row, 9)] == [
        ("a", "6"),
        ("b", "8"),
        ("c", "7"),
    ]


@pytest.mark.parametrize(
    "features",
    [
        np.ones(16),
        np.ones(16, np.float32),
        np.zeros(16, np.float32),
        np.full(16, np.nan, np.float32),
        unit(np.ones(15)),
        unit(np.ones((1, 16))),
    ],
)
def test_what_is_no_features_is_refused_and_changes_nothing(features: np.ndarray) -> None:
    """Wrong type, length, numbers or size, when put and when asked for."""
    index = ItemIndex(16)
    with pytest.raises(ValueError, match="features"):
        index.put("p", "i", features)
    with pytest.raises(ValueError, match="features"):
        index.search(features, 1)

    assert len(index) == 0


def test_an_empty_index_finds_nothing() -> None:
    """And none match is no question."""
    assert ItemIndex(16).search(unit(np.ones(16)), 4) == []
    with pytest.raises(ValueError, match="at least one"):
        ItemIndex(16).search(unit(np.ones(16)), 0)


def test_readers_beside_a_writer_get_whole_answers() -> None:
    """While pictures come and go, one that stays is always found, with its own score."""
    random = np.random.default_rng(1)
    rows = unit(random.standard_normal((400, 64)))
    index = ItemIndex(64)
    index.put("stays", "stays", rows[0])
    wrong: list[object] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            found = index.search(rows[0], 1)
            if [match.item for match in found] != ["stays"] or abs(found[0].score - 1) > 1e-6:
                wrong.append(found)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for each in readers:
        each.start()
    for turn in range(3):
        for at in range(1, 400):
            index.put(f"p{at}", f"i{at % 50}", rows[at])
        for at in range(1, 400, 1 + turn % 2):
            index.remove(f"p{at}")
    ended.set()
    for each in readers:
        each.join(60)

    assert wrong == []
