"""The signed heads of a box's log that come along with the captures: kept by the admin, none taken away.

What was signed once and is denied later is what they are kept for, so whatever the box says now, a line that
is here stays. What a box may add is bounded: lines that look like a head, and so many of them in all. Whether
their signatures hold, and fit a log, is found by `appliance events verify`, not here.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from appliance.log_heads import HeadFields

HEADS_NAME = "heads.jsonl"
"""In the spool and in the admin's folder: a line of JSON each, the oldest first."""
MOST_BYTES = 64 * 1024 * 1024
"""In all: twenty years of a head an hour, and what `events verify` reads."""
_LINE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class HeadsCame:
    """What became of the heads that arrived.

    Attributes:
        new: How many were added.
        is_full: There were more, and no room for them.
    """

    new: int
    is_full: bool


def keep_heads(arrived: Path, kept: Path, *, most_bytes: int = MOST_BYTES) -> HeadsCame:
    """Add the heads that arrived and are not here yet; what arrived is deleted then.

    Args:
        arrived: The box's file; there may be none.
        kept: The admin's.
        most_bytes: How large that may become.

    Raises:
        OSError: It cannot be read or written.
    """
    if not arrived.exists():
        return HeadsCame(0, is_full=False)
    known = {_digest(line) for line in _lines(kept, most_bytes)} if kept.exists() else set()
    descriptor = os.open(kept, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        size, new = file.seek(0, os.SEEK_END), 0
        is_full = arrived.stat().st_size > most_bytes  # the rest of it is not read
        if size and os.pread(descriptor, 1, size - 1) != b"\n":  # a full disk or a power cut tore it
            size += file.write(b"\n")
        for line in _lines(arrived, most_bytes):
            if _digest(line) in known or not _is_head(line):
                continue
            if size + len(line) + 1 > most_bytes:
                is_full = True
                break
            known.add(_digest(line))
            size, new = size + file.write(line + b"\n"), new + 1
        file.flush()
        os.fsync(descriptor)
    arrived.unlink()
    return HeadsCame(new, is_full)


def _lines(path: Path, most_bytes: int) -> Iterator[bytes]:
    """Lines of a file, one in memory at a time; what is too long comes in pieces, and is no head."""
    with path.open("rb") as file:
        while file.tell() < most_bytes and (line := file.readline(_LINE_BYTES)):
            yield line.rstrip(b"\r\n")


def _digest(line: bytes) -> bytes:
    return hashlib.sha256(line).digest()


def _is_head(line: bytes) -> bool:
    try:
        HeadFields.model_validate_json(line)
    except ValidationError:
        return False
    return True
