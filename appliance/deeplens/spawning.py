"""Starting one command in a view: bwrap, the launcher inside, and the command, which runs when this is done.

Whoever calls `spawn` has to be a thread that lives as long as what it started: the kernel ends a child that
was started with `--die-with-parent` together with the thread that started it. Watches nothing, and ends only
what did not start well.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.deeplens import uncontained, view_arguments
from appliance.deeplens import view as views
from appliance.deeplens.process_tree import ProcessTree
from appliance.deeplens.syscall_filter import filter_for
from appliance.deeplens.view import Machine, View
from appliance.errors import FunctionError

_READY_S: Final = 30.0
"""A start takes some 50 ms; a box that pages takes longer."""
_SAID_S: Final = 1.0
_READ_BYTES: Final = 4096
_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class Spawned:
    """What was started.

    Attributes:
        process: bwrap, or the launcher where there is no view.
        tree: All that belongs to it.
        output: The descriptor of what it prints, to be closed by whoever has it.
        scratch: A folder to be removed when it is over; None in a view.
    """

    process: subprocess.Popen[bytes]
    tree: ProcessTree
    output: int
    scratch: Path | None


def spawn(view: View, machine: Machine, command: Sequence[str], channel: int | None) -> Spawned:
    """Start a command in a view, and wait until it runs.

    Args:
        view: What it gets.
        machine: What the box has; without bwrap it is started without a view.
        command: Its words; the first is the path of a program inside.
        channel: The descriptor of its end of the channel, which stays the caller's.

    Raises:
        OSError: The system has no room for it.
        FunctionError: Its view could not be made, or the command not be started.
    """
    with contextlib.ExitStack() as undo, contextlib.ExitStack() as handed:
        ready, info, output = _Pipe(undo), _Pipe(undo), _Pipe(undo)
        scratch = None if machine.bwrap else _scratch(undo)
        order = views.launch_order(view, machine, ready=ready.writing, contained=scratch is None)
        environment = views.environment(view, channel)
        inherited = [ready.writing, *([] if channel is None else [channel])]
        if scratch is None:
            small = views.small_files(view, machine)
            files = {path: _memory_file(content, handed) for path, content in small.items()}
            rules = filter_for(machine.processor)
            seccomp = None if rules is None else _memory_file(rules, handed)
            inherited += [info.writing, *files.values(), *([] if seccomp is None else [seccomp])]
            words = view_arguments.arguments(view, machine, files, info=info.writing, seccomp=seccomp)
            words += views.command_line(machine, order, command)
            folder = "/"
        else:
            folder = uncontained.lay_out(view, machine, scratch)
            environment |= uncontained.environment(scratch)
            launcher = f"{machine.code}/deeplens/guest/launch.py"
            words = views.command_line(machine, order, uncontained.placed(command, scratch), launch=launcher)
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output.writing,
            stderr=subprocess.STDOUT,
            pass_fds=inherited,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
        undo.callback(_end, process)
        handed.close()
        for each in (ready, info, output):
            each.hand_over()
        deadline = time.monotonic() + _READY_S
        tree = None
        said = b"its view was not made"
        with contextlib.suppress(OSError, ValueError, KeyError):
            if scratch is None:
                tree = _in_view(_heard(info.reading, deadline, until=b"}"))
            else:
                tree = ProcessTree(None, None, process.pid, _own_account(view, machine))
            undo.callback(tree.close)
            undo.callback(tree.kill)
            said = _heard(ready.reading, deadline) or b"it ended at once"
        if tree is None or said != b"ready":
            _end(process)
            printed = _heard(output.reading, time.monotonic() + _SAID_S)
            words = (said.removeprefix(b"ready") + b" " + printed).decode("utf-8", "replace").split()
            raise FunctionError(
                f"{view.name} could not be started: {' '.join(words)[:_SHOWN]}",
                hint="see whether functions are contained here, and whether its folder is whole",
                command="appliance doctor",
            )
        undo.pop_all()
        ready.close()
        info.close()
        return Spawned(process, tree, output.reading, scratch)


class _Pipe:
    """A pipe from a child to us, whose ends are closed with `undo` as long as they are not otherwise."""

    def __init__(self, undo: contextlib.ExitStack) -> None:
        self.reading, self.writing = os.pipe()
        self._open = {self.reading, self.writing}
        undo.callback(self.close)

    def hand_over(self) -> None:
        """Close the end that the child has now."""
        self._open.remove(self.writing)
        os.close(self.writing)

    def close(self) -> None:
        """Close what is open."""
        while self._open:
            os.close(self._open.pop())


def _scratch(undo: contextlib.ExitStack) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="function-"))
    undo.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _own_account(view: View, machine: Machine) -> int | None:
    return views.account(view, machine)[0] if views.becomes(view, machine, contained=False) else None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what was started and reap it; with bwrap goes all that it started."""
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _in_view(told: bytes) -> ProcessTree:
    """Where the processes of a view are, from what bwrap told.

    Raises:
        OSError: They are gone already.
        ValueError: bwrap told nothing that makes sense.
        KeyError: As before.
    """
    fields = json.loads(told)
    first, namespace = int(fields["child-pid"]), int(fields["pid-namespace"])
    descriptor = os.pidfd_open(first)
    # The system's choice whom to kill first, when memory is short; inside it cannot be written.
    with contextlib.suppress(OSError):
        Path(f"/proc/{first}/oom_score_adj").write_text("800", encoding="ascii")
    if Path(f"/proc/{first}/ns/pid").stat().st_ino != namespace:
        os.close(descriptor)
        raise ValueError("another process has its number")
    return ProcessTree(namespace, descriptor, first, None)


def _memory_file(content: bytes, handed: contextlib.ExitStack) -> int:
    """A descriptor from which a content is read."""
    descriptor = os.memfd_create("view", os.MFD_CLOEXEC)
    handed.callback(os.close, descriptor)
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _heard(descriptor: int, deadline: float, *, until: bytes | None = None) -> bytes:
    """What is written into a pipe until it is closed, or until a sign; some 4 KiB, and not beyond a time."""
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    got = b""
    while len(got) < _READ_BYTES and waiting.poll(max(0.0, deadline - time.monotonic()) * 1000):
        more = os.read(descriptor, _READ_BYTES)
        got += more
        if not more or (until is not None and until in got):
            break
    return got
