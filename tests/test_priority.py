"""Running behind others, also where the kernel shares processors out by session."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from sessions import session_nice

from appliance.priority import put_behind

WAITS = "import sys; print('begun', flush=True); sys.stdin.read()"


@pytest.fixture
def process() -> Iterator["subprocess.Popen[str]"]:
    """A process in a session of its own."""
    with begun(WAITS) as made:
        yield made


def begun(program: str) -> "subprocess.Popen[str]":
    """Start a program in a session of its own and wait for its first line; it ends with its input."""
    words = [sys.executable, "-c", program]
    pipe = subprocess.PIPE
    made = subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, start_new_session=True)
    assert made.stdout is not None
    assert made.stdout.readline()
    return made


def behind(pid: int, nice: int) -> None:
    """Ask until the kernel has taken it, as whoever looks again and again does."""
    while not put_behind(pid, nice):
        pass


GIVES_WAY = "from appliance.priority import give_way; give_way(7)"


def test_a_process_that_gives_way_takes_its_session_along() -> None:
    """Its own value, which counts within the session, and the session's."""
    with begun(f"{GIVES_WAY}; {WAITS}") as made:
        assert 7 == session_nice(made.pid)
        assert 7 == os.getpriority(os.PRIO_PROCESS, made.pid)


def test_one_of_several_processors_is_left_to_others() -> None:
    """By the process and what it starts from then on; of one alone, it is not taken."""
    leaves = "from appliance.priority import leave_a_processor; leave_a_processor()"
    alone = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    every = os.sched_getaffinity(0)
    with begun(f"{leaves}; {WAITS}") as made, begun(f"{alone}; {leaves}; {WAITS}") as on_one:
        assert (every - {min(every)} or every) == os.sched_getaffinity(made.pid)
        assert {min(every)} == os.sched_getaffinity(on_one.pid)


def test_in_somebodys_terminal_only_the_process_gives_way() -> None:
    """What else runs in a session that another process leads keeps its place."""
    starts = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {GIVES_WAY!r}], check=True)"
    with begun(f"{starts}; {WAITS}") as made:
        assert 0 == session_nice(made.pid)


def test_a_session_is_put_behind_and_never_forward(process: "subprocess.Popen[str]") -> None:
    """Whoever is further behind stays there."""
    assert 0 == session_nice(process.pid)
    behind(process.pid, 10)
    assert 10 == session_nice(process.pid)
    behind(process.pid, 5)
    assert 10 == session_nice(process.pid)


def test_of_a_process_that_is_gone_nothing_is_to_be_done() -> None:
    """It is no fault: processes end when they like."""
    with begun(WAITS) as gone:
        pass

    assert put_behind(gone.pid, 10)
