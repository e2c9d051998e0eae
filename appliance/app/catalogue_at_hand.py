"""The catalogue searched and kept in order by a command, while no appliance runs that would do it.

What the process that searches is made of, put together for once: the index is read, and followed by nobody.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol, TypeVar

import numpy as np

from appliance.app.search_answering import Answering, Looked
from appliance.app.search_calibrating import Calibrating
from appliance.app.search_upkeep import Upkeep
from appliance.app.search_work import Done, Kind, WorkStates
from appliance.clock import Clock
from appliance.errors import PeerGoneError, SearchError
from appliance.settings import SearchSettings
from appliance.store import Store
from appliance.wire import Message, Reply
from appliance.wire.messages import (
    AskFeaturizer,
    FeaturizePicture,
    FeaturizerTold,
    FoundTold,
    PictureFeaturized,
    SearchView,
)

M = TypeVar("M", bound=Message)

_FEATURIZE_S: Final = 30.0
_MOST_DEATHS: Final = 20
"""Models processes that one command may use up."""


class ReplaceableModels(Protocol):
    """The models process, and another one should it die; see `catalogue_import_models`."""

    def call(
        self, message: Message, expect: type[M], *, blob: bytes = ..., timeout_s: float | None = ...
    ) -> Reply[M]:
        """Ask and wait."""

    def reopen(self) -> None:
        """Begin anew with another one."""


class CatalogueAtHand:
    """The catalogue as it is now.

    Args:
        store: Opened; with a key, where pictures are to be described.
        models: Who describes them.
        settings: Which network, how many matches, from which similarity on.
        clock: For when something was looked up.
        tell: Told how work goes: how many of how many.

    Raises:
        ModelError: The network is not installed.
        StoreError: The catalogue cannot be read.
    """

    def __init__(
        self,
        store: Store,
        models: ReplaceableModels,
        settings: SearchSettings,
        clock: Clock,
        *,
        tell: Callable[[int, int], object] = lambda _done, _of: None,
    ) -> None:
        self._store = store
        self._models = models
        self._settings = settings
        self._clock = clock
        works = _ToldWork(tell)
        self._answering = Answering(settings, store)
        self._calibrating = Calibrating(settings, store, models, self._answering, works)
        self._upkeep = Upkeep(settings, store, models, self._answering, self._calibrating, works)
        self._upkeep.follow()
        if self._answering.searched is None:  # it was never searched, and is from now on
            self._upkeep.follow()

    def look(
        self, content: bytes, view: SearchView, matches: int | None = None, *, camera: str = ""
    ) -> FoundTold:
        """What is like the picture in a file.

        Args:
            content: The file's bytes.
            view: What counts in it.
            matches: So many at most; None: as the settings say.
            camera: Which took it; empty: none.

        Raises:
            PhotoError: It cannot be used as a picture.
            SearchError: There is nothing to search in.
        """
        current = self._answering.current
        if not len(current.index):
            raise _empty()
        asked = FeaturizePicture(models=(current.model,), view=view)
        made = self._models.call(asked, PictureFeaturized, blob=content, timeout_s=_FEATURIZE_S).message
        looked = Looked(
            "camera" if camera else "picture", camera, self._clock.wall(), made.box, (made.width, made.height)
        )
        features = np.asarray(made.features[current.featurizer], np.float32)
        return self._answering.answer(features, looked, matches)

    def calibrate(self, rate: float | None = None) -> str:
        """Find the threshold, and keep it; what came of it, in words.

        Args:
            rate: Share of things not in the catalogue that may find something all the same; None: as the
                settings say.

        Raises:
            SearchError: There is nothing to search in.
            PeerGoneError: The models process dies again and again.
        """
        if not len(self._answering.current.index):
            raise _empty()
        self._calibrating.ask(rate, None)
        self._patient(lambda: self._calibrating.look(threading.Event()))
        return self._calibrating.explained

    def describe(self, model: str | None) -> tuple[int, int]:
        """Describe all pictures by another network, or what is not described by this one; then search by it.

        Args:
            model: Its id; None: that of the settings.

        Returns:
            How many were described, and how many could not be.

        Raises:
            ModelError: The network is not installed.
            PeerGoneError: The models process dies again and again.
        """
        asked = AskFeaturizer(model=model or self._settings.model)
        featurizer = self._models.call(asked, FeaturizerTold).message.featurizer
        before = self._described(featurizer)
        if self._store.search_state().featurizer != featurizer:
            self._upkeep.refeaturize(model, None)
        self._patient(self._upkeep.work)
        return self._described(featurizer) - before, self._upkeep.unreadable

    def _described(self, featurizer: str) -> int:
        return next((each.pictures for each in self._store.featurizers() if each.name == featurizer), 0)

    def _patient(self, work: Callable[[], object]) -> None:
        """Do it, with another models process should one die; the work goes on where it was."""
        for _ in range(_MOST_DEATHS):
            try:
                work()
            except PeerGoneError:
                self._models.reopen()
            else:
                return
        raise PeerGoneError("the models process ended again and again; its own words stand above")


class _ToldWork(WorkStates):
    """Work that is told of while it is done."""

    def __init__(self, tell: Callable[[int, int], object]) -> None:
        super().__init__()
        self._tell = tell

    @contextmanager
    def doing(self, kind: Kind, total: int) -> Iterator[Done]:
        """As of any work, and told."""
        with super().doing(kind, total) as done:

            def both(count: int, of: int = total) -> None:
                done(count, of)
                self._tell(count, of)

            yield both


def _empty() -> SearchError:
    return SearchError(
        "the catalogue has no pictures yet",
        hint="import a table of things, or add one",
        command="appliance search import items.csv",
    )
