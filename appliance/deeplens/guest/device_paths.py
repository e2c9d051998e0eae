"""Paths of the device where a function has no view of its own: they lead into a folder laid out like one.

Only for functions whose admin accepted that they are not contained. What Python opens, looks at or makes by
one of these paths is led there; what a library written in C opens is not (`cv2.imread('/opt/awscam/…')`).
Contains nothing: a function that wants to get out does.
"""

import builtins
import io
import os
import sys
from collections.abc import Callable
from typing import Any, Final

ENVIRONMENT: Final = "DEEPLENS_ROOT"
"""The variable that names that folder."""

_LED: Final = ("/opt/awscam", "/opt/appliance", "/home/aws_cam", "/sys/class/net/mlan0", "/tmp")  # noqa: S108
_ONE_PATH: Final = (
    *("access", "chdir", "chmod", "listdir", "lstat", "mkdir", "mkfifo", "mknod", "open", "readlink"),
    *("remove", "rmdir", "scandir", "stat", "statvfs", "truncate", "unlink", "utime"),
)
_TWO_PATHS: Final = ("link", "rename", "replace", "symlink")


class DevicePaths:
    """Where paths of the device lead.

    Args:
        root: The folder laid out like the device.
        kept: Folders whose paths stay as they are, though they begin like one of the device's.
    """

    def __init__(self, root: str, kept: tuple[str, ...] = ()) -> None:
        self._root = root.rstrip("/")
        self._kept = (self._root, *(each for each in kept if each.startswith("/")))

    def leading(self, path: Any) -> Any:
        """Where a path leads: as it is, unless it is one of the device's."""
        try:
            name = os.fsdecode(path)
        except TypeError:  # a descriptor
            return path
        if not name.startswith("/"):
            return path
        plain = os.path.normpath("/" + name.lstrip("/"))
        if not _below(plain, _LED) or _below(plain, self._kept):
            return path
        led = self._root + plain
        return os.fsencode(led) if isinstance(path, bytes) else led

    def install(self) -> None:
        """Lead `open` and the functions of `os` of this process. For good: the process is the function's."""
        builtins.open = io.open = self._first(builtins.open)
        for name in _ONE_PATH:
            setattr(os, name, self._first(getattr(os, name)))
        for name in _TWO_PATHS:
            setattr(os, name, self._first(getattr(os, name), 2))

    def _first(self, ordinary: Callable[..., Any], paths: int = 1) -> Callable[..., Any]:
        """A function whose first argument or two are led."""

        def led(*args: Any, **kwargs: Any) -> Any:
            return ordinary(*(self.leading(each) for each in args[:paths]), *args[paths:], **kwargs)

        return led


def of_process(root: str, folder: str) -> DevicePaths:
    """Paths of the device for this process, leaving alone what Python itself needs.

    Args:
        root: The folder laid out like the device.
        folder: The function's.
    """
    return DevicePaths(root, (folder, sys.prefix, sys.base_prefix, *sys.path))


def _below(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == each or path.startswith(each + "/") for each in folders)
