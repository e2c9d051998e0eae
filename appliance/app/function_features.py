"""Features that hosted functions publish, handed to the process that searches, without ever waiting.

Of each function the newest waits; what is older is of a moment that is over. What the numbers are is looked
at where they are looked up.
"""

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from appliance.app.function_inferences import Published, handing_over
from appliance.app.inferring import Calling
from appliance.deeplens.messages import FunctionMessage
from appliance.deeplens.project import Project
from appliance.errors import ApplianceError
from appliance.services import Layout
from appliance.settings import Settings
from appliance.wire import Client
from appliance.wire.messages import Done, HandFeatures

_MOST_BYTES: Final = 128 << 10
_BEGINNING: Final = 64
"""Bytes among which the key stands, if it is such a message."""
_TIMEOUT_S: Final = 2.0
_PAUSE_S: Final = 0.5


class FunctionFeatures:
    """The newest features of each function that wait to be handed over.

    Args:
        client: Reaches who searches.
    """

    def __init__(self, client: Calling) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, bytes] = OrderedDict()
        self._due = threading.Event()

    def hear(self, project: Project, message: FunctionMessage) -> None:
        """Take a message, if it looks like one with features; returns at once."""
        payload = message.payload
        if len(payload) <= _MOST_BYTES and b'"features"' in payload[:_BEGINNING]:
            with self._lock:
                self._waiting[project.name] = payload
            self._due.set()

    def run(self, stop: threading.Event) -> None:
        """Hand over what waits until `stop` is set."""
        while not stop.is_set():
            if not self._due.wait(_PAUSE_S):
                continue
            self._due.clear()
            while (waiting := self._next()) is not None and not stop.is_set():
                message = HandFeatures(function=waiting[0])
                try:
                    self._client.call(message, Done, blob=waiting[1], timeout_s=_TIMEOUT_S)
                except ApplianceError:
                    break  # it is being started, or reads the catalogue: the next frame's message tries again

    def _next(self) -> tuple[str, bytes] | None:
        with self._lock:
            return self._waiting.popitem(last=False) if self._waiting else None


@contextlib.contextmanager
def features_heard(settings: Settings, layout: Layout) -> Iterator[Published | None]:
    """Hears what functions publish, for who searches, until the end of the block; None: nobody does."""
    if not settings.search.enabled:
        yield None
        return
    features = FunctionFeatures(Client(layout.socket("search")))
    with handing_over(features.run, "function-features"):
        yield features.hear
