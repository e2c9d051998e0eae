"""The spool: sealed captures in one folder, from the moment they are sealed until they expire.

A capture is one file, `<id>.age`, with an id that says nothing but when it was made. It is
written beside as `<id>.age.partial`, forced to the disk and then renamed, so that a crash
leaves a whole capture, a partial one that start-up deletes, or nothing. The spool writes no
event: its caller logs what it returns, and at start-up what `orphans` and `missing` find.

A capture's age counts from its file's modification time, which `store` sets to the moment
of sealing. Clocks are wrong now and then, on a box without a battery at every boot, so
`expire` believes in an age only as far as the clock has earned it; see there.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import stat
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import structlog

from appliance.clock import Clock
from appliance.errors import EvidenceError
from appliance.evidence.capture import CapturedPicture, EncodeJpeg, pack_capture, seal
from appliance.evidence.recipients import Recipient, parse_recipients
from appliance.ids import IdFactory, random_ids
from appliance.settings import EvidenceSettings

_log = structlog.get_logger()

_UUID7 = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_ID = re.compile(_UUID7)
_SEALED = re.compile(rf"({_UUID7})\.age")
_PARTIAL = re.compile(rf"{_UUID7}\.age\.partial")

_MIB = 1024 * 1024
_SPARE = 0.1
"""Share of the size cap that a sweep keeps free: 100 MiB of the default, some 80 captures."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""No space, no quota, or a limit on the size of files: nothing more fits."""

_STEADY_AFTER_S = 3600.0
"""How long the wall clock must agree with the monotonic one before it is believed."""
_JUMP_S = 60.0
"""More than clocks drift apart between two sweeps, less than anybody sets one by."""
_UNSTEADY_LIMIT = 10
"""Captures that age may delete before the clock has been steady for that long."""
_AHEAD = timedelta(days=1)
"""A file dated later than this from now was sealed by a clock that was wrong."""
_CLOCK_WAS_SET = datetime(2025, 1, 1, tzinfo=UTC)
"""Earlier than this software; a clock that says so has not been set."""

FreeBytes = Callable[[Path], int]
"""Free space, for an ordinary process, where a folder is."""


def free_bytes(folder: Path) -> int:
    """Bytes that an ordinary process may still write where `folder` is."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


@dataclass(frozen=True, slots=True)
class SealedCapture:
    """A capture in the spool.

    Attributes:
        id: UUIDv7.
        file: File name in the spool.
        sha256: Of the sealed bytes, hex.
        size_bytes: Of the sealed bytes.
        frames: How many frames are inside; 0 when it was adopted, for only a recipient can look.
        recipients: Fingerprints it was sealed to; empty when it was adopted.
        sealed_at: When, aware UTC.
        expires_at: When it will be deleted, aware UTC.
    """

    id: str
    file: str
    sha256: str
    size_bytes: int
    frames: int
    recipients: tuple[str, ...]
    sealed_at: datetime
    expires_at: datetime


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


@dataclass(frozen=True, slots=True)
class RemovedCapture:
    """A capture that a sweep deleted, and why; the words are those of `capture_removed`."""

    id: str
    reason: Literal["expired", "cap"]


class Spool:
    """Sealed captures in one folder. Used by one thread at a time; other processes may read and remove.

    Args:
        folder: Where they are; made by `open`, for the owner only.
        settings: Recipients, expiry and caps.
        clock: For expiry.
        encode: Makes the JPEGs.
        ids: Makes the ids.
        free: Tells the free space.
    """

    def __init__(
        self,
        folder: Path,
        settings: EvidenceSettings,
        clock: Clock,
        encode: EncodeJpeg,
        *,
        ids: IdFactory = random_ids,
        free: FreeBytes = free_bytes,
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._clock = clock
        self._encode = encode
        self._ids = ids
        self._free = free
        self._recipients: tuple[Recipient, ...] = ()
        self._anchor: tuple[float, datetime] | None = None
        self._deleted_unsteady = 0
        self._refused = 0
        self._untold: list[RemovedCapture] = []

    def open(self) -> "Spool":
        """Check the recipients and make the folder; returns itself.

        Raises:
            RecipientError: A recipient in the settings is not a public key to seal to.
            EvidenceError: The folder cannot be made or is not ours to write in.
        """
        self._recipients = parse_recipients(self._settings.recipients)
        with self._trouble("open"):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise EvidenceError(
                "the spool of captures cannot be written", hint=f"check the owner of {self._folder}"
            )
        return self

    @property
    def recipients(self) -> tuple[str, ...]:
        """Fingerprints of whom captures are sealed to; empty before `open`."""
        return tuple(recipient.fingerprint for recipient in self._recipients)

    def store(
        self, pictures: Sequence[CapturedPicture], metadata: Mapping[str, Any], at: datetime
    ) -> SealedCapture:
        """Seal pictures to the recipients; when it returns, the capture is on the disk.

        Args:
            pictures: Frames, best first; no more than the settings say are taken.
            metadata: What else the capture says; anything JSON can hold.
            at: When it happened, aware.

        Raises:
            EvidenceError: Nothing was stored, and nothing is left of it; `reason` says why.
        """
        if not self._recipients:
            seal(b"", ())
        capture = self._new_id(at)
        chosen = pictures[: self._settings.frames]
        sealed = seal(pack_capture(capture, chosen, metadata, at, self._encode), self._recipients)
        self._check_room(len(sealed))
        self._write(capture, sealed, at)
        return SealedCapture(
            id=capture,
            file=f"{capture}.age",
            sha256=hashlib.sha256(sealed).hexdigest(),
            size_bytes=len(sealed),
            frames=len(chosen),
            recipients=self.recipients,
            sealed_at=at.astimezone(UTC),
            expires_at=at.astimezone(UTC) + timedelta(days=self._settings.expire_days),
        )

    def remove(self, capture: str) -> bool:
        """Delete a capture; false when it is not there.

        Raises:
            EvidenceError: It is there and cannot be deleted.
        """
        if not _ID.fullmatch(capture):
            return False
        with self._trouble("delete from"):
            try:
                (self._folder / f"{capture}.age").unlink()
            except FileNotFoundError:
                return False
            self._sync_folder()
        return True

    def read(self, capture: str) -> bytes:
        """The sealed bytes of a capture.

        Raises:
            EvidenceError: It is not there or cannot be read.
        """
        if not _ID.fullmatch(capture):
            raise EvidenceError(
                "this is not the id of a capture", hint="ids are in the event stranger_captured"
            )
        try:
            return (self._folder / f"{capture}.age").read_bytes()
        except FileNotFoundError as error:
            raise EvidenceError(
                f"there is no capture {capture}",
                hint="it has expired, was retracted, or was fetched and removed",
            ) from error
        except OSError as error:
            raise EvidenceError(f"capture {capture} cannot be read: {error.strerror}") from error

    def list(self) -> tuple[SpoolEntry, ...]:
        """Every capture, oldest first, then in the order of ids; whatever else lies there is left out.

        Raises:
            EvidenceError: The folder cannot be read.
        """
        found: list[SpoolEntry] = []
        with self._trouble("read"):
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

    def orphans(self, known: Collection[str]) -> tuple[SealedCapture, ...]:
        """Captures without an event, for adoption; and delete what a crash left half-written.

        Args:
            known: Ids of all captures that the log says are in the spool.

        Raises:
            EvidenceError: The folder cannot be read.
        """
        self._drop_partials()
        return tuple(self._adopt(entry) for entry in self.list() if entry.id not in known)

    def missing(self, known: Collection[str]) -> tuple[str, ...]:
        """Captures that the log says are in the spool and that are not, in the order of ids.

        Raises:
            EvidenceError: The folder cannot be read.
        """
        return tuple(sorted(set(known) - {entry.id for entry in self.list()}))

    def expire(self, now: datetime | None = None) -> tuple[RemovedCapture, ...]:
        """Delete what is too old, then the oldest until a tenth of the size cap is free again.

        Returns what went, in that order, and before it what went in an earlier call that failed.
        The tenth is room for what comes until the next sweep; `store` refuses what would go over
        the cap (`spool_full`), and the next sweep makes room for that one at least.

        What a wrong clock can do is bounded. Until the wall clock has agreed with the
        monotonic one for an hour (since this spool's first sweep, or since the last jump),
        age deletes no more than ten captures in all. With a steady clock, a file dated in
        the future or before 2025 was sealed by a clock that was wrong: its days count from
        now on. A clock that says it is before 2025 deletes nothing by age. The size cap
        does not ask the clock.

        Args:
            now: The wall clock, aware; read from the clock when left out.

        Raises:
            EvidenceError: The folder cannot be read, or a capture not be deleted.
        """
        at = now if now is not None else self._clock.wall()
        self._expire_by_age(at)
        entries = self.list()
        cap = self._settings.max_mib * _MIB
        surplus = sum(entry.size_bytes for entry in entries) - cap + max(int(cap * _SPARE), self._refused)
        self._refused = 0
        for entry in entries:
            if surplus <= 0:
                break
            if self.remove(entry.id):
                self._untold.append(RemovedCapture(entry.id, "cap"))
            surplus -= entry.size_bytes
        removed, self._untold = tuple(self._untold), []
        if removed:
            _log.info("captures_expired", count=len(removed))
        return removed

    def _expire_by_age(self, now: datetime) -> None:
        steady = self._is_steady(now)
        if now < _CLOCK_WAS_SET:
            return
        for entry in self.list():
            if entry.sealed_at < _CLOCK_WAS_SET or entry.sealed_at > now + _AHEAD:
                if steady:
                    self._date(entry.id, now)
            elif now - entry.sealed_at >= timedelta(days=self._settings.expire_days):
                if not steady:
                    if self._deleted_unsteady >= _UNSTEADY_LIMIT:
                        return
                    self._deleted_unsteady += 1
                if self.remove(entry.id):
                    self._untold.append(RemovedCapture(entry.id, "expired"))

    def _is_steady(self, now: datetime) -> bool:
        monotonic = self._clock.monotonic()
        if self._anchor is not None:
            passed = monotonic - self._anchor[0]
            if abs((now - self._anchor[1]).total_seconds() - passed) <= _JUMP_S:
                return passed >= _STEADY_AFTER_S
            _log.warning("wall_clock_jumped", room="evidence")
        self._anchor = (monotonic, now)
        self._deleted_unsteady = 0
        return False

    def _date(self, capture: str, now: datetime) -> None:
        with self._trouble("date a capture in"), contextlib.suppress(FileNotFoundError):
            os.utime(
                self._folder / f"{capture}.age", (now.timestamp(), now.timestamp()), follow_symlinks=False
            )

    def _new_id(self, at: datetime) -> str:
        """An id that no file has: a replay with a seed makes the same ones again."""
        capture = self._ids(at)
        while (self._folder / f"{capture}.age").exists():
            capture = self._ids(at)
        return capture

    def _check_room(self, size: int) -> None:
        used = sum(entry.size_bytes for entry in self.list())
        if used + size > self._settings.max_mib * _MIB:
            self._refused = size
            raise EvidenceError(
                f"the spool holds {used / _MIB:.1f} of {self._settings.max_mib} MiB: no image is stored",
                reason="spool_full",
                hint="the next sweep makes room; or raise max_mib under [evidence]",
            )
        with self._trouble("measure"):
            free = self._free(self._folder)
        if free - size < self._settings.min_free_mib * _MIB:
            raise EvidenceError(
                f"less than {self._settings.min_free_mib} MiB would be left on the disk: no image is stored",
                reason="disk_full",
                hint="make room, fetch and remove captures, or lower min_free_mib under [evidence]",
            )

    def _write(self, capture: str, sealed: bytes, at: datetime) -> None:
        """Write beside, force to the disk, rename, force the name to the disk."""
        final = self._folder / f"{capture}.age"
        partial = self._folder / f"{capture}.age.partial"
        with self._trouble("write to"):
            try:
                with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    # Held while writing: another process that cleans up sees that this one is alive.
                    fcntl.flock(file, fcntl.LOCK_EX)
                    file.write(sealed)
                    file.flush()
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

    def _adopt(self, entry: SpoolEntry) -> SealedCapture:
        content = self.read(entry.id)
        return SealedCapture(
            id=entry.id,
            file=f"{entry.id}.age",
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            frames=0,
            recipients=(),
            sealed_at=entry.sealed_at,
            expires_at=entry.sealed_at + timedelta(days=self._settings.expire_days),
        )

    def _drop_partials(self) -> None:
        with self._trouble("clean up"):
            for entry in self._scan():
                if _PARTIAL.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    self._drop_partial(self._folder / entry.name)

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
        with os.scandir(self._folder) as entries:
            yield from entries

    def _sync_folder(self) -> None:
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def _trouble(self, verb: str) -> Iterator[None]:
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
                hint=f"check the owner and the mode of {self._folder}",
            ) from error
