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
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Final

import structlog

from appliance import private_files
from appliance.app.copies import Told, copying_of
from appliance.backoff import BackOff
from appliance.clock import Clock
from appliance.errors import ApplianceError, EvidenceError, SinkError
from appliance.services import Layout, Services
from appliance.settings import S3Settings
from appliance.sinks.copying import Copying

_log = structlog.get_logger()

POLL_S: Final = 20.0
"""How often the spool is looked at while nothing is wrong."""
BACK_OFF: Final = BackOff(first_s=2.0, cap_s=300.0)
_TELL_S: Final = 2.0
"""How often what is told is written while captures are copied."""


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
        while not stop.is_set():
            try:
                with holding(self._layout) as held:
                    if held:
                        self._go_on(stop)
            except EvidenceError as error:
                _log.warning("captures_not_copied", reason="failed", message=error.message)
            # Another process is at it (`appliance captures sync run`), or the lock cannot be made.
            stop.wait(self._poll_s)

    def _go_on(self, stop: threading.Event) -> None:
        """Round after round, until `stop` is set."""
        fresh = True
        while not stop.is_set():
            pause = self._turn(stop, fresh=fresh)
            fresh = False
            stop.wait(pause)

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
        if self._told != self._written and _write(self._told, self._layout, self._clock):
            self._written, self._written_at = self._told, self._clock.monotonic()


def run_once(settings: S3Settings, services: Services, stop: threading.Event) -> Iterator[str]:
    """Copy what is due once, refused ones too, and give each capture that was copied.

    What was in the way is written down, too, for whoever asks afterwards.

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
        copying, told = copying_of(settings, services, stop), Told()
        try:
            copying.look_again()
            for copied in copying.round(stop.is_set):
                told = replace(told, copied=told.copied + 1)
                yield copied.capture
        except ApplianceError as error:
            reason = error.reason if isinstance(error, SinkError) else "failed"
            told = replace(
                told, state="failing", failures=1, reason=reason, message=error.message, hint=error.hint
            )
            raise
        finally:
            _write(told, services.layout, services.clock)


def _write(told: Told, layout: Layout, clock: Clock) -> bool:
    """Write down what is told; whether it could be."""
    content = json.dumps({**asdict(told), "at": clock.wall().isoformat()}).encode()
    try:
        private_files.replace(layout.sync_file, content)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def holding(layout: Layout) -> Iterator[bool]:
    """Be the one process that copies, until the end of the block; false: another one is.

    The system lets go of it when a process ends, however it ends.

    Raises:
        EvidenceError: The lock cannot be made.
    """
    try:
        layout.sync_lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        opened = layout.sync_lock.open("ab")
    except OSError as error:
        raise EvidenceError(
            f"{layout.sync_lock} cannot be made: {error.strerror}",
            hint="look at the state directory's owner, and at its disk",
        ) from error
    with opened as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
