"""How fast a stream is sent to, and for how long the service may be silent: over all of its connections."""

import asyncio
from typing import Final

FRAGMENTS_PER_S: Final = 4.5
"""The service takes five a second of a stream; what waited for days would come faster."""
BYTES_PER_S: Final = 12_000_000
"""The service takes 12.5 MB a second of a stream."""
MOST_PATIENCE: Final = 16.0
"""So many times as long as at first it is waited at most for what was received to be stored."""


class Pace:
    """How fast a stream may be sent to, over all its connections."""

    def __init__(self) -> None:
        self._free_at = float("-inf")

    def left_s(self) -> float:
        """Seconds until the next fragment may go."""
        return self._free_at - asyncio.get_running_loop().time()

    def gone(self, size_bytes: int) -> None:
        """A fragment of this size goes now."""
        self._free_at = asyncio.get_running_loop().time() + max(1 / FRAGMENTS_PER_S, size_bytes / BYTES_PER_S)


class Patience:
    """How long it is waited for what the service received to be stored.

    A service that stores more slowly than it is waited for would be sent the same for ever; so whenever that
    was the end of a connection, the next waits for twice as long.

    Attributes:
        times: So many times as long as at first, from 1 to `MOST_PATIENCE`.
    """

    def __init__(self) -> None:
        self.times = 1.0

    def worn_out(self) -> None:
        """A connection was let go although everything on it had been received."""
        self.times = min(2 * self.times, MOST_PATIENCE)
