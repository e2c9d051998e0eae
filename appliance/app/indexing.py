"""Keeping moments, in the dispatch process: what frames showed is written as it comes, the log is followed.

A thread of its own, which nobody waits for: a database that is locked or full costs moments, never an action.
What waits is bounded; the oldest goes, and that is counted. Copying moments elsewhere is `index_copying`.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import structlog

from appliance.backoff import BackOff
from appliance.clock import Clock, Steadiness
from appliance.errors import ApplianceError
from appliance.services import Services
from appliance.settings import IndexSettings, Settings
from appliance.store import Seen
from appliance.wire import Reply, Request
from appliance.wire.messages import Done, NoteSeen

_log = structlog.get_logger()

KEPT: Final = 5000
"""Frames that may wait for the database."""
EVERY_S: Final = 1.0
PRUNE_S: Final = 3600.0
AT_ONCE: Final = 500
"""Frames and events of one transaction: others wait some milliseconds for it."""
DROPPED: Final = "dropped"
"""The cursor that counts frames that were given up before they were written."""
_BACK_OFF: Final = BackOff(first_s=2.0, cap_s=60.0)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SENDERS: Final = 64
_LEAVE_S: Final = 3.0


class MomentStore(Protocol):
    """The store, as far as it is needed here; see `appliance.store.moments_kept`."""

    def note_seen(self, seen: list[Seen]) -> int:
        """Keep what frames showed."""

    def follow_log(self, limit: int) -> int:
        """Write what the log says and was not written yet."""

    def drop_moments(self, *, before: datetime | None, most: int | None) -> int:
        """Delete what is too old, or too much."""

    def move_cursor(self, name: str, position: int, *, more: int) -> None:
        """Count."""


@contextlib.contextmanager
def keeping_moments(
    settings: Settings, services: Services, indexing: "Indexing", stop: threading.Event
) -> Iterator[None]:
    """Keep moments beside, in a thread of its own, and copy them elsewhere where the settings say so.

    What was handed over by the end is written before it is over.
    """
    if not settings.index.enabled:
        yield
        return
    threads = [threading.Thread(target=indexing.run, args=(stop,), name="moments", daemon=True)]
    if settings.index.opensearch.url:
        from appliance.app.index_copying import copying_moments  # noqa: PLC0415 - most boxes load no client

        try:
            copying = copying_moments(settings.index.opensearch, services)
        except ApplianceError as error:  # what is kept here is kept all the same
            _log.warning("moments_not_copied", error=error.message, hint=error.advice)
        else:
            copies = threading.Thread(target=copying.run, args=(stop,), name="moment-copies", daemon=True)
            threads.append(copies)
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        indexing.nudge()
        for thread in threads:
            thread.join(_LEAVE_S)


class Indexing:
    """Writes moments.

    Args:
        store: Where to.
        settings: How many are kept.
        clock: Both of it.
        kept: Frames that may wait.
    """

    def __init__(
        self, store: MomentStore, settings: IndexSettings, clock: Clock, *, kept: int = KEPT
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._waiting: deque[Seen] = deque()
        self._kept = kept
        self._taken: dict[str, int] = {}
        self._dropped = 0
        self._lock = threading.Lock()
        self._due = threading.Event()
        self._steadiness = Steadiness(clock)
        self._prune_at_s = clock.monotonic() + PRUNE_S

    def note(self, request: Request[NoteSeen]) -> Reply[Done]:
        """Take what frames showed; returns at once. What was taken before is passed over."""
        said = request.message
        with self._lock:
            last = self._taken.pop(said.sender, 0)
            fresh = said.seen[max(last + 1 - said.first, 0) :]
            self._taken[said.sender] = max(last, said.first + len(said.seen) - 1)
            while len(self._taken) > _SENDERS:
                self._taken.pop(next(iter(self._taken)))
            self._dropped += said.dropped
            for each in fresh:
                at = _EPOCH + timedelta(milliseconds=each.at_ms)
                self._waiting.append(Seen(at, each.camera, each.labels, each.source))
            while len(self._waiting) > self._kept:
                self._waiting.popleft()
                self._dropped += 1
        self._due.set()
        return Reply(Done())

    def turn(self) -> bool:
        """Write some of what waits and of what the log says; whether there is more.

        Raises:
            StoreError: It could not be written; what waits, waits.
        """
        with self._lock:
            batch = [self._waiting[i] for i in range(min(len(self._waiting), AT_ONCE))]
            dropped = self._dropped
        if dropped:
            self._store.move_cursor(DROPPED, 0, more=dropped)
            with self._lock:
                self._dropped -= dropped
        if batch:
            self._store.note_seen(batch)
            with self._lock:
                # Some of these may have been dropped for newer ones while they were written.
                while self._waiting and batch and self._waiting[0] is not batch[0]:
                    batch.pop(0)
                    self._dropped -= 1
                for _ in batch:
                    self._waiting.popleft()
        read = self._store.follow_log(AT_ONCE)
        return read >= AT_ONCE or bool(self._waiting) or self._prune()

    def run(self, stop: threading.Event) -> None:
        """Write what comes until `stop` is set; nothing that goes wrong ends it."""
        failures = 0
        while not stop.is_set():
            try:
                more = self.turn()
                failures = 0
            except ApplianceError as error:
                failures += 1
                if failures == 1:
                    _log.warning("moments_not_written", error=error.message, hint=error.advice)
                stop.wait(_BACK_OFF.delay(failures))
                continue
            if not more:
                self._due.wait(EVERY_S)
                self._due.clear()
        with contextlib.suppress(ApplianceError):
            self.turn()

    def nudge(self) -> None:
        """Look now, be it whether it is over."""
        self._due.set()

    def _prune(self) -> bool:
        """Let go what is too old, every hour, once the clock is to be believed; whether there is more."""
        if self._clock.monotonic() < self._prune_at_s:
            return False
        now = self._clock.wall()
        steady = self._steadiness.look(now)
        days = self._settings.keep_days
        before = now - timedelta(days=days) if days is not None and steady else None
        gone = self._store.drop_moments(before=before, most=self._settings.max_moments)
        if gone >= AT_ONCE:
            return True
        self._prune_at_s = self._clock.monotonic() + PRUNE_S
        return False


class RemadeStore(Protocol):
    """The store, as far as making the index anew needs it."""

    def forget_log_moments(self) -> int:
        """Delete some of what came of the log."""

    def follow_log(self, limit: int) -> int:
        """Write what the log says and was not written yet."""

    def count_moments_again(self, hour: datetime) -> datetime | None:
        """Count what there is of an hour."""

    def moment_count(self) -> int:
        """How many there are."""


def remade(store: RemadeStore) -> tuple[int, int]:
    """Make what comes of the log anew and count everything again, a little at a time.

    Returns:
        How many moments of the log there were before, and how many there are in all now.

    Raises:
        StoreError: It was left half done; done again it is whole.
    """
    gone = 0
    while some := store.forget_log_moments():
        gone += some
    while store.follow_log(AT_ONCE):
        pass
    hour: datetime | None = _EPOCH
    while hour is not None:
        hour = store.count_moments_again(hour)
    return gone, store.moment_count()
