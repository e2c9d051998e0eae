"""Programs we started: ending one with all it started, and saying in words how it ended.

Starts none, and decides nothing about when.
"""

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Callable

Kill = Callable[[int, int], None]
"""Sends a signal to a process group, as `os.killpg` does."""


def kill_group(group: int, number: int = signal.SIGKILL, *, kill: Kill = os.killpg) -> bool:
    """Send a signal to a process group.

    Returns:
        False: it is gone, or nobody in it may be signalled by us (it changed its account, as `sudo` does).
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        kill(group, number)
        return True
    return False


def end_group(process: subprocess.Popen[bytes], patience_s: float, *, kill: Kill = os.killpg) -> bool:
    """End a process that leads its group, and its group: SIGTERM, then SIGKILL to whatever is left.

    Args:
        process: Started with a process group of its own, and not waited for yet.
        patience_s: Seconds to wait after each of the two.
        kill: Sends the signals.

    Returns:
        Whether it ended, and was reaped; false for one that we may not signal and that goes on.
    """
    end = os.pidfd_open(process.pid)
    try:
        # Waited for without reaping: until then its number cannot become another group's.
        waiting = select.poll()
        waiting.register(end, select.POLLIN)
        for number in (signal.SIGTERM, signal.SIGKILL):
            kill_group(process.pid, number, kill=kill)
            waiting.poll(patience_s * 1000)
    finally:
        os.close(end)
    return process.poll() is not None


def how_it_ended(code: int) -> str:
    """An exit code, negative for a signal, in words.

    >>> how_it_ended(3), how_it_ended(-9)
    ('exit 3', 'killed by SIGKILL')
    """
    if code >= 0:
        return f"exit {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal
        return f"killed by signal {-code}"
