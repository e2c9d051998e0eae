"""Seats for streams: so many at once, so many for one caller, and some that only screens may take.

Counts, and knows nothing of what is sent.
"""

import threading
from collections import Counter
from typing import Final

MOST: Final = 72
"""Streams at once; the server's other threads are for what arrives and for pages."""
MOST_OF_ONE: Final = 12
"""Streams of one operator, token or screen: a browser opens six to a host, and this is two of them."""
FOR_SCREENS: Final = 24
"""Seats that only screens take: people who look on, however many, turn no office screen dark."""


class Seats:
    """Who has a seat."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: Counter[str] = Counter()
        self._screens: set[str] = set()

    def take(self, caller: str, *, screen: bool) -> bool:
        """Take a seat; whether there was one.

        Args:
            caller: Opaque id of who looks.
            screen: Whether that is a paired screen.
        """
        with self._lock:
            people = sum(many for whose, many in self._of.items() if whose not in self._screens)
            full = self._of.total() >= MOST or (not screen and people >= MOST - FOR_SCREENS)
            if full or self._of[caller] >= MOST_OF_ONE:
                return False
            if screen:
                self._screens.add(caller)
            self._of[caller] += 1
            return True

    def give_back(self, caller: str) -> None:
        """One of theirs ended."""
        with self._lock:
            self._of[caller] -= 1
            if self._of[caller] <= 0:
                del self._of[caller]
                self._screens.discard(caller)
