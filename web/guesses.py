"""Who presents tokens that are none: slowed down by address, whatever they present, for a while.

A token cannot be guessed; this is so that trying costs whoever tries and not the box. A token that was good
lately is let through from anywhere, so that nobody shuts a neighbour out.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from appliance.addresses import network_of
from appliance.errors import ThrottledError

MOST: Final = 20
"""Bad tokens that an IPv4 address, or an IPv6 household, may present in `WINDOW_S`."""
WINDOW_S: Final = 60.0
_REMEMBERED: Final = 1024
"""Addresses, and good tokens; of more, those longest ago are forgotten."""


class Guesses:
    """Counts bad tokens.

    Args:
        seconds: A monotonic clock.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._bad: OrderedDict[str, list[float]] = OrderedDict()
        self._good: OrderedDict[bytes, None] = OrderedDict()

    def admit(self, client: str, token: str) -> None:
        """Let somebody present a token.

        Raises:
            ThrottledError: Too many that came from there lately were none.
        """
        with self._lock:
            if _digest(token) in self._good:
                return
            lately = self._lately(network_of(client))
            if len(lately) >= MOST:
                wait_s = lately[-MOST] + WINDOW_S - self._seconds()
                raise ThrottledError("too many tokens that are none came from there", wait_s=max(wait_s, 1.0))

    def good(self, token: str) -> None:
        """That was one."""
        with self._lock:
            self._good[_digest(token)] = None
            self._good.move_to_end(_digest(token))
            while len(self._good) > _REMEMBERED:
                self._good.popitem(last=False)

    def bad(self, client: str, token: str) -> None:
        """That was none, or is none any more."""
        with self._lock:
            self._good.pop(_digest(token), None)
            network = network_of(client)
            self._bad[network] = [*self._lately(network), self._seconds()][-MOST:]
            self._bad.move_to_end(network)
            while len(self._bad) > _REMEMBERED:
                self._bad.popitem(last=False)

    def _lately(self, network: str) -> list[float]:
        since = self._seconds() - WINDOW_S
        return [at for at in self._bad.get(network, []) if at > since]


def _digest(token: str) -> bytes:
    """What is kept instead of a token."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()
