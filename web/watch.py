"""Who holds connections of the server, for how long a request may take to arrive, and ending them all.

One that speaks slowly is cut, and sooner where others wait: of whoever holds most, the longest under way.
One household may hold only so many. What a connection is made of is no business of this module.
"""

import threading
import time
from collections import Counter
from collections.abc import Mapping
from enum import Enum
from typing import Final, Protocol

from appliance.addresses import network_of

HEAD_S: Final = 10.0
"""Seconds from the first byte (the TLS handshake included) until a request's head must be here."""
BODY_S: Final = 20.0
"""Seconds for a body, besides what its length allows."""
BODY_BYTES_S: Final = 50_000
"""A body must come at least so fast, bytes a second: slow phones do."""
MOST: Final = 400
"""Connections at once."""
MOST_OF_ONE: Final = 64
"""Connections of one address at once, of IPv6 of one /64. A proxy's are not counted."""
MOST_OF_OURS: Final = 200
"""Connections of this machine itself at once: tunnels end here, with many people in them."""
HEADS: Final = 16
"""Threads that may wait for the rest of a request's head."""
BODIES: Final = 24
"""Threads that may wait for the rest of a body."""
_OURS: Final = frozenset({network_of("127.0.0.1"), network_of("::1")})


class Part(Enum):
    """What is waited for."""

    HANDSHAKE = "handshake"
    HEAD = "head"
    BODY = "body"


class Watched(Protocol):
    """A connection, as far as `Watch` knows it."""

    remote_addr: str | None
    """Of the client."""
    serving: bool
    """Whether a thread is busy with it."""

    def cut(self) -> None:
        """End it, from any thread."""


class Watch:
    """Knows every open connection, and cuts those that take too long to say what they want.

    Args:
        counted: Whether connections of one address are limited; not behind a proxy.
        head_s: Seconds from a request's first byte until its head must be here.
        heads: Threads that may wait for the rest of a head. One more, and the one that is longest under way
            is cut, of whoever has most of them.
        bodies: Likewise for bodies.
    """

    def __init__(
        self, *, counted: bool = True, head_s: float = HEAD_S, heads: int = HEADS, bodies: int = BODIES
    ) -> None:
        self.head_s = head_s
        self._counted = counted
        self._most = {Part.HEAD: heads, Part.BODY: bodies}
        self._lock = threading.Lock()
        self._open: dict[Watched, str] = {}
        self._of: Counter[str] = Counter()
        self._due: dict[Watched, float] = {}
        self._arriving: dict[Part, dict[Watched, None]] = {part: {} for part in self._most}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look at the time."""
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Cut every connection, whatever it is in the middle of, and look no more."""
        self._stop.set()
        with self._lock:
            still = list(self._open)
        for each in still:
            each.cut()
        if self._thread is not None:
            self._thread.join()

    def busy(self) -> bool:
        """Whether any of them is being served."""
        with self._lock:
            return any(each.serving for each in self._open)

    def admit(self, connection: Watched) -> bool:
        """Take a new connection up; whether there is room for it.

        Where all places are taken, one that is idle is cut, of whoever holds more than the newcomer would.
        """
        whose = network_of(connection.remote_addr or "")
        displaced = None
        with self._lock:
            most = MOST_OF_OURS if whose in _OURS else MOST_OF_ONE
            if self._stop.is_set() or (self._counted and self._of[whose] >= most):
                return False
            if len(self._open) >= MOST:
                displaced = self._idle_of_the_greedy(self._of[whose] + 1)
                if displaced is None:
                    return False
                self._drop(displaced)
            self._open[connection] = whose
            self._of[whose] += 1
        if displaced is not None:
            displaced.cut()
        return True

    def forget(self, connection: Watched) -> None:
        """It was closed."""
        with self._lock:
            self._drop(connection)

    def expect(self, connection: Watched, within_s: float, part: Part) -> None:
        """What it is sending has to be here in time."""
        displaced = None
        with self._lock:
            if connection not in self._open:
                return
            self._due[connection] = time.monotonic() + within_s
            if part in self._arriving:
                under_way = self._arriving[part]
                under_way[connection] = None
                if len(under_way) > self._most[part]:
                    displaced = self._longest_of_the_greedy(under_way)
                    del under_way[displaced]
        if displaced is not None:
            displaced.cut()

    def arrived(self, connection: Watched) -> None:
        """It is here; what is done with it may take as long as it takes."""
        with self._lock:
            self._arrived(connection)

    def _arrived(self, connection: Watched) -> None:
        self._due.pop(connection, None)
        for under_way in self._arriving.values():
            under_way.pop(connection, None)

    def _drop(self, connection: Watched) -> None:
        self._arrived(connection)
        whose = self._open.pop(connection, None)
        if whose is not None:
            self._of[whose] -= 1
            if not self._of[whose]:
                del self._of[whose]

    def _idle_of_the_greedy(self, fair: int) -> Watched | None:
        """The oldest that no thread serves, of whoever holds most; None if nobody holds more than `fair`."""
        for whose, many in self._of.most_common():
            if many <= fair:
                return None
            for each, owner in self._open.items():
                if owner == whose and not each.serving:
                    return each
        return None

    def _longest_of_the_greedy(self, under_way: Mapping[Watched, None]) -> Watched:
        """The one longest under way, of whoever has most of these."""
        many = Counter(self._open[each] for each in under_way)
        return max(under_way, key=lambda each: many[self._open[each]])  # the first of equals: the oldest

    def _look(self) -> None:
        while not self._stop.wait(0.5):
            now = time.monotonic()
            with self._lock:
                late = [each for each, due in self._due.items() if due < now]
            for each in late:
                each.cut()
