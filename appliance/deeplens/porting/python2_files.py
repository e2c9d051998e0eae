"""Files as Python 2 opened them: text and bytes go in, and what is no text comes out as bytes.

`open(path, "w").write(jpeg.tobytes())` and `open("picture.jpg").read()` were fine there. Line ends stay as
they are in the file, and letters that are not UTF-8 are read as Latin-1. Which file is opened, and whether,
is `open`'s.
"""

import builtins
import codecs
import io
from typing import Any

AS_LATIN = "python2_latin"
"""How what is not UTF-8 is decoded: as Latin-1."""


def _latin(error: UnicodeError) -> tuple[str, int]:
    """What is not UTF-8, as Latin-1."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(AS_LATIN, _latin)


class _Text(io.TextIOWrapper):
    """A file opened as text."""

    def write(self, data: Any, /) -> int:
        """Append text or bytes."""
        if isinstance(data, str):
            return super().write(data)
        self.flush()
        below: Any = self.buffer
        written: int = below.write(data)
        return written

    def read(self, size: int | None = -1, /) -> Any:
        """As much as asked for; all of what is no text as bytes."""
        if size is not None and size >= 0:
            return super().read(size)
        below: Any = self.buffer
        if not below.seekable() or below.tell():  # begun already: as text
            return super().read()
        data: bytes = below.read()
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data


class _Writer(io.BufferedWriter):
    """A file opened for bytes to be written."""

    def write(self, data: Any, /) -> int:
        """Append bytes or text."""
        return super().write(data.encode() if isinstance(data, str) else data)


def python2_open(path: Any, mode: str = "r", buffering: int = -1, **named: Any) -> Any:
    """`open` of Python 2."""
    universal = "U" in mode
    mode = mode.replace("U", "")
    opened: Any = builtins.open(path, mode if mode.strip("bt+") else f"r{mode}", buffering, **named)  # noqa: SIM115, PTH123
    if type(opened) is io.TextIOWrapper and not named:
        newline = None if universal else "\n"
        line_buffering = opened.line_buffering
        return _Text(opened.detach(), "utf-8", AS_LATIN, newline, line_buffering)
    if type(opened) is io.BufferedWriter:
        return _Writer(opened.detach())
    return opened
