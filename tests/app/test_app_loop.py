"""What the loop process is made of beside its rooms: the waker, the log that wakes, the rule's tables."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import stores
from camera_clips import write_clip

from appliance.app.loop import LoggedEvents, LoopProcess, Waker
from appliance.errors import StoreError, WireError
from appliance.services import Layout, Services, open_services
from appliance.settings import parse
from appliance.store import sqlite_url
from appliance.video.following import CameraVideo
from appliance.video.h264 import has_idr
from appliance.wire import Client, Reply, Request, Server
from appliance.wire.messages import Done, Status, StatusRequest, WakeDispatch

PATIENCE_S = 60.0


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


def test_a_stop_that_loses_events_ends_the_loop_with_an_error(tmp_path: Path) -> None:
    """The database takes nothing until the end: how much is lost is said, and the exit code is not 0."""
    layout = Layout(tmp_path / "state")
    clip = write_clip(tmp_path / "clip.mp4", frames=20)
    settings = parse(
        f'[[cameras]]\nid = "entrance"\nsource = "{clip}"\nwhen = "always"\ndisturbed_after_s = 0\n'
        '[[doors]]\nid = "front"\ncamera = "entrance"\nregion = [0.4, 0.4, 0.9, 0.9]\nseed = [0.6, 0.6]\n'
        "shut_fraction = 0.95\n"
    )
    stop, ended = threading.Event(), []

    def run() -> None:
        try:
            with open_services(settings, layout, create=True) as services:
                refuse = "BEGIN SELECT RAISE(ABORT, 'full'); END"
                address = sqlite_url(layout.database)
                stores.sql(address, f"CREATE TRIGGER full BEFORE INSERT ON events {refuse}")
                LoopProcess(settings, services, once=False).run(stop)
        except StoreError as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    client = Client(layout.socket("loop"))
    try:
        until(lambda: records(client).get("failing"))
    finally:
        stop.set()
        thread.join(30)

    (error,) = ended
    assert "event(s) of this run are lost" in error.message
    assert 6 == error.exit_code


def records(client: Client) -> dict[str, Any]:
    """What the loop says of its records, as soon as it answers."""
    with contextlib.suppress(WireError):
        found: dict[str, Any] = client.call(StatusRequest(), Status).message.details["records"]
        return found
    return {}


def test_a_patient_loop_stays_without_a_camera(services: Services, layout: Layout) -> None:
    """An appliance that is set up in the browser has no camera at first; the loop answers meanwhile."""
    loop, stop = LoopProcess(parse(""), services, once=False, patient=True), threading.Event()
    thread = threading.Thread(target=loop.run, args=(stop,))
    thread.start()
    client = Client(layout.socket("loop"))
    until(lambda: layout.socket("loop").exists())
    time.sleep(0.2)
    status = client.call(StatusRequest(), Status).message
    stop.set()
    thread.join(PATIENCE_S)

    assert {} == status.details["cameras"]
    assert not thread.is_alive()


def test_a_patient_loop_says_which_camera_can_never_work(services: Services, layout: Layout) -> None:
    """A camera that was set up wrongly in the browser ends nothing; its fault is told to who asks."""
    nowhere = '[[cameras]]\nid = "yard"\nsource = "/nonexistent/clip.mp4"\nwhen = "always"\n'
    loop, stop = LoopProcess(parse(nowhere), services, once=False, patient=True), threading.Event()
    thread = threading.Thread(target=loop.run, args=(stop,))
    thread.start()
    client = Client(layout.socket("loop"))

    def refused() -> str:
        with contextlib.suppress(WireError, KeyError):
            details = client.call(StatusRequest(), Status).message.details
            return str(details["cameras"]["yard"]["refused"])
        return ""

    until(lambda: bool(refused()))
    told = refused()
    stop.set()
    thread.join(PATIENCE_S)

    assert "clip.mp4" in told
    assert not thread.is_alive()


def test_whoever_records_gets_a_cameras_packets_from_the_loop(tmp_path: Path) -> None:
    """A recording that is played again and again: its packets as they are, and the loop's account of them."""
    layout = Layout(tmp_path / "state")
    clip = write_clip(tmp_path / "clip.mp4", fps=40, frames=60, options={"g": "20", "bf": "0"})
    watched = parse(f'[[cameras]]\nid = "yard"\nsource = "{clip}"\nwhen = "always"\ndisturbed_after_s = 0\n')
    stop = threading.Event()
    client = Client(layout.socket("loop"))

    def video() -> dict[str, Any]:
        with contextlib.suppress(WireError, KeyError):
            told = client.call(StatusRequest(), Status).message.details
            account: dict[str, Any] = told["cameras"]["yard"]["video"]
            return account
        return {}

    with open_services(watched, layout, create=True) as services:
        thread = threading.Thread(target=LoopProcess(watched, services, once=False).run, args=(stop,))
        thread.start()
        try:
            until(lambda: video().get("codec") == "h264")
            pieces = (each for each in CameraVideo(client, services.clock).follow("yard", 5.0, stop) if each)
            first, second = next(pieces), next(pieces)
            account = video()
        finally:
            stop.set()
            thread.join(PATIENCE_S)

    assert first.end_ms <= second.timecode_ms
    assert has_idr(first.frames[0].data)
    assert "" == account["fault"]
    assert not thread.is_alive()


def test_a_camera_that_is_not_reached_says_why(services: Services, layout: Layout) -> None:
    """It may come, so the loop tries on; meanwhile whoever asks hears that it is lost, and by what."""
    away = '[[cameras]]\nid = "yard"\nsource = "rtsp://127.0.0.1:9/stream"\nwhen = "always"\n'
    loop, stop = LoopProcess(parse(away), services, once=False, patient=True), threading.Event()
    thread = threading.Thread(target=loop.run, args=(stop,))
    thread.start()
    client = Client(layout.socket("loop"))

    def lost() -> str:
        with contextlib.suppress(WireError, KeyError):
            details = client.call(StatusRequest(), Status).message.details
            return str(details["cameras"]["yard"]["lost"])
        return ""

    until(lambda: bool(lost()))
    told = lost()
    stop.set()
    thread.join(PATIENCE_S)

    assert "127.0.0.1" in told
    assert not thread.is_alive()
