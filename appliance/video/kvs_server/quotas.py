"""The service's quotas of fragments and bytes, for a server that is told to be strict about them.

What the service says to a producer that breaks one could not be found out, nor over what time it counts. Here
fragments are counted over two seconds and bytes over ten, so that a producer that keeps the pace on average
is not refused because a line held two pieces up.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from appliance.clock import Clock

TOO_SHORT: Final = "MIN_FRAGMENT_DURATION_REACHED"
"""Named in the documentation, without a number."""
TOO_MANY: Final = "FRAGMENTS_PER_SECOND_EXCEEDED"
TOO_FAST: Final = "BANDWIDTH_EXCEEDED"
"""Names of our own."""
_FRAGMENTS_S: Final = 2.0
_BYTES_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Quotas:
    """What a stream may be sent. The defaults are the documentation's.

    Attributes:
        fragments_per_s: Fragments a second.
        bytes_per_s: Bytes a second.
        min_fragment_ms: From the begin of a fragment to that of the next; the last of a body may be shorter,
            as the official sample's is.
    """

    fragments_per_s: int = 5
    bytes_per_s: int = 12_500_000
    min_fragment_ms: int = 1_000


class Meter:
    """Counts what one stream is sent, over all its connections.

    Args:
        quotas: What it may be.
        clock: Of the server.
    """

    def __init__(self, quotas: Quotas, clock: Clock) -> None:
        self.quotas = quotas
        self._clock = clock
        self._begun: deque[float] = deque()
        self._came: deque[tuple[float, int]] = deque()
        self._bytes = 0

    def fragment(self) -> str:
        """A fragment begins; the quota that it breaks, empty if none."""
        now = self._clock.monotonic()
        while self._begun and now - self._begun[0] >= _FRAGMENTS_S:
            self._begun.popleft()
        self._begun.append(now)
        return TOO_MANY if len(self._begun) > self.quotas.fragments_per_s * _FRAGMENTS_S else ""

    def data(self, size_bytes: int) -> str:
        """So much came; the quota that it breaks, empty if none."""
        now = self._clock.monotonic()
        while self._came and now - self._came[0][0] >= _BYTES_S:
            self._bytes -= self._came.popleft()[1]
        self._came.append((now, size_bytes))
        self._bytes += size_bytes
        return TOO_FAST if self._bytes > self.quotas.bytes_per_s * _BYTES_S else ""
