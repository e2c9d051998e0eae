"""Fragments that the service does not have yet, sealed on the disk: they outlive a restart, and days offline.

A folder per clip, a file per fragment; names hold an order and times, and nothing of what is in them. A
fragment goes when the service stored it. Above the size cap whole clips go, the oldest first: a clip with a
hole is of less use than one clip less. What cannot be opened any more (cut short, damaged, moved) is put out
of the way and said. Sealing is handed in; sending is `uploader`'s.
"""

import contextlib
import re
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import structlog

from appliance import private_files
from appliance.errors import ApplianceError, StreamError
from appliance.video.kvs.spooled import SpooledFragment

_log = structlog.get_logger()

Seal = Callable[[str, bytes], bytes]
"""Seals or opens: where it rests (it opens nowhere else), and the content. Raises an ApplianceError."""

_NAME: Final = re.compile(r"([0-9]{12})-([0-9]{1,16})-([0-9]{1,16})\.sealed")
_CLIP: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


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


@dataclass(frozen=True, slots=True)
class SpoolState:
    """What is in the spool.

    Attributes:
        clips: How many.
        fragments: How many.
        size_bytes: On the disk.
        oldest_end_ms: When the first that waits ends, milliseconds since the epoch; None: none waits.
        lost: Fragments that were given up, since it was opened.
        lost_clips: Clips that went for the size cap, since it was opened.
    """

    clips: int
    fragments: int
    size_bytes: int
    oldest_end_ms: int | None
    lost: int
    lost_clips: int


class Spool:
    """One stream's; may be used by several threads.

    Args:
        folder: Where it is; made when needed.
        seal: Seals.
        unseal: Opens what `seal` sealed.
        max_bytes: The size cap.
    """

    def __init__(self, folder: Path, seal: Seal, unseal: Seal, *, max_bytes: int) -> None:
        self._folder = folder
        self._seal = seal
        self._unseal = unseal
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._clips: OrderedDict[str, OrderedDict[int, SpoolEntry]] = OrderedDict()
        self._open: set[str] = set()
        self._next = 1
        self._size_bytes = 0
        self._lost = 0
        self._lost_clips = 0

    def load(self) -> None:
        """Find what an earlier run left; clips it had begun get nothing more.

        Raises:
            StreamError: The folder cannot be read.
        """
        with self._lock:
            try:
                found = self._found()
            except OSError as error:
                raise _unusable(error) from error
            self._clips.clear()
            for entry in sorted(found, key=lambda each: each.sequence):
                self._clips.setdefault(entry.clip, OrderedDict())[entry.sequence] = entry
            self._size_bytes = sum(entry.size_bytes for entry in found)
            self._next = max((entry.sequence for entry in found), default=0) + 1

    def add(self, clip: str, fragment: SpooledFragment) -> SpoolEntry:
        """Keep a fragment, flushed to the disk; above the size cap older clips go.

        Args:
            clip: The clip's id; more is expected of it until `end`.
            fragment: What to keep.

        Raises:
            StreamError: There is no room, or the disk does not take it: it is lost, and counted.
            ApplianceError: It cannot be sealed: likewise.
            ValueError: The id is none.
        """
        if not _CLIP.fullmatch(clip):
            raise ValueError("the id of a clip is letters, digits, - and _")
        with self._lock:
            try:
                entry = self._kept(clip, fragment)
            except ApplianceError:
                self._lost += 1
                raise
            self._next += 1
            self._open.add(clip)
            self._clips.setdefault(clip, OrderedDict())[entry.sequence] = entry
            self._size_bytes += entry.size_bytes
            return entry

    def end(self, clip: str) -> None:
        """Nothing more comes of this clip."""
        with self._lock:
            self._open.discard(clip)

    def is_open(self, clip: str) -> bool:
        """Whether more is expected of it."""
        with self._lock:
            return clip in self._open

    def first_clip(self) -> str | None:
        """The oldest clip of which something waits."""
        with self._lock:
            return next(iter(self._clips), None)

    def entries(self, clip: str) -> tuple[SpoolEntry, ...]:
        """What waits of a clip, in order."""
        with self._lock:
            return tuple(self._clips.get(clip, {}).values())

    def holds(self, entry: SpoolEntry) -> bool:
        """Whether it waits still."""
        with self._lock:
            return entry.sequence in self._clips.get(entry.clip, {})

    def read(self, entry: SpoolEntry) -> SpooledFragment | None:
        """Open one; None: it is gone, or cannot be opened, and was put out of the way.

        Raises:
            StreamError: The disk cannot be read.
        """
        path = self._path(entry)
        try:
            sealed = path.read_bytes()
        except FileNotFoundError:
            self.give_up(entry, "gone")
            return None
        except OSError as error:
            raise _unusable(error) from error
        try:
            return SpooledFragment.decode(self._unseal(_row(entry), sealed))
        except (ApplianceError, ValueError):
            self.give_up(entry, "damaged")
            return None

    def stored(self, entry: SpoolEntry) -> bool:
        """The service has it for good; whether it waited here.

        Raises:
            StreamError: It cannot be deleted.
        """
        return self._remove(entry)

    def give_up(self, entry: SpoolEntry, why: str) -> None:
        """It will never be sent; `why` is a stable code, for the log.

        Raises:
            StreamError: It cannot be deleted.
        """
        if self._remove(entry):
            with self._lock:
                self._lost += 1
            _log.warning("kvs_fragment_lost", clip=entry.clip, timecode_ms=entry.timecode_ms, reason=why)

    def drop(self, clip: str) -> int:
        """Somebody wants nothing of a clip to be sent any more; how many of its fragments waited.

        It is no loss, and not counted as one. Of a clip that was begun anything that comes later is kept.

        Raises:
            StreamError: It cannot be deleted; what is left of it waits still.
        """
        with self._lock:
            count = discard(self._folder, clip)
            entries = self._clips.pop(clip, OrderedDict())
            self._open.discard(clip)
            self._size_bytes -= sum(entry.size_bytes for entry in entries.values())
            return count

    def state(self) -> SpoolState:
        """What is in it."""
        with self._lock:
            first = next(iter(self._clips.values()), None)
            oldest = next(iter(first.values())) if first else None
            return SpoolState(
                clips=len(self._clips),
                fragments=sum(map(len, self._clips.values())),
                size_bytes=self._size_bytes,
                oldest_end_ms=oldest.end_ms if oldest is not None else None,
                lost=self._lost,
                lost_clips=self._lost_clips,
            )

    def _kept(self, clip: str, fragment: SpooledFragment) -> SpoolEntry:
        """A fragment that is on the disk now."""
        entry = SpoolEntry(clip, self._next, fragment.timecode_ms, fragment.end_ms, 0)
        sealed = self._seal(_row(entry), fragment.encode())
        self._make_room(clip, len(sealed))
        self._write(entry, sealed)
        return replace(entry, size_bytes=len(sealed))

    def _found(self) -> list[SpoolEntry]:
        """Every fragment on the disk; leftovers of a write that was cut off are deleted."""
        found = []
        if not self._folder.exists():
            return []
        for folder in self._folder.iterdir():
            if not folder.is_dir() or not _CLIP.fullmatch(folder.name):
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

    def _make_room(self, clip: str, more: int) -> None:
        """Let the oldest clips go until so much more fits; never the one that is being written."""
        while self._size_bytes + more > self._max_bytes:
            oldest = next((each for each in self._clips if each != clip), None)
            if oldest is None:
                raise StreamError(
                    "a clip alone is larger than the room for what waits to be sent",
                    reason="spool",
                    hint="give it more: video.kvs.spool_mib",
                )
            self._drop(oldest, "size")

    def _write(self, entry: SpoolEntry, sealed: bytes) -> None:
        """Write a fragment's file; on a full disk the oldest clip goes first, once."""
        for last in (False, True):
            try:
                self._path(entry).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                private_files.write_once(self._path(entry), sealed)
            except OSError as error:
                oldest = next((each for each in self._clips if each != entry.clip), None)
                if last or oldest is None:
                    raise _unusable(error) from error
                self._drop(oldest, "disk_full")
            else:
                return

    def _drop(self, clip: str, why: str) -> None:
        """Let a whole clip go."""
        entries = self._clips.pop(clip, OrderedDict())
        self._open.discard(clip)
        shutil.rmtree(self._folder / clip, ignore_errors=True)
        self._size_bytes -= sum(entry.size_bytes for entry in entries.values())
        self._lost += len(entries)
        self._lost_clips += 1
        _log.warning("kvs_clip_dropped", clip=clip, fragments=len(entries), reason=why)

    def _remove(self, entry: SpoolEntry) -> bool:
        with self._lock:
            entries = self._clips.get(entry.clip, OrderedDict())
            if entries.pop(entry.sequence, None) is None:
                return False
            self._size_bytes -= entry.size_bytes
            if not entries:
                self._clips.pop(entry.clip, None)
            path = self._path(entry)
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise _unusable(error) from error
            with contextlib.suppress(OSError):  # not empty: there are others
                path.parent.rmdir()
            return True

    def _path(self, entry: SpoolEntry) -> Path:
        return self._folder / entry.clip / entry.name


def discard(folder: Path, clip: str) -> int:
    """Delete what waits of a clip in a spool that nobody has open; how many fragments that was.

    Args:
        folder: The spool's.
        clip: Its id; of one that is none nothing waits.

    Raises:
        StreamError: It cannot be deleted.
    """
    if not _CLIP.fullmatch(clip):
        return 0
    try:
        count = sum(path.suffix == ".sealed" for path in (folder / clip).iterdir())
        shutil.rmtree(folder / clip)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise _unusable(error) from error
    return count


def _row(entry: SpoolEntry) -> str:
    """Where it rests, for its seal: it opens nowhere else."""
    return f"kvs/{entry.clip}/{entry.name}"


def _unusable(error: OSError) -> StreamError:
    return StreamError(
        f"what waits to be sent cannot be kept: {error.strerror}",
        reason="spool",
        hint="look at the disk: its room, and whose the state directory is",
    )
