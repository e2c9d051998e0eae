"""Messages of the broker for hosted functions: the topics they subscribe to, handed to who hosts them.

Lives in the dispatch process, which has the connection. What cannot be handed over in time is dropped, the
oldest first. Nothing here acts on a message: that is the function's.
"""

import threading
from collections import deque
from collections.abc import Iterable
from typing import Final, Protocol

from appliance.deeplens.topics import matches
from appliance.errors import ApplianceError
from appliance.wire import Client
from appliance.wire.messages import Handed, HandToFunctions

_KEPT: Final = 64
_TIMEOUT_S: Final = 2.0
_PAUSE_S: Final = 0.5
_MOST_TOPIC: Final = 256
_MOST_BYTES: Final = 128 << 10
"""As AWS IoT had it."""


class Listening(Protocol):
    """The connection to the broker; see `appliance.sinks.mqtt.Mqtt`."""

    def listen(self, topics: frozenset[str]) -> None:
        """Hear these besides the box's own, from now on."""


class FunctionHearing:
    """What functions want to hear, and what came of it.

    Args:
        client: Reaches who hosts them.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._wanted: frozenset[str] = frozenset()
        self._broker: Listening | None = None
        self._waiting: deque[tuple[str, bytes]] = deque(maxlen=_KEPT)
        self._due = threading.Event()

    def want(self, topics: Iterable[str]) -> None:
        """These topics, with `+` and `#`, are subscribed to from now on, and no others."""
        with self._lock:
            wanted = frozenset(topics)
            changed, self._wanted = wanted != self._wanted, wanted
            broker = self._broker
        if changed and broker is not None:
            broker.listen(wanted)

    def attach(self, broker: Listening) -> None:
        """This is the connection."""
        with self._lock:
            self._broker = broker
            wanted = self._wanted
        if wanted:
            broker.listen(wanted)

    def heard(self, topic: str, payload: bytes) -> None:
        """A message came; returns at once."""
        fits = len(topic) <= _MOST_TOPIC and len(payload) <= _MOST_BYTES
        if fits and any(matches(each, topic) for each in self._wanted):
            self._waiting.append((topic, payload))
            self._due.set()

    def nudge(self) -> None:
        """Look now, be it whether it is over."""
        self._due.set()

    def run(self, stop: threading.Event) -> None:
        """Hand over what comes until `stop` is set."""
        while not stop.is_set():
            if not self._due.wait(_PAUSE_S):
                continue
            self._due.clear()
            while self._waiting and not stop.is_set():
                topic, payload = self._waiting.popleft()
                try:
                    message = HandToFunctions(topic=topic)
                    self._client.call(message, Handed, blob=payload, timeout_s=_TIMEOUT_S)
                except ApplianceError:
                    break  # nothing hosts functions now: it was for who listens
