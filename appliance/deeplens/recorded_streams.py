"""What a function records with `DeepLens_Kinesis_Video`: its streams, which of them are started, and of what.

A stream that is started is video of the function's camera for as long as the function wants it. Recording is
somebody else's: whoever records is told when one begins and ends. A function that ends ends its streams.
"""

import re
import threading
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from appliance.deeplens.guest.messages import Stream

_log = structlog.get_logger()

PREFIX: Final = "deeplens-"
"""Stands before every stream's name, as the device's own module put it there."""
MAX_STREAMS: Final = 32
"""Of one function."""
_NAME: Final = re.compile(r"[a-zA-Z0-9_.-]{1,256}")
"""What Kinesis Video Streams takes for a stream's name."""


class Filming(Protocol):
    """Records cameras for streams; returns at once and raises nothing."""

    def begin(self, camera: str, stream: str, retention_hours: float) -> None:
        """Record a camera for a stream until it is said otherwise."""

    def end(self, camera: str, stream: str) -> None:
        """Record it no more; nothing if it is not recorded."""


class FunctionRecordings:
    """The streams of one function.

    Args:
        filming: Records.
        camera: Id of its camera; empty: the first.
        told: Takes a line for the function's log.
    """

    def __init__(
        self, filming: Filming, camera: str, told: Callable[[str], None] = lambda _line: None
    ) -> None:
        self._filming = filming
        self._camera = camera
        self._told = told
        self._lock = threading.Lock()
        self._retention: dict[str, float] = {}
        self._started: set[str] = set()
        self._refused: set[str] = set()

    def tell(self, message: Stream) -> None:
        """What the function said of a stream."""
        name = message.name if message.name.startswith(PREFIX) else PREFIX + message.name
        if message.action == "create":
            self.create(name, message.retention_hours)
        elif message.action == "start":
            self.start(name)
        else:
            self.stop(name)

    def create(self, name: str, retention_hours: float) -> None:
        """There is such a stream from now on; one that is there already keeps what it has."""
        with self._lock:
            if name in self._retention:
                return
            if not _NAME.fullmatch(name):
                words = (
                    "a stream's name is letters, digits, _, - and . (up to 256): nothing is recorded into it"
                )
            elif len(self._retention) >= MAX_STREAMS:
                words = f"a function has {MAX_STREAMS} streams at most: nothing is recorded into another"
            elif not retention_hours:
                words = (
                    "a stream that keeps what it has for 0 hours keeps nothing: nothing is recorded into it"
                )
            else:
                self._retention[name] = retention_hours
                return
            known = words in self._refused
            self._refused.add(words)
        if not known:  # once a run: a function may ask as often as it likes
            _log.warning("recordings", reason=words)
            self._told(words)

    def start(self, name: str) -> None:
        """Record into it; nothing if it is recorded into already, or was never created."""
        with self._lock:
            hours = self._retention.get(name)
            if hours is None or name in self._started:
                return
            self._started.add(name)
        self._filming.begin(self._camera, name, hours)

    def stop(self, name: str) -> None:
        """Record no more; nothing if nothing is recorded into it."""
        with self._lock:
            if name not in self._started:
                return
            self._started.discard(name)
        self._filming.end(self._camera, name)

    def over(self) -> None:
        """The function has ended: so have its recordings."""
        for name in self.active:
            self.stop(name)
        with self._lock:
            self._refused.clear()

    @property
    def active(self) -> tuple[str, ...]:
        """Names of the streams that are recorded into."""
        with self._lock:
            return tuple(sorted(self._started))
