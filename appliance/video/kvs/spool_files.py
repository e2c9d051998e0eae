"""The files of a spool: a folder per clip, a file per fragment; names hold an order and times, nothing else.

A file is there whole or not at all, and flushed to the disk. Nothing is sealed, opened or decided here: what
waits, and what goes when there is no room, is `spool`'s business.
"""

import contextlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance import private_files

CLIP: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""The id of a clip, which is the name of its folder."""
_NAME: Final = re.compile(r"([0-9]{12})-([0-9]{1,16})-([0-9]{1,16})\.sealed")


@dataclass(frozen=True, slots=True)
class SpoolEntry:
    """A fragment in the spool.

    Attributes:
        clip: Id of its clip.
        sequence: Its place in the order in which fragments came.
        timecode_ms: When it begins, milliseconds since the epoch.
        end_ms: When it ends.
        size_bytes: On the disk.
    """

    clip: str
    sequence: int
    timecode_ms: int
    end_ms: int
    size_bytes: int

    @property
    def name(self) -> str:
        """Of its file."""
        return f"{self.sequence:012d}-{self.timecode_ms}-{self.end_ms}.sealed"


class SpoolFiles:
    """One spool's; locks nothing. Every method but `remove_clip` and `can_be_read` may raise an OSError.

    Attributes:
        folder: Where they are; made when needed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def found(self) -> list[SpoolEntry]:
        """Every fragment on the disk; leftovers of a write that was cut off are deleted."""
        found = []
        if not self.folder.exists():
            return []
        for folder in self.folder.iterdir():
            if not folder.is_dir() or not CLIP.fullmatch(folder.name):
                continue
            kept = 0
            for path in folder.iterdir():
                named = _NAME.fullmatch(path.name)
                if named is None:
                    path.unlink(missing_ok=True)
                    continue
                sequence, timecode_ms, end_ms = map(int, named.groups())
                found.append(SpoolEntry(folder.name, sequence, timecode_ms, end_ms, path.stat().st_size))
                kept += 1
            if not kept:
                folder.rmdir()
        return found

    def read(self, entry: SpoolEntry) -> bytes:
        """What is in a fragment's file."""
        return self._path(entry).read_bytes()

    def can_be_read(self, entry: SpoolEntry) -> bool:
        """Whether the disk gives anything of it."""
        try:
            with self._path(entry).open("rb") as file:
                return bool(file.read(1))
        except OSError:
            return False

    def write(self, entry: SpoolEntry, sealed: bytes) -> None:
        """Write a fragment's file."""
        self._path(entry).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        private_files.write_once(self._path(entry), sealed)

    def remove(self, entry: SpoolEntry) -> None:
        """Delete a fragment's file, and its clip's folder with the last."""
        path = self._path(entry)
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not empty: there are others
            path.parent.rmdir()

    def remove_clip(self, clip: str) -> None:
        """Delete a clip's folder, as far as that can be done."""
        shutil.rmtree(self.folder / clip, ignore_errors=True)

    def _path(self, entry: SpoolEntry) -> Path:
        return self.folder / entry.clip / entry.name


def discard_clip(folder: Path, clip: str) -> int:
    """Delete a clip's folder; how many fragments it held.

    Args:
        folder: The spool's.
        clip: Its id.

    Raises:
        OSError: It cannot be deleted.
    """
    try:
        count = sum(path.suffix == ".sealed" for path in (folder / clip).iterdir())
        shutil.rmtree(folder / clip)
    except FileNotFoundError:
        return 0
    return count
