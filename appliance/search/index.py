"""The index: which items' pictures are most alike to features, searched exactly.

Each picture is kept twice: as its float32 numbers, and rounded to bytes. A query goes through the bytes, a
quarter of the memory traffic. How far such a score can be from the true one is bounded for each row (Cauchy
and Schwarz: by the length of what rounding took away), so every picture that could belong to the answer is
known; those alone are then compared by their float32 numbers. The answer is the one of comparing everything,
whatever the data: rounding decides how long it takes, not what is found.

Knows no file, no database and no threshold.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numkong
import numpy as np
from numpy.typing import NDArray

from appliance.values import UNIT_WITHIN, FloatArray

SIZE: Final = 1280
_STEPS: Final = 127
_GROWTH: Final = 1.125
_LEAST_ROWS: Final = 256
_AT_ONCE: Final = 1024
"""Rows that are made larger at once: 10 MB of float64."""
_FLOAT32: Final = 2.0**-24
"""How far a float32 is from what it stands for, at most, as a share of it."""


@dataclass(frozen=True, slots=True)
class Match:
    """An item that is alike.

    Attributes:
        item: Its id.
        picture: Id of the picture of it that is most alike.
        score: Cosine similarity of the two, -1 to 1; higher is more alike.
    """

    item: str
    picture: str
    score: float


@dataclass(frozen=True, slots=True)
class _Coded:
    """Rows as bytes.

    Attributes:
        codes: int8, (n, size).
        scales: float64, (n,): what a step stands for.
        lost: float64, (n,): at least the length of what rounding took away.
        lengths: float64, (n,): at least the length of what is left.
    """

    codes: NDArray[np.int8]
    scales: NDArray[np.float64]
    lost: NDArray[np.float64]
    lengths: NDArray[np.float64]


class ItemIndex:
    """All pictures' features in memory. Threads may share it: one call at a time goes through.

    Memory: 5 bytes for each number (6,400 for 1280) and some 450 for ids and book-keeping, and up to an
    eighth more while it has grown. Growing moves no rows where the system can extend them in place.

    Args:
        size: How many numbers features have.

    Raises:
        ValueError: `size` is not from 2 to 8192.
    """

    def __init__(self, size: int = SIZE) -> None:
        if not 2 <= size <= 8192:  # noqa: PLR2004 - as the docstring says
            raise ValueError(f"features have 2 to 8192 numbers, not {size}")
        self.size = size
        self._lock = threading.RLock()
        self._clear()

    def _clear(self) -> None:
        self._rows: FloatArray = np.empty((0, self.size), np.float32)
        self._codes: NDArray[np.int8] = np.empty((0, self.size), np.int8)
        # Of each row: what a step stands for, what rounding took, the length of the rest.
        self._facts: NDArray[np.float64] = np.empty((0, 3), np.float64)
        self._owners: NDArray[np.int64] = np.empty(0, np.int64)
        self._pictures: list[str] = []
        self._places: dict[str, int] = {}
        self._items: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self._counts: dict[int, int] = {}
        self._next_number = 0

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self._pictures)

    @property
    def item_count(self) -> int:
        """Number of items that have a picture."""
        return len(self._numbers)

    def items(self) -> list[str]:
        """Ids of the items that have a picture, sorted."""
        with self._lock:
            return sorted(self._numbers)

    def features(self, item: str) -> dict[str, FloatArray]:
        """Features of an item's pictures by the pictures' ids, sorted; empty where there are none."""
        with self._lock:
            number = self._numbers.get(item)
            places = [] if number is None else np.flatnonzero(self._owners[: len(self)] == number).tolist()
            return dict(sorted((self._pictures[at], self._rows[at].copy()) for at in places))

    def put(self, picture: str, item: str, features: FloatArray) -> None:
        """Take a picture in, or in place of the one with the same id.

        Args:
            picture: Its id.
            item: Id of the item it shows.
            features: float32, (size,), of length 1.

        Raises:
            ValueError: The features are not such; nothing was changed.
        """
        self.put_many([picture], [item], features[None])

    def put_many(self, pictures: Sequence[str], items: Sequence[str], features: FloatArray) -> None:
        """Take pictures in; see `put`. Of a picture that is named twice the last counts.

        Args:
            pictures: Their ids.
            items: Of each, the id of its item.
            features: float32, (pictures, size), each row of length 1.

        Raises:
            ValueError: Numbers or features are not such; nothing was changed.
        """
        if not len(pictures) == len(items) == len(features):
            raise ValueError(f"{len(pictures)} pictures of {len(items)} items with {len(features)} features")
        self._check(features, 2)
        for at in range(0, len(pictures), _AT_ONCE):
            some = slice(at, at + _AT_ONCE)
            coded = _coded(features[some])
            facts = np.stack([coded.scales, coded.lost, coded.lengths], axis=1)
            with self._lock:
                for nth, (picture, item) in enumerate(zip(pictures[some], items[some], strict=True)):
                    place = self._place(picture)
                    self._rows[place] = features[at + nth]
                    self._codes[place] = coded.codes[nth]
                    self._facts[place] = facts[nth]
                    self._own(place, item)

    def remove(self, picture: str) -> bool:
        """Let a picture go.

        Returns:
            Whether it was there.
        """
        with self._lock:
            place = self._places.pop(picture, None)
            if place is None:
                return False
            self._disown(place)
            last = len(self._pictures) - 1
            if place != last:
                for array in (self._rows, self._codes, self._facts, self._owners):
                    array[place] = array[last]
                self._pictures[place] = self._pictures[last]
                self._places[self._pictures[place]] = place
            self._pictures.pop()
            return True

    def clear(self) -> None:
        """Let everything go, and its memory."""
        with self._lock:
            self._clear()

    def search(self, features: FloatArray, k: int, *, without: str | None = None) -> list[Match]:
        """The items most alike.

        Args:
            features: float32, (size,), of length 1.
            k: How many at most, at least 1.
            without: Id of an item that is left out.

        Returns:
            One match for each item, by its best picture; best first, and of equal scores the one whose item's
            id (of one item, whose picture's id) comes first.

        Raises:
            ValueError: The features are not such, or k is below 1.
        """
        if k < 1:
            raise ValueError("at least one match has to be asked for")
        self._check(features, 1)
        with self._lock:
            places = self._candidates(features, k, without)
            scores = _true_scores(self._rows, places, features)
            best: dict[str, tuple[float, str]] = {}
            for place, score in zip(places.tolist(), scores.tolist(), strict=True):
                item = self._items[int(self._owners[place])]
                found = (-score, self._pictures[place])
                best[item] = min(found, best.get(item, found))
        order = sorted((score, item, picture) for item, (score, picture) in best.items())
        return [Match(item, picture, float(-score)) for score, item, picture in order[:k]]

    def _candidates(self, features: FloatArray, k: int, without: str | None) -> NDArray[np.intp]:
        """Places of all pictures that can belong to the answer, ascending."""
        many = len(self._pictures)
        if not many:
            return np.empty(0, np.intp)
        coded = _coded(features[None])
        rounded = np.asarray(numkong.cdist(coded.codes, self._codes[:many], "dot", threads=1))[0]
        scales, lost, lengths = self._facts[:many].T
        scores = rounded * (scales * coded.scales[0])
        # x·q = x'·q' + (x - x')·q + x'·(q - q'); each of the last two at most the product of two lengths.
        doubt = lost * (1 + UNIT_WITHIN) + lengths * coded.lost[0] + _FLOAT32
        kept = np.arange(many)
        left_out = self._numbers.get(without) if without is not None else None
        if left_out is not None:
            kept = np.flatnonzero(self._owners[:many] != left_out)
        kept = kept[self._possible(kept, scores[kept], doubt[kept], k)]
        # What is left, by the float32 numbers, whose own doubt is small; only what is then open goes on.
        near = self._rows[:many] @ features if len(kept) > many // 4 else None
        found = near[kept] if near is not None else self._rows[kept] @ features
        # n products, each rounded, added in any order: at most n + 1 roundings each.
        error = np.full(len(kept), (self.size + 2) * _FLOAT32 * (1 + UNIT_WITHIN) ** 2 * 2)
        return kept[self._possible(kept, found.astype(np.float64), error, k)]

    def _possible(
        self, places: NDArray[np.intp], scores: NDArray[np.float64], doubt: NDArray[np.float64], k: int
    ) -> NDArray[np.bool_]:
        """Which of some pictures can belong to the k best items; a score is right to within its doubt."""
        least = scores - doubt
        ask = 4 * k
        while True:
            ask = min(ask, len(places))
            top = (
                np.argpartition(least, len(least) - ask)[len(least) - ask :]
                if ask < len(least)
                else slice(None)
            )
            bounds: dict[int, float] = {}
            for owner, bound in zip(self._owners[places[top]].tolist(), least[top].tolist(), strict=True):
                bounds[owner] = max(bound, bounds.get(owner, bound))
            if len(bounds) >= k:
                # Whatever is surely worse than this has k items before it.
                return np.asarray(scores + doubt >= sorted(bounds.values())[-k])
            if ask == len(places):
                return np.ones(len(places), np.bool_)
            ask *= 4

    def _place(self, picture: str) -> int:
        """Where a picture is, or goes to."""
        place = self._places.get(picture)
        if place is not None:
            self._disown(place)
            return place
        place = len(self._pictures)
        if place == len(self._owners):
            self._grow()
        self._pictures.append(picture)
        self._places[picture] = place
        return place

    def _grow(self) -> None:
        capacity = max(_LEAST_ROWS, int(len(self._owners) * _GROWTH) + 1)
        # In place, so that a large index is never there twice. No view of these arrays outlives a call under
        # the lock, which is what numpy would otherwise want to be shown.
        self._rows.resize((capacity, self.size), refcheck=False)
        self._codes.resize((capacity, self.size), refcheck=False)
        self._facts.resize((capacity, 3), refcheck=False)
        self._owners.resize(capacity, refcheck=False)

    def _own(self, place: int, item: str) -> None:
        number = self._numbers.get(item)
        if number is None:
            number = self._next_number
            self._next_number += 1
            self._numbers[item] = number
            self._items[number] = item
        self._counts[number] = self._counts.get(number, 0) + 1
        self._owners[place] = number

    def _disown(self, place: int) -> None:
        number = int(self._owners[place])
        self._counts[number] -= 1
        if not self._counts[number]:
            del self._counts[number], self._numbers[self._items.pop(number)]

    def _check(self, features: FloatArray, dimensions: int) -> None:
        if features.dtype != np.float32 or features.ndim != dimensions or features.shape[-1] != self.size:
            raise ValueError(
                f"features are float32 numbers, {self.size} each, not {features.dtype} {features.shape}"
            )
        lengths = np.linalg.norm(features, axis=-1)
        # Written so that it is also true of what is no number.
        if not np.all(np.abs(lengths - 1) <= UNIT_WITHIN):
            raise ValueError("features have to be of length 1")


def _coded(rows: FloatArray) -> _Coded:
    """Rows of length about 1, float32 (n, size), as bytes."""
    exact: Any = rows.astype(np.float64)
    scales = np.abs(exact).max(axis=1) / _STEPS
    codes = np.rint(exact / scales[:, None])
    left = codes * scales[:, None]
    # A little more than what was computed, for the roundings of computing it.
    lost = np.linalg.norm(exact - left, axis=1) * (1 + 1e-9) + 1e-12
    lengths = np.linalg.norm(left, axis=1) * (1 + 1e-9)
    return _Coded(codes.astype(np.int8), scales, lost, lengths)


def _true_scores(rows: FloatArray, places: NDArray[np.intp], features: FloatArray) -> NDArray[np.float64]:
    """Scores of some rows, the same for a row whichever others there are."""
    exact = features.astype(np.float64)
    scores = np.empty(len(places), np.float64)
    for at in range(0, len(places), _AT_ONCE):
        some = places[at : at + _AT_ONCE]
        # Not a matrix product: its order of adding depends on how many rows there are.
        scores[at : at + _AT_ONCE] = (rows[some].astype(np.float64) * exact).sum(axis=1)
    return scores
