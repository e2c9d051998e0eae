"""What is seen, to the topic that DeepLens projects listen to: as it comes, without receipts.

It is for who wants to know what is there now: what cannot leave in time is dropped, the oldest first, and
nothing of it is kept for a broker that is away. What must not be lost is an event.
"""

import threading
from collections import deque
from typing import Final, Protocol

_KEPT: Final = 64
"""Messages that may wait: some seconds of what a few cameras see."""
_LEAVE_S: Final = 1.0
"""How long one may take to leave before the next is looked at."""
_PAUSE_S: Final = 0.5


class Broker(Protocol):
    """The connection; see `appliance.sinks.mqtt.Mqtt`."""

    def offer(self, topic: str, payload: bytes, *, wait_s: float) -> bool:
        """Publish without a receipt, if there is a connection; whether it went out."""


class InferTopic:
    """The messages that wait to be published.

    Attributes:
        dropped: How many were not published since the beginning.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._lock = threading.Lock()
        self._due = threading.Event()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def publish_inference(self, payload: bytes, topic: str = "") -> None:
        """Take a message; returns at once.

        Args:
            payload: What to say.
            topic: Where, if not where the box says what it sees.
        """
        with self._lock:
            self._waiting.append((topic, payload))
            while len(self._waiting) > _KEPT:
                self._waiting.popleft()
                self.dropped += 1
        self._due.set()

    def nudge(self) -> None:
        """Look now, be it whether it is over."""
        self._due.set()

    def run(self, broker: Broker, topic: str, stop: threading.Event) -> None:
        """Publish what comes until `stop` is set."""
        while not stop.is_set():
            if not self._due.wait(_PAUSE_S):
                continue
            self._due.clear()
            while (message := self._next()) is not None and not stop.is_set():
                if not broker.offer(message[0] or topic, message[1], wait_s=_LEAVE_S):
                    self.dropped += 1

    def _next(self) -> tuple[str, bytes] | None:
        with self._lock:
            return self._waiting.popleft() if self._waiting else None
