"""What a function prints: lines in a file of bounded size in its folder, the newest two files kept.

A line is at most so long, what no terminal should be sent is shown as an escape, and a function that prints
without end is taken a bounded number of lines a second; the rest is counted, and the count is told. Lines
may hold anything the author prints; they are shown to who may see the function and nobody else.
"""

import contextlib
import itertools
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Final

from appliance.deeplens.printed import read_paced

LONGEST_LINE: Final = 2000
"""Characters of a line that are kept."""
FILE_BYTES: Final = 1 << 20
"""Size at which a file is put aside; one is kept aside."""
LINES_A_SECOND: Final = 200
"""Lines taken of a function in the long run; it may save up ten seconds' worth."""
_SAVED_S: Final = 10

_READ_BYTES: Final = 64 << 10
_ONWARD: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


def harmless(line: str) -> str:
    """A line without what moves a cursor, changes colours or hides text: escapes stand for such signs."""
    if line.isprintable():
        return line
    return "".join(each if each.isprintable() else _escaped(each) for each in line.expandtabs(4))


class FunctionLog:
    """The log of one function; written by the threads that read its output.

    Args:
        path: Of the file; the one before is beside it as `PATH.1`.
        file_bytes: Size at which it is put aside.
        lines_a_second: Taken in the long run.
    """

    def __init__(
        self, path: Path, *, file_bytes: int = FILE_BYTES, lines_a_second: int = LINES_A_SECOND
    ) -> None:
        self._path = path
        self._file_bytes = file_bytes
        self._rate = lines_a_second
        self._lock = threading.Condition()
        self._allowance = float(lines_a_second * _SAVED_S)
        self._counted_at = time.monotonic()
        self._unsaid = 0

    @property
    def path(self) -> Path:
        """Where the newest lines are."""
        return self._path

    @property
    def before(self) -> Path:
        """Where the lines before them are."""
        return self._path.with_name(self._path.name + ".1")

    def write(self, line: str, *, own: bool = False) -> None:
        """Keep a line, unless there are too many; faults of the disk are not the function's and stay unsaid.

        Args:
            line: Without its end.
            own: The host's words, which are never left out.
        """
        with self._lock:
            if not own and not self._admitted():
                self._unsaid += 1
                return
            if self._unsaid:
                self._put(f"[{self._unsaid} lines left out: the function prints too much]")
                self._unsaid = 0
            shown = harmless(line[:LONGEST_LINE])
            cut = f" [{len(line) - LONGEST_LINE} more]" if len(line) > LONGEST_LINE else ""
            self._put(f"[{shown}]" if own else shown + cut)
            self._lock.notify_all()

    def tail(self, lines: int) -> Sequence[str]:
        """The newest lines, oldest first; at most so many."""
        with self._lock:
            found = _lines(self.before) + _lines(self._path)
        return found[-lines:]

    def _admitted(self) -> bool:
        now = time.monotonic()
        self._allowance = min(
            float(self._rate * _SAVED_S), self._allowance + (now - self._counted_at) * self._rate
        )
        self._counted_at = now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True

    def _put(self, line: str) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        content = f"{stamp} {line}\n".encode("utf-8", "replace")
        with contextlib.suppress(OSError):
            if self._size() + len(content) > self._file_bytes:
                self._path.replace(self.before)
            descriptor = os.open(self._path, _ONWARD, 0o600)
            try:
                os.write(descriptor, content)
            finally:
                os.close(descriptor)

    def _size(self) -> int:
        try:
            return self._path.lstat().st_size
        except FileNotFoundError:
            return 0


class Tail:
    """What is added to a log, for who follows it; a file that is put aside is read to its end.

    Args:
        log: To be followed, from where it is now; or from its beginning.
        begin: Whether from the beginning of the newest file.
    """

    def __init__(self, log: "FunctionLog", *, begin: bool = True) -> None:
        self._log = log
        self._file: IO[bytes] | None = None
        self._begin = begin
        self._rest = b""

    def more(self) -> Sequence[str]:
        """The lines that came since the last call."""
        content = b""
        with contextlib.suppress(OSError):
            if self._file is None:
                self._file = self._log.path.open("rb")
                self._file.seek(0, os.SEEK_SET if self._begin else os.SEEK_END)
            content = self._file.read()
            if os.fstat(self._file.fileno()).st_ino != self._log.path.stat().st_ino:
                self._file.close()
                self._file = self._log.path.open("rb")
                content += self._file.read()
        *lines, self._rest = (self._rest + content).split(b"\n")
        return [each.decode("utf-8", "replace") for each in lines]

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode()


def copy_lines(descriptor: int, log: FunctionLog, heard: Callable[[str], None]) -> None:
    """Keep what comes from a pipe until it ends; a line without end is cut.

    Args:
        descriptor: To read; stays the caller's.
        log: Where it is kept.
        heard: Told each line as well.
    """
    rest = b""
    for got in itertools.chain(read_paced(descriptor), (b"",)):
        *lines, rest = (rest + got).split(b"\n")
        if rest and (not got or len(rest) > _READ_BYTES):
            lines.append(rest)
            rest = b""
        for line in lines:
            text = line.decode("utf-8", "replace").rstrip("\r")
            log.write(text)
            heard(text)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
