"""Bytes of a Python file → text, and back: encoding declarations, byte order marks, line ends.

Knows nothing of what the text says.
"""

import codecs
import re
from dataclasses import dataclass

LARGEST = 1_000_000
"""Bytes of a Python file that is still looked at. Code written by hand stays far below."""

_DECLARATION = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_EMPTY = re.compile(rb"^[ \t\f]*(?:[#\r\n]|$)")
_DECLARED = re.compile(r"^([ \t\f]*#.*?coding[:=][ \t]*)([-\w.]+)")
_LINE_ENDS = re.compile(r"\r\n|\r|\n")


class UnreadableError(Exception):
    """The bytes are no Python source. The message says why; `line` where, from 1, or None."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Decoded:
    """Text of a file, with the line ends it had, and what had to be said about its encoding."""

    text: str
    encoding: str
    notes: tuple[str, ...] = ()


def decode(data: bytes) -> Decoded:
    """Read a source file as Python would, and somewhat more patiently.

    A byte order mark wins, then the declaration in the first two lines, then UTF-8. Bytes that are not of
    that encoding are read as Latin-1: they stand in comments and texts of old files, which Python 2 never
    decoded.

    Raises:
        UnreadableError: Too large, null bytes, or an encoding nobody knows.
    """
    if len(data) > LARGEST:
        raise UnreadableError(f"larger than {LARGEST // 1000} kB: not taken for code written by hand")
    null = data.find(b"\0")
    if null >= 0:
        raise UnreadableError("has null bytes: not a Python file", data.count(b"\n", 0, null) + 1)
    if data.startswith(codecs.BOM_UTF8):
        data, encoding = data[len(codecs.BOM_UTF8) :], "utf-8"
    else:
        encoding = _declared(data) or "utf-8"
    try:
        return Decoded(data.decode(encoding), codecs.lookup(encoding).name)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        note = f"line {line} is not {encoding}: the file was read as Latin-1"
        return Decoded(data.decode("latin-1"), "iso8859-1", (note,))


def as_utf8(text: str) -> str:
    """The text with a declaration of another encoding replaced, for it is written as UTF-8."""
    lines = text.split("\n", 2)
    for number in range(min(2, len(lines))):
        found = _DECLARED.match(lines[number])
        if found:
            lines[number] = found[1] + "utf-8" + lines[number][found.end() :]
            break
        if not re.match(r"^[ \t\f]*(?:#|$)", lines[number]):
            break
    return "\n".join(lines)


def with_newlines(text: str) -> str:
    """The text with every line ended by a line feed, as all of Python's readers see it."""
    return _LINE_ENDS.sub("\n", text)


def line_end(text: str, start: int) -> int:
    """Where the line ends in which a character stands; the end of the text if it is the last."""
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def lines_of(text: str) -> list[str]:
    """The lines as Python counts them, each with its end; form feeds and the like do not end one."""
    lines = []
    start = 0
    for found in _LINE_ENDS.finditer(text):
        lines.append(text[start : found.end()])
        start = found.end()
    if start < len(text):
        lines.append(text[start:])
    return lines


def _declared(data: bytes) -> str | None:
    for line in re.split(rb"\r\n|\r|\n", data[:4096], maxsplit=2)[:2]:
        found = _DECLARATION.match(line)
        if found:
            name = found[1].decode("ascii")
            try:
                if not codecs.lookup(name)._is_text_encoding:  # noqa: SLF001
                    raise UnreadableError(f"is declared as {name}, which is no encoding of text", 1)
            except LookupError as error:
                raise UnreadableError(f"is declared as {name}, an encoding nobody knows", 1) from error
            return name
        if not _EMPTY.match(line):
            return None
    return None
