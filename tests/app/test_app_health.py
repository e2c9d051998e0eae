"""What the loop answers to a Ping: it is well only while its threads come round."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.app.health import STUCK_S, LoopHealth
from appliance.app.loop import LoopProcess
from appliance.app.running import child_specs
from appliance.clock import ManualClock
from appliance.errors import CameraLostError, CameraRefusedError, StoreError
from appliance.services import Layout, open_services
from appliance.settings import Settings, parse
from appliance.wire import Client, Server
from appliance.wire.messages import Ping, Pong, Status, StatusRequest

START = datetime(2026, 1, 5, tzinfo=UTC)
PATIENCE_S = 20.0


def test_work_that_takes_too_long_is_told_and_waiting_is_not() -> None:
    """A camera silent for a day is well; one whose frame takes half a minute is not, until it ends."""
    clock = ManualClock(START)
    health = LoopHealth(clock, lambda: True)
    clock.advance(86_400)
    health.check()
    with health.working("entrance"):
        clock.advance(STUCK_S)
        health.check()
        clock.advance(0.1)
        with pytest.raises(CameraLostError, match=r"^camera entrance: .* for 30 s$"):
            health.check()
    health.check()


def test_work_is_added_up_for_each_camera_and_waiting_is_not() -> None:
    """So that seconds of work per frame can be told, however long the pauses between frames are."""
    clock = ManualClock(START)
    health = LoopHealth(clock, lambda: True)
    for work_s in (0.25, 0.5):
        clock.advance(10)
        with health.working("entrance"):
            clock.advance(work_s)

    assert (0.75, 0.0) == (health.busy_s("entrance"), health.busy_s("garden"))


def test_one_stuck_camera_among_many_is_enough() -> None:
    """The others come round as ever."""
    clock = ManualClock(START)
    health = LoopHealth(clock, lambda: True)
    with health.working("yard"):
        for _ in range(40):
            with health.working("entrance"):
                clock.advance(1)
        with pytest.raises(CameraLostError, match="yard"):
            health.check()


def test_an_error_in_a_frame_is_no_hang() -> None:
    """Whatever the work raises, it has ended."""
    clock = ManualClock(START)
    health = LoopHealth(clock, lambda: True)
    with pytest.raises(ZeroDivisionError), health.working("entrance"):
        raise ZeroDivisionError
    clock.advance(3600)
    health.check()


def test_a_loop_that_records_nothing_is_not_well() -> None:
    """When the thread that writes the log has ended, whatever is decided is lost."""
    with pytest.raises(StoreError, match="writes the log"):
        LoopHealth(ManualClock(START), lambda: False).check()


@pytest.mark.parametrize("well", [True, False])
def test_the_supervisors_probe_believes_it(tmp_path: Path, well: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """An answer that says what is wrong counts as no answer."""
    layout = Layout(tmp_path / "state")
    specs = child_specs(Settings(), layout, lambda name: [name], once=False)
    (probe,) = (spec.probe for spec in specs if spec.name == "loop")
    health = LoopHealth(ManualClock(START), lambda: well)

    assert probe is not None
    with Server(layout.socket("loop"), {Ping: health.answer}):
        assert well is probe()


class SlowClock(ManualClock):
    """A clock that a camera's thread waits for, as it would for a library that hangs; others do not."""

    def __init__(self) -> None:
        super().__init__(START)
        self.reached, self.go_on = threading.Event(), threading.Event()

    def wall(self) -> datetime:
        """The time, sooner or later."""
        if threading.current_thread().name.startswith("loop-"):
            self.reached.set()
            self.go_on.wait(PATIENCE_S)
        return super().wall()


@contextlib.contextmanager
def loop(state: Path, clock: SlowClock) -> Iterator[Client]:
    """A loop whose one camera is not there, which its thread says, asking the clock for the time."""
    layout = Layout(state)
    settings = parse('[[cameras]]\nid = "entrance"\nsource = "none.mp4"\nwhen = "always"\n')
    stop = threading.Event()

    def run() -> None:
        # The camera was refused, which is not what is looked at here.
        with (
            contextlib.suppress(CameraRefusedError),
            open_services(settings, layout, create=True, clock=clock) as services,
        ):
            LoopProcess(settings, services, once=False).run(stop)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert clock.reached.wait(PATIENCE_S)
        yield Client(layout.socket("loop"))
    finally:
        clock.go_on.set()
        stop.set()
        thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_a_hung_camera_thread_fails_the_loops_ping(tmp_path: Path) -> None:
    """The real loop: at first it is well, and after half a minute it says which camera hangs."""
    clock = SlowClock()
    with loop(tmp_path / "state", clock) as client:
        client.call(Ping(), Pong)
        details = client.call(StatusRequest(), Status).message.details
        clock.advance(STUCK_S + 1)
        with pytest.raises(CameraLostError, match="entrance"):
            client.call(Ping(), Pong)

    assert {"failing": False, "waiting": 0} == details["records"]
