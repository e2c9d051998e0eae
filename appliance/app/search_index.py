"""The index of one featurizer's features, as the catalogue has them: read in pages, then followed.

Knows no threshold and asks nobody to describe a picture. The store is the only truth: what is lost here is
read again.
"""

import threading
from collections.abc import Callable
from typing import Protocol

from appliance.search import ItemIndex
from appliance.store import FeaturePage

PAGE = 2000
"""Changes read at once: 10 MB of numbers."""


class FeatureSource(Protocol):
    """The store, as far as it is needed here; see `appliance.store.catalogue_features`."""

    def catalogue_version(self) -> int:
        """Grows with every change."""

    def features_after(self, version: int, featurizer: str, limit: int = ...) -> FeaturePage:
        """What changed of a featurizer's features since a version; a page of it."""


class FollowedIndex:
    """An index that is brought up to date when it is told to. Threads may share it.

    Args:
        source: The store.
        featurizer: Whose features.
        numbers: How many each has.

    Attributes:
        featurizer: Whose features.
        model: The network's id: the beginning of the featurizer's name.
        numbers: How many each has.
        loaded: Whether it was read whole once.
    """

    def __init__(self, source: FeatureSource, featurizer: str, numbers: int) -> None:
        self.featurizer = featurizer
        self.model = featurizer.partition(":")[0]
        self.numbers = numbers
        self._source = source
        self._index = ItemIndex(numbers)
        self._version = 0
        self.loaded = False
        self._lock = threading.Lock()

    @property
    def index(self) -> ItemIndex:
        """What is searched in. Another one may take its place; whoever holds this one may go on with it."""
        return self._index

    @property
    def version(self) -> int:
        """Of the catalogue, when it was last read whole; 0: never."""
        return self._version

    def follow(
        self, stop: threading.Event, *, wait: bool = True, told: Callable[[int], None] = lambda _: None
    ) -> bool:
        """Read what changed, until there is no more.

        A change that is read is searched at once; where everything has to be read anew, the old index answers
        until the new one is whole.

        Args:
            stop: Ends it early; what was read so far counts.
            wait: Wait for somebody who is reading already.
            told: Told after each page how many pictures there are by then.

        Returns:
            Whether anything was read.

        Raises:
            StoreError: The catalogue cannot be read; what was there is still searched.
        """
        if not self._lock.acquire(blocking=wait):
            return False
        try:
            return self._follow(stop, told)
        finally:
            self._lock.release()

    def _follow(self, stop: threading.Event, told: Callable[[int], None]) -> bool:
        if self._version and self._source.catalogue_version() == self._version:
            return False
        version, index, fresh, changed = self._version, self._index, False, False
        while not stop.is_set():
            page = self._source.features_after(version, self.featurizer, PAGE)
            if page.anew and not (fresh and not len(index)):
                index, fresh = ItemIndex(self.numbers), True
            for picture in page.removed:
                index.remove(picture)
            # Features of another length would be another featurizer's: the store keeps them apart.
            if page.pictures and page.features.shape[1] == self.numbers:
                index.put_many(page.pictures, page.items, page.features)
            changed = changed or page.anew or bool(page.pictures or page.removed)
            version = page.version
            told(len(index))
            if not page.more:
                self._index, self._version, self.loaded = index, version, True
                break
            if not fresh:
                self._version = version
        return changed
