"""Starting a command in a function's view, holding it to its limits, and ending it with all it left behind.

Each child has a thread of its own that starts it, looks twice a second at what it uses, ends it when that is
too much, and reaps it. What a view is, is `view`'s; what is said over the channel, `function_run`'s; what
becomes of what it prints, whoever reads `outputs`. Never starts anything again.
"""

import contextlib
import os
import select
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from appliance.deeplens import occupancy
from appliance.deeplens.containment import Containment
from appliance.deeplens.guest import channel as channels
from appliance.deeplens.occupancy import Usage
from appliance.deeplens.project import Limits
from appliance.deeplens.spawning import Spawned, spawn
from appliance.deeplens.view import IN_MEMORY, NICE, Machine, View
from appliance.errors import FunctionError
from appliance.priority import put_behind
from appliance.processes import how_it_ended

_MIB: Final = 1024 * 1024
_REAP_S: Final = 5.0
_LOOK_S: Final = 0.5
_SPARE_THREADS: Final = 8
"""Over the limit that the kernel holds it to already: found where that limit does not count."""
_MOST_FILES: Final = 100_000
"""Each costs the box a kilobyte, which no limit of size counts."""
_CROWDED: Final = 3
"""Looks in a row."""
_SHELL_SIGNAL: Final = 128
"""bwrap ends with so much more than the number of the signal that ended the command."""


def launch(
    view: View,
    command: Callable[[Machine], Sequence[str]],
    containment: Containment,
    *,
    accepted: bool = False,
    with_channel: bool = True,
    longest_s: float | None = None,
) -> "LaunchedChild":
    """Start a command in a view.

    Args:
        view: What it gets.
        command: Makes the words of the command: the first is the path of a program inside.
        containment: What the system allows.
        accepted: Whether it may run uncontained where it cannot be contained.
        with_channel: Whether it gets a channel to us, whose number is in DEEPLENS_CHANNEL.
        longest_s: Seconds after which it is ended; None: it may run for ever.

    Returns:
        The child, past its launcher: limits are set, and the command runs.

    Raises:
        ContainmentError: It cannot be contained here, and that was not accepted.
        FunctionError: Its view could not be made, or the command not be started.
    """
    containment.require(accepted=accepted)
    machine = containment.machine
    with contextlib.ExitStack() as undo:
        try:
            ours, theirs = channels.pair() if with_channel else (None, None)
            for each in (ours, theirs):
                if each is not None:
                    undo.callback(each.close)
            channel = None if theirs is None else theirs.fileno()
            keeper = _Keeper(view, machine, command(machine), channel, longest_s=longest_s)
            keeper.start()
        except OSError as error:
            raise FunctionError(
                f"{view.name} could not be started: {error.strerror}",
                hint="look at the memory and the disk of this box",
            ) from error
        undo.pop_all()
        if theirs is not None:
            theirs.close()
    return LaunchedChild(keeper, None if ours is None else channels.HostChannel(ours), view.limits)


class LaunchedChild:
    """A command that runs in a view, with all that it started; made by `launch`.

    Attributes:
        limits: What it may use.
    """

    def __init__(self, keeper: "_Keeper", channel: channels.HostChannel | None, limits: Limits) -> None:
        self.limits = limits
        self._keeper = keeper
        self._channel = channel
        self._closing = threading.Lock()
        self._open = True

    @property
    def channel(self) -> channels.HostChannel:
        """Our end of the channel.

        Raises:
            ValueError: It was started without one.
        """
        if self._channel is None:
            raise ValueError("started without a channel")
        return self._channel

    @property
    def pid(self) -> int:
        """Of the process that was started first: bwrap, or the launcher where there is no view."""
        return self._keeper.spawned.process.pid

    @property
    def outputs(self) -> Sequence[int]:
        """The descriptor of what it prints, to read; it ends when the last of its processes has."""
        return (self._keeper.spawned.output,)

    @property
    def usage(self) -> Usage:
        """What it used when it was looked at last."""
        return self._keeper.usage

    def alive(self) -> Sequence[int]:
        """Numbers of its processes that are alive now; in a view, none is missed."""
        return occupancy.alive(self._keeper.spawned.tree.processes())

    def ended(self) -> str | None:
        """How it ended, in words; None while it lives."""
        return self._keeper.ended

    def trouble(self) -> str:
        """Why it was ended, where that was for what it used; empty otherwise."""
        return self._keeper.trouble

    def wait(self, timeout_s: float | None = None) -> str | None:
        """Wait until it has ended; how it did, in words; None if it has not in time."""
        self._keeper.over.wait(timeout_s)
        return self._keeper.ended

    def kill(self) -> None:
        """End it with all that it started, and wait for that; may be called twice."""
        self._keeper.kill()
        if not self._keeper.over.wait(_REAP_S):
            self._keeper.kill_outside()
            self._keeper.over.wait(_REAP_S)

    def close(self) -> None:
        """Let go of channel and descriptors, once it ended; may be called twice."""
        with self._closing:
            if not self._open:
                return
            self._open = False
        if self._channel is not None:
            self._channel.close()
        os.close(self._keeper.spawned.output)


class _Keeper:
    """The thread that starts a child, watches it and reaps it: it lives as long as the child does."""

    spawned: Spawned
    """There from the end of `start` on."""

    def __init__(
        self,
        view: View,
        machine: Machine,
        command: Sequence[str],
        channel: int | None,
        *,
        longest_s: float | None,
    ) -> None:
        self._view = view
        self._machine = machine
        self._command = command
        self._channel = channel
        self._longest_s = longest_s
        self._settled = threading.Event()
        self._fault: BaseException | None = None
        self._ending = threading.Lock()
        self._reaped = False
        self._many = 2 * (os.cpu_count() or 1)
        self._crowded = 0
        self.over = threading.Event()
        self.ended: str | None = None
        self.trouble = ""
        self.usage = Usage(0, 0, 0, 0.0)

    def start(self) -> None:
        """Start it, and wait until its command runs.

        Raises:
            OSError: The system has no room for it.
            FunctionError: Its view could not be made, or the command not be started.
        """
        threading.Thread(target=self._keep, name="function-keeper", daemon=True).start()
        self._settled.wait()
        if self._fault is not None:
            raise self._fault

    def kill(self) -> None:
        """End it with all that it started; nothing where it is over."""
        with self._ending:
            if not self._reaped:
                self.spawned.tree.kill()

    def kill_outside(self) -> None:
        """End bwrap itself, where it does not follow."""
        with self._ending:
            if not self._reaped:
                self.spawned.process.kill()

    # ------------------------------------------------------------------ in the thread

    def _keep(self) -> None:
        try:
            self.spawned = spawn(self._view, self._machine, self._command, self._channel)
        except BaseException as error:  # noqa: BLE001 - raised again by `start`
            self._fault = error
            return
        finally:
            self._settled.set()
        try:
            self._watch()
        finally:
            self._finish()

    def _watch(self) -> None:
        """Look at what it uses until it has ended, and end it when that is too much."""
        end = os.pidfd_open(self.spawned.process.pid)
        until_s = None if self._longest_s is None else time.monotonic() + self._longest_s
        try:
            waiting = select.poll()
            waiting.register(end, select.POLLIN)
            self._look()
            while not waiting.poll(_LOOK_S * 1000):
                if until_s is not None and time.monotonic() > until_s:
                    self._stop(f"killed: it took longer than {self._longest_s:g} s")
                elif not self.trouble:
                    self._look()
        finally:
            os.close(end)

    def _look(self) -> None:
        limits = self._view.limits
        most = limits.memory_mb * _MIB
        try:
            tree = self.spawned.tree
            processes = tree.processes()
            self.usage = occupancy.usage(processes, exact_above=most)
            self._yield_processors(processes)
            files = 0 if tree.namespace is None else occupancy.files_below(tree.session, IN_MEMORY)
        except OSError:  # no descriptor left to read it with just now
            return
        if self.usage.memory_bytes > most:
            self._stop(f"killed: it used more than {limits.memory_mb:,} MB of memory")
        elif self.usage.threads > limits.processes + _SPARE_THREADS:
            self._stop(f"killed: it had more than {limits.processes:,} processes and threads")
        elif files > _MOST_FILES:
            self._stop(f"killed: it made more than {_MOST_FILES:,} files")

    def _yield_processors(self, processes: Sequence[int]) -> None:
        """Keep it behind us, and behind everybody else when it keeps wanting more processors than there are.

        A process that begins a session has a share of its own again. Many small shares are a large one,
        whatever the priority of each.
        """
        for each in processes:
            put_behind(each, NICE)
        wanting = len(occupancy.runnable(processes)) if self.usage.threads > self._many else 0
        self._crowded = self._crowded + 1 if wanting > self._many else 0
        if self._crowded >= _CROWDED:
            occupancy.put_last(processes)

    def _stop(self, trouble: str) -> None:
        self.trouble = self.trouble or trouble
        self.kill()

    def _finish(self) -> None:
        """Reap it, and end what may have outlived it."""
        with self._ending:
            self.spawned.tree.kill()
            self.spawned.tree.wait(_REAP_S)
            code = self.spawned.process.wait()
            self.spawned.tree.close()
            self._reaped = True
        if self.spawned.scratch is not None:
            shutil.rmtree(self.spawned.scratch, ignore_errors=True)
        in_view = self._machine.bwrap is not None
        how = how_it_ended(_SHELL_SIGNAL - code if in_view and code > _SHELL_SIGNAL else code)
        self.ended = self.trouble or how
        self.over.set()
