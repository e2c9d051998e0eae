"""What the loop process is made of beside its rooms: the waker, the log that wakes, the rule's tables."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import stores

from appliance.app.loop import LoggedEvents, Waker
from appliance.services import Services
from appliance.wire import Client, Reply, Request, Server
from appliance.wire.messages import Done, WakeDispatch

PATIENCE_S = 10.0


class Dispatch:
    """A dispatch that only counts how often it was woken."""

    def __init__(self) -> None:
        self.woken = 0

    def hear(self, request: Request[WakeDispatch]) -> Reply[Done]:
        """Count."""
        del request
        self.woken += 1
        return Reply(Done())


@contextmanager
def running(waker: Waker) -> Iterator[None]:
    """The waker in its thread; it ends with the block, and in time."""
    stop = threading.Event()
    thread = threading.Thread(target=waker.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_S)
    assert not thread.is_alive()


def until(met: Callable[[], bool]) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + PATIENCE_S
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_dispatch_is_woken_once_asked(tmp_path: Path) -> None:
    """And again when asked again."""
    dispatch, path = Dispatch(), tmp_path / "run" / "dispatch.sock"
    waker = Waker(Client(path))
    with Server(path, {WakeDispatch: dispatch.hear}), running(waker):
        waker.wake()
        until(lambda: 1 == dispatch.woken)
        waker.wake()
        until(lambda: 2 == dispatch.woken)


def test_waking_waits_for_nobody(tmp_path: Path) -> None:
    """The camera's thread calls it; a dispatch that is not there costs it nothing, however often."""
    waker = Waker(Client(tmp_path / "run" / "dispatch.sock"))
    with running(waker):
        for _ in range(1000):
            waker.wake()


def test_a_dispatch_that_comes_later_is_woken(tmp_path: Path) -> None:
    """One that was not there does not end the waker."""
    dispatch, path = Dispatch(), tmp_path / "run" / "dispatch.sock"
    waker = Waker(Client(path))
    with running(waker):
        waker.wake()
        with Server(path, {WakeDispatch: dispatch.hear}):
            until(lambda: waker.wake() is None and dispatch.woken > 0)


def test_what_is_logged_wakes_dispatch_after_it_is_committed(services: Services) -> None:
    """Not before: dispatch would look and find nothing."""
    seen: list[int] = []
    log = LoggedEvents(services.store, lambda: seen.append(len(services.store.events())))

    (stored,) = log.append_all([stores.OPENED], at=stores.NOON)

    assert [1] == seen
    assert (1, stores.NOON) == (stored.position, stored.at)
