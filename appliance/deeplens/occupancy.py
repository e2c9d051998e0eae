"""What the processes of a hosted function use: memory, processes and threads, time of the processors.

Read from /proc, from outside the function's view, where nothing it does hides a process: they are found by
the process namespace they live in, or, without one, by their session and their account. Ends nobody.
"""

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance import priority

_PROC: Final = "/proc"
_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")
_OVER: Final = ("Z", "X")
_SESSION: Final = 3
_UTIME: Final = 11
_THREADS: Final = 17
"""Fields of /proc/PID/stat, counted from behind the name."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a function uses.

    Attributes:
        memory_bytes: Memory that is its own: neither files nor libraries; pages that its processes share are
            counted once.
        processes: Processes.
        threads: Threads of all of them together, which is what the limit of processes counts.
        cpu_s: Seconds of the processors that the processes alive now have used.
    """

    memory_bytes: int
    processes: int
    threads: int
    cpu_s: float


def in_namespace(inode: int) -> list[int]:
    """Processes of a process namespace, by the namespace's number."""
    return [pid for pid in _all() if _namespace(pid) == inode]


def in_session(session: int, uid: int | None) -> list[int]:
    """Processes of a session, and all of an account that is a function's own.

    Args:
        session: Number of the session.
        uid: The account; None where it is not the function's alone.
    """
    return [pid for pid in _all() if _belongs(pid, session, uid)]


def alive(pids: Iterable[int]) -> list[int]:
    """Those processes that are neither gone nor only waiting to be reaped."""
    return [pid for pid in pids if (fields := _stat(pid)) is not None and fields[0] not in _OVER]


def usage(pids: Iterable[int], *, exact_above: int) -> Usage:
    """What processes use together.

    Args:
        pids: Of the processes; those that are gone count nothing.
        exact_above: Bytes above which shared pages are told apart, which takes the kernel a while.
    """
    memory = processes = threads = ticks = 0
    alive = []
    for pid in pids:
        fields = _stat(pid)
        if fields is None or fields[0] in _OVER:
            continue
        alive.append(pid)
        processes += 1
        threads += int(fields[_THREADS])
        ticks += int(fields[_UTIME]) + int(fields[_UTIME + 1])
        memory += _resident(pid)
    if memory > exact_above:
        memory = sum(_proportional(pid) for pid in alive)
    return Usage(memory, processes, threads, ticks / _TICKS_A_SECOND)


def runnable(pids: Iterable[int]) -> list[int]:
    """Numbers of the threads of processes that want a processor just now."""
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"{_PROC}/{pid}/task"):  # noqa: PTH208 - names
                fields = _stat(f"{pid}/task/{thread}")
                if fields is not None and fields[0] == "R":
                    found.append(int(thread))
    return found


def put_last(pids: Iterable[int]) -> None:
    """Let all threads of processes run only when nobody else wants to; they cannot change that back."""
    for pid in pids:
        priority.put_behind(pid, priority.LAST)
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"{_PROC}/{pid}/task"):  # noqa: PTH208 - names
                with contextlib.suppress(OSError):
                    os.sched_setscheduler(int(thread), os.SCHED_IDLE, os.sched_param(0))


def files_below(first: int, places: Iterable[str]) -> int:
    """Files and folders in the folders in memory of a view; each takes memory besides its size.

    Args:
        first: Number of a process in the view.
        places: Paths in the view where such a folder is mounted.
    """
    count = 0
    for each in places:
        with contextlib.suppress(OSError):  # it is over, or ours to signal and not to look into
            found = os.statvfs(f"{_PROC}/{first}/root{each}")
            count += found.f_files - found.f_ffree
    return count


def _all() -> list[int]:
    return [int(name) for name in os.listdir(_PROC) if name.isdigit()]  # noqa: PTH208 - names


def _namespace(pid: int) -> int | None:
    """Number of a process's namespace; None: gone, or nobody's business of ours."""
    try:
        return os.stat(f"{_PROC}/{pid}/ns/pid").st_ino  # noqa: PTH116 - some hundred, twice a second
    except OSError:
        return None


def _belongs(pid: int, session: int, uid: int | None) -> bool:
    fields = _stat(pid)
    if fields is None:
        return False
    if int(fields[_SESSION]) == session:
        return True
    try:
        return uid is not None and os.stat(f"{_PROC}/{pid}").st_uid == uid  # noqa: PTH116 - as above
    except OSError:
        return False


def _stat(pid: int | str) -> list[str] | None:
    """Fields of a process, or of PID/task/TID, behind its name, which may hold anything."""
    try:
        return Path(_PROC, str(pid), "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None


def _resident(pid: int) -> int:
    """Bytes of memory that are no file's, pages shared with others included."""
    return _kilobytes(pid, "status", ("RssAnon:", "RssShmem:"))


def _proportional(pid: int) -> int:
    """The same, with each page that several processes have divided among them."""
    exact = _kilobytes(pid, "smaps_rollup", ("Pss_Anon:", "Pss_Shmem:"))
    return exact or _resident(pid)


def _kilobytes(pid: int, name: str, wanted: tuple[str, ...]) -> int:
    try:
        lines = Path(_PROC, str(pid), name).read_text("utf-8", "replace").splitlines()
    except OSError:
        return 0
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(wanted))
