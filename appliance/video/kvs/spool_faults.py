"""What can be wrong with a spool's disk and key: in words, and how often a file could not be read.

Nothing is read or deleted here; what is done about it is `spool`'s business.
"""

import errno
from typing import Final

from appliance.errors import ApplianceError, StreamError

READ_TRIES: Final = 5
"""So often a file may fail to be read until the others go on without it."""
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The errors of a disk that has no room; any other is none that deleting something helps against."""


class UnreadFiles:
    """Files that cannot be read, by their place in the spool's order; locks nothing."""

    def __init__(self) -> None:
        self._tries: dict[int, int] = {}
        self._aside: set[int] = set()

    def tried(self, sequence: int) -> bool:
        """Note that one could not be read; whether that was often enough to go on without it."""
        self._tries[sequence] = self._tries.get(sequence, 0) + 1
        return self._tries[sequence] >= READ_TRIES

    def set_aside(self, sequence: int) -> None:
        """Go on without it."""
        self._aside.add(sequence)

    def is_aside(self, sequence: int) -> bool:
        """Whether the others go on without it."""
        return sequence in self._aside

    def clear(self) -> None:
        """Try all of them anew."""
        self._tries.clear()
        self._aside.clear()


def unusable(error: OSError) -> StreamError:
    """The disk does not give or take what waits."""
    return StreamError(
        f"what waits to be sent cannot be kept: {error.strerror}",
        reason="spool",
        hint="look at the disk: its room, and whose the state directory is",
    )


def shut(error: ApplianceError) -> StreamError:
    """The key of what waits cannot be had, or opens nothing."""
    return StreamError(
        f"what waits to be sent cannot be opened now: {error.message}",
        reason="spool",
        hint=error.hint or "look at the disk, and at the key that lies beside what waits",
    )
