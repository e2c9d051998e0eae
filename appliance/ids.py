"""Ids: UUIDv7 (RFC 9562, section 5.7), opaque, ordered by the time they were made.

A factory is handed in wherever ids are made, so that a replay makes the same ones every
time. (`uuid.uuid7` is in the standard library from Python 3.14 only.)
"""

import os
import random
import uuid
from collections.abc import Callable
from datetime import datetime

IdFactory = Callable[[datetime], str]
"""Makes an id for something that happened at an aware time."""


def random_ids(at: datetime) -> str:
    """A UUIDv7 with randomness from the operating system."""
    return _uuid7(at, int.from_bytes(os.urandom(10)))


def seeded_ids(seed: int) -> IdFactory:
    """A factory whose ids depend on the seed, the times and the order of calls only."""
    source = random.Random(seed)  # noqa: S311 - repeatable on purpose; ids are not secrets

    def make(at: datetime) -> str:
        return _uuid7(at, source.getrandbits(80))

    return make


def _uuid7(at: datetime, bits: int) -> str:
    """48 bits of Unix milliseconds, version, 12 random bits, variant, 62 random bits."""
    milliseconds = int(at.timestamp() * 1000) & 0xFFFF_FFFF_FFFF
    value = milliseconds << 80 | 0x7 << 76 | (bits >> 68 & 0xFFF) << 64 | 0b10 << 62 | bits & (1 << 62) - 1
    return str(uuid.UUID(int=value))
