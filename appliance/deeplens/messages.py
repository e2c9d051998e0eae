"""What a function published: the last thousand messages, numbered, and how many were dropped.

Kept in memory and nowhere else: a message may say who was seen. Whoever reads asks for what came after the
last number they have, and may wait for it.
"""

import json
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

KEPT: Final = 1000
"""Messages that are kept of one function."""
KEPT_BYTES: Final = 16 << 20
"""Bytes of payload that are kept of one function; a featurizer's thousand messages are 20 MB."""


@dataclass(frozen=True, slots=True)
class FunctionMessage:
    """One message.

    Attributes:
        sequence: From 1, in the order in which the host read them; gaps do not occur.
        at: Aware UTC time at which the host read it.
        topic: As the function gave it.
        payload: As the function gave it; often JSON, as often free text.
    """

    sequence: int
    at: datetime
    topic: str
    payload: bytes

    @property
    def text(self) -> str:
        """The payload as text that can be shown: bytes that are none are replaced."""
        return self.payload.decode("utf-8", "replace")

    @property
    def is_json(self) -> bool:
        """Whether the payload is JSON."""
        try:
            json.loads(self.payload)
        except (ValueError, RecursionError):
            return False
        return True


class MessageRing:
    """The newest messages of one function; written by one thread, read by any.

    Args:
        kept: Messages that are kept.
        kept_bytes: Bytes of payload that are kept; the newest message is kept in any case.
    """

    def __init__(self, kept: int = KEPT, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept = kept
        self._kept_bytes = kept_bytes
        self._messages: deque[FunctionMessage] = deque()
        self._bytes = 0
        self._newest = 0
        self._dropped = 0
        self._came = threading.Condition()

    @property
    def newest(self) -> int:
        """Number of the newest message; 0 before the first."""
        with self._came:
            return self._newest

    @property
    def dropped(self) -> int:
        """Messages that never reached the ring: the function made more than is taken."""
        with self._came:
            return self._dropped

    def add(self, topic: str, payload: bytes, at: datetime) -> FunctionMessage:
        """Keep a message, and let the oldest go."""
        with self._came:
            self._newest += 1
            message = FunctionMessage(self._newest, at, topic, payload)
            self._messages.append(message)
            self._bytes += len(payload)
            while len(self._messages) > 1 and (
                len(self._messages) > self._kept or self._bytes > self._kept_bytes
            ):
                self._bytes -= len(self._messages.popleft().payload)
            self._came.notify_all()
        return message

    def drop(self, count: int = 1) -> None:
        """Note that so many messages were lost before they came here."""
        with self._came:
            self._dropped += count

    def after(self, sequence: int, *, most: int = 100, wait_s: float = 0.0) -> Sequence[FunctionMessage]:
        """The oldest kept messages with a greater number.

        Args:
            sequence: The last that the reader has; 0: from the oldest that is kept.
            most: How many at once.
            wait_s: Seconds to wait for one if there is none.
        """
        with self._came:
            self._came.wait_for(lambda: self._newest > sequence, wait_s)
            found = [each for each in self._messages if each.sequence > sequence]
        return found[:most]
