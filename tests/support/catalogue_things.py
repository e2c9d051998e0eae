"""Things for a catalogue in tests: entries, pictures that are none, features, and a follower of them."""

import hashlib
from collections.abc import Mapping

import numpy as np

from appliance.store import ItemEntry, NewPicture, Store
from appliance.values import FloatArray

MODEL, OTHER = "efficientnet-lite0:0123456789ab", "other:ba9876543210"
NUMBERS = 8


def unit(seed: int, numbers: int = NUMBERS) -> FloatArray:
    """Features: some vector of length 1, the same for the same seed."""
    drawn = np.random.default_rng(seed).normal(size=numbers)
    vector: FloatArray = (drawn / np.linalg.norm(drawn)).astype(np.float32)
    return vector


def rested(vector: FloatArray) -> FloatArray:
    """Features as they come back: by way of half precision."""
    return vector.astype(np.float16).astype(np.float32)


def thing(name: str, title: str = "A thing", **said: str) -> ItemEntry:
    """What an item says."""
    return ItemEntry(name, title, **said)


def jpeg(seed: int, size_bytes: int = 64) -> bytes:
    """Bytes that begin as a JPEG does, and are like no others."""
    return b"\xff\xd8\xff" + np.random.default_rng(seed).bytes(size_bytes)


def picture(seed: int, *featurizers: str, numbers: int = NUMBERS) -> NewPicture:
    """A picture, with the features that these make of it."""
    return NewPicture(
        sha256=hashlib.sha256(f"came as {seed}".encode()).hexdigest(),
        jpeg=jpeg(seed),
        width_px=64,
        height_px=48,
        features={name: unit(seed + 1000 * i, numbers) for i, name in enumerate(featurizers)},
    )


class Follower:
    """An index in memory that knows the catalogue by its pages of changes alone.

    Attributes:
        known: Picture → item and features, as bytes.
        begun: How often it was told to begin anew.
    """

    def __init__(self, box: Store, featurizer: str = MODEL) -> None:
        self._box = box
        self._featurizer = featurizer
        self._version = 0
        self.begun = 0
        self.known: dict[str, tuple[str, bytes]] = {}

    def read(self, limit: int = 1000, pages: int | None = None) -> None:
        """Read so many pages; None: to the end."""
        while pages is None or pages > 0:
            page = self._box.features_after(self._version, self._featurizer, limit)
            if page.anew:
                self.known.clear()
                self.begun += 1
            assert len(page.pictures) + len(page.removed) <= limit
            for each, item, features in zip(page.pictures, page.items, page.features, strict=True):
                self.known[each] = (item, features.tobytes())
            for each in page.removed:
                self.known.pop(each, None)
            self._version = page.version
            if not page.more:
                return
            pages = None if pages is None else pages - 1


def catalogue(box: Store) -> Mapping[str, tuple[str, ...]]:
    """Item → hashes of its pictures."""
    return {each.entry.id: tuple(p.sha256 for p in each.pictures) for each in box.items(oldest_first=True)}
