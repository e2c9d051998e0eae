"""Fragments that the service does not have yet, sealed on the disk: they outlive a restart, and days offline.

A fragment goes when the service stored it. Above the size cap, and on a full disk, whole clips go, the oldest
first: a clip with a hole is of less use than one clip less. What does not open any more (cut short, damaged,
moved) goes and is said; while the key or the disk is what is wrong, nothing goes. Sealing is handed in; the
files are `spool_files`' business, and sending is `uploader`'s.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

import structlog

from appliance.errors import ApplianceError, StreamError, VaultError
from appliance.video.kvs.spool_faults import FULL, UnreadFiles, shut, unusable
from appliance.video.kvs.spool_files import CLIP, SpoolEntry, SpoolFiles, discard_clip
from appliance.video.kvs.spooled import SpooledFragment

_log = structlog.get_logger()

Seal = Callable[[str, bytes], bytes]
"""Seals or opens: where it rests (it opens nowhere else), and the content. Raises a VaultError where this
does not open, and any other ApplianceError where the key cannot be had."""

_PROBED: Final = 16
"""Of the others, so many are looked at: can none be read, it is the disk, and not the file."""
_TRIAL: Final = "kvs/trial"
"""Where nothing rests, to see whether the key opens what it seals."""


@dataclass(frozen=True, slots=True)
class SpoolState:
    """What is in the spool.

    Attributes:
        clips: How many.
        fragments: How many.
        size_bytes: On the disk, with what was set aside.
        oldest_end_ms: When the first that waits ends, milliseconds since the epoch; None: none waits.
        lost: Fragments that were given up or set aside, since it was opened.
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
        self._files = SpoolFiles(folder)
        self._seal = seal
        self._unseal = unseal
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._clips: OrderedDict[str, OrderedDict[int, SpoolEntry]] = OrderedDict()
        self._open: set[str] = set()
        self._unread = UnreadFiles()
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
                found = self._files.found()
            except OSError as error:
                raise unusable(error) from error
            self._clips.clear()
            self._unread.clear()
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
        if not CLIP.fullmatch(clip):
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
            return next((entry.clip for entry in self._waiting()), None)

    def entries(self, clip: str) -> tuple[SpoolEntry, ...]:
        """What waits of a clip, in order."""
        with self._lock:
            kept = self._clips.get(clip, OrderedDict()).values()
            return tuple(entry for entry in kept if not self._unread.is_aside(entry.sequence))

    def holds(self, entry: SpoolEntry) -> bool:
        """Whether it waits still."""
        with self._lock:
            return entry.sequence in self._clips.get(entry.clip, {})

    def read(self, entry: SpoolEntry) -> SpooledFragment | None:
        """Open one; None: it is gone or does not open, and was given up, or it was set aside.

        Raises:
            StreamError: The disk or the key cannot be read; nothing goes for that.
        """
        try:
            sealed = self._files.read(entry)
        except FileNotFoundError:
            self.give_up(entry, "gone")
            return None
        except OSError as error:
            if self._set_aside(entry):
                return None
            raise unusable(error) from error
        try:
            return SpooledFragment.decode(self._unseal(_row(entry), sealed))
        except (VaultError, ValueError):
            self._see_to_the_key()
            self.give_up(entry, "damaged")
            return None
        except ApplianceError as error:
            raise shut(error) from error

    def stored(self, entry: SpoolEntry) -> bool:
        """The service has it for good; whether it waited here.

        Raises:
            StreamError: It cannot be deleted.
        """
        return self._remove(entry)

    def give_up(self, entry: SpoolEntry, why: str) -> None:
        """It is not sent any more; `why` is a stable code, for the log."""
        try:
            removed = self._remove(entry)
        except StreamError as error:
            _log.warning("kvs_spool", reason=error.message)
            removed = True  # as far as this run goes
        if removed:
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
            count = discard(self._files.folder, clip)
            entries = self._clips.pop(clip, OrderedDict())
            self._open.discard(clip)
            self._size_bytes -= sum(entry.size_bytes for entry in entries.values())
            return count

    def state(self) -> SpoolState:
        """What is in it."""
        with self._lock:
            waiting = list(self._waiting())
            oldest = waiting[0] if waiting else None
            return SpoolState(
                clips=len({entry.clip for entry in waiting}),
                fragments=len(waiting),
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

    def _waiting(self) -> Iterator[SpoolEntry]:
        """What waits, the oldest clip first; the lock is held."""
        for entries in self._clips.values():
            for entry in entries.values():
                if not self._unread.is_aside(entry.sequence):
                    yield entry

    def _set_aside(self, entry: SpoolEntry) -> bool:
        """Note that a file cannot be read; whether the others go on without it, until the next start.

        It stays on the disk. Where no other can be read either, all of them wait for the disk.
        """
        with self._lock:
            if not self._unread.tried(entry.sequence):
                return False
            others = [*islice((each for each in self._waiting() if each != entry), _PROBED)]
        if not any(map(self._files.can_be_read, others)):
            return False
        with self._lock:
            self._unread.set_aside(entry.sequence)
            self._lost += 1
        _log.warning("kvs_fragment_set_aside", clip=entry.clip, timecode_ms=entry.timecode_ms)
        return True

    def _see_to_the_key(self) -> None:
        """Before something is given up that does not open: see that it is not the key.

        Raises:
            StreamError: Nothing opens now.
        """
        try:
            self._unseal(_TRIAL, self._seal(_TRIAL, b""))
        except ApplianceError as error:
            raise shut(error) from error

    def _make_room(self, clip: str, more: int) -> None:
        """Let the oldest clips go until so much more fits; never the one that is being written."""
        own = sum(entry.size_bytes for entry in self._clips.get(clip, {}).values())
        if own + more > self._max_bytes:
            raise StreamError(
                "a clip alone is larger than the room for what waits to be sent",
                reason="spool",
                hint="give it more: video.kvs.spool_mib",
            )
        for oldest in [each for each in self._clips if each != clip]:
            if self._size_bytes + more <= self._max_bytes:
                return
            self._drop(oldest, "size")

    def _write(self, entry: SpoolEntry, sealed: bytes) -> None:
        """Write a fragment's file; on a full disk the oldest clip goes first, once."""
        for last in (False, True):
            try:
                self._files.write(entry, sealed)
            except OSError as error:
                oldest = next((each for each in self._clips if each != entry.clip), None)
                if last or oldest is None or error.errno not in FULL:
                    raise unusable(error) from error
                self._drop(oldest, "disk_full")
            else:
                return

    def _drop(self, clip: str, why: str) -> None:
        """Let a whole clip go."""
        entries = self._clips.pop(clip, OrderedDict())
        self._open.discard(clip)
        self._files.remove_clip(clip)
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
            try:
                self._files.remove(entry)
            except OSError as error:
                raise unusable(error) from error
            return True


def discard(folder: Path, clip: str) -> int:
    """Delete what waits of a clip in a spool that nobody has open; how many fragments that was.

    Args:
        folder: The spool's.
        clip: Its id; of one that is none nothing waits.

    Raises:
        StreamError: It cannot be deleted.
    """
    try:
        return discard_clip(folder, clip) if CLIP.fullmatch(clip) else 0
    except OSError as error:
        raise unusable(error) from error


def _row(entry: SpoolEntry) -> str:
    """Where it rests, for its seal: it opens nowhere else."""
    return f"kvs/{entry.clip}/{entry.name}"
