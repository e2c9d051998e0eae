"""A cap on bandwidth: what is sent is read from a body that gives no faster than agreed."""

import io
from collections.abc import Callable
from typing import BinaryIO

from appliance.clock import Clock

_CHUNK = 16 * 1024
_BURST_S = 0.25
"""So long may be sent ahead of the rate: shorter than anybody notices in a call."""


class Pace:
    """A rate, shared by everything that is sent one after another.

    Args:
        bytes_s: Bytes a second, > 0.
        clock: Its monotonic seconds.
        sleep: Waits for seconds.
    """

    def __init__(self, bytes_s: float, clock: Clock, sleep: Callable[[float], object]) -> None:
        self._bytes_s = bytes_s
        self._clock = clock
        self._sleep = sleep
        self._free_at = clock.monotonic()

    def spend(self, count: int) -> None:
        """Wait until so many bytes more may have been sent."""
        now = self._clock.monotonic()
        self._free_at = max(self._free_at, now - _BURST_S) + count / self._bytes_s
        if self._free_at > now:
            self._sleep(self._free_at - now)


class PacedBody(io.RawIOBase):
    """Some bytes to send, given out no faster than the pace while they are sent.

    They are read to be signed, too, which costs no bandwidth: only between `sent(True)` and `sent(False)`
    they are held back.

    Args:
        content: What is sent.
        pace: How fast.
    """

    def __init__(self, content: bytes, pace: Pace) -> None:
        super().__init__()
        self._content: BinaryIO = io.BytesIO(content)
        self._pace = pace
        self._sending = True

    def sent(self, *, now: bool) -> None:
        """Whether what is read from now on is sent."""
        self._sending = now

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is: what is sent again begins anew."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """As of any file."""
        return self._content.seek(offset, whence)

    def tell(self) -> int:
        """As of any file."""
        return self._content.tell()

    def read(self, size: int = -1, /) -> bytes:
        """Some bytes; a little at a time while they are sent."""
        if not self._sending:
            return self._content.read(size)
        chunk = self._content.read(_CHUNK if size < 0 else min(size, _CHUNK))
        self._pace.spend(len(chunk))
        return chunk
