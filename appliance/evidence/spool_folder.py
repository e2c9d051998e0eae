"""The spool's folder: sealed captures as files, whole or not at all, and nothing else in it.

A capture is one file, `<id>.age`, with an id that says nothing but when it was made. It is
written beside as `<id>.age.partial`, forced to the disk and then renamed, so that a crash
leaves a whole capture, a partial one that start-up deletes, or nothing. What is in the
files and when they go is decided elsewhere.

Beside the captures lies their index (`captures.index`), which says their hashes to whoever fetches
them. It follows the files: what cannot be written to it now is put right by `tend`.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from appliance.errors import EvidenceError, UnknownCaptureError
from appliance.evidence.index import CaptureIndex, IndexRow
from appliance.evidence.sealed_file import HEADER_BYTES, looks_sealed

_log = structlog.get_logger()

_UUID7 = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_ID = re.compile(_UUID7)
_SEALED = re.compile(rf"({_UUID7})\.age")
_PARTIAL = re.compile(rf"{_UUID7}\.age\.partial")

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""No space, no quota, or a limit on the size of files: nothing more fits."""

_SHARED = stat.S_ISGID | stat.S_IRGRP | stat.S_IXGRP
"""How root marks a folder that an account for fetching may read: `chmod 2750`, and that account's group."""
_TENDED_AT_ONCE = 200
"""Captures without a line in the index that one call reads and hashes: some 60 MB."""


@dataclass(frozen=True, slots=True)
class SpoolEntry:
    """A capture as its file shows it, without reading it.

    Attributes:
        id: UUIDv7.
        size_bytes: Of the file.
        sealed_at: Modification time, aware UTC.
    """

    id: str
    size_bytes: int
    sealed_at: datetime


class SpoolFolder:
    """The files of one spool.

    Args:
        path: Where they are; made by `make`, for the owner only.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._index = CaptureIndex(path, self._file_mode)
        self._damaged: set[str] = set()

    def make(self) -> None:
        """Make the folder, if it is not there, and close it to others.

        A group that root let read it (`appliance captures account`) may go on reading.

        Raises:
            EvidenceError: It cannot be made or is not ours to write in.
        """
        with self.trouble("open"):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = stat.S_IMODE(self.path.stat().st_mode)
            wanted = 0o2750 if mode & _SHARED == _SHARED else 0o700
            if mode != wanted:
                self.path.chmod(wanted)
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise EvidenceError(
                "the spool of captures cannot be written", hint=f"check the owner of {self.path}"
            )

    def has(self, capture: str) -> bool:
        """Whether there is a file of that id."""
        return (self.path / f"{capture}.age").exists()

    def write(self, capture: str, sealed: bytes, at: datetime) -> str:
        """Write beside, force to the disk, rename, force the name to the disk; dated `at`.

        Returns:
            The SHA-256 of what was written, hex.

        Raises:
            EvidenceError: Nothing is left of it; `reason` says whether the disk is full.
        """
        final = self.path / f"{capture}.age"
        partial = self.path / f"{capture}.age.partial"
        digest = hashlib.sha256(sealed).hexdigest()
        with self.trouble("write to"):
            try:
                with os.fdopen(_held_partial(partial), "wb") as file:
                    file.write(sealed)
                    file.flush()
                    os.fchmod(file.fileno(), self._file_mode())
                    os.utime(file.fileno(), (at.timestamp(), at.timestamp()))
                    os.fsync(file.fileno())
                    partial.rename(final)
                self._sync_folder()
            except BaseException:
                # Whatever stopped us: what is not known to be safe on the disk is not kept.
                for path in (partial, final):
                    with contextlib.suppress(OSError):
                        path.unlink()
                raise
        with self._following():
            self._index.add(IndexRow(capture, len(sealed), digest))
        return digest

    def remove(self, capture: str) -> bool:
        """Delete a capture; false when it is not there.

        Raises:
            EvidenceError: It is there and cannot be deleted.
        """
        if not _ID.fullmatch(capture):
            return False
        with self.trouble("delete from"):
            try:
                (self.path / f"{capture}.age").unlink()
            except FileNotFoundError:
                return False
            self._sync_folder()
        with self._following():
            self._index.drop(capture)
        return True

    def tend(self) -> None:
        """Make the index agree with the folder, as far as a crash or a full disk left it behind."""
        with self._following():
            there = [entry.id for entry in self.list()]
            changed = self._index.tend(there, self._indexed, most=_TENDED_AT_ONCE)
            if changed:
                _log.info("index_of_captures_mended", captures=changed)

    def read(self, capture: str) -> bytes:
        """The sealed bytes of a capture.

        Raises:
            EvidenceError: It is not there or cannot be read.
        """
        if not _ID.fullmatch(capture):
            raise UnknownCaptureError(
                "this is not the id of a capture", hint="ids are in the event stranger_captured"
            )
        try:
            return (self.path / f"{capture}.age").read_bytes()
        except FileNotFoundError as error:
            raise UnknownCaptureError(
                f"there is no capture {capture}",
                hint="it has expired, was retracted, or was fetched and removed",
            ) from error
        except OSError as error:
            raise EvidenceError(f"capture {capture} cannot be read: {error.strerror}") from error

    def is_sealed(self, capture: str) -> bool:
        """Whether a capture begins as one that is sealed; of one that does not, the log is told once.

        Emptied by a disk, or of somebody else's making. It stays until its time is over.
        """
        try:
            with (self.path / f"{capture}.age").open("rb") as file:
                sealed = looks_sealed(file.read(HEADER_BYTES))
        except OSError:
            return True  # whoever reads it is told why
        if not sealed and capture not in self._damaged:
            self._damaged.add(capture)
            _log.warning("damaged_capture_left_out", capture=capture)
        return sealed

    def list(self) -> tuple[SpoolEntry, ...]:
        """Every capture, oldest first, then in the order of ids; whatever else lies there is left out.

        Raises:
            EvidenceError: The folder cannot be read.
        """
        found: list[SpoolEntry] = []
        with self.trouble("read"):
            for entry in self._scan():
                match = _SEALED.fullmatch(entry.name)
                if match is None:
                    continue
                with contextlib.suppress(FileNotFoundError):  # removed by somebody between the two calls
                    about = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(about.st_mode):
                        sealed_at = datetime.fromtimestamp(about.st_mtime, UTC)
                        found.append(SpoolEntry(match[1], about.st_size, sealed_at))
        return tuple(sorted(found, key=lambda entry: (entry.sealed_at, entry.id)))

    def date(self, capture: str, now: datetime) -> None:
        """Make it as old as something sealed now.

        Raises:
            EvidenceError: The system does not let us.
        """
        with self.trouble("date a capture in"), contextlib.suppress(FileNotFoundError):
            os.utime(self.path / f"{capture}.age", (now.timestamp(), now.timestamp()), follow_symlinks=False)

    def drop_partials(self) -> None:
        """Delete what a crash left half-written.

        Raises:
            EvidenceError: The folder cannot be read, or such a file not be deleted.
        """
        with self.trouble("clean up"):
            for entry in self._scan():
                if _PARTIAL.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    self._drop_partial(self.path / entry.name)

    def _indexed(self, capture: str) -> IndexRow | None:
        """A capture as the index describes it; None when it went, is damaged, or cannot be read."""
        if not self.is_sealed(capture):
            return None
        try:
            content = self.read(capture)
        except EvidenceError:
            return None
        return IndexRow(capture, len(content), hashlib.sha256(content).hexdigest())

    def _file_mode(self) -> int:
        """Of files in the folder: for the owner, and for the group that root let read it."""
        try:
            mode = self.path.stat().st_mode
        except OSError:
            return 0o600
        return 0o640 if mode & _SHARED == _SHARED else 0o600

    @contextlib.contextmanager
    def _following(self) -> Iterator[None]:
        """Around writing to the index: no capture is lost for its sake."""
        try:
            yield
        except OSError as error:
            _log.warning("index_of_captures_behind", error=error.strerror)
        except EvidenceError as error:
            _log.warning("index_of_captures_behind", error=error.message)

    def _drop_partial(self, path: Path) -> None:
        """Delete it, unless whoever writes it is still at it."""
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            path.unlink()
            _log.warning("partial_capture_deleted")

    def _scan(self) -> Iterator[os.DirEntry[str]]:
        with os.scandir(self.path) as entries:
            yield from entries

    def _sync_folder(self) -> None:
        handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def trouble(self, verb: str) -> Iterator[None]:
        """Turn what the operating system says into ours."""
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                raise EvidenceError(
                    "the disk is full, so no image is stored",
                    reason="disk_full",
                    hint="make room on the disk",
                ) from error
            raise EvidenceError(
                f"cannot {verb} the spool of captures: {error.strerror}",
                hint=f"check the owner and the mode of {self.path}",
            ) from error


def _held_partial(path: Path) -> int:
    """Make the file and hold it while writing: another process that cleans up sees that this one is alive.

    One that looked between the two has taken it for dead, and deleted it: then it is made again.

    Raises:
        OSError: It is there already, or cannot be made.
    """
    while True:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file).st_nlink:
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)
