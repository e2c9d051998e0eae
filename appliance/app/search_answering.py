"""Answers of visual search: features in, the items most alike out, or that there is nothing like it.

Holds which index is searched now, and by which threshold. Describes nothing and watches nothing.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol

from appliance.app.search_index import FollowedIndex
from appliance.errors import FeaturesError, SearchError
from appliance.search import Match
from appliance.search.threshold import DEFAULT
from appliance.settings import SearchSettings
from appliance.store import CatalogueItem, SearchState
from appliance.values import FloatArray
from appliance.wire.messages import FoundTold, MatchTold

Basis = Literal["settings", "catalogue", "default"]
_STATE_S: Final = 0.2
"""For so long a threshold may be another box's before it is ours."""


class Items(Protocol):
    """The store, as far as it is needed here."""

    def items_by_id(self, items: Sequence[str]) -> dict[str, CatalogueItem]:
        """Those of these that there are."""

    def search_state(self) -> SearchState:
        """What is searched in."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked up, besides the features.

    Attributes:
        source: Where it was seen.
        name: Of the camera or function.
        at: When.
        box: What counted in the picture; None for features.
        size: Width and height of the picture; zeros for features.
    """

    source: Literal["camera", "function", "picture", "features"]
    name: str
    at: datetime
    box: tuple[int, int, int, int] | None = None
    size: tuple[int, int] = (0, 0)


class Answering:
    """Looks things up.

    Args:
        settings: How many matches, and from which score on.
        store: Items by their ids.
        clock: Monotonic seconds.
    """

    def __init__(
        self, settings: SearchSettings, store: Items, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._current: FollowedIndex | None = None
        self._why_not = SearchError("the catalogue is being read", hint="wait a moment")
        self._state: tuple[SearchState, float] | None = None

    def search_in(self, followed: FollowedIndex) -> None:
        """Search in this index from now on; it is whole."""
        with self._lock:
            self._current, self._state = followed, None

    def search_in_none(self, why: SearchError) -> None:
        """There is nothing to search in now, and why."""
        with self._lock:
            self._current, self._why_not = None, why

    @property
    def current(self) -> FollowedIndex:
        """What is searched in.

        Raises:
            SearchError: Nothing is, and why.
        """
        with self._lock:
            if self._current is None:
                raise SearchError(self._why_not.message, hint=self._why_not.hint)
            return self._current

    @property
    def searched(self) -> FollowedIndex | None:
        """What is searched in, or None."""
        with self._lock:
            return self._current

    @property
    def trouble(self) -> SearchError | None:
        """Why nothing is searched in; None: it is."""
        with self._lock:
            return None if self._current is not None else self._why_not

    def threshold(self, searched: FollowedIndex | None = None) -> tuple[float, Basis]:
        """From which score on something counts, and where that comes from; None: in what is searched now."""
        set_one = self._settings.threshold
        if set_one != "calibrated":
            return set_one, "settings"
        state, current = self.state(), searched or self.searched
        if current is not None and state.featurizer == current.featurizer and state.threshold is not None:
            return state.threshold, "catalogue"
        return DEFAULT, "default"

    def state(self) -> SearchState:
        """What the store says of what is searched in, as it was a moment ago at most."""
        now = self._clock()
        with self._lock:
            kept = self._state
        if kept is None or now - kept[1] > _STATE_S:
            kept = self._store.search_state(), now
            with self._lock:
                self._state = kept
        return kept[0]

    def answer(
        self,
        features: FloatArray,
        looked: Looked,
        matches: int | None = None,
        *,
        searched: FollowedIndex | None = None,
    ) -> FoundTold:
        """Look features up.

        Args:
            features: float32, of length 1, of the featurizer of what is searched in.
            looked: What they are of.
            matches: So many at most; None: as the settings say.
            searched: In what; another one may have taken its place while something was described. None: in
                what is searched now.

        Raises:
            SearchError: There is nothing to search in.
            FeaturesError: They are of another featurizer.
            StoreError: The items cannot be read.
        """
        begun = self._clock()
        current = searched or self.current
        if features.shape != (current.numbers,):
            raise FeaturesError(
                f"these features have {features.size} numbers, and those of {current.model} have "
                f"{current.numbers}",
                reason="wrong_size",
                hint="they come of another network than the one that is searched with",
            )
        index = current.index
        found = index.search(features, matches or self._settings.matches)
        items = self._store.items_by_id([each.item for each in found])
        threshold, basis = self.threshold(current)
        told = [_told(each, items) for each in found if each.item in items]
        counts = tuple(each for each in told if each.score >= threshold)
        return FoundTold(
            at=looked.at,
            source=looked.source,
            name=looked.name,
            known=bool(counts),
            threshold=threshold,
            basis=basis,
            matches=counts,
            near=told[0] if told and not counts else None,
            featurizer=current.featurizer,
            searched=index.item_count,
            box=looked.box,
            width=looked.size[0],
            height=looked.size[1],
            took_ms=round((self._clock() - begun) * 1000, 2),
        )


def _told(match: Match, items: Mapping[str, CatalogueItem]) -> MatchTold:
    entry = items[match.item].entry
    return MatchTold(
        item=entry.id,
        title=entry.title,
        link=entry.link,
        price=entry.price,
        notes=entry.notes,
        picture=match.picture,
        # Rounding may take a score of 1 a little above it.
        score=max(-1.0, min(1.0, match.score)),
    )
