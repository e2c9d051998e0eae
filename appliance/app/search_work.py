"""How the work on the catalogue goes, for whoever asks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, Protocol

from appliance.wire.messages import SearchWork


class Done(Protocol):
    """Told how far work is."""

    def __call__(self, count: int, of: int = ...) -> None:
        """So many are done, of so many."""


Kind = Literal["loading", "repairing", "refeaturizing", "calibrating"]


class WorkStates:
    """Keeps it; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._works: dict[Kind, SearchWork] = {}
        self._troubles: dict[str, str] = {}

    def told(self) -> tuple[SearchWork, ...]:
        """What is being done, with what stands in its way."""
        with self._lock:
            words = self._words()
            return tuple(each.model_copy(update={"words": words}) for each in self._works.values())

    @property
    def words(self) -> str:
        """What stands in the way of the work; empty: nothing."""
        with self._lock:
            return self._words()

    def _words(self) -> str:
        return next((each for each in self._troubles.values() if each), "")

    def trouble(self, of: str, words: str) -> bool:
        """Something stands in the way of one kind of work; empty: nothing any more. Whether that is new."""
        with self._lock:
            before = self._troubles.get(of, "")
            self._troubles[of] = words
            return words != before

    @contextmanager
    def doing(self, kind: Kind, total: int) -> Iterator[Done]:
        """Tell of work until the end of the block; gives what is told how many are done."""

        def done(count: int, of: int = total) -> None:
            with self._lock:
                self._works[kind] = SearchWork(kind=kind, done=count, total=max(of, count))

        done(0)
        try:
            yield done
        finally:
            with self._lock:
                self._works.pop(kind, None)
