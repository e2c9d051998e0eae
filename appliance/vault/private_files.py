"""Small private files: written whole or not at all, mode 0600, refused when others may read them.

Knows nothing of what is in them.
"""

import os
import stat
import tempfile
from pathlib import Path

from appliance.errors import VaultError

_ROOT = 0


def write_once(path: Path, content: bytes) -> bool:
    """Write a private file (0600) whole or not at all; whoever comes second writes nothing.

    Returns:
        Whether this call made the file. If not, another process did, and its content stands.

    Raises:
        VaultError: The folder is missing, full, or not writable.
    """
    try:
        spare = _spare(path, content)
        try:
            os.link(spare, path)  # fails if it exists, unlike a rename
        except FileExistsError:
            return False
        finally:
            spare.unlink()
        _settle(path.parent)
    except OSError as error:
        raise VaultError(
            f"{path} cannot be written: {error.strerror}",
            hint="check the state directory's owner and free space",
        ) from error
    return True


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
    try:
        _spare(path, content).replace(path)
        _settle(path.parent)
    except OSError as error:
        raise VaultError(f"{path} cannot be written: {error.strerror}") from error


def _spare(path: Path, content: bytes) -> Path:
    """A finished file beside `path`, flushed to the disk; mkstemp makes it 0600."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        Path(name).unlink()
        raise
    return Path(name)


def _settle(directory: Path) -> None:
    """Make a new name in a directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
