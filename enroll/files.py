"""Picture files and folders, read one at a time; what cannot be read is told as a reason, and stops nothing.

Decodes nothing, and follows no folder inside a folder.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from appliance.errors import InputError
from appliance.picture_files import PICTURES, pictures_in, read_picture
from enroll.names import shown
from enroll.photos import Photo

MOST_PICTURES = 200
"""Of one person at a time: more than a handful of references hardly helps, and each is held against each."""


def picture_files(given: Iterable[Path]) -> list[Path]:
    """The files, with folders replaced by the pictures directly in them, in order of name.

    Raises:
        InputError: A folder without pictures, or one that cannot be read; too many pictures.
    """
    files: list[Path] = []
    for number, path in enumerate(given, 1):
        if not path.is_dir():
            files.append(path)
            continue
        # By number, for its name may be a person's, and an error may end in a log.
        try:
            found = pictures_in(path)
        except InputError as error:
            raise InputError(
                f"number {number} of what was given: {error.message}", hint="check whose it is to read"
            ) from error
        if not found:
            raise InputError(
                f"number {number} of what was given is a folder that holds no pictures",
                hint=f"looked for {', '.join(PICTURES)}",
            )
        files.extend(found)
    if len(files) > MOST_PICTURES:
        raise InputError(
            f"{len(files)} pictures are more than the {MOST_PICTURES} that are taken of one person",
            hint="a handful of different days and light does best",
        )
    return files


def photos(files: Iterable[Path]) -> Iterator[Photo]:
    """Read one after the other, each when it is asked for."""
    for path in files:
        yield read_photo(path)


def read_photo(path: Path) -> Photo:
    """A file as a picture; with its fault where it cannot be read or is too large."""
    label = shown(path.name)
    found = read_picture(path)
    return Photo(label, b"", found) if isinstance(found, str) else Photo(label, found)


def digest(path: Path) -> str | None:
    """sha256 of a file's bytes, as its verdict has it; None: it cannot be read."""
    photo = read_photo(path)
    return None if photo.fault else hashlib.sha256(photo.content).hexdigest()
