"""Actions that do what a test says, dispatchers in threads, and both outboxes."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from outboxes import Bench, MemoryBench, StoreBench

from appliance.backoff import BackOff
from appliance.clock import Clock, SystemClock
from appliance.dispatch import Action, Delivery, Dispatcher, Outbox, Plan

AT_ONCE = BackOff(first_s=0.0, cap_s=0.0)


class Recorder:
    """An action that remembers what it was given, and raises what it is told to.

    Attributes:
        seen: Event ids in the order performed, failed ones too.
        faults: What the next calls raise, first to last; None for success; success when used up.
    """

    def __init__(self, *faults: Exception | None) -> None:
        self.seen: list[str] = []
        self.deliveries: list[Delivery] = []
        self.faults = list(faults)
        self.closed = threading.Event()

    def perform(self, delivery: Delivery) -> None:
        """Remember it."""
        self.deliveries.append(delivery)
        self.seen.append(delivery.event_id)
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault

    def close(self) -> None:
        """Remember that too."""
        self.closed.set()


class Running:
    """A dispatcher in a thread."""

    def __init__(
        self,
        outbox: Outbox,
        actions: Mapping[str, Action],
        *,
        attempts: int = 3,
        backoff: BackOff = AT_ONCE,
        clock: Clock | None = None,
        grace_s: float = 3.0,
        poll_s: float = 2.0,
        **more: Any,
    ) -> None:
        self.wake = threading.Event()
        self.flag = threading.Event()
        self.error: BaseException | None = None
        self._dispatcher = Dispatcher(
            outbox,
            {name: Plan(action, attempts) for name, action in actions.items()},
            clock or SystemClock(),
            backoff,
            self.wake,
            grace_s=grace_s,
            poll_s=poll_s,
            **more,
        )
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self._dispatcher.run(self.flag)
        except BaseException as error:  # noqa: BLE001 - kept for the test to look at
            self.error = error

    def stop(self) -> None:
        """Stop it and wait."""
        self.flag.set()
        self.wake.set()
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture
def recorder() -> type[Recorder]:
    """Makes actions that remember."""
    return Recorder


@pytest.fixture
def run() -> Iterator[Callable[..., Running]]:
    """Run a dispatcher in a thread; stopped at the end."""
    running: list[Running] = []

    def start(*args: object, **options: object) -> Running:
        running.append(Running(*args, **options))  # type: ignore[arg-type]
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture(params=["memory", "store"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """An outbox; every test that takes this runs on each."""
    if request.param == "memory":
        yield MemoryBench()
        return
    bench = StoreBench(tmp_path)
    yield bench
    bench.store.close()


@pytest.fixture
def memory() -> MemoryBench:
    """The outbox in memory alone."""
    return MemoryBench()


@pytest.fixture
def wait_for() -> Callable[[Callable[[], object]], None]:
    """Wait until something is so, or fail."""

    def wait(ready: Callable[[], object]) -> None:
        until = time.monotonic() + 60
        while not ready():
            assert time.monotonic() < until, "it did not happen in time"
            time.sleep(0.005)

    return wait
