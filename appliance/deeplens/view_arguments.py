"""The arguments of bubblewrap that make a view.

Pure: no file is looked at and nothing is started here. No text of a view becomes an option, whatever it is.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from appliance.deeplens.project import Limits
from appliance.deeplens.view import (
    ARTIFACTS,
    CODE,
    GUEST_CODE,
    IN_MEMORY,
    OUT,
    PROXY,
    WRITABLE,
    Machine,
    View,
)

_MIB: Final = 1024 * 1024
_SMALL_MB: Final = 64
"""For /dev/shm and for the home folder."""
_PUBLIC: Final = (
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives", "/etc/fonts", "/etc/mime.types"),
    *("/etc/ssl/certs", "/etc/ca-certificates", "/etc/ssl/openssl.cnf"),
    *("/sys/devices/system/cpu", "/sys/devices/system/node"),
)
"""Of the machine, for reading, where it has them: nothing that says whose it is."""


def arguments(
    view: View, machine: Machine, files: Mapping[str, int], *, info: int, seccomp: int | None
) -> list[str]:
    """The arguments of `bwrap` for a view, up to and with the `--` before the command.

    Args:
        view: What the function gets.
        machine: What the box has.
        files: Of each of `small_files` the descriptor it is read from.
        info: The descriptor that bwrap tells the number of the view's first process to.
        seccomp: The descriptor that the filter of calls is read from; None: there is none for this processor.

    Raises:
        ValueError: The machine has no bwrap.
    """
    if machine.bwrap is None:
        raise ValueError("no bwrap")
    made = [machine.bwrap, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    made += ["--unshare-cgroup-try", "--hostname", "deeplens", "--die-with-parent", "--new-session"]
    if machine.root:
        # Our launcher, inside, changes to the function's number and has nothing left then.
        made += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        made += ["--unshare-user", "--disable-userns"]
    made += ["--info-fd", str(info), *([] if seccomp is None else ["--seccomp", str(seccomp)])]
    mounts = _Mounts()
    _ground(mounts, view.limits)
    _machine(mounts, machine)
    for each in view.hidden:
        if any(each.is_relative_to(shown) for shown in (*machine.trees, *machine.folders)):
            mounts.hide(str(each))
    _device(mounts, view)
    for path, descriptor in files.items():
        mounts.add(path, "--perms", "0444", "--ro-bind-data", str(descriptor))
    # Last, when every place for the above is made: nothing is left to write but what has a size. Nor is
    # /proc, by which a function would undo how far it is put behind.
    made += [*mounts.words, "--remount-ro", "/dev", "--remount-ro", "/proc", "--remount-ro", "/"]
    made += ["--chdir", view.folder, "--"]
    return made


class _Mounts:
    """The places of a view and the folders on the way to them: those bwrap makes keep others out."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._made = {"/"}

    def add(self, place: str, *words: str) -> None:
        """Add words that end with a place.

        Args:
            place: An absolute path in the view.
            words: What comes before it.
        """
        for folder in reversed(PurePosixPath(place).parents):
            if str(folder) not in self._made:
                self._made.add(str(folder))
                self.words += ["--perms", "0755", "--dir", str(folder)]
        self._made.add(place)
        self.words += [*words, place]

    def hide(self, place: str) -> None:
        """Put an empty folder over one that is there already."""
        self.words += ["--perms", "0555", "--size", "4096", "--tmpfs", place, "--remount-ro", place]

    def memory(self, place: str, size_mb: int) -> None:
        """Add a folder in memory that everybody may write, up to a size."""
        self.add(place, "--perms", "1777", "--size", str(size_mb * _MIB), "--tmpfs")


def _ground(mounts: _Mounts, limits: Limits) -> None:
    """What every view stands on: processes, devices, and where may be written."""
    mounts.add("/proc", "--proc")
    mounts.add("/dev", "--dev")
    for place, size_mb in zip(
        IN_MEMORY, (limits.tmp_mb, limits.artifacts_mb, _SMALL_MB, _SMALL_MB), strict=True
    ):
        mounts.memory(place, size_mb)


def _machine(mounts: _Mounts, machine: Machine) -> None:
    """Programs, libraries, Python without the appliance, and the modules that stand in for the device's."""
    for each in machine.trees:
        mounts.add(each, "--ro-bind", each)
    for name, target in machine.links:
        mounts.add(name, "--symlink", target)
    for each in (*_PUBLIC, *machine.folders):
        mounts.add(each, "--ro-bind-try", each)
    for each in machine.masked:
        mounts.hide(each)
    for each in GUEST_CODE:
        mounts.add(f"{CODE}/appliance/{each}", "--ro-bind", f"{machine.code}/{each}")


def _device(mounts: _Mounts, view: View) -> None:
    """What the device had at its places."""
    mounts.add(view.folder, "--ro-bind", str(view.function))
    if view.out is None:
        mounts.add(OUT, "--perms", "0555", "--dir")
    else:
        mounts.add(OUT, "--ro-bind", str(view.out))
    for name, path in view.artifacts.items():
        mounts.add(f"{ARTIFACTS}/{name}", "--ro-bind", str(path))
    if view.proxy is not None:
        mounts.add(PROXY, "--ro-bind", str(view.proxy))
    if view.writable is not None:
        mounts.add(WRITABLE, "--bind", str(view.writable))
