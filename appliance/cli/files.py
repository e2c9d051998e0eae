"""Files that a command writes where the admin said; never inside the state directory."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from appliance import private_files
from appliance.errors import InputError


def write_file(path: Path, content: bytes) -> None:
    """Write a file.

    Raises:
        InputError: The place cannot be written to.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        raise _not_written(path, error) from error


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read (0600), whole or not at all: pictures of a camera.

    Raises:
        InputError: The place cannot be written to.
    """
    try:
        private_files.replace(path, content)
    except OSError as error:
        raise _not_written(path, error) from error


def _not_written(path: Path, error: OSError) -> InputError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "make room there, or choose a file on another disk"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        hint = "choose a file in a folder that you may write to"
    else:
        hint = "choose a file in a folder that is there"
    return InputError(f"{path} cannot be written: {error.strerror}", hint=hint)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A new file to write piece by piece (0600); it is there under its name when the block ends well.

    Raises:
        InputError: There is one of that name, or the place cannot be written to.
    """
    spare = path.with_name(f"{path.name}.part")
    if path.exists():
        raise InputError(f"{path} is there already", hint="choose another name")
    try:
        with open(spare, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            yield file
        spare.replace(path)
    except FileExistsError as error:
        raise InputError(f"{spare} is in the way", hint="an earlier run was broken off: delete it") from error
    except OSError as error:
        spare.unlink(missing_ok=True)
        raise _not_written(path, error) from error
    except BaseException:
        spare.unlink(missing_ok=True)
        raise


def make_folder(path: Path) -> None:
    """Make a folder and those above it, unless it is there.

    Raises:
        InputError: It cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be made: {error.strerror}", hint="choose another folder") from error
