"""What a process calls about its supervisor: to end with it, and to leave a last message.

Both do nothing in a process that no supervisor started. Nothing here is called by the
supervisor itself, except for the names of the variables and reading the message.
"""

import ctypes
import json
import os
import signal
from collections.abc import Mapping
from typing import NoReturn

from appliance.errors import ApplianceError, WireError

SUPERVISOR = "APPLIANCE_SUPERVISOR"
"""Variable with the supervisor's process id."""
LAST_WORDS = "APPLIANCE_LAST_WORDS"
"""Variable with the descriptor that a last message is written to."""

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LONGEST = 16384


def die_with_parent() -> None:
    """Have the kernel kill this process when its supervisor ends, however that comes.

    To be called first thing in every process of ours. If the supervisor is gone already,
    this does not return. (The kernel means the *thread* that started us; the supervisor
    starts its children from the thread that it runs in.)

    Raises:
        WireError: The kernel refuses, which no Linux since 2.1.57 does.
    """
    parent = os.environ.get(SUPERVISOR, "")
    if not parent.isdecimal():
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise WireError(f"cannot tie this process to its supervisor: {os.strerror(ctypes.get_errno())}")
    # It may have died before the call above, and then nothing will ever tell us.
    if os.getppid() != int(parent):
        _vanish()


def leave_last_words(error: ApplianceError) -> None:
    """Tell the supervisor why this process is about to end, for whoever reads its own last message."""
    fd = os.environ.get(LAST_WORDS, "")
    if fd.isdecimal():
        words = json.dumps({"message": error.message[:4000], "hint": error.hint[:1000]})
        try:
            os.pwrite(int(fd), words.encode(), 0)
        except OSError:  # not worth a second fault on the way out
            return


def read_last_words(fd: int) -> tuple[str, str]:
    """Message and hint left behind by a child; empty when it left none."""
    try:
        words = json.loads(os.pread(fd, _LONGEST, 0))
    except (OSError, ValueError):
        return "", ""
    if not isinstance(words, Mapping):
        return "", ""
    return str(words.get("message", "")), str(words.get("hint", ""))


def _vanish() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise SystemExit(1)  # never reached; SIGKILL cannot be held off
