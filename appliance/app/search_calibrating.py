"""Calibrating the threshold on the catalogue: when somebody asks for it, and when it has become another one.

How it is found is `catalogue_calibrating`'s. It takes half a minute at most, in the thread that calls.
"""

import threading
from typing import Final

from appliance.app.catalogue_calibrating import find_threshold
from appliance.app.catalogue_changing import Models
from appliance.app.search_answering import Answering
from appliance.app.search_index import FollowedIndex
from appliance.app.search_work import WorkStates
from appliance.errors import SearchError
from appliance.search.threshold import LEAST_ITEMS
from appliance.settings import SearchSettings
from appliance.store import SearchState, Store

_LEAST_CHANGES: Final = 60
"""Versions of the catalogue, three for each new item with a picture."""


class Calibrating:
    """Finds the threshold.

    Args:
        settings: Whether it is calibrated at all, and by which rate.
        store: Pictures, and where it is kept.
        models: Describes variations.
        answering: What is searched in.
        works: Where it is told how it goes.
    """

    def __init__(
        self,
        settings: SearchSettings,
        store: Store,
        models: Models,
        answering: Answering,
        works: WorkStates,
    ) -> None:
        self._settings = settings
        self._store = store
        self._models = models
        self._answering = answering
        self._works = works
        self._lock = threading.Lock()
        self._asked: tuple[float | None, str | None] | None = None
        self._tried: tuple[str, int] = ("", 0)
        self._seen = -1
        self._explained = ""

    @property
    def explained(self) -> str:
        """The newest calibration in words; empty: none since the start."""
        return self._explained

    def ask(self, rate: float | None, by: str | None) -> None:
        """Let `look` calibrate the next time.

        Args:
            rate: Share of strange things that may find something; None: as the settings say.
            by: Who wants it.
        """
        with self._lock:
            self._asked = (rate, by)

    def look(self, stop: threading.Event) -> None:
        """Calibrate if it is asked for, or due: the catalogue is another one by a third, and rests.

        It is due as well once there are too few items left for the threshold that was found.

        Raises:
            ApplianceError: It has to be tried again.
        """
        current = self._answering.searched
        with self._lock:
            asked = self._asked
        if current is None:
            return
        state = self._store.search_state()
        rests, self._seen = self._seen == state.version, state.version
        if asked is None and not (rests and self._due(current, state)):
            return
        rate, by = asked or (None, None)
        self._calibrate(current, rate or self._settings.false_matches, by, stop)
        with self._lock:
            self._asked = None if self._asked is asked else self._asked

    def _due(self, current: FollowedIndex, state: SearchState) -> bool:
        """Whether the threshold is of another catalogue than there is now."""
        if self._settings.threshold != "calibrated" or state.featurizer != current.featurizer:
            return False
        if current.version != state.version:
            return False  # another box changed the catalogue just now: what it has is not in the index yet
        if current.index.item_count < LEAST_ITEMS:
            return state.threshold is not None  # of a larger one; the default holds again
        tried = self._tried[1] if self._tried[0] == current.featurizer else 0
        since = state.version - max(state.calibrated_version or 0, tried)
        return since >= max(_LEAST_CHANGES, state.pictures)

    def _calibrate(self, current: FollowedIndex, rate: float, by: str | None, stop: threading.Event) -> None:
        with self._works.doing("calibrating", 0) as done:

            def tell(count: int, of: int) -> None:
                if stop.is_set():
                    raise SearchError("the calibration was broken off: the process ends")
                done(count, of)

            with self._store.acting(by):
                threshold = find_threshold(
                    self._store, current.index, self._models, current.featurizer, rate, tell=tell
                )
        self._explained = threshold.explained()
        self._tried = (current.featurizer, self._store.catalogue_version())
