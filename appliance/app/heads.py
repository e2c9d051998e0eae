"""Signed heads of the log, taken out of the database: at intervals, at the end, through every sink there is.

What left the box cannot be re-written on it: `events verify --heads` holds the log against it elsewhere.
Deciding what the log says, and checking it, is the store's.
"""

import hashlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import structlog

from appliance.errors import ApplianceError, EvidenceError
from appliance.evidence.pulled_heads import HEADS_NAME
from appliance.services import Layout
from appliance.settings import HeadsSettings
from appliance.store import SignedHead, Store

_log = structlog.get_logger()

_NAME_CHARS = 16
"""Digits of a head's own hash in its object's name: two heads of one position are two objects."""
_GROUP_READS = 0o2050
"""A spool that an account for fetching may read is marked so, and its files with it."""


class HeadSink(Protocol):
    """Somewhere that heads are kept, one after the other; none is ever changed or taken away."""

    @property
    def name(self) -> str:
        """For diagnostics; says no secret."""

    def keep(self, head: SignedHead) -> None:
        """Keep one more; when it returns, it is kept.

        Raises:
            ApplianceError: It cannot be now; it is offered again.
        """


class HeadFile:
    """A file that heads are appended to, a line of JSON each.

    Args:
        path: Of the file, in a folder that is there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """The file's."""
        return str(self._path)

    def keep(self, head: SignedHead) -> None:
        """Append it and force it to the disk.

        Raises:
            EvidenceError: The folder is missing, full, or not writable.
        """
        try:
            shared = self._path.parent.stat().st_mode & _GROUP_READS == _GROUP_READS
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self._path, flags, 0o600)
            with os.fdopen(descriptor, "r+b", buffering=0) as file:
                os.fchmod(descriptor, 0o640 if shared else 0o600)
                end = file.seek(0, os.SEEK_END)
                # What a power cut left of a line stays a line of its own.
                torn = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"
                file.write((b"\n" if torn else b"") + head.model_dump_json().encode() + b"\n")
                os.fsync(descriptor)
        except OSError as error:
            raise EvidenceError(
                f"heads of the log cannot be kept in {self._path}: {error.strerror}",
                hint="check the folder's owner and free space",
            ) from error


class SmallObjects(Protocol):
    """A bucket, as heads need it."""

    def put_small(self, name: str, content: bytes) -> str:
        """Put a small object of a name of its own; its whole name there.

        Raises:
            SinkError: It was not taken.
        """


class HeadObjects:
    """Heads in a bucket, an object each, whose names sort as the log grew.

    Args:
        bucket: Where to.
    """

    name = "bucket"

    def __init__(self, bucket: SmallObjects) -> None:
        self._bucket = bucket

    def keep(self, head: SignedHead) -> None:
        """Put it there.

        Raises:
            SinkError: It was not taken.
        """
        line = head.model_dump_json().encode() + b"\n"
        of_it = hashlib.sha256(line).hexdigest()[:_NAME_CHARS]
        self._bucket.put_small(f"heads/{head.position:012}-{of_it}.json", line)


def head_sinks(settings: HeadsSettings, layout: Layout, device: str) -> list[HeadSink]:
    """Where heads go: the state directory, the spool that admins fetch from, and a folder if one is named."""
    sinks: list[HeadSink] = [HeadFile(layout.heads), HeadFile(layout.spool / HEADS_NAME)]
    if settings.folder is not None:
        sinks.append(HeadFile(settings.folder / f"heads-{device}.jsonl"))
    return sinks


class Heads:
    """Signs the log's end and hands it to every sink, if something was logged since.

    Args:
        store: The log; this process holds the key.
        sinks: Where heads go.
        every_s: How often.
    """

    def __init__(self, store: Store, sinks: Sequence[HeadSink], every_s: float) -> None:
        self._store = store
        self._sinks = tuple(sinks)
        self._every_s = every_s
        self._kept: dict[int, int] = {}

    def run(self, stop: threading.Event) -> None:
        """Do it again and again until `stop` is set; the last one is for whoever stops: `export`."""
        while not stop.wait(self._every_s):
            self.export()

    def export(self) -> None:
        """Do it now. A sink that cannot is told of, and gets the next one."""
        try:
            head = self._store.head()
        except ApplianceError as error:
            _log.warning("log_head_not_signed", error=error.message, hint=error.advice)
            return
        if head.position == 0:
            return
        for number, sink in enumerate(self._sinks):
            if self._kept.get(number) == head.position:
                continue
            try:
                sink.keep(head)
                self._kept[number] = head.position
            except ApplianceError as error:
                _log.warning("log_head_not_exported", sink=sink.name, error=error.message, hint=error.advice)
