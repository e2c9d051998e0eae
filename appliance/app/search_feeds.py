"""Features that hosted functions publish, looked up: one thing once, as before a camera.

A message is trusted with nothing but its numbers. A function whose features are of another network than the
one that is searched with is told of as unfit, and nothing is looked up for it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Final

from appliance.app.search_answering import Answering, Looked
from appliance.app.search_sources import SourceStates
from appliance.errors import FeaturesError
from appliance.search import SIZES, HeldStill, StillRules, read_features_message
from appliance.values import FloatArray
from appliance.wire import Handler, Message, Reply, Request
from appliance.wire.messages import Done, FoundTold, HandFeatures

_MOST: Final = 64
"""Functions that are followed at once."""


class FunctionFeeds:
    """Takes what functions publish.

    Args:
        hold_s: Seconds for which a function has to see one thing.
        answering: Looks up.
        tell: Tells what came of it.
        states: Where it is told how each function is.
        monotonic: Seconds.
        wall: The time, aware.
    """

    def __init__(
        self,
        hold_s: float,
        answering: Answering,
        tell: Callable[[FoundTold, FloatArray], object],
        states: SourceStates,
        *,
        monotonic: Callable[[], float],
        wall: Callable[[], datetime],
    ) -> None:
        self._rules = StillRules(still_s=hold_s)
        self._answering = answering
        self._tell = tell
        self._states = states
        self._monotonic = monotonic
        self._wall = wall
        self._lock = threading.Lock()
        self._still: OrderedDict[tuple[str, str], HeldStill] = OrderedDict()

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for a server."""
        return {HandFeatures: self.hand}

    def hand(self, request: Request[HandFeatures]) -> Reply[Done]:
        """Look up what a function published, if it has rested and was not looked up before.

        Raises:
            SearchError: There is nothing to search in.
            StoreError: The catalogue cannot be read.
        """
        self.take(request.message.function, request.blob)
        return Reply(Done())

    def take(self, function: str, payload: bytes) -> FoundTold | None:
        """The same; what came of it, None: nothing was looked up."""
        current = self._answering.current
        try:
            features = read_features_message(payload, sizes={*SIZES, current.numbers})
            if features.shape != (current.numbers,):
                words = f"it publishes {features.size} numbers, and those of {current.model} are"
                self._states.unfit("function", function, f"{words} {current.numbers}")
                return None
        except FeaturesError as error:
            self._states.unfit("function", function, error.message)
            return None
        self._states.watching("function", function)
        with self._lock:
            # Features of two networks cannot be compared: with another one it begins anew.
            which = function, current.featurizer
            still = self._still.setdefault(which, HeldStill(self._rules))
            self._still.move_to_end(which)
            while len(self._still) > _MOST:
                self._still.popitem(last=False)
            rests = still.look(features, self._monotonic())
        if not rests:
            return None
        at = self._wall()
        found = self._answering.answer(features, Looked("function", function, at), searched=current)
        self._states.looked_up("function", function, at)
        self._tell(found, features)
        return found
