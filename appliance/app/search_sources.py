"""How the cameras are that are watched, and the functions that publish features: for whoever asks."""

import threading
from collections import OrderedDict
from datetime import datetime
from typing import Final, Literal

from appliance.wire.messages import SearchSource

Kind = Literal["camera", "function"]
_MOST: Final = 64


class SourceStates:
    """Keeps it; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: OrderedDict[tuple[Kind, str], SearchSource] = OrderedDict()

    def told(self) -> tuple[SearchSource, ...]:
        """All there are, cameras first."""
        with self._lock:
            return tuple(sorted(self._states.values(), key=lambda each: (each.source, each.name)))

    def watching(self, source: Kind, name: str) -> None:
        """It gives what can be looked up."""
        self._put(source, name, "watching", "")

    def lost(self, source: Kind, name: str, words: str) -> None:
        """Nothing comes from it, and why."""
        self._put(source, name, "lost", words)

    def unfit(self, source: Kind, name: str, words: str) -> None:
        """What it gives cannot be looked up, and why."""
        self._put(source, name, "unfit", words)

    def looked_up(self, source: Kind, name: str, at: datetime) -> None:
        """Something of it was looked up."""
        with self._lock:
            known = self._known(source, name)
            self._states[source, name] = known.model_copy(
                update={"state": "watching", "words": "", "looked_up": known.looked_up + 1, "at": at}
            )

    def _put(self, source: Kind, name: str, state: Literal["watching", "lost", "unfit"], words: str) -> None:
        with self._lock:
            known = self._known(source, name)
            if (known.state, known.words) != (state, words):
                self._states[source, name] = known.model_copy(update={"state": state, "words": words})

    def _known(self, source: Kind, name: str) -> SearchSource:
        found = self._states.get((source, name))
        if found is None:
            found = self._states[source, name] = SearchSource(source=source, name=name, state="watching")
            # Functions come and go; cameras are few, and those of the settings.
            gone = [each for each in self._states if each[0] == "function"]
            for each in gone[: max(0, len(gone) - _MOST)]:
                del self._states[each]
        return found
