"""Picture files from outside: which files of a folder are pictures, and reading one.

Decodes nothing, follows no folder inside a folder, and puts no name into an error: a folder of pictures is
named after a person.
"""

from pathlib import Path
from typing import Literal, Protocol

from appliance.errors import InputError
from appliance.values import MAX_PHOTO_BYTES, EmbeddedPhoto

PICTURES = (".jpg", ".jpeg", ".png", ".webp")
"""Endings of the files that are taken from a folder; a file that is named by itself may have any."""

Unread = Literal["no_file", "too_many_bytes"]
"""Why a file was not read, by code."""


class Embeds(Protocol):
    """Whoever decodes and embeds pictures."""

    def embed(self, content: bytes) -> EmbeddedPhoto:
        """Find and embed the faces of a picture file.

        Raises:
            PhotoError: The file cannot be used as a picture.
        """


def pictures_in(folder: Path) -> list[Path]:
    """The picture files directly in a folder, by name; hidden ones are none.

    Raises:
        InputError: It cannot be read; whose it is, is not said.
    """
    try:
        return sorted(
            each
            for each in folder.iterdir()
            if each.suffix.lower() in PICTURES and not each.name.startswith(".") and each.is_file()
        )
    except OSError as error:
        raise InputError(f"a folder cannot be read: {error.strerror}") from error


def read_picture(path: Path) -> bytes | Unread:
    """A file's bytes, or why there are none."""
    try:
        # A pipe would be waited for, perhaps for ever.
        if not path.is_file():
            return "no_file"
        # The models process refuses larger files; reading them first would only take memory.
        if path.stat().st_size > MAX_PHOTO_BYTES:
            return "too_many_bytes"
        return path.read_bytes()
    except OSError:
        return "no_file"
