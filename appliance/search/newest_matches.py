"""The newest matches: a short list, the last in first out, each shown to a reader at most once.

Keeps nothing when the process ends, and knows neither the time nor what a match is.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

CAPACITY: Final = 50
READERS: Final = 256


@dataclass(slots=True)
class _Reader:
    """What one has been shown: numbers above `after`; none up to there is shown to it."""

    after: int
    shown: set[int]


class NewestMatches(Generic[T]):
    """A bounded stack that many readers empty, each for itself. Threads may share it.

    Whoever has not read for longest is forgotten when there are too many readers. Should a forgotten one come
    back, it is not shown again what anybody forgotten has seen: at most once is kept, at the cost of the
    others that read for the first time.

    Args:
        capacity: Matches kept; a new one pushes the oldest out.
        readers: Readers remembered.

    Raises:
        ValueError: One of them is below 1.
    """

    def __init__(self, capacity: int = CAPACITY, readers: int = READERS) -> None:
        if capacity < 1 or readers < 1:
            raise ValueError("at least one match and one reader have to fit")
        self._readers = readers
        self._lock = threading.Lock()
        self._kept: deque[tuple[int, T]] = deque(maxlen=capacity)
        self._count = 0
        self._known: OrderedDict[str, _Reader] = OrderedDict()
        self._forgotten = 0

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    def put(self, match: T) -> int:
        """Put one on top.

        Returns:
            Its number, counted from 1.
        """
        with self._lock:
            self._count += 1
            self._kept.append((self._count, match))
            return self._count

    def newest(self, limit: int) -> list[T]:
        """The newest, newest first, whoever has seen them; nobody counts as having seen them after."""
        with self._lock:
            return [match for _, match in list(reversed(self._kept))[: max(0, limit)]]

    def keep(self, kept: Callable[[list[T]], list[T | None]]) -> None:
        """Let go of what no longer counts; whoever was shown something else is not shown that again.

        Args:
            kept: Given all, newest first, what is to stand in each one's place; None: nothing.
        """
        with self._lock:
            there = list(reversed(self._kept))
            after = kept([match for _, match in there])
            left = [
                (number, match) for (number, _), match in zip(there, after, strict=True) if match is not None
            ]
            self._kept = deque(reversed(left), maxlen=self._kept.maxlen)

    def take(self, reader: str, limit: int) -> list[T]:
        """What a reader has not been shown yet, newest first; it counts as shown from now on.

        Args:
            reader: Any name, the same each time.
            limit: At most so many; what is left comes next time, unless it has been pushed out.
        """
        with self._lock:
            known = self._known.pop(reader, None) or _Reader(self._forgotten, set())
            fresh = [
                (number, match)
                for number, match in reversed(self._kept)
                if number > known.after and number not in known.shown
            ][: max(0, limit)]
            known.shown.update(number for number, _ in fresh)
            self._remember(reader, known)
            return [match for _, match in fresh]

    def _remember(self, reader: str, known: _Reader) -> None:
        oldest = self._kept[0][0] if self._kept else 0
        known.shown.difference_update([number for number in known.shown if number < oldest])
        self._known[reader] = known
        while len(self._known) > self._readers:
            _, gone = self._known.popitem(last=False)
            self._forgotten = max(self._forgotten, gone.after, *gone.shown)
