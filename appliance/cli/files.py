"""Files that a command writes where the admin said; never inside the state directory."""

from pathlib import Path

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
        raise InputError(
            f"{path} cannot be written: {error.strerror}", hint="choose a file in a folder that is there"
        ) from error


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read (0600), whole or not at all: pictures of a camera.

    Raises:
        InputError: The place cannot be written to.
    """
    try:
        private_files.replace(path, content)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}", hint="choose a file in a folder that is there"
        ) from error


def make_folder(path: Path) -> None:
    """Make a folder and those above it, unless it is there.

    Raises:
        InputError: It cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be made: {error.strerror}", hint="choose another folder") from error
