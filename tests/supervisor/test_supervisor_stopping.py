"""How real little children are stopped, and the supervisor's own process with them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.clock import SystemClock
from appliance.supervisor import Supervisor

Spawn = Callable[..., subprocess.Popen[str]]
Alive = Callable[[int], bool]
Wait = Callable[[Callable[[], object]], None]


# ------------------------------------------------------------- stopping


def test_children_are_stopped_in_reverse_order(diary: Any, run: Any, wait_for: Wait) -> None:
    """Last started, first stopped; each is gone before the next is asked."""
    running = run(*(diary.spec(name, "stay") for name in ("models", "loop", "web")))
    wait_for(lambda: all(diary.pids(name) for name in ("models", "loop", "web")))

    running.stop()

    assert ["web down", "loop down", "models down"] == diary.lines()[-3:]
    assert [("models", "stopped"), ("loop", "stopped"), ("web", "stopped")] == running.states()


def test_a_stubborn_child_is_killed_after_its_grace(diary: Any, run: Any, wait_for: Wait) -> None:
    """SIGTERM, the grace, SIGKILL; the others still stop in order."""
    running = run(diary.spec("loop", "stay"), diary.spec("mule", "stubborn"), grace_s=0.5)
    wait_for(lambda: diary.pids("mule") and diary.pids("loop"))
    began = time.monotonic()

    running.stop()

    assert 0.5 <= time.monotonic() - began < 5
    assert ("process_stopped", "mule", "did not stop within 0.5 s and was killed") == running.told()[2]
    assert "loop down" in diary.lines()


def test_what_a_child_leaves_behind_in_its_group_is_killed(
    diary: Any, run: Any, wait_for: Wait, alive: Alive
) -> None:
    """A dead child's own children do not go on beside its next life."""
    run(diary.spec("host", "grandchild"))
    wait_for(lambda: diary.pids("host"))

    os.kill(diary.pids("host")[0], signal.SIGKILL)

    wait_for(lambda: not alive(diary.pids("host", "left")[0]))


def test_stopping_before_a_restart_is_due_does_not_restart(diary: Any, run: Any, wait_for: Wait) -> None:
    """A stop in a back-off pause ends the pause."""
    running = run(diary.spec("bad", "exit", "1"))
    wait_for(lambda: running.states() == [("bad", "waiting")])
    running.stop()
    lives = len(diary.pids("bad"))

    assert [("bad", "stopped")] == running.states()
    assert lives == len(diary.pids("bad"))


# ------------------------------------------------------------- the supervisor's own process


def test_sigterm_stops_all_in_order_and_exits_with_zero(diary: Any, spawn: Spawn, wait_for: Wait) -> None:
    """As systemd does it."""
    process = spawn("loop:stay", "web:stay")
    wait_for(lambda: diary.pids("loop") and diary.pids("web"))

    process.terminate()

    assert 0 == process.wait(20)
    assert [
        "web down",
        "loop down",
        "change process_stopped web exit 0",
        "change process_stopped loop exit 0",
    ] == sorted(diary.lines()[-4:], key=lambda line: line.startswith("change"))


def test_a_stop_that_loses_events_is_no_success(diary: Any, spawn: Spawn, wait_for: Wait) -> None:
    """Told to stop, a child says what it could not keep: the others stop, and the exit code is its."""
    process = spawn("loop:loses:3 event(s) are lost", "web:stay")
    wait_for(lambda: diary.pids("loop") and diary.pids("web"))

    process.terminate()
    out, _ = process.communicate(timeout=20)

    assert (6, "StoreError: loop: 3 event(s) are lost\n") == (process.returncode, out)
    assert "web down" in diary.lines()
    assert "change process_stopped loop exit 6" in diary.lines()


def test_a_second_ctrl_c_kills_at_once(diary: Any, spawn: Spawn, wait_for: Wait) -> None:
    """The first asks, the second does not wait."""
    process = spawn("mule:stubborn", "ass:stubborn")
    wait_for(lambda: diary.pids("mule") and diary.pids("ass"))

    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)

    assert 0 == process.wait(20)
    assert time.monotonic() - began < 0.8


def test_a_killed_supervisor_leaves_no_child(diary: Any, spawn: Spawn, wait_for: Wait, alive: Alive) -> None:
    """Kill -9 of the supervisor: the kernel ends every child that called die_with_parent."""
    process = spawn("loop:tied", "web:tied")
    wait_for(lambda: diary.pids("loop") and diary.pids("web"))
    children = [*diary.pids("loop"), *diary.pids("web")]
    assert all(alive(pid) for pid in children)

    process.kill()

    wait_for(lambda: not any(alive(pid) for pid in children))


def test_a_child_whose_supervisor_is_gone_already_does_not_start(diary: Any) -> None:
    """The gap between being started and asking the kernel is closed by a look at the parent."""
    spec = diary.spec("loop", "tied")
    done = subprocess.run(
        spec.argv, env={**os.environ, **spec.env, "APPLIANCE_SUPERVISOR": "1"}, check=False, timeout=20
    )

    assert -signal.SIGKILL == done.returncode
    assert [] == diary.lines()


def test_without_a_supervisor_a_process_is_on_its_own(diary: Any, wait_for: Wait) -> None:
    """Under systemd alone die_with_parent does nothing."""
    spec = diary.spec("loop", "tied")
    with subprocess.Popen(spec.argv, env={**os.environ, **spec.env}) as process:
        wait_for(lambda: diary.pids("loop"))
        process.terminate()

    assert 0 == process.returncode


def test_the_exit_code_says_what_no_restart_mended(spawn: Spawn) -> None:
    """A command that supervises ends with the child's code and its last message."""
    process = spawn("loop:words:2:no such camera", "web:stay")

    out, _ = process.communicate(timeout=30)

    assert (2, "SettingsError: loop: no such camera\n") == (process.returncode, out)


def test_systemd_does_not_wait_for_a_patient_child(diary: Any, tmp_path: Path, run: Any) -> None:
    """The pages' port is taken: the door is watched, and the start did not fail."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(20)
        running = run(
            diary.spec("loop", "stay"),
            diary.spec("web", "words", "9", "the port is taken", patient=True, probe=lambda: False),
            environment={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")},
        )

        assert b"READY=1" == systemd.recv(100)
        assert running.thread.is_alive()
        assert len(diary.pids("web")) >= 1


def test_systemd_is_told(diary: Any, tmp_path: Path, wait_for: Wait) -> None:
    """Ready once all children are, signs of life, stopping; and children do not inherit the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(20)
        code = (
            "import sys; from appliance.clock import SystemClock\n"
            "from appliance.supervisor import ChildSpec, Supervisor\n"
            "child = ChildSpec('env', ('/bin/sh', '-c', 'env > ' + sys.argv[1] + '; exec sleep 600'))\n"
            "Supervisor([child], lambda _: None, SystemClock()).run()"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(diary.path)],
            env={
                **os.environ,
                "PYTHONPATH": str(Path(__file__).parents[2]),
                "NOTIFY_SOCKET": str(tmp_path / "notify"),
                "WATCHDOG_USEC": "200000",
            },
        )
        with process:
            heard = [systemd.recv(100) for _ in range(4)]
            wait_for(diary.path.exists)
            process.terminate()
            while heard[-1] != b"STOPPING=1":
                heard.append(systemd.recv(100))

    assert [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1", b"WATCHDOG=1"] == heard[:4]
    assert "NOTIFY_SOCKET" not in diary.path.read_text()
    assert 0 == process.returncode


def test_nothing_acts_before_run(diary: Any) -> None:
    """Making a supervisor starts nothing."""
    supervisor = Supervisor([diary.spec("loop", "stay")], lambda _: None, SystemClock())

    assert ["stopped"] == [c.state for c in supervisor.status().children]
    assert [] == diary.lines()
