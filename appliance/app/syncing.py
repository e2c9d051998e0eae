"""Copies of captures, kept going beside the outbox: its thread, its lock, and what is told of it.

The dispatch process runs it, so that a network that hangs is in nobody's way: not the loop's, and not the
actions', which have threads of their own. One process at a time copies; what it does and what is in its way
stands in `run/sync.json`, for whoever shows it.
"""

import contextlib
import fcntl
import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

import structlog

from appliance import private_files
from appliance.backoff import BackOff
from appliance.clock import Clock
from appliance.errors import ApplianceError, EvidenceError, SinkError
from appliance.events import CaptureRemoved
from appliance.evidence.sealed_file import HEADER_BYTES, looks_sealed
from appliance.evidence.spool_folder import SpoolEntry, SpoolFolder
from appliance.services import Layout, Services
from appliance.settings import S3Settings
from appliance.sinks.copying import Backlog, Copying, backlog
from appliance.sinks.naming import target_of
from appliance.store import NewEvent, Store

_log = structlog.get_logger()

POLL_S: Final = 20.0
"""How often the spool is looked at while nothing is wrong."""
BACK_OFF: Final = BackOff(first_s=2.0, cap_s=300.0)
_CHECK: Final = b"Put here to see whether captures can be copied to this bucket.\n"
_TELL_S: Final = 2.0
"""How often what is told is written while captures are copied."""


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


class Syncing:
    """Copies until it is stopped.

    Args:
        copying: What does it.
        layout: Where the lock and what is told are.
        clock: Both of it.
        poll_s: Seconds between looks at the spool.
        back_off: Pauses after failures.
    """

    def __init__(
        self,
        copying: Copying,
        layout: Layout,
        clock: Clock,
        *,
        poll_s: float = POLL_S,
        back_off: BackOff = BACK_OFF,
    ) -> None:
        self._copying = copying
        self._layout = layout
        self._clock = clock
        self._poll_s = poll_s
        self._back_off = back_off
        self._told = Told()
        self._written: Told | None = None
        self._written_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Copy what is due, again and again; nothing that goes wrong ends it."""
        fresh = True
        while not stop.is_set():
            pause = self._poll_s
            with holding(self._layout) as held:
                while held and not stop.is_set():
                    pause = self._turn(stop, fresh=fresh)
                    fresh = False
                    stop.wait(pause)
            if not held:
                stop.wait(pause)  # another process is at it: `appliance captures sync run`

    def _turn(self, stop: threading.Event, *, fresh: bool) -> float:
        """One round; seconds until the next."""
        try:
            if fresh:
                self._copying.look_again()
            for _ in self._copying.round(stop.is_set):
                self._told = replace(self._told, state="copying", copied=self._told.copied + 1)
                if self._clock.monotonic() - self._written_at > _TELL_S:
                    self._tell()
        except ApplianceError as error:
            reason = error.reason if isinstance(error, SinkError) else "failed"
            return self._failed(reason, error.message, error.hint)
        except Exception as error:  # noqa: BLE001 - a fault of ours here must not end the copying for good
            _log.exception("copying_failed")
            return self._failed("failed", f"copying failed: {type(error).__name__}", "")
        self._told = Told(state="idle", copied=self._told.copied)
        self._tell()
        return self._poll_s

    def _failed(self, reason: str, message: str, hint: str) -> float:
        failures = self._told.failures + 1
        pause = self._back_off.delay(failures)
        if failures == 1 or reason != self._told.reason:
            _log.warning("captures_not_copied", reason=reason, message=message, failures=failures)
        self._copying.let_go_of_connections()
        self._told = Told(
            state="failing",
            copied=self._told.copied,
            failures=failures,
            reason=reason,
            message=message,
            hint=hint,
            next_try_at=(self._clock.wall() + timedelta(seconds=pause)).isoformat(),
        )
        self._tell()
        return pause

    def _tell(self) -> None:
        """Write what is told, if it is news; that it cannot be written stops nothing."""
        if self._told == self._written:
            return
        content = json.dumps({**asdict(self._told), "at": self._clock.wall().isoformat()}).encode()
        with contextlib.suppress(OSError):
            private_files.replace(self._layout.sync_file, content)
            self._written, self._written_at = self._told, self._clock.monotonic()


def run_once(settings: S3Settings, services: Services, stop: threading.Event) -> Iterator[str]:
    """Copy what is due once, refused ones too, and give each capture that was copied.

    Raises:
        SinkError: The service takes nothing now, or another process copies already.
        EvidenceError: The spool cannot be read.
        StoreError: The notes cannot be kept.
    """
    with holding(services.layout) as held:
        if not held:
            raise SinkError(
                "the running appliance copies already",
                reason="busy",
                hint="look how far it is",
                command="appliance captures sync status",
            )
        copying = copying_of(settings, services, stop)
        copying.look_again()
        for copied in copying.round(stop.is_set):
            yield copied.capture


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


@contextlib.contextmanager
def holding(layout: Layout) -> Iterator[bool]:
    """Be the one process that copies, until the end of the block; false: another one is.

    The system lets go of it when a process ends, however it ends.
    """
    layout.sync_lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with layout.sync_lock.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


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
