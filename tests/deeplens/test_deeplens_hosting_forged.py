"""What a function says of itself that cannot be true, and what no function says: small real processes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hosted_functions import WAIT_S, Littles, StillFrames, Told, host_of, project

from appliance.deeplens.function_log import FunctionLog
from appliance.deeplens.function_run import Patience
from appliance.deeplens.hosted import HostedFunction

Begins = Callable[[str], HostedFunction]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begins]:
    """Starts one function of a script, and ends it with the test."""
    feeds = StillFrames()
    begun: list[HostedFunction] = []

    def start(script: str) -> HostedFunction:
        host = host_of(Littles(script), feeds, Told(), patience=Patience(stop_s=0.2), first_s=3600.0)
        function = HostedFunction(project(), host, FunctionLog(tmp_path / "log"))
        begun.append(function)
        function.start()
        return function

    yield start
    for each in begun:
        each.stop()
    feeds.close()


def test_counts_that_cannot_be_true_are_not_believed(begin: Begins) -> None:
    """No more frames than there were, no more inferences and losses than a process comes to in its time."""
    function = begin(
        "host.send(FrameWanted())\n"
        "host.send(Taken(0, 2**62))\n"
        'host.send(Inferred("ssd", 2**62))\n'
        "host.send(Dropped(2**62))\n"
        'host.send(Publish("t", b"so far"))\n'
        "obey()"
    )

    assert function.messages.after(0, wait_s=WAIT_S)
    assert function.state.frames in range(1, 4)
    assert function.state.inferred in range(1, 2**32)
    assert function.state.dropped == function.messages.dropped
    assert function.state.dropped in range(1, 2**32)


@pytest.mark.parametrize("said", ["b''", "b'{'", 'b\'{"kind": "nope"}\'', "os.urandom(2000)"])
def test_one_that_speaks_garbage_is_ended_for_that(begin: Begins, said: str) -> None:
    """Its fault names its doing, not the signal it was ended by."""
    function = begin(f"socket.socket(fileno=os.dup(host.fileno())).send({said})\ntime.sleep(3600)")

    assert function.wait_for(lambda state: state.phase == "waiting", WAIT_S)
    assert "said what no function says" in function.state.fault
    assert "SIGKILL" not in function.state.fault
