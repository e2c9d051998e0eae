"""Secrets on their way from the request that makes them to the page that shows them, once.

A form that made one answers with a redirect, so that loading the page again makes nothing; what is to be
shown waits here for that page, a minute at most, for the browser that made it alone. Nothing is written
anywhere.
"""

import hashlib
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from appliance.clock import Clock

LASTS_S: Final = 60.0
MOST: Final = 64


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Something to be shown: to whom (a digest of what they presented), what, until when."""

    whose: bytes
    what: Mapping[str, Any]
    until_s: float


class ShownOnce:
    """What waits to be shown.

    Args:
        clock: Its steady time is used.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[str, _Waiting] = {}

    def put(self, credential: str, what: Mapping[str, Any]) -> str:
        """Keep something for the next page of who presents this credential.

        Returns:
            Its name, for an address; it says nothing, and is of no use to anybody else.
        """
        name = secrets.token_urlsafe(12)
        now = self._clock.monotonic()
        with self._lock:
            left = {key: each for key, each in self._waiting.items() if each.until_s > now}
            for oldest in list(left)[: max(len(left) - MOST + 1, 0)]:
                del left[oldest]
            self._waiting = left | {name: _Waiting(_digest(credential), what, now + LASTS_S)}
        return name

    def take(self, credential: str, name: str) -> Mapping[str, Any] | None:
        """What was kept under a name; None: it was shown already, is too old, or another's."""
        with self._lock:
            found = self._waiting.get(name)
            if found is None or not secrets.compare_digest(found.whose, _digest(credential)):
                return None
            del self._waiting[name]
        return found.what if found.until_s > self._clock.monotonic() else None


def _digest(credential: str) -> bytes:
    return hashlib.sha256(credential.encode()).digest()
