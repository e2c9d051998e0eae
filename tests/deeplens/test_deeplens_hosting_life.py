"""One hosted function's life, with small real processes in place of contained ones."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hosted_functions import WAIT_S, Littles, StillFrames, Told, host_of, project

from appliance.deeplens.function_log import FunctionLog
from appliance.deeplens.function_run import Patience
from appliance.deeplens.hosted import HostedFunction
from appliance.errors import ContainmentError, FunctionError

STEADY = """
host.send(FrameWanted())
host.send(Taken(0, 1))
host.send(Taken(1, 2))
host.send(Inferred("ssd", 2))
host.send(Publish("$aws/things/x/infer", b"hello"))
print("hello from the function")
obey()
"""
"""Takes frames, infers, publishes, prints, and ends when it is told to."""


@pytest.fixture
def feeds() -> Iterator[StillFrames]:
    """Frames."""
    frames = StillFrames()
    yield frames
    frames.close()


class Life:
    """A function under test, ended with the test."""

    def __init__(self, folder: Path, feeds: StillFrames) -> None:
        self._folder = folder
        self._feeds = feeds
        self.told = Told()
        self.function: HostedFunction | None = None

    def begin(self, littles: Littles, **how: object) -> HostedFunction:
        """Start it."""
        changes = how.pop("project", {})
        host = host_of(littles, self._feeds, self.told, **how)  # type: ignore[arg-type]
        self.function = HostedFunction(project(**changes), host, FunctionLog(self._folder / "log"))  # type: ignore[arg-type]
        self.function.start()
        return self.function


@pytest.fixture
def life(tmp_path: Path, feeds: StillFrames) -> Iterator[Life]:
    """Begins a function, and ends it."""
    made = Life(tmp_path, feeds)
    yield made
    if made.function is not None:
        made.function.stop()


def alive(pid: int) -> bool:
    """Whether there is a process of that number that has not been reaped."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_a_function_does_is_seen(life: Life, feeds: StillFrames) -> None:
    """Frames taken, inferences, messages, and lines printed all show, and frames are kept coming."""
    littles = Littles(STEADY)
    function = life.begin(littles)

    assert function.wait_for(lambda state: state.inferred == 2, WAIT_S)
    assert ["hello"] == [each.text for each in function.messages.after(0, wait_s=WAIT_S)]
    assert (2, "running") == (function.state.frames, function.state.phase)
    assert feeds.wanted > 0
    assert ["hello"] == littles.beside_them.happened
    function.stop()
    assert any("hello from the function" in line for line in function.log.tail(10))


@pytest.mark.parametrize(
    ("script", "working"),
    [
        ('host.send(Taken(0, 1)); host.send(Inferred("ssd", 1)); host.send(Inferred("other", 1))', False),
        ('host.send(Inferred("ssd", 1)); host.send(Taken(0, 2))', True),
        ("host.send(Taken(0, 3))", False),
        ("host.send(Taken(0, 4))", True),
    ],
)
def test_its_stream_is_read_once_it_must_have_drawn(life: Life, script: str, working: bool) -> None:  # noqa: FBT001
    """At its next frame after it inferred, or its fourth: before, what it writes may be None, and it dies."""
    littles = Littles(f'{script}\nhost.send(Publish("t", b"so far"))\nobey()')
    function = life.begin(littles)

    assert function.messages.after(0, wait_s=WAIT_S)
    assert working == ("working" in littles.beside_them.happened)


def test_a_stopped_function_leaves_nothing(life: Life, feeds: StillFrames) -> None:
    """It ends in good order, its process is gone, its frames are let go, and the log says both, once."""
    littles = Littles(STEADY)
    function = life.begin(littles)
    function.wait_for(lambda state: state.frames == 2, WAIT_S)
    function.stop()

    assert "exit 0" == littles.children[0].ended()
    assert not alive(littles.children[0].pid)
    assert 0 == feeds.joined
    assert "over" == littles.beside_them.happened[-1]
    assert ["started", "stopped"] == life.told.words
    assert "stopped" == function.state.phase


def test_one_that_does_not_stop_is_killed(life: Life) -> None:
    """A function that ignores the host's word is ended all the same."""
    littles = Littles("host.send(Taken(0, 1))\nobey(stop=False)")
    function = life.begin(littles, patience=Patience(stop_s=0.2))
    function.wait_for(lambda state: state.frames == 1, WAIT_S)
    function.stop()

    assert "killed by SIGKILL" == littles.children[0].ended()


def test_one_that_ends_is_started_again(life: Life) -> None:
    """What ends by itself is started again, for a reason it gave itself; messages go on counting."""
    ends = 'host.send(Publish("t", b"one"))\nhost.send(Ended("import_failed", "Traceback\\nNameError: x"))'
    littles = Littles(ends, STEADY)
    function = life.begin(littles)

    assert function.wait_for(lambda state: state.restarts == 1 and state.messages == 2, WAIT_S)
    assert "its module failed: NameError: x" == function.state.fault
    assert [1, 2] == [each.sequence for each in function.messages.after(0)]
    assert any("NameError: x" in line for line in function.log.tail(20))


def test_in_the_foreground_nothing_is_started_again(tmp_path: Path, feeds: StillFrames) -> None:
    """Its end is the end: the log says why, and no word of another start."""
    told, ends = Told(), 'host.send(Ended("import_failed", "NameError: x"))'
    host = replace(host_of(Littles(ends, STEADY), feeds, told), again=False)
    function = HostedFunction(project(), host, FunctionLog(tmp_path / "log"))
    function.start()

    assert function.wait_for(lambda state: state.phase == "stopped", WAIT_S)
    assert ("its module failed: NameError: x", 0) == (function.state.fault, function.state.restarts)
    assert function.log.tail(1)[0].endswith(" [its module failed: NameError: x]")
    assert 1 == told.words.count("failed")


def test_a_crash_loop_does_not_flood_the_log_of_events(life: Life) -> None:
    """A function that fails at once is told of once for each longer pause, however often it is tried."""
    function = life.begin(Littles("raise SystemExit(3)"))

    assert function.wait_for(lambda state: state.restarts >= 8, WAIT_S)
    # Pauses of 10, 20, 40 and 80 ms, and then always 80.
    assert 4 >= life.told.words.count("failed") > 0
    assert 1 >= life.told.words.count("started")


def test_a_function_that_does_not_answer_is_killed_and_started_again(life: Life) -> None:
    """No pong: the process is ended, and another takes its place."""
    littles = Littles("time.sleep(3600)", STEADY)
    function = life.begin(littles, patience=Patience(pong_s=0.3))

    assert function.wait_for(lambda state: state.restarts == 1 and state.frames == 2, WAIT_S)
    assert "it has not answered for 0.3 s" == function.state.fault
    assert "killed by SIGKILL" == littles.children[0].ended()


def test_a_main_thread_that_ended_without_frames_is_started_again(life: Life) -> None:
    """The newer templates' fault: the main thread is over, and a display thread keeps the process."""
    hangs = "host.send(Taken(0, 1))\nhost.send(ImportReturned(1))\nobey()"
    littles = Littles(hangs, STEADY)
    function = life.begin(littles, patience=Patience(frame_s=0.3))

    assert function.wait_for(lambda state: state.restarts == 1, WAIT_S)
    assert "its main thread ended, and it took no frame for 0.3 s" == function.state.fault


@pytest.mark.parametrize(
    ("script", "changes"),
    [
        ("host.send(Taken(0, 1))\nobey()", {}),
        ("host.send(ImportReturned(0))\nobey()", {}),
        ("host.send(Taken(0, 1))\nhost.send(ImportReturned(1))\nobey()", {"subscriptions": ("door/#",)}),
    ],
    ids=["asleep", "never took one", "driven by messages"],
)
def test_a_quiet_function_is_left_alone(life: Life, script: str, changes: dict[str, object]) -> None:
    """One that sleeps, that takes no frames at all, or that messages drive, is not started again."""
    littles = Littles(script)
    function = life.begin(littles, patience=Patience(frame_s=0.05), project=changes)
    function.wait_for(lambda state: state.imported or state.frames > 0, WAIT_S)

    assert not function.wait_for(lambda state: state.restarts > 0, 0.6)


def test_one_that_uses_too_much_says_so(life: Life) -> None:
    """What ends a function for what it uses is why it failed."""
    littles = Littles(STEADY)
    function = life.begin(littles)
    function.wait_for(lambda state: state.frames == 2, WAIT_S)
    littles.children[0].too_much = "killed: it used more than 1 MB of memory"

    assert function.wait_for(lambda state: state.restarts == 1, WAIT_S)
    assert "killed: it used more than 1 MB of memory" == function.state.fault


def test_what_is_refused_is_not_tried_again(life: Life) -> None:
    """Where the system does not contain functions, trying again is no use; it is told once."""
    function = life.begin(Littles(ContainmentError("not contained here")))

    assert function.wait_for(lambda state: state.phase == "refused", WAIT_S)
    assert [("failed", "not contained here")] == life.told.changes


def test_what_cannot_be_started_is_tried_again(life: Life) -> None:
    """A full disk or the like may pass."""
    function = life.begin(Littles(FunctionError("no room"), STEADY))

    assert function.wait_for(lambda state: state.frames == 2, WAIT_S)
    assert "no room" == function.state.fault


def test_it_can_be_started_again_after_it_was_stopped(life: Life) -> None:
    """Stopping and starting by hand begins anew, without a fault."""
    function = life.begin(Littles(STEADY))
    function.wait_for(lambda state: state.frames == 2, WAIT_S)
    function.stop()
    function.start()

    assert function.wait_for(lambda state: state.phase == "running" and state.frames == 2, WAIT_S)
    assert (0, "") == (function.state.restarts, function.state.fault)


def test_messages_reach_a_function_that_runs(life: Life) -> None:
    """A message is handed over; while nothing runs, nobody takes it."""
    function = life.begin(Littles("host.send(Taken(0, 1))\nobey()"))
    function.wait_for(lambda state: state.frames == 1, WAIT_S)

    assert function.deliver("door/front", b"open")
    assert ["door/front=open"] == [each.text for each in function.messages.after(0, wait_s=WAIT_S)]
    function.stop()
    assert not function.deliver("door/front", b"shut")


def test_a_flood_of_messages_keeps_the_newest(life: Life) -> None:
    """More messages than are kept: the newest stay, the numbers have no gaps, losses are counted."""
    floods = """
host.send(Dropped(7))
for number in range(1500):
    host.send(Publish("t", str(number).encode()))
obey()
"""
    function = life.begin(Littles(floods))

    assert function.wait_for(lambda state: state.messages == 1500, WAIT_S)
    kept = function.messages.after(0, most=2000)
    assert [str(number) for number in range(500, 1500)] == [each.text for each in kept]
    assert list(range(501, 1501)) == [each.sequence for each in kept]
    assert 7 == function.messages.dropped


def test_what_no_function_says_ends_the_run(life: Life) -> None:
    """Noise on the channel is answered by an end, with the reason, and a new start."""
    littles = Littles("host._socket.send(b'noise')\nobey()", STEADY)
    function = life.begin(littles)

    assert function.wait_for(lambda state: state.restarts == 1, WAIT_S)
    assert function.state.fault.startswith("it said what no function says")


def test_threads_that_die_and_models_that_lack_are_told(life: Life) -> None:
    """A thread's death is read from what Python prints; a model that there is not, from what it asks for."""
    script = """
host.send(ModelLoaded("fish", "missing", "nobody installed it"))
host.send(ModelLoaded("dogs", "loaded", ""))
def die():
    raise KeyError("label")
threading.Thread(target=die, name="Thread-7").start()
obey()
"""
    function = life.begin(Littles(script))

    assert function.wait_for(lambda state: bool(state.died) and bool(state.loaded), WAIT_S)
    assert ("Thread-7",) == function.state.died
    assert {"fish": "nobody installed it"} == function.state.missing
    assert ("dogs",) == function.state.loaded


def test_the_first_word_to_a_function_is_its_frames(life: Life, feeds: StillFrames) -> None:
    """A greeting is answered with the frames' memory, which wakes no camera; without memory by a question."""
    hears = """
while True:
    heard, descriptors = host.receive()
    host.send(Publish(heard.kind, str(len(descriptors)).encode()))
    if isinstance(heard, Ping):
        host.send(FrameWanted())
    if isinstance(heard, Frames):
        break
obey()
"""
    function = life.begin(Littles(hears))
    assert function.wait_for(lambda state: state.messages == 1, WAIT_S)
    assert 0 == feeds.wanted
    function.stop()
    feeds.no_memory = True
    without = life.begin(Littles(hears))
    assert without.wait_for(lambda state: state.messages == 1, WAIT_S)
    feeds.no_memory = False
    assert without.wait_for(lambda state: state.messages >= 2, WAIT_S)

    assert [("frames", "1")] == [(each.topic, each.text) for each in function.messages.after(0)]
    assert ("ping", "0") == next((each.topic, each.text) for each in without.messages.after(0))
    assert any("no frames: the frames cannot be shared" in line for line in without.log.tail(20))


def test_why_there_are_no_frames_is_told(life: Life, feeds: StillFrames) -> None:
    """While it runs, the camera's trouble is its own to tell; afterwards it has none."""
    function = life.begin(Littles(STEADY))
    function.wait_for(lambda state: state.frames == 2, WAIT_S)
    feeds.trouble = "camera entrance gives nothing"

    assert "camera entrance gives nothing" == function.trouble
    function.stop()
    assert "" == function.trouble


def test_a_fault_of_the_host_ends_no_function_for_good(life: Life) -> None:
    """Whatever goes wrong on our side, it is said, and the function is started again."""
    littles = Littles(STEADY)
    littles.beside_them.broken = True
    function = life.begin(littles)

    assert function.wait_for(lambda state: state.fault == "the host failed: ZeroDivisionError", WAIT_S)
    littles.beside_them.broken = False
    assert function.wait_for(lambda state: state.frames == 2, WAIT_S)


def test_a_child_of_multiprocessing_that_dies_is_counted(life: Life) -> None:
    """As a thread is, by name: the function goes on without it. What only looks like that counts nothing."""
    dies = (
        "import multiprocessing\n"
        "print('Process these:')\nprint('frames')\n"
        "def work(): [][0]\n"
        "child = multiprocessing.get_context('fork').Process(target=work)\n"
        "child.start()\nchild.join()\n"
        "host.send(Taken(0, 1))\nobey()"
    )
    function = life.begin(Littles(dies))

    assert function.wait_for(lambda state: bool(state.died), WAIT_S)
    assert ("Process ForkProcess-1",) == function.state.died
