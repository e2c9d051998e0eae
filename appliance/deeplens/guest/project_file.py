"""`open` for the project stream: `/tmp/results.mjpeg` takes JPEGs, however the function opened it.

Functions of Python 2 opened it as text and wrote bytes. Only writing to that one path is different from the
ordinary `open`. Who reads is the hosting side's.
"""

import builtins
import functools
import io
import os
import time
from collections.abc import Callable
from typing import Any, Final

RESULTS: Final = "/tmp/results.mjpeg"  # noqa: S108 - the device's path, in a /tmp of the function's own

_UNREAD_S: Final = 0.04
"""How long a write takes that nobody reads: functions try again at once, for ever."""


class ProjectFile(io.FileIO):
    """The project stream, open for writing: bytes and text, whole and at once."""

    encoding: Final = "latin-1"

    def write(self, data: Any) -> int:
        """Write all of it.

        Args:
            data: Bytes; or text, of which every letter is a byte.

        Raises:
            BrokenPipeError: Nobody reads.
        """
        raw = data.encode("latin-1", "replace") if isinstance(data, str) else data
        view = memoryview(raw).cast("B")
        done = 0
        try:
            while done < len(view):
                done += super().write(view[done:]) or 0
        except BrokenPipeError:
            time.sleep(_UNREAD_S)
            raise
        return len(data)

    def writelines(self, lines: Any) -> None:
        """Write one after the other."""
        for each in lines:
            self.write(each)


def install() -> None:
    """Change `open`, `io.open` and `os.mkfifo` of this process. For good: the process is the function's."""
    # Like the built-in, and unlike a function, it does not become a method of a class that keeps it.
    builtins.open = io.open = functools.partial(opening(builtins.open))
    os.mkfifo = making(os.mkfifo)


def opening(ordinary: Callable[..., Any], opener: Callable[..., int] | None = None) -> Callable[..., Any]:
    """An `open` for which the project stream is what it was on the device.

    Args:
        ordinary: What opens everything else.
        opener: Opens the file itself, `os.open` by default.
    """

    def open(file: Any, mode: Any = "r", *args: Any, **kwargs: Any) -> Any:  # noqa: A001 - it stands in for it
        plain = "".join(each for each in str(mode) if each in "rwax+")
        if plain[:1] in ("w", "a") and _is_results(file):
            # Looked up now: `os.open` may lead elsewhere.
            return ProjectFile(
                RESULTS, plain, opener=opener or (lambda path, flags: os.open(path, flags, 0o666))
            )
        return ordinary(file, mode, *args, **kwargs)

    return open


def making(ordinary: Callable[..., None]) -> Callable[..., None]:
    """A `mkfifo` that does not mind that another thread of the function made the project stream before.

    Args:
        ordinary: What makes all others.
    """

    def mkfifo(path: Any, *args: Any, **kwargs: Any) -> None:
        try:
            ordinary(path, *args, **kwargs)
        except FileExistsError:
            if not _is_results(path):
                raise

    return mkfifo


def _is_results(file: Any) -> bool:
    """Whether this names the project stream."""
    try:
        path = os.fsdecode(file)
    except TypeError:  # a number, or nothing that names a file
        return False
    return path.startswith("/") and os.path.normpath("/" + path.lstrip("/")) == RESULTS
