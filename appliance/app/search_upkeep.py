"""What keeps the index and the catalogue alike: features that are missing are made, another network's too.

The store says what there is, and whose features are searched; this follows it, whoever changes it. Nothing
here is lost by a crash: what is missing then is found missing at the next start. One thread does the long
work, piece by piece; another follows the catalogue meanwhile.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from appliance.app.catalogue_changing import Models, features_of
from appliance.app.search_answering import Answering
from appliance.app.search_calibrating import Calibrating
from appliance.app.search_index import FollowedIndex
from appliance.app.search_work import Kind, WorkStates
from appliance.errors import (
    ApplianceError,
    FormError,
    PeerGoneError,
    PhotoError,
    SearchError,
    UnknownItemError,
    VaultError,
)
from appliance.settings import SearchSettings
from appliance.store import Store
from appliance.values import FloatArray
from appliance.wire.messages import (
    AskFeaturizer,
    FeaturizePicture,
    FeaturizerTold,
    PictureFeaturized,
)

_log = structlog.get_logger()

FOLLOW_S: Final = 0.25
"""How often it is looked whether the catalogue is another one: what was added is found within this."""
_LOOK_S: Final = 3.0
"""How often it is looked whether features are missing, while the catalogue changes."""
_AGAIN_S: Final = 3.0
_PAGE: Final = 64
_TOGETHER: Final = 16
"""Features that are kept at once, so that progress is seen and little is lost."""
_FEATURIZE_S: Final = 30.0
_LEAVE_S: Final = 5.0


class Upkeep:
    """Keeps index and catalogue alike.

    Args:
        settings: Which network is wanted.
        store: With its keys: pictures are opened to be described.
        models: Describes them.
        answering: Told what to search in.
        calibrating: Finds the threshold.
        works: Where it is told how the work goes.
    """

    def __init__(  # noqa: PLR0917 - parts that are put together once
        self,
        settings: SearchSettings,
        store: Store,
        models: Models,
        answering: Answering,
        calibrating: Calibrating,
        works: WorkStates,
    ) -> None:
        self._settings = settings
        self._store = store
        self._models = models
        self._answering = answering
        self._calibrating = calibrating
        self._works = works
        self._stop = threading.Event()
        self._due = threading.Event()
        self._by: str | None = None
        self._unreadable: set[tuple[str, str]] = set()
        self._broke: str = ""
        self._looked_version = -1
        self._swept: tuple[str | None, str | None] = (None, None)

    @property
    def unreadable(self) -> int:
        """Pictures that cannot be described."""
        return len({picture for _, picture in self._unreadable})

    def refeaturize(self, model: str | None, by: str | None) -> None:
        """Describe the catalogue by this network, then search with it; returns once that is noted.

        Args:
            model: Its id; None: that of the settings.
            by: Who wants it.

        Raises:
            ModelError: There is no such network, or it is not installed.
            FormError: It is searched with already.
            PeerGoneError: The models process is not there.
        """
        told = self._featurizer(model or self._settings.model)
        if told.featurizer == self._store.search_state().featurizer:
            words = "the catalogue is searched by this network already"
            raise FormError(words, fields={"model": words})
        self._store.set_next_featurizer(told.featurizer)
        self._by = by
        self._due.set()

    def nudge(self) -> None:
        """There is work; look now."""
        self._due.set()

    def refresh(self) -> None:
        """Read what changed just now, unless that is being done; for who is about to look something up."""
        current = self._answering.searched
        if current is not None:
            current.follow(self._stop, wait=False)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Follow and work, each in a thread of its own, until the end of the block."""
        threads = [
            threading.Thread(target=self._forever, args=(each, pause_s), name=name, daemon=True)
            for name, each, pause_s in (
                ("search-follow", self.follow, FOLLOW_S),
                ("search-work", self.work, _LOOK_S),
            )
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._due.set()
            for thread in threads:
                thread.join(_LEAVE_S)

    def follow(self) -> None:
        """Search in what the store says is searched, as it is now.

        Raises:
            StoreError: The catalogue cannot be read.
            ApplianceError: The network cannot be asked for.
        """
        state, current = self._store.search_state(), self._answering.searched
        if state.featurizer is None:
            self._begin()
            return
        if current is None or current.featurizer != state.featurizer:
            self._switch(state.featurizer, state.pictures)
            return
        current.follow(self._stop)

    def work(self) -> None:
        """Do what there is to do: missing features, another network's, old ones' to delete, the threshold.

        Raises:
            ApplianceError: It has to be tried again later.
        """
        self._due.clear()
        current = self._answering.searched
        state = self._store.search_state()
        if current is not None and state.version != self._looked_version:
            self._describe(current.featurizer, "repairing")
            self._looked_version = state.version
        if state.next_featurizer is not None:
            self._next(state.next_featurizer)
        self._sweep()
        self._calibrating.look(self._stop)

    def _forever(self, piece: Callable[[], None], pause_s: float) -> None:
        waiting = self._due if piece == self.work else self._stop
        while not self._stop.is_set():
            try:
                piece()
                self._works.trouble(piece.__name__, "")
                waiting.wait(pause_s)
            except ApplianceError as error:
                if self._works.trouble(piece.__name__, error.message):
                    _log.warning("search_upkeep_failed", reason=error.message, hint=error.hint)
                self._stop.wait(_AGAIN_S)
            except Exception as error:  # noqa: BLE001 - nobody restarts a thread, and searching goes on
                if self._works.trouble(piece.__name__, "it failed, and is tried again"):
                    _log.error("search_upkeep_failed", kind=type(error).__name__, reason=str(error)[:200])
                self._stop.wait(_AGAIN_S)

    def _begin(self) -> None:
        """The catalogue was never searched: the settings' network it is."""
        told = self._featurizer(self._settings.model)
        self._store.set_featurizer(told.featurizer)

    def _switch(self, featurizer: str, pictures: int) -> None:
        """Search in another featurizer's features once they are read; meanwhile in what was searched."""
        try:
            told = self._featurizer(featurizer.partition(":")[0])
        except PeerGoneError:
            raise
        except ApplianceError as error:
            self._answering.search_in_none(
                SearchError(f"the catalogue is described by {featurizer}: {error.message}", hint=error.hint)
            )
            raise
        if told.featurizer != featurizer:
            self._answering.search_in_none(self._replace(featurizer, told.featurizer))
            return
        fresh = FollowedIndex(self._store, featurizer, told.numbers)
        with self._works.doing("loading", pictures) as done:
            fresh.follow(self._stop, told=done)
        if fresh.loaded:
            self._answering.search_in(fresh)
            self._due.set()

    def _replace(self, featurizer: str, own: str) -> SearchError:
        """Of a network whose file is another one, the old features can be compared with nothing any more.

        Where other boxes share the catalogue they may be of another box's file: if each made its own anew,
        they would never end. There somebody has to say whose it shall be.

        Returns:
            Why nothing is searched.
        """
        coming = self._store.search_state().next_featurizer
        if coming != own and self._store.has_others():
            return SearchError(
                f"the catalogue is described by {featurizer}, and this box's network is {own}",
                hint="give all boxes that share the catalogue the same file and settings of the network, or "
                "have the catalogue described anew by the box whose network it shall be",
            )
        if coming != own:
            self._store.set_next_featurizer(own)
        self._due.set()
        return SearchError(
            f"the catalogue is described by {featurizer}, and that network is {own} now",
            hint="it is being described anew; what is found comes back by and by",
        )

    def _next(self, featurizer: str) -> None:
        """Make another network's features, and search in those once every picture has them."""
        told = self._featurizer(featurizer.partition(":")[0])
        if told.featurizer != featurizer:
            return  # another box's network: it makes them
        if not self._describe(featurizer, "refeaturizing"):
            return
        fresh = FollowedIndex(self._store, featurizer, told.numbers)
        fresh.follow(self._stop)
        if not fresh.loaded:
            return
        with self._store.acting(self._by):
            self._store.set_featurizer(featurizer)
        self._by = None
        self._answering.search_in(fresh)

    def _sweep(self) -> None:
        """Delete features that are neither searched nor being made; also what a crash left of them."""
        state = self._store.search_state()
        wanted = (state.featurizer, state.next_featurizer)
        if state.featurizer is None or wanted == self._swept:
            return
        for each in self._store.featurizers():
            # One that has no numbers was never described by, or was dropped to the end.
            while each.name not in wanted and each.numbers and self._store.drop_features(each.name):
                if self._stop.is_set():
                    return  # the rest goes after the next start
        self._swept = wanted

    def _describe(self, featurizer: str, kind: Kind) -> bool:
        """Make a featurizer's features of all pictures that have none; whether all have them now."""
        model, after = featurizer.partition(":")[0], ""
        pictures = self._store.pictures_without(featurizer, _PAGE)
        if not pictures:
            return True
        have = {each.name: each.pictures for each in self._store.featurizers()}
        total = self._store.picture_count() - have.get(featurizer, 0)
        with self._works.doing(kind, total) as done:
            count = 0
            while pictures and not self._stop.is_set():
                made: dict[str, FloatArray] = {}
                for picture in pictures:
                    if self._stop.is_set():
                        break
                    features = self._of(picture, model, featurizer)
                    if features is not None:
                        made[picture] = features
                    if len(made) >= _TOGETHER:
                        self._store.put_features(featurizer, made)
                        made = {}
                    count += 1
                    done(count)
                if made:
                    self._store.put_features(featurizer, made)
                after = pictures[-1]
                pictures = self._store.pictures_without(featurizer, _PAGE, after)
        return not self._stop.is_set()

    def _of(self, picture: str, model: str, featurizer: str) -> FloatArray | None:
        """Features of a picture of the catalogue; None: it is gone, or cannot be described.

        Raises:
            PeerGoneError: The models process is not there; it is tried again. A picture over which it ended
                twice, though it was there just before, is passed over.
        """
        if (featurizer, picture) in self._unreadable:
            return None
        suspect = self._broke == picture
        if suspect:
            self._featurizer(model)  # is it there at all? If not, this picture is not to blame
        try:
            jpeg = self._store.picture_jpeg(picture)
            asked = FeaturizePicture(models=(model,), view="all")
            made = self._models.call(asked, PictureFeaturized, blob=jpeg, timeout_s=_FEATURIZE_S).message
        except UnknownItemError:
            return None
        except PeerGoneError:
            self._broke = "" if suspect else picture
            if not suspect:
                raise
            self._give_up(picture, featurizer, "the models process ended over it twice")
            return None
        except (PhotoError, VaultError) as error:
            self._give_up(picture, featurizer, error.message)
            return None
        found = features_of(made.features).get(featurizer)
        if found is None:
            raise SearchError(f"the network {model!r} is another one now", hint="it is looked at again")
        return found

    def _give_up(self, picture: str, featurizer: str, why: str) -> None:
        _log.error(
            "picture_not_described",
            picture=picture,
            reason=why,
            hint="remove it from its item and add it again",
        )
        self._unreadable.add((featurizer, picture))

    def _featurizer(self, model: str) -> FeaturizerTold:
        asked = AskFeaturizer(model=model)
        return self._models.call(asked, FeaturizerTold, timeout_s=_FEATURIZE_S).message
