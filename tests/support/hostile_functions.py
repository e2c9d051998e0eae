"""Functions that try to get out of their view, or to take what everybody needs; and how to run one.

Each is the source of a module. What it found is told in lines of JSON, one outcome each.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appliance.deeplens.containment import Containment
from appliance.deeplens.function_log import FunctionLog, copy_lines
from appliance.deeplens.launching import LaunchedChild, launch
from appliance.deeplens.project import Limits
from appliance.deeplens.view import View

SMALL: Final = Limits(memory_mb=128, processes=16, tmp_mb=16, artifacts_mb=16, open_files=64)
LONGEST_S: Final = 60.0
"""Beyond it something is stuck; a test says so and goes on."""

_TELL: Final = '''
import json, os, signal, sys, time

def tell(**outcome):
    sys.stdout.write(json.dumps(outcome) + "\\n")
    sys.stdout.flush()

def fault(act, *given):
    """The name of the error that an act meets; None if it succeeds."""
    try:
        act(*given)
    except BaseException as error:
        number = getattr(error, "errno", None)
        return os.strerror(number) if number else type(error).__name__
    return None
'''

FORK_BOMB: Final = """
while True:
    try:
        os.fork()
    except OSError as error:
        tell(refused=error.strerror)
        time.sleep(60)
"""
SPINS: Final = """
for _ in range(11):
    if os.fork() == 0:
        break
spun = 0
while True:
    spun += 1
    fault(os.sched_setscheduler, 0, os.SCHED_OTHER, os.sched_param(0))
"""
CLIMBS: Final = """
import subprocess
for _ in range(2):
    if os.fork() == 0:
        os.setsid()
        break
tell(ran=subprocess.call(["true"], start_new_session=True),
     wrote=fault(lambda: open("/proc/self/autogroup", "w").write("0")))
while True:
    fault(os.setsid)
    time.sleep(0.01)
"""
ENDLESS_PRINT: Final = """
tell(begun=True)
while True:
    os.write(1, b"over and over again\\n" * 500)
"""
ALLOCATES: Final = """
tell(private=fault(bytearray, 2 << 30))
"""
ALLOCATES_SHARED: Final = """
import mmap
memory = mmap.mmap(-1, 2 << 30)
for page in range(0, 2 << 30, 4096):
    memory[page] = 1
tell(had_it_all=True)
"""
ALLOCATES_IN_MANY: Final = """
for _ in range(8):
    if os.fork() == 0:
        held = bytearray(os.urandom(1 << 20) * 60)
        time.sleep(60)
time.sleep(60)
"""
STOPS_ITSELF: Final = """
tell(begun=True)
os.kill(os.getpid(), signal.SIGSTOP)
tell(went_on=True)
"""
KILLS_ALL: Final = """
others = [int(each) for each in os.listdir("/proc") if each.isdigit() and int(each) != os.getpid()]
tell(seen=sorted(others))
tell(all=fault(os.kill, -1, signal.SIGKILL))
for number in range(1, 100_000):
    if number != os.getpid():
        fault(os.kill, number, signal.SIGKILL)
tell(lives=True)
"""
CLOSES_ALL: Final = """
tell(begun=True)
os.closerange(0, 1024)
time.sleep(60)
"""
WRITES: Final = """
places = ["/", "/usr", "/usr/lib", "/etc", "/bin", "/dev", "/opt", "/opt/awscam", "/opt/awscam/out",
          "/opt/appliance", "/opt/appliance/appliance/deeplens/guest", "/home", "/proc", "/proc/sys/kernel",
          "/sys", ".", "/root", "/var", sys.prefix, os.path.dirname(os.__file__),
          "/tmp", "/opt/awscam/artifacts", "/home/aws_cam", "/dev/shm"]
written = [each for each in places if fault(open, each + "/intruder", "w") is None]
tell(written=written)
tell(own_code=fault(open, __file__, "w"), removed=fault(os.remove, __file__))
tell(moded=fault(os.chmod, __file__, 0o777))
model = "/opt/awscam/artifacts/model.xml"
tell(model=fault(open, model, "w"), gone=fault(os.remove, model))
"""
FILLS: Final = """
def fill(place):
    size = 0
    try:
        with open(place + "/much", "wb", buffering=0) as file:
            while True:
                size += file.write(bytes(1 << 20))
    except OSError as error:
        return size, error.strerror
    finally:
        fault(os.remove, place + "/much")
def fill_in_parts(place):
    size = 0
    try:
        for number in range(1000):
            with open(place + f"/part{number}", "wb", buffering=0) as file:
                size += file.write(bytes(1 << 20))
    except OSError as error:
        return size, error.strerror
for place in ("/tmp", "/opt/awscam/artifacts"):
    size, why = fill(place)
    parts, why_parts = fill_in_parts(place)
    tell(place=place, size=max(size, parts), why=why_parts)
"""
MANY_FILES: Final = """
tell(begun=True)
for number in range(10_000_000):
    os.close(os.open(f"/tmp/{number}", os.O_CREAT | os.O_WRONLY))
tell(made_all=True)
"""
READS: Final = """
for place in GIVEN["places"]:
    tell(place=place, fault=fault(lambda: open(place, "rb").read(1)) or "read")
numbers = [each for each in os.listdir("/proc") if each.isdigit()]
tell(environs=[open(f"/proc/{each}/environ", "rb").read().decode("latin-1") for each in numbers
               if fault(open, f"/proc/{each}/environ") is None])
tell(names=sorted(os.environ), processes=len(numbers))
tell(lists=[each for each in ("/root", "/home", "/var", "/run", "/srv") if os.path.isdir(each)
            for each in os.listdir(each)])
"""
IMPORTS: Final = """
import importlib
tell(found=[each for each in ("appliance.store", "appliance.vault", "appliance.settings", "appliance.app",
            "appliance.deeplens.launching", "enroll", "web", "migrations")
            if fault(importlib.import_module, each) is None])
tell(guest=fault(importlib.import_module, "appliance.deeplens.guest.channel"))
"""
CONNECTS: Final = """
import socket
def reach(family, address):
    with socket.socket(family) as sock:
        sock.settimeout(3)
        sock.connect(address)
tell(unix=fault(reach, socket.AF_UNIX, GIVEN["unix"]),
     abstract=fault(reach, socket.AF_UNIX, "\\0" + GIVEN["abstract"]),
     loopback=fault(reach, socket.AF_INET, ("127.0.0.1", GIVEN["port"])),
     internet=fault(reach, socket.AF_INET, ("1.1.1.1", 53)),
     metadata=fault(reach, socket.AF_INET, ("169.254.169.254", 80)),
     name=fault(socket.getaddrinfo, "example.com", 443))
tell(vsock=fault(socket.socket, 40, socket.SOCK_STREAM), packet=fault(socket.socket, 17, socket.SOCK_RAW))
tell(interfaces=[name for _, name in socket.if_nameindex()])
"""
RECURSES: Final = """
sys.setrecursionlimit(10**9)
def down():
    return list(map(lambda _: down(), [0]))
down()
"""
KERNEL: Final = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *given):
    answer = getattr(libc, name)(*given)
    if answer == -1:
        raise OSError(ctypes.get_errno(), name)
tell(mount=fault(call, "mount", b"none", b"/tmp", b"tmpfs", 0, None),
     umount=fault(call, "umount2", b"/proc", 2),
     user_namespace=fault(call, "unshare", 0x10000000), trace=fault(call, "ptrace", 16, 1, 0, 0),
     hidden_memory=fault(call, "memfd_create", b"hidden", 0), chroot=fault(os.chroot, "/tmp"),
     root=fault(os.setresuid, 0, 0, 0) if os.getuid() else "already", group=fault(os.setgroups, [0]),
     hostname=fault(lambda: open("/proc/sys/kernel/hostname", "w").write("x")), nice=fault(os.nice, -5),
     keys=fault(open, "/proc/sysrq-trigger", "w"), memory=fault(open, "/dev/mem", "rb"),
     disk=fault(os.mknod, "/tmp/disk", 0o60666, os.makedev(8, 0)), kernel_log=fault(open, "/dev/kmsg", "w"))
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
tell(capabilities=int(status["CapEff"], 16), new_privileges=status["NoNewPrivs"].strip(),
     filtered=status["Seccomp"].strip())
tell(first=fault(lambda: open("/proc/1/mem", "r+b")) if GIVEN["root"] else "Permission denied")
limits = __import__("resource")
tell(raised=fault(limits.setrlimit, limits.RLIMIT_NOFILE, (100_000, 100_000)))
"""
FLOODS_CHANNEL: Final = """
import array, socket
channel = socket.socket(fileno=int(os.environ["DEEPLENS_CHANNEL"]))
opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(40)]
beside = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", opened))]
for junk in (b"\\0" * 100, b"[" * 100_000, b'{"kind": "hello", "pid": ' + b"9" * 5000 + b"}",
             b'{"kind": "publish"}', b"{}", b"\\xff\\xfe", b'{"kind": "hello", "kind": 1}'):
    for given in ([], beside):
        fault(channel.sendmsg, [junk], given)
tell(huge=fault(channel.sendmsg, [b"x" * (1 << 20)]))
channel.setblocking(False)
sent = 0
try:
    while True:
        channel.sendmsg([b"x"], beside)
        sent += len(opened)
except OSError as error:
    tell(descriptors=sent, why=error.strerror)
channel.setblocking(True)
channel.sendmsg([b'{"kind": "pong", "n": 7}'])
time.sleep(60)
"""
LEAVES_CHILDREN: Final = """
import subprocess
for number in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for each in range(1, 65):
                if each not in (9, 19, 32, 33):
                    signal.signal(each, signal.SIG_IGN)
            while True:
                time.sleep(60)
        os._exit(0)
tell(left=True)
"""


@dataclass(frozen=True)
class Told:
    """What a function told, and how it ended.

    Attributes:
        outcomes: All it told, together.
        ended: How it ended, in words.
        lines: What it printed, as its log has it.
    """

    outcomes: Mapping[str, Any]
    ended: str
    lines: Sequence[str]


def start(
    folder: Path,
    source: str,
    containment: Containment,
    *,
    given: object = None,
    site: bool = False,
    **more: Any,
) -> LaunchedChild:
    """Start a function in its view.

    Args:
        folder: Empty or new; its module is written there.
        source: Of its module.
        containment: What this system allows.
        given: What it knows as `GIVEN`.
        site: Whether it can import what is installed; a start is quicker without.
        more: For its view and for `launch`.
    """
    folder.mkdir(exist_ok=True)
    (folder / "hostile.py").write_text(f"{_TELL}\nGIVEN = json.loads({json.dumps(given)!r})\n{source}")
    launching = {name: more.pop(name) for name in ("accepted", "with_channel", "longest_s") if name in more}
    view = View(function=folder, **{"name": "hostile", "limits": SMALL, **more})
    options = () if site else ("-S",)
    return launch(view, lambda machine: [machine.python, *options, "hostile.py"], containment, **launching)


def run(
    folder: Path,
    source: str,
    containment: Containment,
    *,
    until: str | None = None,
    **more: Any,
) -> Told:
    """Run a function to its end, or until it prints what is waited for, when it is ended.

    Args:
        folder: As for `start`.
        source: As for `start`.
        containment: As for `start`.
        until: What is in a line that is enough; None waits for its end.
        more: As for `start`.
    """
    child = start(folder, source, containment, **more)
    try:
        return attend(child, folder.parent / f"{folder.name}.log", until=until)
    finally:
        child.kill()
        child.close()


def attend(child: LaunchedChild, path: Path, *, until: str | None = None) -> Told:
    """Keep what a function prints until it ends, or is ended because a line has what is waited for."""
    log = FunctionLog(path)
    enough = threading.Event()
    lines: list[str] = []

    def heard(line: str) -> None:
        lines.append(line)
        if until is not None and until in line:
            enough.set()

    def read() -> None:
        copy_lines(child.outputs[0], log, heard)
        enough.set()

    reader = threading.Thread(target=read)
    reader.start()
    enough.wait(LONGEST_S)
    if until is not None:
        child.kill()
    ended = child.wait(LONGEST_S)
    child.kill()
    reader.join()
    outcomes: dict[str, Any] = {}
    for line in lines:
        if line.startswith("{"):
            outcomes |= json.loads(line)
    assert ended is not None
    return Told(outcomes, ended, lines)
