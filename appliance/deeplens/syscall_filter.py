"""Calls to the kernel that no function needs, refused to functions: a filter as seccomp takes it.

What a view shuts off is shut off by namespaces and accounts; this keeps a function from the parts of the
kernel in which ways around those are found (new namespaces, mounts, io_uring, bpf, tracing), from sockets
that no network namespace holds, and from memory that is counted nowhere. A list of what is refused, not of
what is allowed: libraries go on working. Loads nothing itself.
"""

import errno
import struct
from dataclasses import dataclass
from typing import Final

_LOAD: Final = 0x20  # the word at an offset of what the kernel tells of the call
_AND: Final = 0x54
_EQUAL: Final = 0x15
_AT_LEAST: Final = 0x35
_RETURN: Final = 0x06

_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000
_END: Final = 0x80000000

_CALL, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24
"""Offsets of: the call's number, the processor's kind, the low halves of the first two arguments."""

_NEW_NAMESPACES: Final = 0x7E020000
_INPUT_BY_OTHERS: Final = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: type for whoever reads the terminal."""
_FAMILIES: Final = (1, 2, 10, 16)
"""Unix, IPv4, IPv6, and netlink, by which libraries ask for interfaces. Not vsock, which leaves every
namespace, nor packets, nor the kernel's ciphers."""
_ANOTHER_NUMBERING: Final = 0x40000000
"""x86-64's second numbering of the same calls, used by nobody."""

_REFUSED: Final = {
    # name: (x86-64, aarch64); None: does not exist there
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "semget": (64, 190),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "shmget": (29, 194),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vmsplice": (278, 75),
}


_PRETENDED: Final = {"setsid": (112, 157)}
"""Told as done, and not done: where the kernel shares processors out by session, a process that begins one
after the other would have a share of its own again and again. Programs that begin one go on all the same."""


@dataclass(frozen=True, slots=True)
class _Processor:
    """How the kernel numbers calls on a kind of processor."""

    column: int
    architecture: int
    clone: int
    clone3: int
    ioctl: int
    socket: int


_PROCESSORS: Final = {
    "x86_64": _Processor(0, 0xC000003E, 56, 435, 16, 41),
    "aarch64": _Processor(1, 0xC00000B7, 220, 435, 29, 198),
}


def filter_for(processor: str) -> bytes | None:
    """The filter for a kind of processor, as `bwrap --seccomp` reads it.

    Args:
        processor: As `uname -m` names it.

    Returns:
        Instructions of 8 bytes each; None for a kind whose numbers are not known here.
    """
    kind = _PROCESSORS.get(processor)
    if kind is None:
        return None
    numbers = sorted(each for row in _REFUSED.values() if (each := row[kind.column]) is not None)
    refuse = _REFUSE | errno.EPERM
    absent = _REFUSE | errno.ENOSYS
    program = [
        _one(_LOAD, _ARCHITECTURE),
        _one(_EQUAL, kind.architecture, yes=1),
        _one(_RETURN, _END),
        _one(_LOAD, _CALL),
        *_answer(_AT_LEAST, _ANOTHER_NUMBERING, absent),
        # Its flags lie in memory, where no filter sees them; the C library falls back to `clone`.
        *_answer(_EQUAL, kind.clone3, absent),
    ]
    for each in numbers:
        program += _answer(_EQUAL, each, refuse)
    for row in _PRETENDED.values():
        program += _answer(_EQUAL, row[kind.column], _REFUSE)
    program += [
        _one(_EQUAL, kind.clone, no=5),
        _one(_LOAD, _FIRST),
        _one(_AND, _NEW_NAMESPACES),
        _one(_EQUAL, 0, yes=1),
        _one(_RETURN, refuse),
        _one(_RETURN, _ALLOW),
        _one(_EQUAL, kind.ioctl, no=2 + 2 * len(_INPUT_BY_OTHERS)),
        _one(_LOAD, _SECOND),
    ]
    for each in _INPUT_BY_OTHERS:
        program += _answer(_EQUAL, each, refuse)
    program += [
        _one(_RETURN, _ALLOW),
        _one(_EQUAL, kind.socket, no=2 + 2 * len(_FAMILIES)),
        _one(_LOAD, _FIRST),
    ]
    for each in _FAMILIES:
        program += _answer(_EQUAL, each, _ALLOW)
    program += [_one(_RETURN, refuse), _one(_RETURN, _ALLOW)]
    return b"".join(program)


def _one(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """One instruction; a comparison goes on so many instructions later."""
    return struct.pack("=HBBI", code, yes, no, value)


def _answer(compare: int, value: int, answer: int) -> list[bytes]:
    """An answer, if the word loaded compares; otherwise on."""
    return [_one(compare, value, no=1), _one(_RETURN, answer)]
