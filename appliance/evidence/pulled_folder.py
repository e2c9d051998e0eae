"""The admin's folder of fetched captures: what arrives, and the sealed files as the box had them.

`sealed/` holds those, `pictures/ID/` what was in them and `thumbnails/` small copies (`pulled_pictures`),
`fetched.jsonl` what was ever fetched (`pulled_ledger`), `heads.jsonl` the heads of the box's log
(`pulled_heads`). Whoever deletes pictures or sealed files here deletes them. Everything is readable by its
owner only, and written beside and renamed. Nothing is fetched here, and nothing drawn.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from appliance import private_files
from appliance.errors import RetrievalError
from appliance.evidence.index import INDEX_NAME, IndexRow
from appliance.evidence.pulled_heads import HEADS_NAME, HeadsCame, keep_heads
from appliance.evidence.pulled_ledger import Fetched, Ledger
from appliance.evidence.pulled_pictures import Pictures

SHEET_NAME = "contact-sheet.html"
_FOLDERS = ("sealed", "pictures", "thumbnails")


class PulledFolder:
    """One folder, held by one process at a time: in a `with` block.

    Args:
        path: Where; made when it is not there, for the owner only.

    Attributes:
        arriving: Folder in it for what is not whole yet.
        pictures: What was opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.arriving = path / ".arriving"
        self.pictures = Pictures(path / "pictures", path / "thumbnails", self.arriving)
        self._ledger = Ledger(path / "fetched.jsonl")
        self._lock: int | None = None

    def __enter__(self) -> Self:
        """Make the folder, hold it, and read what was fetched before.

        Raises:
            RetrievalError: It cannot be made, or another process holds it.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for each in (self.arriving, *(self.path / name for name in _FOLDERS)):
                each.mkdir(mode=0o700, exist_ok=True)
            self._lock = os.open(self.arriving / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._ledger.read()
        except BlockingIOError as error:
            self._release()
            raise RetrievalError(
                f"somebody else is fetching into {self.path}", fault="busy", hint="wait until that is done"
            ) from error
        except OSError as error:
            self._release()
            raise RetrievalError(
                f"{self.path} cannot be used: {error.strerror}",
                fault="disk_full",
                hint="choose a folder of your own",
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let it go."""
        self._release()

    @property
    def known(self) -> Mapping[str, Fetched]:
        """What was fetched before, by id."""
        return self._ledger.known

    @property
    def sheet(self) -> Path:
        """The contact sheet."""
        return self.path / SHEET_NAME

    def free_bytes(self) -> int:
        """Bytes that may still be written."""
        return shutil.disk_usage(self.path).free

    def fresh_index(self) -> Path:
        """Where the box's index arrives; what was there of an earlier one is gone."""
        path = self.arriving / INDEX_NAME
        path.unlink(missing_ok=True)
        return path

    def keep_heads(self) -> HeadsCame:
        """Add what arrived of the log's heads to those that are here: see `pulled_heads`.

        Raises:
            OSError: They cannot be read or written.
        """
        return keep_heads(self.arriving / HEADS_NAME, self.path / HEADS_NAME)

    def arrived(self, row: IndexRow) -> int:
        """Bytes of a capture that arrived so far; of more than it has, none."""
        path = self.arriving / f"{row.id}.age"
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            return 0
        if size <= row.size_bytes:
            return size
        path.unlink()
        return 0

    def arriving_bytes(self, capture: str) -> int:
        """Bytes of a capture that is arriving, whatever it will be; nothing is changed."""
        try:
            return (self.arriving / f"{capture}.age").stat().st_size
        except OSError:
            return 0

    def discard(self, row: IndexRow) -> None:
        """Delete what arrived of a capture."""
        (self.arriving / f"{row.id}.age").unlink(missing_ok=True)

    def keep(self, row: IndexRow) -> bytes | None:
        """Take in what arrived, if it is what the index says; its bytes, or None.

        Raises:
            OSError: It cannot be read or renamed.
        """
        path = self.arriving / f"{row.id}.age"
        if self.arrived(row) != row.size_bytes:
            return None
        try:
            with path.open("rb") as file:
                sealed = file.read()
                if hashlib.sha256(sealed).hexdigest() != row.sha256:
                    return None
                os.fsync(file.fileno())
        except FileNotFoundError:  # of an empty one, nothing that arrived is all of it
            return None
        path.chmod(0o600)
        path.replace(self._sealed / path.name)
        self._ledger.note(row.id, Fetched(row.sha256, is_open=False))
        return sealed

    def sealed(self, capture: str, sha256: str) -> bytes | None:
        """A sealed file that was fetched before, if it is still here as it came.

        Raises:
            OSError: It cannot be read.
        """
        try:
            sealed = (self._sealed / f"{capture}.age").read_bytes()
        except FileNotFoundError:
            return None
        return sealed if hashlib.sha256(sealed).hexdigest() == sha256 else None

    def save(self, capture: str, contents: Mapping[str, bytes], thumbnails: Mapping[str, bytes]) -> None:
        """Write an opened capture, and that it is one: see `Pictures.save`.

        Raises:
            EvidenceError: A name is not one of ours.
            OSError: It cannot be written.
        """
        self.pictures.save(capture, contents, thumbnails)
        self._ledger.note(capture, Fetched(self.known[capture].sha256, is_open=True))

    def write_sheet(self, html: str) -> None:
        """Put the contact sheet in its place.

        Raises:
            OSError: It cannot be written.
        """
        private_files.replace(self.sheet, html.encode())

    @property
    def _sealed(self) -> Path:
        return self.path / "sealed"

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
