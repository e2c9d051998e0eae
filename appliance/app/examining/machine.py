"""The computer itself: Python, weights, state directory, disk, clock."""

import contextlib
import ctypes
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.app.examining.finding import Finding
from appliance.models.folder import ModelFolder, State
from appliance.phrases import counted
from appliance.services import Layout
from appliance.settings import Settings

_LOW_DISK_MIB = 500
_MIB = 2**20
_BUILT = datetime(2026, 1, 1, tzinfo=UTC)
"""A clock that says it is earlier has not been set."""
SLACK = timedelta(minutes=5)
"""By so much a file may be newer than now: some file systems are written to from elsewhere."""

_UNSYNCHRONISED = 0x40
"""STA_UNSYNC in the kernel's clock status (linux/timex.h): nobody has corrected the clock lately."""
_STATUS_AT = 40
"""Where `struct timex` has the status, 64-bit Linux: mode, offset, freq, maxerror, esterror come before."""
_TIMEX_BYTES = 208


def python(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """Which Python runs this."""
    del settings, layout
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("python", "ok", f"Python {version}, {counted(os.cpu_count() or 1, 'processor')}")


def models(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """Whether the networks are there, byte by byte.

    Raises:
        ModelError: One is not.
    """
    del layout
    folder = ModelFolder(settings.models.directory)
    findings = folder.verify()
    for finding in findings:
        if not finding.passable:
            finding.raise_if_unusable(folder.directory)
    there = sum(finding.state is State.GOOD for finding in findings)
    yield Finding("models", "ok", f"{there} files, complete and unaltered")


def state(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """Who may enter the state directory, and how much room there is."""
    if not layout.state.exists():
        yield Finding("state", "note", f"{layout.state} is not there yet", "the first run makes it")
        return
    if layout.state.stat().st_mode & 0o077:
        yield Finding(
            "state",
            "problem",
            f"{layout.state} is open to other users",
            "shut it to all but the account that runs the appliance",
            f"chmod 700 {layout.state}",
        )
    free = shutil.disk_usage(layout.state).free // _MIB
    taken = _size(layout.spool) // _MIB
    words = f"{free} MiB free; captures take {taken} of at most {settings.evidence.max_mib} MiB"
    if free >= _LOW_DISK_MIB + settings.evidence.min_free_mib:
        yield Finding("disk", "ok", words)
    else:
        yield Finding(
            "disk", "problem", words, "free some space; below evidence.min_free_mib no capture is stored"
        )


def clock(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """Whether the time can be right, by the program's age, by what was written here, and by the kernel."""
    del settings
    now = datetime.now(UTC)
    said = f"{now:%Y-%m-%d %H:%M} UTC"
    newest = _newest(layout)
    if now < _BUILT:
        yield Finding("clock", "problem", f"it says {now:%Y-%m-%d}", "set it, or let NTP do it")
    elif newest is not None and newest > now + SLACK:
        yield Finding(
            "clock",
            "problem",
            f"it says {said}, but the state was written to on {newest:%Y-%m-%d %H:%M}: it was set back",
            "set it, or let NTP do it; captures expire and actions are late by the clock",
        )
    elif synchronised() is False:
        yield Finding(
            "clock",
            "note",
            f"{said}; nothing keeps it right",
            "switch on time synchronisation on the machine",
            "timedatectl set-ntp true",
        )
    else:
        yield Finding("clock", "ok", said)


def synchronised() -> bool | None:
    """Whether somebody keeps the kernel's clock right (adjtimex(2)); None where it does not say."""
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)  # mode 0: only read
    try:
        answer = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    except (OSError, AttributeError):
        return None
    return None if answer < 0 else kept_right(buffer.raw)


def kept_right(timex: bytes) -> bool | None:
    """What a `struct timex` says of it; None on a system whose layout is another."""
    if ctypes.sizeof(ctypes.c_long) != 8:  # noqa: PLR2004 - bytes, as in the layout above
        return None
    return not int.from_bytes(timex[_STATUS_AT : _STATUS_AT + 4], sys.byteorder) & _UNSYNCHRONISED


def _newest(layout: Layout) -> datetime | None:
    """When the newest file of the state was written, by the clock of then."""
    times = [status.st_mtime for status in _files(layout.state)]
    return datetime.fromtimestamp(max(times), UTC) if times else None


def _size(folder: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(status.st_size for status in _files(folder))


def _files(folder: Path) -> Iterator[os.stat_result]:
    """Of each file in a folder, if there is one; who works on it may take one away meanwhile."""
    for path in folder.iterdir() if folder.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):
            status = path.stat()
            if stat.S_ISREG(status.st_mode):
                yield status
