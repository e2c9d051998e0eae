"""Reading what a function prints at a bounded rate: a function that prints without end costs us little.

Up to a rate all is kept. Above it whole stretches are left out, and how many lines they had is said in their
place; above a higher one the function waits for us. What becomes of the lines is `function_log`'s.
"""

import os
import time
from collections.abc import Callable, Iterator
from typing import Final

KEPT_A_SECOND: Final = 64 << 10
"""Bytes kept in the long run; ten seconds' worth may be saved up."""
READ_A_SECOND: Final = 8 << 20
"""Bytes read, and counted, in the long run; beyond it the pipe stays full."""
_SAVED_S: Final = 10
_CHUNK: Final = 64 << 10


class _Allowance:
    """So many bytes a second, some seconds' worth of which may be saved up."""

    def __init__(self, rate: int, saved_s: float, now_s: float) -> None:
        self._rate = rate
        self._most = rate * saved_s
        self._left = self._most
        self._at_s = now_s

    def left(self, now_s: float) -> float:
        """Bytes allowed now; negative when too many were taken."""
        self._left = min(self._most, self._left + (now_s - self._at_s) * self._rate)
        self._at_s = now_s
        return self._left

    def take(self, count: int) -> float:
        """Take bytes; seconds to wait until none too many were taken."""
        self._left -= count
        return max(0.0, -self._left / self._rate)


def read_paced(
    descriptor: int,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[bytes]:
    """What comes from a pipe until it ends, in pieces; a piece that was left out ends its line.

    Args:
        descriptor: To read; stays the caller's.
        monotonic: Tells the time, seconds.
        sleep: Waits so many seconds.

    Yields:
        Pieces of at most 64 KiB.
    """
    kept = _Allowance(KEPT_A_SECOND, _SAVED_S, monotonic())
    read = _Allowance(READ_A_SECOND, 1, monotonic())
    left_out = 0
    leaving_out = False
    while True:
        try:
            got = os.read(descriptor, _CHUNK)
        except OSError:
            got = b""
        now_s = monotonic()
        if leaving_out and (not got or kept.left(now_s) >= 2 * _CHUNK):
            leaving_out = False
            yield f"\n[{left_out:,} lines left out: the function prints too much]\n".encode()
            left_out = 0
        if not got:
            return
        leaving_out = leaving_out or kept.left(now_s) < len(got)
        if leaving_out:
            left_out += got.count(b"\n")
        else:
            kept.take(len(got))
            yield got
        read.left(now_s)
        if wait_s := read.take(len(got)):
            sleep(wait_s)
