"""Actions whose rows are performed several at a time: as many as planned, each as often as promised."""

import threading
import time
from collections.abc import Callable

import pytest
from outboxes import MemoryBench

from appliance.backoff import BackOff
from appliance.clock import SystemClock
from appliance.dispatch import Delivery, Dispatcher, Plan
from appliance.errors import ActionError


class Crowded:
    """An action whose rows wait until they are let go, or all are given up.

    Attributes:
        most: Rows that ran at once, at most.
        ended: Event ids that came to their end.
    """

    def __init__(self) -> None:
        self.most = 0
        self.ended: list[str] = []
        self.release = threading.Semaphore(0)
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._now = 0

    def perform(self, delivery: Delivery) -> None:
        """Wait for the word."""
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            while not self.release.acquire(timeout=0.01):
                if self._closed.is_set():
                    raise ActionError("not begun: it stops")
            self.ended.append(delivery.event_id)
        finally:
            with self._lock:
                self._now -= 1

    def close(self) -> None:
        """Give all of them up."""
        self._closed.set()

    @property
    def now(self) -> int:
        """Rows that run."""
        return self._now


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Waits until something is so."""

    def wait(true: Callable[[], bool]) -> None:
        until = time.monotonic() + 20
        while not true():
            assert time.monotonic() < until
            time.sleep(0.005)

    return wait


@pytest.mark.parametrize("together", [1, 3])
def test_as_many_run_at_once_as_are_planned(
    memory: MemoryBench, wait_until: Callable[[Callable[[], bool]], None], together: int
) -> None:
    """Three where three are planned, though seven are due; the others follow; at the end each is known."""
    crowd, stop, wake = Crowded(), threading.Event(), threading.Event()
    for _ in range(7):
        memory.put("bell")
    dispatcher = Dispatcher(
        memory.outbox,
        {"bell": Plan(crowd, attempts=1, together=together)},
        SystemClock(),
        BackOff(first_s=0.0, cap_s=0.0),
        wake,
        poll_s=0.05,
        grace_s=0.1,
    )
    thread = threading.Thread(target=dispatcher.run, args=(stop,))
    thread.start()
    wait_until(lambda: crowd.now == together)
    for _ in range(4):
        crowd.release.release()
    wait_until(lambda: len(crowd.ended) == 4 and crowd.now == together)
    stop.set()
    thread.join(20)
    states = sorted(memory.states().values())

    assert not thread.is_alive()
    assert together == crowd.most
    assert 4 == states.count("delivered")
    assert len(set(crowd.ended)) == len(crowd.ended)
    assert not {"running"} & set(states)
