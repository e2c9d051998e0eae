"""Event and subject ids: UUID version 7 (RFC 9562, 5.7), random or reproducible.

The standard library has `uuid.uuid7` from Python 3.14 only. The twelve bits after the version
hold the fraction of the millisecond (RFC 9562, 6.2, method 3), so ids sort by time to about a
quarter of a microsecond; positions in the chain, not ids, say what came first.
"""

import hashlib
import secrets
from datetime import UTC, datetime
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Ids(Protocol):
    """Makes ids."""

    def __call__(self, at: datetime) -> str:
        """A new id for something that happened at `at` (aware); 36 characters, lower case."""


class RandomIds:
    """Ids whose last 62 bits nobody can guess."""

    def __call__(self, at: datetime) -> str:
        """A new id."""
        return uuid7(at, secrets.randbits(62))


class SeededIds:
    """The same ids in the same order for the same seed: for replays and tests."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._made = 0

    def __call__(self, at: datetime) -> str:
        """The next id of this seed."""
        self._made += 1
        digest = hashlib.sha256(f"{self._seed}:{self._made}".encode()).digest()
        return uuid7(at, int.from_bytes(digest[:8], "big") >> 2)


def uuid7(at: datetime, tail: int) -> str:
    """Put an id together.

    Args:
        at: Aware time; before 1970 counts as 1970.
        tail: The last 62 bits, 0 <= tail < 2**62.
    """
    since = at - _EPOCH
    microseconds = max(0, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)
    milliseconds, rest = divmod(microseconds, 1000)
    bits = (milliseconds & (2**48 - 1)) << 80 | 0x7 << 76 | (rest * 4096 // 1000) << 64 | 0b10 << 62 | tail
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
