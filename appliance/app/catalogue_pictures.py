"""Where a table's pictures are: files in its folder, never outside it; and what exported ones are called.

A path in a table is text from outside: it leads to a file below the folder or to nothing. Decodes nothing.
"""

import hashlib
import re
from pathlib import Path
from typing import Final, Protocol

from appliance.errors import InputError
from appliance.picture_files import read_picture
from appliance.values import MAX_PHOTO_BYTES

_EXPORTED: Final = re.compile(r"(?:^|/)([0-9a-f]{64})\.([0-9a-f]{16})\.jpg$")
_TOO_LARGE: Final = f"the file has more than the {MAX_PHOTO_BYTES // 10**6} MB allowed"


class PictureSource(Protocol):
    """Where pictures come from that a table names by path."""

    def read(self, path: str) -> bytes:
        """A picture's bytes; several threads may ask at once.

        Raises:
            InputError: There is none, it lies elsewhere, or it is too large.
        """


class FolderPictures:
    """Files in a folder, or in folders in it.

    Args:
        folder: That of the table.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def read(self, path: str) -> bytes:
        """A picture's bytes; see `PictureSource`."""
        content = read_picture(self._below(path))
        if content == "too_many_bytes":
            raise InputError(_TOO_LARGE, hint="use a smaller copy; 1,000 pixels are plenty")
        if isinstance(content, str):
            raise InputError(
                "there is no such file", hint="a path begins in the table's folder; capitals count"
            )
        return content

    def _below(self, path: str) -> Path:
        """The file, wherever links lead.

        Raises:
            InputError: It is not below the folder, or no path at all.
        """
        named = path if "\\" not in path or (self._folder / path).exists() else path.replace("\\", "/")
        try:
            found = (self._folder / named).resolve()
        except (ValueError, OSError, RuntimeError):  # NUL, lone surrogates; too long; links in a ring
            raise InputError("this is no path of a file") from None
        if not found.is_relative_to(self._folder):
            raise InputError(
                "the file lies outside the table's folder", hint="put the pictures beside the table"
            )
        return found


def exported_name(sha256: str, jpeg: bytes) -> str:
    """What an exported picture is called.

    Args:
        sha256: Of the bytes that it once came as, by which it is known.
        jpeg: As it is exported.
    """
    return f"{sha256}.{_check(jpeg)}.jpg"


def identity(path: str, content: bytes) -> str:
    """The sha256 by which a picture is known: of its bytes, or of what it came as if it is an exported one.

    So importing an export doubles nothing. One that was worked on since is another picture.
    """
    named = _EXPORTED.search(path)
    if named is not None and named[2] == _check(content):
        return named[1]
    return hashlib.sha256(content).hexdigest()


def _check(jpeg: bytes) -> str:
    return hashlib.sha256(jpeg).hexdigest()[:16]
