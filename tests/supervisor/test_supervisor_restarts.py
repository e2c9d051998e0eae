"""Real little children that crash, hang and give way, and come back."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.backoff import BackOff
from appliance.errors import ModelError, SettingsError, UnknownProcessError, VaultError
from appliance.supervisor import ChildSpec
from appliance.wire import Client
from appliance.wire.messages import Ping

Wait = Callable[[Callable[[], object]], None]


# ------------------------------------------------------------- restarts


def test_a_killed_child_comes_back_and_the_others_stay(diary: Any, run: Any, wait_for: Wait) -> None:
    """Kill -9 of one child restarts that one only, and says what happened to it."""
    running = run(diary.spec("loop", "stay"), diary.spec("web", "stay"))
    wait_for(lambda: diary.pids("loop") and diary.pids("web"))

    os.kill(diary.pids("loop")[0], signal.SIGKILL)
    wait_for(lambda: len(diary.pids("loop")) == 2)
    wait_for(lambda: len(running.changes) == 3)
    status = running.supervisor.status().children
    running.stop()

    assert [
        ("process_started", "loop", ""),
        ("process_started", "web", ""),
        ("process_restarted", "loop", "killed by SIGKILL"),
        ("process_stopped", "web", "exit 0"),
        ("process_stopped", "loop", "exit 0"),
    ] == running.told()
    assert [(1, "killed by SIGKILL"), (0, "")] == [(c.restarts, c.last_exit) for c in status]
    assert [diary.pids("loop")[1], diary.pids("web")[0]] == [c.pid for c in status]


def test_a_child_that_exits_is_restarted_with_its_code_told(
    diary: Any, run: Any, wait_for: Wait, tmp_path: Path
) -> None:
    """An exit is a death too, whatever its code."""
    running = run(diary.spec("loop", "once", "3", str(tmp_path / "marker")))

    wait_for(lambda: len(running.changes) == 2)

    assert ("process_restarted", "loop", "exit 3") == running.told()[1]
    wait_for(lambda: running.states() == [("loop", "running")])


def test_a_crash_loop_is_slowed_down_and_harms_nobody(diary: Any, run: Any, wait_for: Wait) -> None:
    """A child that dies at once is tried again and again with pauses, for ever, beside a healthy one."""
    running = run(diary.spec("bad", "exit", "1"), diary.spec("good", "stay"))
    began = time.monotonic()

    wait_for(lambda: len(diary.pids("bad")) >= 5)
    took = time.monotonic() - began

    assert took > (0.05 + 0.1 + 0.2 + 0.2) * 0.8
    assert running.thread.is_alive()
    assert 1 == len(diary.pids("good"))


def test_a_program_that_is_not_there_is_tried_again(run: Any, wait_for: Wait) -> None:
    """A child that cannot even be started counts as one that died."""
    running = run(ChildSpec("ghost", ("/nonexistent/program",)))

    wait_for(lambda: running.supervisor.status().children[0].restarts >= 2)
    (ghost,) = running.supervisor.status().children

    assert (None, "waiting") == (ghost.pid, ghost.state)
    assert ghost.last_exit.startswith("could not be started: No such file")


def test_a_healthy_life_forgets_earlier_deaths(diary: Any, run: Any, wait_for: Wait) -> None:
    """With healthy_s = 0 every life is healthy, so a settings error never adds up to a stop."""
    running = run(diary.spec("loop", "exit", "2"), healthy_s=0.0)

    wait_for(lambda: len(diary.pids("loop")) >= 5)

    assert running.thread.is_alive()


@pytest.mark.parametrize(("code", "error"), [(2, SettingsError), (5, ModelError), (7, VaultError)])
def test_what_no_restart_mends_ends_everything(
    diary: Any, run: Any, wait_for: Wait, code: int, error: type[Exception]
) -> None:
    """Settings, models or keys wrong three times in a row: all stop, and the error says who and why."""
    running = run(diary.spec("web", "stay"), diary.spec("loop", "words", str(code), "no key 'camera'"))

    wait_for(lambda: not running.thread.is_alive())

    assert 3 == len(diary.pids("loop"))
    assert isinstance(running.error, error)
    assert ("loop: no key 'camera'", "look at line 3") == (
        str(running.error),
        getattr(running.error, "hint", ""),
    )
    assert "web down" in diary.lines()


def test_the_end_of_a_final_child_is_the_end_of_everything(diary: Any, run: Any, wait_for: Wait) -> None:
    """A replay that is through stops its supervisor; the others stop in order, and nothing is an error."""
    running = run(diary.spec("web", "stay"), diary.spec("loop", "exit", "0", final=True))

    wait_for(lambda: not running.thread.is_alive())

    assert None is running.error
    # How web ends depends on whether it was up already when it was told to.
    assert [("process_stopped", "loop"), ("process_stopped", "web")] == [
        (change.type, change.process) for change in running.changes[2:]
    ]


def test_a_final_child_that_crashes_is_restarted(
    diary: Any, run: Any, wait_for: Wait, tmp_path: Path
) -> None:
    """A crash is no end: only exit code 0 is, or saying deliberately what went wrong."""
    running = run(diary.spec("loop", "once", "70", str(tmp_path / "marker"), final=True))

    wait_for(lambda: len(running.changes) == 2)

    assert running.thread.is_alive()


def test_a_final_child_that_says_what_went_wrong_ends_everything(
    diary: Any, run: Any, wait_for: Wait, tmp_path: Path
) -> None:
    """A recording played to its end whose events were lost is not played again."""
    running = run(diary.spec("loop", "once", "6", str(tmp_path / "marker"), final=True))

    wait_for(lambda: not running.thread.is_alive())

    assert 6 == running.error.exit_code


def test_a_report_that_fails_stops_nothing(diary: Any, wait_for: Wait, run: Any) -> None:
    """The log may be out of order; the children are kept running all the same."""
    running = run(diary.spec("loop", "stay"))
    wait_for(lambda: diary.pids("loop"))
    running.changes = None  # the next report finds nothing to append to
    os.kill(diary.pids("loop")[0], signal.SIGKILL)

    wait_for(lambda: len(diary.pids("loop")) == 2)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_pauses_grow_to_the_cap_and_stay_near_it(failures: int, chance: float) -> None:
    """Exponential, capped, never further off than the jitter."""
    backoff = BackOff(first_s=0.2, cap_s=30, jitter=0.2)
    plain = min(30, 0.2 * 2 ** min(failures - 1, 20))

    assert plain * 0.8 - 1e-9 <= backoff.delay(failures, chance) <= plain * 1.2 + 1e-9


# ------------------------------------------------------------- hanging


def test_a_child_that_hangs_is_killed_and_restarted(
    diary: Any, run: Any, wait_for: Wait, tmp_path: Path
) -> None:
    """A stopped process answers nothing; after three failed probes it is killed; its next life is well."""
    path = tmp_path / "run" / "loop.sock"

    def probe() -> bool:
        Client(path).call(Ping(), timeout_s=0.3)
        return True

    running = run(diary.spec("loop", "serve", str(path), probe=probe, probe_every_s=0.1))
    wait_for(lambda: running.states() == [("loop", "running")])

    os.kill(diary.pids("loop")[0], signal.SIGSTOP)
    wait_for(lambda: len(diary.pids("loop")) == 2)
    wait_for(lambda: running.states() == [("loop", "running")])

    assert ("process_restarted", "loop", "did not answer 3 times and was killed") == running.told()[1]


def test_a_child_may_take_its_time_to_start(diary: Any, run: Any, wait_for: Wait) -> None:
    """Until the first yes, no does not count."""
    answers = iter([False] * 5)
    running = run(
        diary.spec("models", "stay", probe=lambda: next(answers, True), probe_every_s=0.05, probe_failures=2)
    )

    wait_for(lambda: running.states() == [("models", "running")])

    assert 1 == len(running.changes)


def test_a_child_that_never_gets_ready_is_restarted(diary: Any, run: Any, wait_for: Wait) -> None:
    """Its time to start is not endless, and a probe that raises is a no."""

    def broken() -> bool:
        raise OSError("no socket")

    running = run(diary.spec("models", "stay", probe=broken, start_s=0.5, probe_failures=2))

    wait_for(lambda: len(running.changes) >= 2)

    assert ("process_restarted", "models", "did not answer 2 times and was killed") == running.told()[1]


# ------------------------------------------------------------- giving way


def test_a_child_that_gives_way_starts_when_the_others_are_ready(
    diary: Any, run: Any, wait_for: Wait
) -> None:
    """Not before, though they come after it; and it is said to have started, not restarted."""
    ready = threading.Event()
    running = run(
        diary.spec("web", "stay", gives_way_s=60),
        diary.spec("loop", "stay", probe=ready.is_set),
        diary.spec("models", "stay"),
    )
    wait_for(lambda: diary.pids("loop") and diary.pids("models"))
    time.sleep(0.3)
    waiting = diary.pids("web")
    ready.set()
    wait_for(lambda: len(running.told()) == 3)

    assert [] == waiting
    assert ("process_started", "web", "") == running.told()[-1]


def test_who_dies_keeps_nobody_waiting(diary: Any, run: Any, wait_for: Wait) -> None:
    """The way is free once a child that goes first has failed."""
    run(
        diary.spec("web", "stay", gives_way_s=60),
        diary.spec("loop", "exit", "3", probe=lambda: False, start_s=60),
    )

    wait_for(lambda: diary.pids("web"))

    assert diary.pids("loop")


def test_nobody_gives_way_for_ever(diary: Any, run: Any, wait_for: Wait) -> None:
    """After its time it starts, whatever the others do."""
    running = run(
        diary.spec("web", "stay", gives_way_s=0.3),
        diary.spec("loop", "stay", probe=lambda: False, start_s=60),
    )

    wait_for(lambda: len(running.told()) == 2)

    assert [("process_started", "loop", ""), ("process_started", "web", "")] == running.told()


def test_one_that_gives_way_and_is_not_there_is_tried_with_pauses(run: Any, wait_for: Wait) -> None:
    """As any other; that the way is free does not make it hurry."""
    running = run(ChildSpec("web", ("/there/is/no/such/program",), gives_way_s=60))
    time.sleep(0.5)

    assert 1 <= running.supervisor.status().children[0].restarts <= 10


# ------------------------------------------------------------- restarts that somebody asks for


def test_a_child_is_restarted_on_request_and_the_others_stay(diary: Any, run: Any, wait_for: Wait) -> None:
    """It ends in good order, comes back at once, and is said to have been asked."""
    running = run(diary.spec("loop", "stay"), diary.spec("web", "stay"))
    wait_for(lambda: diary.pids("loop") and diary.pids("web"))
    running.supervisor.restart("loop")
    wait_for(lambda: len(diary.pids("loop")) == 2)
    wait_for(lambda: len(running.changes) == 3)

    assert "loop down" in diary.lines()
    assert ("process_restarted", "loop", "restarted on request (exit 0)") == running.told()[2]
    assert 1 == len(diary.pids("web"))


def test_every_restart_asks_for_the_command_line_anew(diary: Any, run: Any, wait_for: Wait) -> None:
    """What died of its settings comes back with those that somebody mended meanwhile; asked for or not."""
    lines = {"web": diary.spec("other", "stay").argv}
    running = run(diary.spec("web", "stay"), diary.spec("loop", "stay"), renew=lines.get)
    wait_for(lambda: diary.pids("web") and diary.pids("loop"))
    os.kill(diary.pids("web")[0], signal.SIGKILL)
    wait_for(lambda: diary.pids("other"))
    lines["web"] = diary.spec("third", "stay").argv
    running.supervisor.restart("web")
    wait_for(lambda: diary.pids("third"))
    running.supervisor.restart("loop")
    wait_for(lambda: len(diary.pids("loop")) == 2)

    assert (1, 1) == (len(diary.pids("web")), len(diary.pids("other")))


def test_a_child_that_will_not_go_is_killed_and_restarted(diary: Any, run: Any, wait_for: Wait) -> None:
    """A request is not a wish."""
    running = run(diary.spec("loop", "stubborn"), grace_s=0.3)
    wait_for(lambda: diary.pids("loop"))
    running.supervisor.restart("loop")
    wait_for(lambda: len(diary.pids("loop")) == 2)

    assert "did not stop within 0.3 s and was killed" in running.told()[1][2]


def test_a_child_that_waits_for_its_restart_is_started_at_once(run: Any, wait_for: Wait) -> None:
    """Whoever has mended the settings does not wait for the pause to end, nor is what was before counted."""
    lines: dict[str, tuple[str, ...]] = {}
    running = run(ChildSpec("ghost", ("/nonexistent/program",)), renew=lines.get)
    wait_for(lambda: running.supervisor.status().children[0].state == "waiting")
    before = running.supervisor.status().children[0].restarts
    lines["ghost"] = (sys.executable, "-c", "import time; time.sleep(600)")
    running.supervisor.restart("ghost")
    wait_for(lambda: running.supervisor.status().children[0].pid is not None)

    assert before + 1 <= running.supervisor.status().children[0].restarts


def test_a_restart_of_nobody_is_refused(diary: Any, run: Any, wait_for: Wait) -> None:
    """With the names there are."""
    running = run(diary.spec("loop", "stay"))
    wait_for(lambda: diary.pids("loop"))
    with pytest.raises(UnknownProcessError, match="no process 'lopp'") as caught:
        running.supervisor.restart("lopp")

    assert "there are: loop" == caught.value.hint


def test_a_patient_childs_wrong_settings_end_nothing(diary: Any, run: Any, wait_for: Wait) -> None:
    """While somebody may mend them in the browser, the others go on, and what it said can be asked for."""
    running = run(
        diary.spec("web", "stay"), diary.spec("loop", "words", "2", "no key 'camera'", patient=True)
    )
    wait_for(lambda: len(diary.pids("loop")) >= 5)
    wait_for(lambda: running.supervisor.status().children[1].state == "waiting")
    loop = running.supervisor.status().children[1]

    assert running.thread.is_alive()
    assert 1 == len(diary.pids("web"))
    assert ("no key 'camera'", "look at line 3") == (loop.message, loop.hint)
