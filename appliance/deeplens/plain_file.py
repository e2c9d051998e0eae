"""Reading small files of ours that somebody else may have put something else in the place of.

A pipe, a device or a link is no file: it is refused before a byte is waited for. Knows nothing of contents.
"""

import errno
import os
import stat
from pathlib import Path


def read_plain(path: Path, most: int) -> bytes:
    """What is in a regular file, so many bytes at most; never waits for somebody to write.

    Raises:
        OSError: It cannot be read, or is no regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        content = b""
        while len(content) < most and (more := file.read(most - len(content))):
            content += more
    return content


def is_plain(path: Path) -> bool:
    """Whether a regular file lies there, behind a link or not."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False
