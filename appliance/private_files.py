"""Writing small private files: whole or not at all, mode 0600, flushed to the disk.

Knows nothing of what is in them, and reads none.
"""

import os
import tempfile
from pathlib import Path


def write_once(path: Path, content: bytes) -> bool:
    """Write a private file (0600) whole or not at all; whoever comes second writes nothing.

    Returns:
        Whether this call made the file. If not, another process did, and its content stands.

    Raises:
        OSError: The folder is missing, full, or not writable.
    """
    spare = _spare(path, content)
    try:
        os.link(spare, path)  # fails if it exists, unlike a rename
    except FileExistsError:
        return False
    finally:
        spare.unlink()
    _settle(path.parent)
    return True


def replace(path: Path, content: bytes) -> None:
    """Put a private file (0600) in the place of another, whole or not at all.

    Raises:
        OSError: The folder is missing, full, or not writable.
    """
    _spare(path, content).replace(path)
    _settle(path.parent)


def remove(path: Path) -> None:
    """Delete a file and make that survive a power cut; fine where there is none.

    Raises:
        OSError: It cannot be deleted.
    """
    path.unlink(missing_ok=True)
    _settle(path.parent)


def remove_spares(path: Path) -> None:
    """Delete finished and half-written files that somebody who was killed left beside `path`.

    Only while nobody else may be writing `path`.

    Raises:
        OSError: One cannot be deleted.
    """
    prefix = _prefix(path)
    for each in [name for name in os.listdir(path.parent) if name.startswith(prefix)]:  # noqa: PTH208 - names
        (path.parent / each).unlink(missing_ok=True)
    _settle(path.parent)


def _spare(path: Path, content: bytes) -> Path:
    """A finished file beside `path`, flushed to the disk; mkstemp makes it 0600."""
    descriptor, name = tempfile.mkstemp(prefix=_prefix(path), dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        Path(name).unlink()
        raise
    return Path(name)


def _prefix(path: Path) -> str:
    """What the names of files begin with that are not in their place yet."""
    return f".{path.name}."


def _settle(directory: Path) -> None:
    """Make a new name in a directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
