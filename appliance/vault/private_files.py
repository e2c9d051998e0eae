"""Files of keys: written as `appliance.private_files` does, refused when others may read them.

Knows nothing of what is in them.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance import private_files
from appliance.errors import VaultError

_ROOT = 0


def write_once(path: Path, content: bytes) -> bool:
    """Write a private file (0600) whole or not at all; whoever comes second writes nothing.

    Returns:
        Whether this call made the file. If not, another process did, and its content stands.

    Raises:
        VaultError: The folder is missing, full, or not writable.
    """
    with _trouble(path):
        return private_files.write_once(path, content)


def read_private(path: Path) -> bytes:
    """Read a file that nobody else may read.

    Raises:
        VaultError: Missing, unreadable, somebody else's, or readable by the group or by all.
    """
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise VaultError(f"{path} is open to other accounts", hint=f"chmod 600 {path}")
            if found.st_uid not in (os.geteuid(), _ROOT):
                raise VaultError(f"{path} belongs to another account", hint=f"chown it to uid {os.geteuid()}")
            return file.read()
    except FileNotFoundError as error:
        raise VaultError(
            f"the key {path} is missing",
            hint="restore it from your backup; without it nothing that is sealed can be opened",
        ) from error
    except OSError as error:
        raise VaultError(f"the key {path} cannot be read: {error.strerror}") from error


def replace(path: Path, content: bytes) -> None:
    """Put a private file (0600) in the place of another, whole or not at all.

    Raises:
        VaultError: The folder is missing, full, or not writable.
    """
    with _trouble(path):
        private_files.replace(path, content)


def remove(path: Path) -> None:
    """Delete a file and make that survive a power cut; fine where there is none.

    Raises:
        VaultError: It cannot be deleted.
    """
    with _trouble(path):
        private_files.remove(path)


def remove_spares(path: Path) -> None:
    """Delete what was being written for this name by whoever was killed; nobody may be writing it now.

    Raises:
        VaultError: One cannot be deleted.
    """
    with _trouble(path):
        private_files.remove_spares(path)


@contextmanager
def _trouble(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise VaultError(
            f"{path} cannot be written: {error.strerror}",
            hint="check the state directory's owner and free space",
        ) from error
