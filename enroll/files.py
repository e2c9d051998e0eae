"""Picture files and folders, read one at a time; what cannot be read is told as a reason, and stops nothing.

Decodes nothing, and follows no folder inside a folder.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from appliance.errors import InputError
from appliance.values import MAX_PHOTO_BYTES
from enroll.names import shown
from enroll.photos import Photo

PICTURES = (".jpg", ".jpeg", ".png", ".webp")
"""Endings of the files that are taken from a folder; a file that is named by itself may have any."""

MOST_PICTURES = 200
"""Of one person at a time: more than a handful of references hardly helps, and each is held against each."""


def picture_files(given: Iterable[Path]) -> list[Path]:
    """The files, with folders replaced by the pictures directly in them, in order of name.

    Raises:
        InputError: A folder without pictures, or one that cannot be read; too many pictures.
    """
    files: list[Path] = []
    for path in given:
        if not path.is_dir():
            files.append(path)
            continue
        found = pictures_in(path)
        if not found:
            raise InputError(
                f"{shown(str(path))} holds no pictures", hint=f"looked for {', '.join(PICTURES)}"
            )
        files.extend(found)
    if len(files) > MOST_PICTURES:
        raise InputError(
            f"{len(files)} pictures are more than the {MOST_PICTURES} that are taken of one person",
            hint="a handful of different days and light does best",
        )
    return files


def pictures_in(folder: Path) -> list[Path]:
    """The picture files directly in a folder, by name; hidden ones are none.

    Raises:
        InputError: It cannot be read.
    """
    try:
        return sorted(
            each
            for each in folder.iterdir()
            if each.suffix.lower() in PICTURES and not each.name.startswith(".") and each.is_file()
        )
    except OSError as error:
        raise InputError(f"{shown(str(folder))} cannot be read: {error.strerror}") from error


def photos(files: Iterable[Path]) -> Iterator[Photo]:
    """Read one after the other, each when it is asked for."""
    for path in files:
        yield read_photo(path)


def read_photo(path: Path) -> Photo:
    """A file as a picture; with its fault where it cannot be read or is too large."""
    label = shown(path.name)
    try:
        # A pipe would be waited for, perhaps for ever.
        if not path.is_file():
            return Photo(label, b"", "no_file")
        # The models process refuses larger files; reading them first would only take memory.
        if path.stat().st_size > MAX_PHOTO_BYTES:
            return Photo(label, b"", "too_many_bytes")
        return Photo(label, path.read_bytes())
    except OSError:
        return Photo(label, b"", "no_file")


def digest(path: Path) -> str | None:
    """sha256 of a file's bytes, as its verdict has it; None: it cannot be read."""
    photo = read_photo(path)
    return None if photo.fault else hashlib.sha256(photo.content).hexdigest()
