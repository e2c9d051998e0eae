"""What was found, told: on the newest matches, on the camera's project view, on the topic of what is seen.

Whoever looks things up does not wait for loop or broker: what cannot be told in time is dropped, the oldest
first.
"""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

from appliance.app.search_newest import NewestFound
from appliance.errors import ApplianceError
from appliance.search import features_message
from appliance.settings import SearchSettings
from appliance.values import FloatArray
from appliance.wire import Message, Reply
from appliance.wire.messages import Done, FoundTold, PublishInference, ShowFound

NOTHING: Final = "nothing like it"
_KEPT: Final = 32
_TIMEOUT_S: Final = 1.0
_PAUSE_S: Final = 0.5
_SHORT_S: Final = 3.0
"""For so long it is shown at most that there is nothing like it."""
_WORDS: Final = 160


class Calling(Protocol):
    """A client of our own sockets, as far as it is needed here."""

    def call(self, message: Message, answer: type[Done], *, timeout_s: float) -> Reply[Done]:
        """Ask and wait."""


class Telling:
    """Tells what was found.

    Args:
        settings: For how long it is shown, and what is published.
        newest: Takes it first.
        loop: Shows it.
        dispatch: Publishes it; None: there is no broker.
    """

    def __init__(
        self, settings: SearchSettings, newest: NewestFound, loop: Calling, dispatch: Calling | None
    ) -> None:
        self._settings = settings
        self._newest = newest
        self._loop = loop
        self._dispatch = dispatch
        self._waiting: deque[Callable[[], object]] = deque(maxlen=_KEPT)
        self._due = threading.Event()

    def tell(self, found: FoundTold, features: FloatArray) -> FoundTold:
        """Tell what came of a look-up; returns at once, with its number.

        Args:
            found: That.
            features: What was looked up, float32.
        """
        numbered = self._newest.put(found)
        if numbered.source == "camera":
            shown = shown_found(numbered, self._settings.show_s)
            if shown is not None:
                self._waiting.append(lambda: self._loop.call(shown, Done, timeout_s=_TIMEOUT_S))
            self._publish(numbered, features)
            self._due.set()
        return numbered

    def _publish(self, found: FoundTold, features: FloatArray) -> None:
        dispatch, what = self._dispatch, self._settings.publish
        if dispatch is None or what == "nothing":
            return
        # Features go out as the sample sent them, whatever they are like; matches where there are any.
        payload = features_message(features) if what == "features" else matches_message(found)
        if what == "matches" and not found.known:
            return
        message = PublishInference(camera=found.name, payload=payload.decode())
        self._waiting.append(lambda: dispatch.call(message, Done, timeout_s=_TIMEOUT_S))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Tell what waits, in a thread of its own, until the end of the block."""
        stop = threading.Event()
        thread = threading.Thread(target=self.run, args=(stop,), name="search-telling", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            self._due.set()
            thread.join(2 * _TIMEOUT_S)

    def run(self, stop: threading.Event) -> None:
        """Tell what waits until `stop` is set."""
        while not stop.is_set():
            if not self._due.wait(_PAUSE_S):
                continue
            self._due.clear()
            while self._waiting and not stop.is_set():
                try:
                    self._waiting.popleft()()
                except ApplianceError:
                    continue  # loop or dispatch is away: it was for who looks on now


def shown_found(found: FoundTold, for_s: float) -> ShowFound | None:
    """What a camera's project view is to say; None: it was not seen in a picture."""
    if found.box is None:
        return None
    best = found.matches[0] if found.matches else None
    words = NOTHING if best is None else f"{best.title[:_WORDS]} {best.score:.2f}"
    seconds = for_s if found.known else min(for_s, _SHORT_S)
    return ShowFound(camera=found.name, words=words, known=found.known, box=found.box, for_s=seconds)


def matches_message(found: FoundTold) -> bytes:
    """Matches as JSON, with the sample's keys: `{"matches": [{"id", "title", "url", …}]}`, best first."""
    matches: list[dict[str, Any]] = [
        {
            "id": each.item,
            "title": each.title,
            "url": each.link,
            "price": each.price,
            "score": round(each.score, 4),
        }
        for each in found.matches
    ]
    told = {"timestamp": round(found.at.timestamp(), 3), "camera": found.name, "matches": matches}
    return json.dumps(told).encode()
