"""Commands: what they are given, what they may not do, and how they end."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from outboxes import EVENTS
from structlog.testing import capture_logs

from appliance.dispatch import CommandAction, Delivery
from appliance.errors import ActionError
from appliance.events import CameraChanged

Wait = Callable[[Callable[[], object]], None]
AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
DELIVERY = Delivery("hook", "019b8f3c", EVENTS["hook"], AT, 2, "019b8f3c-hook")


def python(code: str, *arguments: object, timeout_s: float = 20, **more: dict[str, str]) -> CommandAction:
    """A command that runs some Python."""
    return CommandAction([sys.executable, "-c", code, *map(str, arguments)], timeout_s, **more)


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_event_arrives_as_json_on_standard_input(tmp_path: Path) -> None:
    """Its own fields, with its id and time beside them."""
    python("import sys; open(sys.argv[1], 'w').write(sys.stdin.read())", tmp_path / "in").perform(DELIVERY)

    assert {
        "id": "019b8f3c",
        "at": "2026-01-05T12:00:00+00:00",
        **EVENTS["hook"].model_dump(mode="json"),
    } == json.loads((tmp_path / "in").read_text())


def test_the_environment_is_minimal_and_holds_the_key(tmp_path: Path) -> None:
    """PATH, LANG, HOME and the idempotency key; nothing else of ours, least of all a secret."""
    ours = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/root", "APPLIANCE_PASSPHRASE": "secret"}
    CommandAction(["/bin/sh", "-c", f"/usr/bin/env > {tmp_path}/env"], 10, ours).perform(DELIVERY)
    found = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())

    assert {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/root"} == {
        name: found[name] for name in ("PATH", "LANG", "HOME")
    }
    assert "019b8f3c-hook" == found["APPLIANCE_IDEMPOTENCY_KEY"]
    assert set(found) - {"PATH", "LANG", "HOME", "APPLIANCE_IDEMPOTENCY_KEY"} <= {
        "PWD",
        "OLDPWD",
        "SHLVL",
        "_",
    }


def test_no_shell_sees_the_words(tmp_path: Path) -> None:
    """What would be a second command to a shell is one plain word."""
    words = f"; touch {tmp_path}/pwned; $(touch {tmp_path}/pwned)"
    python("import sys; assert len(sys.argv) == 2", words).perform(DELIVERY)

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise SystemExit(3)", "exit 3"),
        ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGRTMIN + 1)", "killed by signal 35"),
    ],
)
def test_a_failure_is_an_error_worth_another_try(code: str, reason: str) -> None:
    """Exit codes and signals are said in words; neither is permanent."""
    with pytest.raises(ActionError, match=reason) as caught:
        python(code).perform(DELIVERY)

    assert not caught.value.permanent


@pytest.mark.parametrize(
    "program", ["/nonexistent/program", "no-such-program-anywhere", "/etc/passwd", "/etc"]
)
def test_a_program_that_cannot_run_is_permanent(program: str) -> None:
    """Trying again cannot help; the hint says what to do."""
    with pytest.raises(ActionError) as caught:
        CommandAction([program], 5).perform(DELIVERY)

    assert caught.value.permanent


def test_a_file_of_no_known_format_is_permanent(tmp_path: Path) -> None:
    """A script without its first line is not guessed at."""
    script = tmp_path / "script"
    script.write_bytes(b"\x00\x01\x02")
    script.chmod(0o755)

    with pytest.raises(ActionError) as caught:
        CommandAction([str(script)], 5).perform(DELIVERY)

    assert caught.value.permanent


def test_a_command_that_takes_too_long_is_killed_with_what_it_started(tmp_path: Path, wait_for: Wait) -> None:
    """The whole process group goes, even if it ignores SIGTERM."""
    script = (
        "import os, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        "open(sys.argv[1], 'w').write(f'{os.getpid()} {child.pid}')\n"
        "time.sleep(600)\n"
    )
    began = time.monotonic()
    with pytest.raises(ActionError, match="took longer than 1 s and was killed"):
        python(script, tmp_path / "pids", timeout_s=1).perform(DELIVERY)

    assert time.monotonic() - began < 5
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    wait_for(lambda: not any(alive(pid) for pid in pids))


def test_what_it_prints_is_logged_only_on_failure_and_only_its_end() -> None:
    """4 KiB of output, both streams; a good command is silent."""
    code = "import sys; print('x' * 3_000_000); sys.stderr.write('the end'); sys.exit(1)"
    with capture_logs() as good:
        python("print('x' * 100)").perform(DELIVERY)
    with capture_logs() as bad, pytest.raises(ActionError) as caught:
        python(code).perform(DELIVERY)

    assert [] == good
    (entry,) = bad
    assert ("command_failed", "exit 1", 4096) == (entry["event"], entry["reason"], len(entry["output"]))
    assert entry["output"].startswith("x")
    assert entry["output"].endswith("the end")
    assert "the end" not in str(caught.value)


def test_a_command_need_not_read_its_input() -> None:
    """A large event to a command that does not care is no failure."""
    large = CameraChanged(type="camera_lost", reason="x" * 1_000_000)

    python("").perform(Delivery("hook", "e", large, AT, 1, "k"))


def test_a_large_event_and_a_large_answer_do_not_block_each_other(tmp_path: Path) -> None:
    """It may print megabytes before it reads a byte."""
    large = CameraChanged(type="camera_lost", reason="x" * 1_000_000)
    code = "import sys; print('y' * 2_000_000, flush=True); open(sys.argv[1], 'w').write(sys.stdin.read())"

    python(code, tmp_path / "in").perform(Delivery("hook", "e", large, AT, 1, "k"))

    assert 1_000_000 == len(json.loads((tmp_path / "in").read_text())["reason"])


def test_what_a_good_command_leaves_running_goes_on(tmp_path: Path) -> None:
    """A script may start a player and return; the player keeps its output open, and is not waited for."""
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen(['sleep', '30'])\n"
        "open(sys.argv[1], 'w').write(str(child.pid))\n"
    )
    began = time.monotonic()
    python(code, tmp_path / "pid").perform(DELIVERY)
    pid = int((tmp_path / "pid").read_text())

    assert time.monotonic() - began < 10
    assert alive(pid)
    os.kill(pid, 9)


def test_closing_kills_what_runs_and_begins_nothing_else(tmp_path: Path, wait_for: Wait) -> None:
    """As when dispatch stops."""
    action = python(
        "import sys, time; open(sys.argv[1], 'w'); time.sleep(600)", tmp_path / "up", timeout_s=300
    )
    errors: list[ActionError] = []

    def perform() -> None:
        try:
            action.perform(DELIVERY)
        except ActionError as error:
            errors.append(error)

    thread = threading.Thread(target=perform)
    thread.start()
    wait_for((tmp_path / "up").exists)
    action.close()
    thread.join(10)

    assert ["killed: the dispatcher stops"] == [str(error).partition(": ")[2] for error in errors]
    with pytest.raises(ActionError, match="not begun"):
        action.perform(DELIVERY)


def test_no_descriptor_is_left_open() -> None:
    """A box runs thousands of commands."""
    action = CommandAction(["true"], 5)
    action.perform(DELIVERY)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        action.perform(DELIVERY)

    assert before == len(list(Path("/proc/self/fd").iterdir()))


def test_a_command_that_may_not_be_killed_is_left_alone(tmp_path: Path) -> None:
    """It changed its account (`sudo`): the action fails in time, says why, and the next one can begin."""
    signals: list[int] = []

    def refused(group: int, number: int) -> None:
        signals.append(number)
        raise PermissionError(1, "Operation not permitted")

    code = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    action = CommandAction([sys.executable, "-c", code], 1.0, kill=refused)
    before = time.monotonic()
    try:
        with pytest.raises(ActionError, match="runs under another account and goes on"):
            action.perform(DELIVERY)
        with pytest.raises(ActionError, match="took longer than 1 s"):
            action.perform(DELIVERY)
        assert 10 > time.monotonic() - before
        assert [signal.SIGTERM, signal.SIGKILL] * 2 == signals
    finally:
        for process in action._left:
            process.kill()
            process.wait()
