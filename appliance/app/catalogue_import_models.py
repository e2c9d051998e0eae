"""The models process for an import: several pictures at once, and another process should one die of them.

What a picture becomes is `catalogue_changing`'s; decoding is the models process's.
"""

import contextlib
import threading
from collections.abc import Callable
from typing import Self, TypeVar

from appliance.app.catalogue_changing import CatalogueChanges
from appliance.store import NewPicture, Store
from appliance.wire import Client, Message, Reply
from appliance.wire.messages import AskFeaturizer, FeaturizerTold

M = TypeVar("M", bound=Message)


class ImportModels:
    """Describes pictures for one import; a context manager.

    Args:
        opened: Opens a models process.
        store: What is imported into: it says whose features pictures need.
        model: The network that the settings want, for a catalogue that is searched by none yet.
    """

    def __init__(
        self, opened: Callable[[], contextlib.AbstractContextManager[Client]], store: Store, model: str
    ) -> None:
        self._opened = opened
        self._store = store
        self._model = model
        self._stack = contextlib.ExitStack()
        self._lock = threading.Lock()
        self._open: tuple[Client, CatalogueChanges] | None = None

    def __enter__(self) -> Self:
        """Open.

        Raises:
            ModelError: It did not start.
        """
        self._there()
        return self

    def ready(self) -> str:
        """Let the catalogue be searched by the network of the settings, if it is searched by none yet.

        Returns:
            The featurizer that it is searched by.

        Raises:
            ModelError: The network is not installed.
        """
        searched = self._store.search_state().featurizer
        if searched is None:
            searched = self.call(AskFeaturizer(model=self._model), FeaturizerTold).message.featurizer
            self._store.set_featurizer(searched)
        return searched

    def __exit__(self, *_: object) -> None:
        """Close."""
        self._stack.close()

    def describe(self, content: bytes, sha256: str) -> NewPicture:
        """A picture as it is kept, known by that hash; see `catalogue_import.Describes`."""
        return self._there()[1].picture(content, sha256=sha256)

    def reopen(self) -> None:
        """Begin anew with another process.

        Raises:
            ModelError: It did not start.
        """
        with self._lock:
            self._stack.close()
            self._open = None
        self._there()

    def call(
        self, message: Message, expect: type[M], *, blob: bytes = b"", timeout_s: float | None = None
    ) -> Reply[M]:
        """Ask it anything; see `appliance.wire.Client`."""
        return self._there()[0].call(message, expect, blob=blob, timeout_s=timeout_s)

    def _there(self) -> tuple[Client, CatalogueChanges]:
        with self._lock:
            if self._open is None:
                client = self._stack.enter_context(self._opened())
                self._open = client, CatalogueChanges(self._store, client, self._model)
            return self._open
