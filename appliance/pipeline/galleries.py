"""The gallery the loop searches now, and how it learns of a newer one.

A new gallery is built beside the old and swapped in with one assignment: the loop never
waits for it and never sees half of it.
"""

import threading
from collections.abc import Callable

import structlog

from appliance.errors import ApplianceError
from appliance.matching import Gallery

_log = structlog.get_logger()

POLL_S = 0.5
"""How often the store's gallery version is asked for. Enrolment must be effective within a second;
the question costs most of a millisecond on a machine that idles in between."""


class GalleryHolder:
    """The current gallery; `refresh` or `run` keep it so.

    Args:
        read: Builds a gallery from what the store holds now.
        version: The store's gallery version; cheap.
    """

    def __init__(self, read: Callable[[], Gallery], version: Callable[[], int]) -> None:
        self._read = read
        self._version = version
        self.current = read()

    def refresh(self) -> bool:
        """Swap in a new gallery if the store has one; true when it did.

        Raises:
            StoreError: The store cannot be read; the gallery stays as it is.
            VaultError: A template does not open; likewise.
        """
        if self._version() == self.current.version:
            return False
        self.current = self._read()
        _log.info(
            "gallery_changed",
            version=self.current.version,
            subjects=len(self.current),
            references=self.current.reference_count,
        )
        return True

    def run(self, stop: threading.Event) -> None:
        """Refresh every `POLL_S` until `stop` is set; a failing store is reported and tried again."""
        failing = False
        while not stop.wait(POLL_S):
            try:
                self.refresh()
                failing = False
            except ApplianceError as error:
                if not failing:
                    _log.error("gallery_not_refreshed", error=error.message, hint=error.advice)
                failing = True
