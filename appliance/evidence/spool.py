"""The spool: sealed captures in one folder, from the moment they are sealed until they expire.

How a capture lies on the disk is `spool_folder`'s business, and when it goes `expiry`'s. The spool writes no
event: its caller logs what it returns, and at start-up what `orphans` and `missing` find.
"""

import hashlib
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from appliance.clock import Clock
from appliance.errors import EvidenceError
from appliance.evidence.capture import CapturedPicture, EncodeJpeg, pack_capture, seal
from appliance.evidence.expiry import MIB, Copied, DueCapture, Expiry, RemovedCapture
from appliance.evidence.recipients import Recipient, parse_recipients
from appliance.evidence.spool_folder import SpoolEntry, SpoolFolder
from appliance.ids import IdFactory, random_ids
from appliance.settings import EvidenceSettings

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
        self._folder = SpoolFolder(folder)
        self._settings = settings
        self._clock = clock
        self._encode = encode
        self._ids = ids
        self._free = free
        self._recipients: tuple[Recipient, ...] = ()
        self._expiry = Expiry(self._folder, settings, clock, free)
        self._refused = 0
        self._used: int | None = None

    def open(self) -> "Spool":
        """Check the recipients and make the folder; returns itself.

        Raises:
            RecipientError: A recipient in the settings is not a public key to seal to.
            EvidenceError: The folder cannot be made or is not ours to write in.
        """
        self._recipients = parse_recipients(self._settings.recipients)
        self._folder.make()
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
        sha256 = self._folder.write(capture, sealed, at)
        if self._used is not None:
            self._used += len(sealed)
        return SealedCapture(
            id=capture,
            file=f"{capture}.age",
            sha256=sha256,
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
        return self._folder.remove(capture)

    def read(self, capture: str) -> bytes:
        """The sealed bytes of a capture.

        Raises:
            EvidenceError: It is not there or cannot be read.
        """
        return self._folder.read(capture)

    def list(self) -> tuple[SpoolEntry, ...]:
        """Every capture, oldest first, then in the order of ids; whatever else lies there is left out.

        Raises:
            EvidenceError: The folder cannot be read.
        """
        return self._folder.list()

    def orphans(self, known: Collection[str]) -> tuple[SealedCapture, ...]:
        """Captures without an event, for adoption; and delete what a crash left half-written.

        What is not sealed is no capture: it is left out, and the log of the program says so.

        Args:
            known: Ids of all captures that the log says are in the spool.

        Raises:
            EvidenceError: The folder cannot be read.
        """
        self._folder.drop_partials()
        self._folder.tend()
        new = (entry for entry in self.list() if entry.id not in known)
        return tuple(self._adopt(entry) for entry in new if self._folder.is_sealed(entry.id))

    def missing(self, known: Collection[str]) -> tuple[str, ...]:
        """Captures that the log says are in the spool and that are not, in the order of ids.

        Raises:
            EvidenceError: The folder cannot be read.
        """
        return tuple(sorted(set(known) - {entry.id for entry in self.list()}))

    def expire(
        self, now: datetime | None = None, *, copied: Copied = frozenset
    ) -> tuple[RemovedCapture, ...]:
        """Delete what is too old or too much, as `Expiry.sweep` says; returns what went.

        `store` refuses what would go over the cap (`spool_full`), and the next sweep makes room for that one
        at least.

        Args:
            now: The wall clock, aware; read from the clock when left out.
            copied: Tells the captures of which there is a verified copy; they make room before others do.

        Raises:
            EvidenceError: The folder cannot be read, or a capture not be deleted.
        """
        removed = self._expiry.sweep(
            now if now is not None else self._clock.wall(), room=self._refused, copied=copied
        )
        self._refused = 0
        self._used = None
        self._folder.tend()
        return removed

    def due(self, now: datetime | None = None, *, copied: Copied = frozenset) -> tuple[DueCapture, ...]:
        """What `expire` would delete if the clock is right; nothing is changed.

        Raises:
            EvidenceError: The folder cannot be read.
        """
        return self._expiry.due(
            now if now is not None else self._clock.wall(), room=self._refused, copied=copied
        )

    def _new_id(self, at: datetime) -> str:
        """An id that no file has: a replay with a seed makes the same ones again."""
        capture = self._ids(at)
        while self._folder.has(capture):
            capture = self._ids(at)
        return capture

    def _check_room(self, size: int) -> None:
        cap = self._settings.max_mib * MIB
        used = self._used
        # Counting takes as long as there are captures, so it is done anew only where it decides: since it was
        # last done, others may have removed some and only we have added any.
        if used is None or used + size > cap:
            used = self._used = sum(entry.size_bytes for entry in self.list())
        if used + size > cap:
            self._refused = size
            raise EvidenceError(
                f"the spool holds {used / MIB:.1f} of {self._settings.max_mib} MiB: no image is stored",
                reason="spool_full",
                hint="the next sweep makes room; or raise max_mib under [evidence]",
            )
        with self._folder.trouble("measure"):
            free = self._free(self._folder.path)
        if free - size < self._settings.min_free_mib * MIB:
            raise EvidenceError(
                f"less than {self._settings.min_free_mib} MiB would be left on the disk: no image is stored",
                reason="disk_full",
                hint="make room, fetch and remove captures, or lower min_free_mib under [evidence]",
            )

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
