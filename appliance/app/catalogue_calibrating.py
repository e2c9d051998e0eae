"""The threshold, found on the catalogue itself and kept: for whoever searches, and for commands.

Variations of pictures are made and described by the models process; which score follows from them is the
search room's to say.
"""

from collections.abc import Callable, Iterator
from typing import Final, Protocol

import numpy as np

from appliance.app.catalogue_changing import Models
from appliance.errors import PhotoError, UnknownItemError, VaultError
from appliance.search import ItemIndex, Threshold, calibrate, spread
from appliance.search.threshold import LEAST_ITEMS
from appliance.values import FloatArray
from appliance.wire.messages import FeaturizePicture, PictureFeaturized

_DESCRIBE_S: Final = 30.0


class PictureStore(Protocol):
    """The store, as far as it is needed here; see `appliance.store.catalogue`."""

    def picture_jpeg(self, picture: str) -> bytes:
        """A picture as it is shown."""

    def set_threshold(self, featurizer: str, threshold: float | None) -> None:
        """Keep what was found, or let go of what was kept (None), and put it on record."""


def find_threshold(
    store: PictureStore,
    index: ItemIndex,
    models: Models,
    featurizer: str,
    rate: float,
    *,
    tell: Callable[[int, int], object] = lambda _done, _of: None,
) -> Threshold:
    """Find the threshold, and keep it; with too few items for any, one that was kept goes.

    Args:
        store: Opened, with a key: pictures are looked at.
        index: Of that featurizer.
        models: Who makes variations.
        featurizer: Its name.
        rate: Share of things not in the catalogue that may find something all the same, above 0, below 1.
        tell: Called with the items looked at so far, and of how many.

    Raises:
        ModelError: The network is not installed.
        PeerGoneError: The models process is not there.
        StoreError: The catalogue cannot be read or written.
    """
    found = calibrate(index, _shown(store, index, models, featurizer, tell), rate=rate)
    if found.basis == "catalogue":
        store.set_threshold(featurizer, found.score)
    elif index.item_count < LEAST_ITEMS:
        store.set_threshold(featurizer, None)
    return found


def _shown(
    store: PictureStore,
    index: ItemIndex,
    models: Models,
    featurizer: str,
    tell: Callable[[int, int], object],
) -> Iterator[tuple[str, FloatArray]]:
    """Some items as they could look before a camera."""
    items = spread(index.items())
    asked = FeaturizePicture(models=(featurizer.partition(":")[0],), variations=True)
    for done, item in enumerate(items):
        tell(done, len(items))
        picture = next(iter(index.features(item)), None)
        if picture is None:
            continue
        try:
            jpeg = store.picture_jpeg(picture)
            made = models.call(asked, PictureFeaturized, blob=jpeg, timeout_s=_DESCRIBE_S).message
        except (PhotoError, VaultError, UnknownItemError):  # one that is damaged, or gone meanwhile
            continue
        if featurizer in made.features:
            yield from ((item, np.asarray(each, np.float32)) for each in made.variations)
    tell(len(items), len(items))
