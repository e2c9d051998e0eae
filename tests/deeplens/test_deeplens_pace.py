"""A function infers on no more frames a second than it is given, and waits for nothing else."""

import math
import threading
from pathlib import Path

from function_host import FunctionHost
from hypothesis import given
from hypothesis import strategies as st

from appliance.deeplens.guest.pace import Pace

APART_S = 0.0625


class Hours:
    """A clock that goes on by what is slept, and by what a test says."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept: list[float] = []

    def now(self) -> float:
        """Seconds."""
        return self.now_s

    def sleep(self, seconds: float) -> None:
        """Go on."""
        assert seconds > 0
        self.slept.append(seconds)
        self.now_s += seconds


def paced(apart_s: float = APART_S) -> tuple[Pace, Hours]:
    """A pace, and its clock."""
    hours = Hours()
    pace = Pace(now=hours.now, sleep=hours.sleep)
    pace.set(apart_s)
    return pace, hours


def test_a_fast_function_has_the_pace_that_was_set() -> None:
    """Taking and inferring take 10 ms here: the first makes up for a turn before it, a hundred take 99."""
    pace, hours = paced()
    for _ in range(101):
        hours.now_s += 0.004
        pace.taken()
        pace.wait()
        began = hours.now_s
        hours.now_s += 0.006

    assert math.isclose(100.004 + 99 * APART_S, began, abs_tol=1e-9)


@given(st.lists(st.floats(0.0, 0.5), min_size=1, max_size=40))
def test_nobody_waits_longer_than_a_turn_and_nobody_is_ahead(works_s: list[float]) -> None:
    """Whatever a function does between: never more inferences than turns, never two turns' wait."""
    pace, hours = paced()
    begun = []
    for work_s in works_s:
        hours.now_s += work_s
        pace.taken()
        pace.wait()
        begun.append(hours.now_s)

    assert all(each <= APART_S + 1e-9 for each in hours.slept)
    for first, after in zip(begun, begun[2:], strict=False):
        assert after - first >= APART_S - 1e-9  # a late turn is made up for once, never twice


def test_a_slow_function_waits_for_nothing() -> None:
    """It has no turn to wait for."""
    pace, hours = paced()
    for _ in range(10):
        hours.now_s += 0.2
        pace.taken()
        pace.wait()

    assert not hours.slept


def test_a_second_look_at_the_same_frame_waits_for_nothing() -> None:
    """Faces cut out of one frame and looked at one after the other are one turn; so is no frame at all."""
    pace, hours = paced()
    pace.wait()
    pace.taken()
    for _ in range(20):
        pace.wait()

    assert not hours.slept


def test_without_a_limit_nobody_waits() -> None:
    """Before the first frames came, nothing was said of a pace."""
    pace, hours = paced(0.0)
    for _ in range(20):
        pace.taken()
        pace.wait()

    assert not hours.slept


def taken_elsewhere(pace: Pace) -> None:
    """Another thread takes a frame."""
    thread = threading.Thread(target=pace.taken)
    thread.start()
    thread.join()


def test_where_another_thread_takes_the_frames_one_model_waits() -> None:
    """What looks for faces has the pace; what looks into each face, however many there are, does not wait."""
    pace, hours = paced()
    faces, into = object(), object()
    taken_elsewhere(pace)
    for _ in range(21):
        pace.wait(faces)
        for _ in range(5):
            taken_elsewhere(pace)
            pace.wait(into)

    assert len(hours.slept) in range(18, 21)
    assert math.isclose(APART_S, hours.slept[-1], abs_tol=1e-9)


def test_a_model_that_is_used_no_more_does_not_lead() -> None:
    """The next one has the pace then."""
    pace, hours = paced()
    for _ in range(3):
        taken_elsewhere(pace)
        pace.wait("first")
    hours.now_s += 2
    hours.slept.clear()
    for _ in range(4):
        taken_elsewhere(pace)
        pace.wait("second")

    assert 2 == len(hours.slept)


def test_a_function_is_told_its_pace(tmp_path: Path) -> None:
    """Thirty inferences on frames take no less than their turns."""
    source = """
import time
import awscam, greengrasssdk
client = greengrasssdk.client('iot-data')
model = awscam.Model('deploy_corner', {'GPU': 1})
ok, frame = awscam.getLastFrame()
began = time.monotonic()
for _ in range(30):
    ok, frame = awscam.getLastFrame()
    model.doInference(frame[:4, :4])
client.publish(topic='t', payload=str(time.monotonic() - began))
def lambda_handler(event, context):
    return
"""
    with FunctionHost(tmp_path, models=True, apart_us=62_500) as host:
        host.start(source)
        (_, took_s), *_ = host.wait_published()

    assert float(took_s) >= 28 * 0.0625
