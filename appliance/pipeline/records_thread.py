"""Putting on record without making the loop wait: the same in order, on a thread of its own.

What is done is `records`' business; here is when, how often, and what is let go when nothing can be
written for long.
"""

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import structlog

from appliance.backoff import BackOff
from appliance.errors import StoreError
from appliance.events import CaptureSkipped, Event, StrangerSeen
from appliance.pipeline.records import Picture, Records, Removed

_log = structlog.get_logger()

_BACK_OFF = BackOff(0.1, 10.0)
_LAST_TRIES = 5
"""Failures in a row after which a closing appliance gives a job up, and says so."""


class RecordsThread:
    """Does the same in order on its own thread; the caller never waits.

    What the database refuses (disk full, locked) is tried again with growing pauses and in
    order; meanwhile the loop goes on and the queue grows. Pictures waiting in a long queue are let
    go first, because they are large: their stranger is then logged without a capture.

    Args:
        records: Who does it.
        max_waiting_pictures: Strangers that may wait with their pictures.

    Attributes:
        failing: The database refuses at the moment.
        lost: Jobs with events that were given up when it was closed.
    """

    def __init__(self, records: Records, *, max_waiting_pictures: int = 4) -> None:
        self._records = records
        self._jobs: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._pictures = threading.BoundedSemaphore(max_waiting_pictures)
        self._thread = threading.Thread(target=self._run, name="records", daemon=True)
        self._closing = threading.Event()
        self._sweep_waits = False
        self.failing = False
        self.lost = 0
        self._unwritten = 0
        self._counting = threading.Lock()

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Finish what is waiting; give up on a database that still refuses."""
        self._closing.set()
        self._jobs.put(None)
        self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """Jobs not done yet."""
        return self._jobs.qsize()

    def log(self, events: Sequence[Event], at: datetime) -> None:
        """See `Records.log`."""
        kept = tuple(events)
        self._put(lambda: self._records.log(kept, at))

    def stranger(self, seen: StrangerSeen, at: datetime) -> None:
        """See `Records.stranger`."""
        self._put(lambda: self._records.stranger(seen, at))

    def capture(self, seen: StrangerSeen, pictures: Sequence[Picture], at: datetime) -> None:
        """See `Records.capture`; with too many waiting, the pictures are let go and that is logged."""
        kept = tuple(pictures)
        if self._pictures.acquire(blocking=False):
            self._put(lambda: self._capture(seen, kept, at))
            return
        _log.warning("capture_not_stored", reason="memory", error="too many captures wait for the disk")
        skipped = CaptureSkipped(
            encounter=seen.encounter, reason="memory", camera=seen.camera, door=seen.door, visit=seen.visit
        )
        self._put(lambda: self._records.log([skipped], at))

    def retract(self, encounter: str, place: Mapping[str, Any], at: datetime) -> None:
        """See `Records.retract`."""
        self._put(lambda: self._records.retract(encounter, place, at))

    def forget(self, encounter: str) -> None:
        """See `Records.forget`."""
        self._jobs.put(lambda: self._records.forget(encounter))

    def sweep(self, expire: Callable[[], Sequence[Removed]], at: datetime) -> None:
        """See `Records.sweep`; in its turn, so that nothing goes before its event is logged. One waits."""
        if not self._sweep_waits:
            self._sweep_waits = True
            self._jobs.put(lambda: self._sweep(expire, at))

    def _sweep(self, expire: Callable[[], Sequence[Removed]], at: datetime) -> None:
        self._sweep_waits = False
        self._records.sweep(expire, at)

    def _put(self, job: Callable[[], None]) -> None:
        """Queue a job that carries events, and count it until it is done."""
        with self._counting:
            self._unwritten += 1

        def counted() -> None:
            try:
                job()
            except StoreError:
                raise  # it is tried again
            except Exception:
                self._done_with_one()
                raise
            self._done_with_one()

        self._jobs.put(counted)

    def _done_with_one(self) -> None:
        with self._counting:
            self._unwritten -= 1

    def _capture(self, seen: StrangerSeen, pictures: Sequence[Picture], at: datetime) -> None:
        try:
            self._records.capture(seen, pictures, at)
        except StoreError:
            raise  # it is tried again, pictures and all
        except Exception:
            self._pictures.release()
            raise
        self._pictures.release()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not self._done(job):
                self.lost = self._unwritten
                _log.error("not_recorded", lost=self.lost)
                return

    def _done(self, job: Callable[[], None]) -> bool:
        """Do a job, again and again while the database refuses; false when closing makes an end of it."""
        failures = 0
        while True:
            try:
                job()
            except StoreError as error:
                failures += 1
                if failures == 1:
                    _log.error(
                        "not_recorded_yet", error=error.message, hint=error.advice, waiting=self.waiting
                    )
                self.failing = True
                if self._closing.wait(_BACK_OFF.delay(failures)) and failures >= _LAST_TRIES:
                    return False
            except Exception:  # noqa: BLE001 - and it is logged whole
                # A fault of ours in one job must not keep the others from the log.
                _log.exception("record_failed")
                return True
            else:
                self.failing = False
                return True
