"""The models process for an import: several pictures at once, and another process should one die of them.

What a picture becomes is `catalogue_changing`'s; decoding is the models process's.
"""

import contextlib
import threading
from collections.abc import Callable
from typing import Self

from appliance.app.catalogue_changing import CatalogueChanges
from appliance.store import NewPicture, Store
from appliance.wire import Client


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
        self._changes: CatalogueChanges | None = None

    def __enter__(self) -> Self:
        """Open.

        Raises:
            ModelError: It did not start.
        """
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self._stack.close()

    def describe(self, content: bytes, sha256: str) -> NewPicture:
        """A picture as it is kept, known by that hash; see `catalogue_import.Describes`."""
        return self._open().picture(content, sha256=sha256)

    def reopen(self) -> None:
        """Begin anew with another process.

        Raises:
            ModelError: It did not start.
        """
        with self._lock:
            self._stack.close()
            self._changes = None
        self._open()

    def _open(self) -> CatalogueChanges:
        with self._lock:
            if self._changes is None:
                client = self._stack.enter_context(self._opened())
                self._changes = CatalogueChanges(self._store, client, self._model)
            return self._changes
