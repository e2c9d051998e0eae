"""Who has the device key in memory: any number of processes, or alone the one that changes it.

Told by a lock on the state directory itself: it leaves no file, which would be owned by whoever came first,
and goes with its process, however that ends. Knows nothing of keys; whoever loads one takes hold first.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.errors import VaultError

PATIENCE_S = 10.0
"""For a change that is under way: thousands of people's keys are wrapped anew in that time."""
_EVERY_S = 0.05


@contextmanager
def held(directory: Path, *, alone: bool = False, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Around all use of the device key: from before it is loaded until it is let go of.

    Args:
        directory: The state directory, which is there.
        alone: For whoever changes the key. That waits for nobody.
        patience_s: How long everybody else waits for a change that is under way.

    Raises:
        VaultError: Somebody holds the key that is to be changed; it is being changed, and that takes long; or
            the directory cannot be locked.
    """
    try:
        folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise _unlockable(directory, error) from error
    try:
        if not _taken(folder, directory, alone=alone, patience_s=patience_s):
            raise _changed_elsewhere() if not alone else _held_elsewhere()
        yield
    finally:
        os.close(folder)


def _taken(folder: int, directory: Path, *, alone: bool, patience_s: float) -> bool:
    """Whether it could be locked, at once or in time."""
    until = time.monotonic() + (0 if alone else patience_s)
    while True:
        try:
            fcntl.flock(folder, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_EVERY_S)
        except OSError as error:
            raise _unlockable(directory, error) from error
        else:
            return True


def _held_elsewhere() -> VaultError:
    return VaultError(
        "the appliance is running, or one of its commands, and holds the present key",
        hint="stop the appliance, let its commands come to their end, and start it again afterwards",
    )


def _changed_elsewhere() -> VaultError:
    return VaultError(
        "the device key is being changed at this moment",
        hint="try again when that has come to its end",
    )


def _unlockable(directory: Path, error: OSError) -> VaultError:
    return VaultError(
        f"{directory} cannot be locked: {error.strerror}",
        hint="check its owner; the state belongs on a disk of this machine",
    )
