"""A process of its own that merges two people and is killed in the middle: address, keep, other, seals."""

import os
import signal
import sys

from seals import ToySeal
from stores import store


class Killed(ToySeal):
    """Seals so many values, then ends this process as a power cut would."""

    left = int(sys.argv[4])

    def seal(self, wrapped_key: bytes, subject: str, plaintext: bytes, *, row: str) -> bytes:
        """Until the end."""
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1
        return super().seal(wrapped_key, subject, plaintext, row=row)


if __name__ == "__main__":
    with store(sys.argv[1], seal=Killed(), seed=9) as people:
        people.merge(sys.argv[2], sys.argv[3])
