"""Running behind others: a nice value that holds between sessions too, and a processor left to them.

Where the kernel groups processes by session ("autogroups", sched(7), the default of most distributions) a
nice value holds among the processes of one session alone, and sessions share the processors evenly. Each of
our processes leads a session, so the group's nice value is set as well. Decides nothing about who is behind
whom.
"""

import contextlib
import os
import time
from pathlib import Path
from typing import Final

LAST: Final = 19
"""Behind everybody else."""

_AGAIN_S: Final = 0.11
"""The kernel takes one change in a tenth of a second from all who are not root together."""
_PATIENCE_S: Final = 2.0


def give_way(nice: int) -> None:
    """Let this process, with what it starts, run behind those of other sessions; may take a second.

    Its session goes with it if this process leads it; somebody's terminal does not.

    Args:
        nice: How far, 1 to 19; for the process itself on top of what it has.
    """
    os.nice(nice)
    if os.getsid(0) != os.getpid():
        return
    until = time.monotonic() + _PATIENCE_S
    while not put_behind(os.getpid(), nice) and time.monotonic() < until:
        time.sleep(_AGAIN_S)


def leave_a_processor() -> None:
    """Keep the calling thread, with what it starts, off one processor, if it may use several.

    Who works beside it takes less of memory and caches from those that come first; and they find one free.
    Threads that run already stay where they are.
    """
    with contextlib.suppress(OSError):  # a group of processors that somebody else sees to
        mine = os.sched_getaffinity(0)
        if len(mine) > 1:
            os.sched_setaffinity(0, mine - {min(mine)})


def put_behind(pid: int, nice: int) -> bool:
    """Let a process's session run behind others at least so far.

    Args:
        pid: Of the process.
        nice: How far, 1 to 19.

    Returns:
        False: not now; asking again makes sense. True also where nothing is to be done or can be: the process
        is gone or nobody's business of ours, or this kernel does not group sessions.
    """
    with contextlib.suppress(OSError, ValueError):
        group = Path(f"/proc/{pid}/autogroup")
        _, _, has = group.read_text(encoding="ascii").rpartition(" nice ")
        if not has or int(has) >= nice:
            return True
        try:
            group.write_text(str(nice), encoding="ascii")
        except BlockingIOError:
            return False
    return True
