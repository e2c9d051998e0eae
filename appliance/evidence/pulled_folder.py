"""The admin's folder of fetched captures: what is in it, and what was fetched before.

`sealed/` holds the files as the box had them, `pictures/ID/` what was in them, `thumbnails/` small
copies for the contact sheet, `fetched.jsonl` a line for each capture that ever arrived. Whoever
deletes pictures or sealed files here deletes them: what was fetched once is not fetched again.
Everything is readable by its owner only, and written beside and renamed. Nothing is fetched here,
and nothing drawn.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from appliance import private_files
from appliance.errors import RetrievalError
from appliance.evidence.capture import save_opened
from appliance.evidence.index import INDEX_NAME, IndexRow

SHEET_NAME = "contact-sheet.html"
HEADS_NAME = "heads.jsonl"
"""Signed heads of the box's log, in the spool and here: a line each, the oldest first."""
_HEADS_BYTES = 64 * 1024 * 1024
_ID = re.compile(r"[0-9a-f-]{36}")
_FULL_HINT = "make room and try again: what has arrived is kept"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A capture that arrived once.

    Attributes:
        sha256: Of the sealed file as it arrived.
        is_open: Its pictures were written here.
    """

    sha256: str
    is_open: bool


class PulledFolder:
    """One folder, held by one process at a time: in a `with` block.

    Args:
        path: Where; made when it is not there, for the owner only.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.arriving = path / ".arriving"
        self.known: dict[str, Fetched] = {}
        self._lock: int | None = None

    def __enter__(self) -> Self:
        """Make the folder, hold it, and read what was fetched before.

        Raises:
            RetrievalError: It cannot be made, or another process holds it.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for each in (self.arriving, self._sealed, self._pictures, self._thumbnails):
                each.mkdir(mode=0o700, exist_ok=True)
            self._lock = os.open(self.arriving / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._read_ledger()
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

    def keep_heads(self) -> int:
        """Add what arrived of the log's heads to those that are here; how many lines are new.

        None is ever taken away or changed, whatever the box says now: what was signed once and is denied
        later is what they are kept for.
        """
        arrived, kept = self.arriving / HEADS_NAME, self.path / HEADS_NAME
        if not arrived.exists():
            return 0
        with arrived.open("rb") as file:
            lines = file.read(_HEADS_BYTES).splitlines()
        before = kept.read_bytes() if kept.exists() else b""
        known = set(before.splitlines())
        new = [line for line in dict.fromkeys(lines) if line.strip() and line not in known]
        if new:
            torn = b"" if not before or before.endswith(b"\n") else b"\n"
            private_files.replace(kept, before + torn + b"\n".join(new) + b"\n")
        arrived.unlink()
        return len(new)

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
        with path.open("rb") as file:
            sealed = file.read()
            if hashlib.sha256(sealed).hexdigest() != row.sha256:
                return None
            os.fsync(file.fileno())
        path.chmod(0o600)
        path.replace(self._sealed / path.name)
        self.note(row.id, Fetched(row.sha256, is_open=False))
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

    def note(self, capture: str, fetched: Fetched) -> None:
        """Write down that a capture arrived, or was opened.

        Raises:
            OSError: It cannot be written.
        """
        line = json.dumps({"capture": capture, "sha256": fetched.sha256, "opened": fetched.is_open})
        file = os.open(self._ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, f"{line}\n".encode())
        finally:
            os.close(file)
        self.known[capture] = fetched

    def save(self, capture: str, contents: Mapping[str, bytes], thumbnails: Mapping[str, bytes]) -> None:
        """Write an opened capture: beside, then renamed, so that it is whole or not there.

        Args:
            capture: Its id.
            contents: As `open_capture` gives them.
            thumbnails: `face` and `frame`, as far as there are any.

        Raises:
            EvidenceError: A name is not one of ours.
            OSError: It cannot be written.
        """
        beside, final = self.arriving / capture, self._pictures / capture
        shutil.rmtree(beside, ignore_errors=True)
        save_opened(contents, beside)
        for name, content in thumbnails.items():
            # Beside and renamed, and not forced to the disk: what is lost is a preview.
            small = self.arriving / f"{capture}.{name}.jpg"
            with os.fdopen(os.open(small, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
            small.replace(self._thumbnails / small.name)
        shutil.rmtree(final, ignore_errors=True)
        beside.rename(final)
        self.note(capture, Fetched(self.known[capture].sha256, is_open=True))

    def opened(self) -> list[str]:
        """Ids of the captures whose pictures are here, newest first: ids begin with the time."""
        return sorted(
            (each.name for each in self._pictures.iterdir() if _ID.fullmatch(each.name)), reverse=True
        )

    def opened_bytes(self, capture: str) -> int:
        """How much the opened files of a capture take."""
        try:
            return sum(each.stat().st_size for each in (self._pictures / capture).iterdir())
        except OSError:
            return 0

    def metadata(self, capture: str) -> bytes:
        """What an opened capture says of itself; nothing, where that is gone."""
        try:
            return (self._pictures / capture / "metadata.json").read_bytes()
        except OSError:
            return b""

    def thumbnail(self, capture: str, name: str) -> bytes | None:
        """A small copy, `face` or `frame`, if there is one."""
        try:
            return (self._thumbnails / f"{capture}.{name}.jpg").read_bytes()
        except OSError:
            return None

    def drop_thumbnails(self) -> None:
        """Delete the small copies of pictures that somebody deleted.

        Raises:
            OSError: The folder cannot be read, or one not be deleted.
        """
        kept = set(self.opened())
        for each in self._thumbnails.iterdir():
            if each.name.partition(".")[0] not in kept:
                each.unlink(missing_ok=True)

    def write_sheet(self, html: str) -> None:
        """Put the contact sheet in its place.

        Raises:
            OSError: It cannot be written.
        """
        private_files.replace(self.sheet, html.encode())

    @property
    def _sealed(self) -> Path:
        return self.path / "sealed"

    @property
    def _pictures(self) -> Path:
        return self.path / "pictures"

    @property
    def _thumbnails(self) -> Path:
        return self.path / "thumbnails"

    @property
    def _ledger(self) -> Path:
        return self.path / "fetched.jsonl"

    def _read_ledger(self) -> None:
        """What was fetched before; a line that was cut counts as not written."""
        self.known = {}
        if not self._ledger.exists():
            return
        content = self._ledger.read_bytes()
        if content and not content.endswith(b"\n"):
            with self._ledger.open("ab") as file:
                file.write(b"\n")
        for line in content.splitlines():
            try:
                row = json.loads(line)
                self.known[str(row["capture"])] = Fetched(str(row["sha256"]), is_open=row["opened"] is True)
            except (ValueError, KeyError, TypeError):
                continue

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
