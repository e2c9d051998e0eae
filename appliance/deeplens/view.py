"""What a function sees of the machine: the values, its variables, and what its launcher is told.

A `View` says what one function gets, a `Machine` what this box has. How bubblewrap is told is
`view_arguments`'s. No file is looked at, nothing is started here; limits are set by `guest.launch`, inside.
What is contained and what is not is written down in CONTAINMENT.md.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from appliance.deeplens.project import Limits

FUNCTIONS: Final = "/opt/awscam/greengrass/ggc/deployment/lambda"
"""Where a function's own folder lies, under its name."""
ARTIFACTS: Final = "/opt/awscam/artifacts"
OUT: Final = "/opt/awscam/out"
HOME: Final = "/home/aws_cam"
CODE: Final = "/opt/appliance"
"""Where the modules that stand in for the device's lie: the first of PYTHONPATH."""
LAUNCH: Final = f"{CODE}/appliance/deeplens/guest/launch.py"
PROXY: Final = "/opt/awscam/proxy"
"""The socket of the way out to the hosts that were granted, where some were."""
PROXY_PORT: Final = 3128
"""Where that is found on the view's own loopback."""
MLAN_ADDRESS: Final = "/sys/class/net/mlan0/address"
"""Two families of functions read their name from it."""

IN_MEMORY: Final = ("/tmp", ARTIFACTS, HOME, "/dev/shm")  # noqa: S108 - the view's
"""All that a function may write."""

NICE: Final = 15
"""How far functions run behind us: of a processor that both want, one of them gets a thirtieth, or less."""

_MIB: Final = 1024 * 1024
_FIRST_UID: Final = 60578
_UIDS: Final = 606
"""60578 to 61183 belong to nobody in systemd's division of the numbers, nor in Debian's."""
GUEST_CODE: Final = ("__init__.py", "deeplens/__init__.py", "deeplens/guest", "deeplens/porting")
_MAX_NAME: Final = 255


@dataclass(frozen=True, slots=True)
class Machine:
    """What of this box a view is made of.

    Attributes:
        bwrap: The program; None where it is not installed or does not work.
        root: Whether we run as root, and a function gets a number of its own.
        uid: Our own number.
        gid: Our own group.
        python: The interpreter that runs us.
        folders: Files and folders of Python that lie outside /usr, as they are called here.
        masked: Folders in them that are hidden: the appliance as it is installed.
        links: Top-level names that are links into /usr: (`/bin`, `usr/bin`).
        trees: Top-level folders with programs and libraries that are no links, and /usr.
        code: The folder of the installed package `appliance`.
        processor: As `uname -m` names it.
    """

    bwrap: str | None
    root: bool
    uid: int
    gid: int
    python: str
    folders: tuple[str, ...]
    masked: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    trees: tuple[str, ...]
    code: str
    processor: str


@dataclass(frozen=True, slots=True)
class View:
    """What one function gets.

    Attributes:
        name: Of the function, as `project.NAME_PATTERN` says.
        function: The folder with its (ported) sources; read-only in the view.
        limits: What it may use.
        artifacts: Models: name under /opt/awscam/artifacts → file or folder outside, read-only inside.
        notes: Small files we write under /opt/awscam/artifacts: name → content.
        out: The folder with its FIFOs, shown as /opt/awscam/out; None shows an empty one.
        proxy: A Unix socket outside that leads to the hosts granted; None: no network whatsoever.
        environment: Variables besides those that every function has; may hold credentials.
        writable: A folder outside that may be written, shown as /output: for the porting, for no function.
        hidden: Folders, all there, that are shown empty where they lie in what is shown of the machine.
    """

    name: str
    function: Path
    limits: Limits = field(default_factory=lambda: Limits())  # noqa: PLW0108 - mypy reads it as a factory
    artifacts: Mapping[str, Path] = field(default_factory=dict)
    notes: Mapping[str, bytes] = field(default_factory=dict)
    out: Path | None = None
    proxy: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    writable: Path | None = None
    hidden: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        """Refuse names that are paths.

        Raises:
            ValueError: One is.
        """
        for each in (self.name, *self.artifacts, *self.notes):
            if not is_plain_name(each):
                raise ValueError(f"{each!r} is no plain name of a file")

    @property
    def folder(self) -> str:
        """The function's folder as it sees it: its current folder."""
        return f"{FUNCTIONS}/{self.name}"


WRITABLE: Final = "/output"


def is_plain_name(text: str) -> bool:
    """Whether a text may name one file in a folder: no path, no sign that ends or hides one."""
    return (
        0 < len(text.encode(errors="replace")) <= _MAX_NAME
        and text not in {".", ".."}
        and not any(each == "/" or not each.isprintable() for each in text)
    )


def uid_for(name: str) -> int:
    """The number that a function runs under where we are root: one of its own, mostly.

    Two functions that share one share no more than the count of their processes: each has its own processes,
    files and memory all the same.
    """
    return _FIRST_UID + zlib.crc32(name.encode()) % _UIDS


def account(view: View, machine: Machine) -> tuple[int, int]:
    """User and group that a function runs as."""
    if not machine.root:
        return machine.uid, machine.gid
    number = uid_for(view.name)
    return number, number


def becomes(view: View, machine: Machine, *, contained: bool) -> bool:
    """Whether the launcher changes to an account of the function's own.

    Without a view, what writes into a folder of ours (porting, which runs nothing of a function) stays us.
    """
    return machine.root and (contained or view.writable is None)


def small_files(view: View, machine: Machine) -> dict[str, bytes]:
    """Files that a view has and the machine has not: path → content."""
    uid, gid = account(view, machine)
    files = {
        "/etc/passwd": f"root:x:0:0:root:/root:/usr/sbin/nologin\naws_cam:x:{uid}:{gid}::{HOME}:/bin/sh\n"
        if uid
        else f"aws_cam:x:0:0::{HOME}:/bin/sh\n",
        "/etc/group": f"aws_cam:x:{gid}:\n",
        "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        "/etc/resolv.conf": "",
        MLAN_ADDRESS: "02:00:00:00:00:01\n",
    }
    return {path: text.encode() for path, text in files.items()} | {
        f"{ARTIFACTS}/{name}": content for name, content in view.notes.items()
    }


def environment(view: View, channel: int | None = None) -> dict[str, str]:
    """The variables of a function: nothing of ours is passed on.

    Args:
        view: What the function gets.
        channel: Number of its end of the channel, if it has one.
    """
    fixed = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": HOME,
        "USER": "aws_cam",
        "LOGNAME": "aws_cam",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",  # noqa: S108 - the view's
        "PYTHONPATH": CODE,
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        # One thread each, or libraries make as many as the box has cores, and the stacks count as memory.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OPENCV_FOR_THREADS_NUM": "1",
        "MALLOC_ARENA_MAX": "2",
    }
    told = {} if channel is None else {"DEEPLENS_CHANNEL": str(channel)}
    if view.proxy is not None:
        way = f"http://127.0.0.1:{PROXY_PORT}"
        told |= dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), way)
    return {**view.environment, **fixed, **told}


def launch_order(view: View, machine: Machine, *, ready: int, contained: bool) -> str:
    """What `guest.launch` is told: limits, and who to become. JSON.

    Args:
        view: What the function gets.
        machine: What the box has.
        ready: The descriptor it says on that all is set.
        contained: Whether it runs in a view; otherwise it cuts itself off as far as it can.
    """
    limits = view.limits
    uid, gid = account(view, machine)
    largest_mb = max(limits.tmp_mb, limits.artifacts_mb)
    return json.dumps(
        {
            "ready": ready,
            "contained": contained,
            "proxy": [PROXY_PORT, PROXY] if contained and view.proxy is not None else None,
            "become": [uid, gid] if becomes(view, machine, contained=contained) else None,
            "nice": NICE,
            "limits": {
                "DATA": limits.memory_mb * _MIB,
                "NPROC": limits.processes,
                "NOFILE": limits.open_files,
                "FSIZE": largest_mb * _MIB,
                # Not 0, which lets the system's collector of dumps run; 1 keeps the kernel from calling it.
                "CORE": 1,
                "MEMLOCK": 64 * 1024,
                "MSGQUEUE": 64 * 1024,
                "NICE": 0,
                "RTPRIO": 0,
            },
        }
    )


def command_line(machine: Machine, order: str, command: Sequence[str], *, launch: str = LAUNCH) -> list[str]:
    """What follows bwrap's `--`: the launcher (no site, no current folder), and the command."""
    return [machine.python, "-I", "-S", launch, order, "--", *command]


def python_command(machine: Machine, module: str, *words: str) -> list[str]:
    """A command that runs one of our modules inside, which no file of the function's shadows."""
    return [machine.python, "-P", "-m", module, *words]
