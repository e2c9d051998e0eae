"""The index of a spool: which sealed captures there are, how large, and their SHA-256.

Lies beside the captures as `captures.index`, so that whoever fetches them knows what is new and
whether it arrived whole. A line says that a capture came (`+`) or went (`-`), and ends with a check
of itself. Lines are appended, one write each, so that the ten-thousandth capture costs what the
first did; `tend` rewrites the file (beside, forced to the disk, renamed) when half of it is past.

A capture's file comes before its line and goes before it, so the two disagree for a moment after
each change, and after a crash until the next `tend`: readers must bear a line without a file, and
never see a file's line with another hash. Ids say when, never who. What is in the files is not
looked at but to hash them.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

INDEX_NAME = "captures.index"
HEADER = "office-door-captures 1"
"""First line; another number is another format."""

_LINE = re.compile(
    r"(?:\+ (?P<came>[0-9a-f-]{36}) (?P<size>[0-9]{1,12}) (?P<sha256>[0-9a-f]{64})|- (?P<went>[0-9a-f-]{36}))"
    r" (?P<check>[0-9a-f]{8})"
)
_SPARE_LINES = 1000
"""Lines of what is past that are borne before the file is rewritten."""


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One capture in the index.

    Attributes:
        id: UUIDv7.
        size_bytes: Of the sealed file.
        sha256: Of the sealed file, hex.
    """

    id: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class IndexContent:
    """What an index says.

    Attributes:
        rows: By id, in the order in which they came.
        lines: How many lines there are after the header.
        bad_lines: How many are damaged, a last one that is cut short not among them.
        has_header: It begins as an index does.
        is_whole: It does, and ends with a whole line.
    """

    rows: dict[str, IndexRow]
    lines: int
    bad_lines: int
    has_header: bool
    is_whole: bool


def parse_index(content: bytes) -> IndexContent:
    """Read an index; damaged lines are counted and left out.

    A last line without its end is being written, or was cut by a crash: it is not there yet.
    """
    header, *lines = content.split(b"\n")
    last = lines.pop() if lines else b""
    rows: dict[str, IndexRow] = {}
    bad = 0
    for line in lines:
        found = _LINE.fullmatch(line.decode("ascii", "replace"))
        if found is None or found["check"] != _check(line[:-9]):
            bad += 1
        elif found["went"] is not None:
            rows.pop(found["went"], None)
        else:
            rows[found["came"]] = IndexRow(found["came"], int(found["size"]), found["sha256"])
    begins = header == HEADER.encode()
    return IndexContent(rows, len(lines), bad, begins, begins and not last)


def came(row: IndexRow) -> bytes:
    """The line that says that a capture came."""
    return _closed(f"+ {row.id} {row.size_bytes} {row.sha256}")


def went(capture: str) -> bytes:
    """The line that says that a capture went."""
    return _closed(f"- {capture}")


def whole_index(rows: Collection[IndexRow]) -> bytes:
    """A fresh index of these."""
    return HEADER.encode() + b"\n" + b"".join(came(row) for row in rows)


class CaptureIndex:
    """The index of one folder. Several processes may write to it, one at a time by its lock.

    Args:
        folder: Where captures are.
        mode: What the file's permissions are, asked at each writing of it.
    """

    def __init__(self, folder: Path, mode: Callable[[], int] = lambda: 0o600) -> None:
        self._folder = folder
        self.path = folder / INDEX_NAME
        self._spare = folder / f"{INDEX_NAME}.new"
        self._mode = mode

    def add(self, row: IndexRow) -> None:
        """Say that a capture is there, if it still is.

        Not forced to the disk: a line that a power cut takes is written again by `tend`.

        Raises:
            OSError: It cannot be written.
        """
        with self._locked() as file:
            if self._is_there(row.id):
                self._append(file, came(row))

    def drop(self, capture: str) -> None:
        """Say that a capture went; its file has to be gone already.

        Raises:
            OSError: It cannot be written.
        """
        if not self.path.exists():  # nothing was said of it
            return
        with self._locked() as file:
            self._append(file, went(capture))

    def read(self) -> IndexContent:
        """What it says; nothing, where there is none.

        Raises:
            OSError: It cannot be read.
        """
        try:
            return parse_index(self.path.read_bytes())
        except FileNotFoundError:
            return IndexContent({}, 0, 0, has_header=False, is_whole=False)

    def tend(self, there: Collection[str], row_of: Callable[[str], IndexRow | None], *, most: int) -> int:
        """Make index and folder agree, and the file short.

        Args:
            there: Ids of the captures in the folder.
            row_of: Reads a capture and describes it; None when it went meanwhile, or is damaged.
            most: How many captures to add at most; the others are left to the next call. Those of which
                `row_of` says nothing do not count: they would keep the others for good.

        Returns:
            How many lines were missing or too many.

        Raises:
            OSError: It cannot be read or written.
        """
        if not there and not self.path.exists():
            return 0
        known = self.read()
        # Reading takes time and happens outside the lock: a capture sealed meanwhile does not wait for it.
        unlisted = (capture for capture in sorted(there) if capture not in known.rows)
        found = list(islice((row for row in map(row_of, unlisted) if row is not None), most))
        present = set(there)
        with self._locked() as file:
            self._spare.unlink(missing_ok=True)  # of somebody who was killed
            content = parse_index(_all(file))
            gone = [each for each in content.rows if each not in present and not self._is_there(each)]
            new = [row for row in found if row.id not in content.rows and self._is_there(row.id)]
            rows = {key: row for key, row in content.rows.items() if key not in set(gone)}
            rows |= {row.id: row for row in new}
            past = content.lines + len(gone) + len(new) - len(rows)
            if content.bad_lines or not content.is_whole or past > max(_SPARE_LINES, len(rows)):
                self._replace(rows.values())
            elif gone or new:
                self._append(file, b"".join([*map(went, gone), *map(came, new)]))
        return len(gone) + len(new)

    def _is_there(self, capture: str) -> bool:
        return (self._folder / f"{capture}.age").exists()

    def _append(self, file: int, lines: bytes) -> None:
        """Put lines at the end; over a last one that a crash cut short, none is put."""
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            content = _all(file)
            os.ftruncate(file, content.rfind(b"\n") + 1)
            size = os.fstat(file).st_size
        if not size:
            lines = HEADER.encode() + b"\n" + lines
        written = os.write(file, lines)
        if written != len(lines):  # the disk is full: leave no half of a line behind
            os.ftruncate(file, size)
            raise OSError(28, "No space left on device")

    def _replace(self, rows: Collection[IndexRow]) -> None:
        spare = self._spare
        try:
            with os.fdopen(os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                os.fchmod(file.fileno(), self._mode())
                file.write(whole_index(rows))
                file.flush()
                os.fsync(file.fileno())
            spare.replace(self.path)
        except OSError:
            spare.unlink(missing_ok=True)
            raise
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The file, held by us alone; the one that has the name, not one that was replaced meanwhile."""
        while True:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                if self._is_current(file):
                    if os.fstat(file).st_size == 0:
                        os.fchmod(file, self._mode())
                    yield file
                    return
            finally:
                os.close(file)

    def _is_current(self, file: int) -> bool:
        held = os.fstat(file)
        try:
            named = self.path.stat(follow_symlinks=False)
        except FileNotFoundError:
            return False
        return (held.st_dev, held.st_ino) == (named.st_dev, named.st_ino)


def _all(file: int) -> bytes:
    return os.pread(file, os.fstat(file).st_size, 0)


def _check(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:8]


def _closed(text: str) -> bytes:
    return f"{text} {_check(text.encode())}\n".encode()
