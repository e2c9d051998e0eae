"""The first program in a function's view: takes on limits and the function's user, and becomes the command.

    python -I -S launch.py ORDER -- COMMAND ...

ORDER is JSON: `limits` (name of an rlimit → value), `nice`, `become` ([uid, gid] or null), `contained`,
`proxy` ([port, path of a socket] or null) and `ready`, a descriptor on which `ready` is said as the command
starts, and what went wrong if it does not.
Standard library only, and no module beside it: the function's folder is the current one, and nothing may be
imported from there. Opens no channel and knows nothing of functions.
"""

import contextlib
import ctypes
import json
import os
import resource
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_NO_NEW_PRIVILEGES = 38
_STATUS = Path("/proc/self/status")
_REFUSED = 125


class _RefusedError(Exception):
    """The command is not started: something that holds it would be missing."""


def main(words: list[str]) -> int:
    """Take on what the order says and become the command; returns only if that failed.

    Args:
        words: The order, `--`, and the command.
    """
    order = json.loads(words[0])
    ready = int(order["ready"])
    os.set_inheritable(ready, False)  # noqa: FBT003 - takes no keyword
    try:
        prepare(order)
        if order["proxy"] is not None:
            _forward(*order["proxy"])
        command = words[2:]
        os.write(ready, b"ready")
        os.execv(command[0], command)  # noqa: S606 - our own command, no shell
    except (OSError, ValueError, _RefusedError) as error:
        os.write(ready, f"{type(error).__name__}: {error}".encode(errors="replace")[:512])
    return _REFUSED


def prepare(order: dict[str, Any]) -> None:
    """Take on limits, priority and user.

    Raises:
        OSError: The system refuses one.
        _RefusedError: Something would be left that must not be.
    """
    os.umask(0o022)
    # Whom to kill first, when memory is short; in a view it was said before.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("800", encoding="ascii")
    os.nice(order["nice"])
    for name, value in order["limits"].items():
        _limit(getattr(resource, f"RLIMIT_{name}"), value)
    if not order["contained"]:
        ctypes.CDLL(None, use_errno=True).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if order["become"] is not None:
        _become(*order["become"])
    status = dict(line.split(":\t", 1) for line in _STATUS.read_text("ascii").splitlines() if ":\t" in line)
    if status["NoNewPrivs"].strip() != "1":
        raise _RefusedError("new privileges could still be gained")
    held = order["contained"] or order["become"] is not None
    if held and any(int(status[each], 16) for each in ("CapPrm", "CapEff", "CapAmb")):
        raise _RefusedError("capabilities are left")


def _forward(port: int, path: str) -> None:
    """Start what leads connections on loopback to the proxy outside; they wait until it is there."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        listening.set_inheritable(True)
        program = str(Path(__file__).with_name("forward.py"))
        words = [sys.executable, "-I", "-S", program, str(listening.fileno()), path]
        devnull = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
        channel = os.environ.get("DEEPLENS_CHANNEL")
        # A file action would refuse a number above the limit of open files, and a host with many has such.
        with contextlib.nullcontext() if channel is None else _kept(int(channel)):
            os.posix_spawn(sys.executable, words, {}, file_actions=[devnull, (os.POSIX_SPAWN_DUP2, 1, 2)])


@contextlib.contextmanager
def _kept(descriptor: int) -> Iterator[None]:
    """Let nobody who is started in this block have a descriptor."""
    os.set_inheritable(descriptor, False)  # noqa: FBT003 - takes no keyword
    yield
    os.set_inheritable(descriptor, True)  # noqa: FBT003 - likewise


def _limit(which: int, value: int) -> None:
    """Set a limit, or leave it where it is lower already."""
    _, hard = resource.getrlimit(which)
    least = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (least, least))


def _become(uid: int, gid: int) -> None:
    """Change to a user for good."""
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if os.getresuid() != (uid, uid, uid) or os.getresgid() != (gid, gid, gid) or os.getgroups():
        raise _RefusedError("the user was not changed")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
