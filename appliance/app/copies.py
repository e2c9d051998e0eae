"""Copies of captures, put together: the spool as copying sees it, how far it is, whether the bucket is well.

What copies again and again, and what keeps two from doing so at once, is `syncing`.
"""

import fcntl
import json
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from appliance.errors import EvidenceError, SinkError
from appliance.events import CaptureRemoved
from appliance.evidence.sealed_file import HEADER_BYTES, looks_sealed
from appliance.evidence.spool_folder import SpoolEntry, SpoolFolder
from appliance.services import Layout, Services
from appliance.settings import S3Settings
from appliance.sinks.backlog import Backlog, backlog
from appliance.sinks.copying import Copying
from appliance.sinks.naming import target_of
from appliance.store import NewEvent, Store

_CHECK: Final = b"Put here to see whether captures can be copied to this bucket.\n"


class SpoolFiles:
    """The spool as copying sees it.

    Args:
        folder: Where it is.
        store: The log, for what is deleted.
    """

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder = SpoolFolder(folder)
        self._store = store

    def list(self) -> tuple[SpoolEntry, ...]:
        """Every capture, the oldest first; before the first run there is no folder.

        Raises:
            EvidenceError: It cannot be read.
        """
        return self._folder.list() if self._folder.path.exists() else ()

    def signature(self) -> int:
        """When a file has last come or gone, in nanoseconds; 0: there is no folder yet."""
        try:
            return self._folder.path.stat().st_mtime_ns
        except OSError:
            return 0

    def open(self, capture: str) -> BinaryIO | None:
        """To read one; None: it is gone.

        Raises:
            EvidenceError: It cannot be read.
        """
        try:
            return (self._folder.path / f"{capture}.age").open("rb")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise EvidenceError(f"capture {capture} cannot be read: {error.strerror}") from error

    def sealed(self, beginning: bytes) -> bool:
        """Whether a file that begins so is sealed."""
        return looks_sealed(beginning[:HEADER_BYTES])

    def remove(self, capture: str) -> bool:
        """Delete one whose copy was verified, and log it.

        Raises:
            EvidenceError: It cannot be deleted.
            StoreError: It is deleted and not logged; the next start finds it missing, and says so.
        """
        if not self._folder.remove(capture):
            return False
        self._store.append_all([NewEvent(CaptureRemoved(capture=capture, reason="copied"))])
        return True


@dataclass(frozen=True, slots=True)
class Told:
    """What whoever copies tells of it.

    Attributes:
        at: When, ISO 8601.
        state: idle, copying or failing.
        copied: Captures copied since it began.
        failures: Failures in a row.
        reason: Code of what is in the way; empty: nothing.
        message: The same in words.
        hint: What to do about it.
        next_try_at: When it is tried again, ISO 8601; None: it is not failing.
    """

    at: str = ""
    state: str = "idle"
    copied: int = 0
    failures: int = 0
    reason: str = ""
    message: str = ""
    hint: str = ""
    next_try_at: str | None = None


@dataclass(frozen=True, slots=True)
class SyncState:
    """How copying is, for whoever shows it.

    Attributes:
        backlog: How far it is.
        last_verified: When the newest copy was verified.
        running: Whether a process copies, or would.
        told: What it says, or said when it last ran.
    """

    backlog: Backlog
    last_verified: datetime | None
    running: bool
    told: Told

    def lag_s(self, now: datetime) -> float:
        """Seconds since the oldest capture that is due was sealed; 0: none is."""
        oldest = self.backlog.oldest_due
        return 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())


def sync_state(settings: S3Settings, services: Services) -> SyncState:
    """How copying is now.

    Raises:
        EvidenceError: The spool cannot be read.
        StoreError: The notes cannot be read.
    """
    store, target = services.store, target_of(settings)
    return SyncState(
        backlog(
            SpoolFiles(services.layout.spool, store).list(),
            store.remote_copies(target),
            services.clock.wall(),
            settings.wait_s,
        ),
        store.last_verified(target),
        _is_locked(services.layout),
        read_told(services.layout),
    )


def values_of(state: SyncState, now: datetime) -> dict[str, Any]:
    """How copying is, as JSON values with their units: for a command and for pages."""
    found, told = state.backlog, state.told
    return {
        "captures": found.captures,
        "verified": found.verified,
        "due": len(found.due),
        "due_bytes": found.due_bytes,
        "waiting": found.waiting,
        "refused": found.refused,
        "lag_s": round(state.lag_s(now)),
        "last_verified": state.last_verified.isoformat() if state.last_verified is not None else None,
        "running": state.running,
        "state": told.state,
        "failures": told.failures,
        "reason": told.reason,
        "message": told.message,
        "hint": told.hint,
        "next_try_at": told.next_try_at,
    }


def copying_of(
    settings: S3Settings, services: Services, stop: threading.Event, *, part_bytes: int | None = None
) -> Copying:
    """Copying, put together; nothing is asked of the service yet.

    Args:
        settings: Which bucket.
        services: The log, the notes, the spool.
        stop: Ends what waits for bandwidth.
        part_bytes: Length of a part, where it is not the usual.
    """
    from appliance.sinks.bucket import PART_BYTES, Bucket  # noqa: PLC0415 - a box without a bucket loads no boto

    bucket = Bucket(settings, services.device, services.clock, stop=stop, part_bytes=part_bytes or PART_BYTES)
    return Copying(
        SpoolFiles(services.layout.spool, services.store), services.store, bucket, settings, services.clock
    )


def check_bucket(settings: S3Settings, services: Services) -> str:
    """Put a line of text into the bucket and see that it is there; its name there.

    Raises:
        SinkError: It cannot be; in words what is wrong, and what to do.
    """
    from appliance.sinks.bucket import Bucket  # noqa: PLC0415 - as above

    bucket = Bucket(settings, services.device, services.clock)
    try:
        key = bucket.put_small("check.txt", _CHECK)
        if bucket.find(key) is None:
            raise SinkError("the service took something and does not show it", reason="server")
    finally:
        bucket.close()
    return key


def read_told(layout: Layout) -> Told:
    """What was told last; nothing, if nobody ever copied, or it cannot be read."""
    try:
        raw = json.loads(layout.sync_file.read_text(encoding="utf-8"))
        return Told(**{name: raw[name] for name in Told.__slots__})
    except (OSError, ValueError, KeyError, TypeError):
        return Told()


def _is_locked(layout: Layout) -> bool:
    try:
        with layout.sync_lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
