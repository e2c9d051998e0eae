"""Fetching captures from a box: what is new, verified against the index, opened with the key here.

Runs on the admin's machine, which has nothing of the appliance but this program. One capture that is
damaged, gone or not ours to open does not keep the others; the report says which. A connection that
breaks is made again as long as something arrives in between. How files travel is `sftp`'s business,
where they lie `pulled_folder`'s; nothing on the box is changed.
"""

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from appliance.errors import EvidenceError, IdentityError, RetrievalError
from appliance.evidence.capture import MAX_SEALED_BYTES, open_capture
from appliance.evidence.identity import Identity
from appliance.evidence.index import INDEX_NAME, IndexContent, IndexRow, parse_index
from appliance.evidence.pulled_folder import PulledFolder
from appliance.evidence.pulled_heads import HEADS_NAME
from appliance.evidence.sftp import Got

MakeThumbnails = Callable[[Mapping[str, bytes]], Mapping[str, bytes]]
"""Small copies, `face` and `frame`, of the pictures of an opened capture; of what does not decode, none."""

_TRIES = 4
"""Connections in a row that may break without a byte arriving."""
_ROOM_LEFT = 1 << 30
"""Bytes that stay free here, where not all that is new would fit."""


class Session(Protocol):
    """A connection to a box, as `sftp.SftpSession` is one."""

    def get(self, name: str, *, resume: bool = False) -> Got:
        """Fetch a file into the folder of what arrives."""


Connect = Callable[[], AbstractContextManager[Session]]
"""Makes a connection, for a `with` block."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far fetching has come.

    Attributes:
        done: Captures that are done with, whatever became of them.
        of: Captures that are new.
        done_bytes: Of those done with.
        of_bytes: Of all new ones.
    """

    done: int
    of: int
    done_bytes: int
    of_bytes: int


@dataclass(slots=True)
class PullReport:
    """What became of it; ids, in the order of the index.

    Attributes:
        on_box: How many captures the box has.
        fetched: Arrived and verified now.
        opened: Opened now, some perhaps fetched earlier.
        gone: Went on the box meanwhile.
        damaged: Not what the index says, or do not open though they are.
        changed: Fetched earlier with another hash than the box says now; what is here was kept.
        unopened: Not sealed to the key given; they lie sealed in `sealed/`.
        refused: May not be read by the account.
        bad_lines: Damaged lines of the index, whose captures are not known.
        heads: Signed heads of the box's log that are new here.
        heads_full: There are more of them than are kept here.
    """

    on_box: int = 0
    fetched: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unopened: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    bad_lines: int = 0
    heads: int = 0
    heads_full: bool = False


class Pull:
    """Fetches into one folder.

    Args:
        connect: Makes a connection whose files arrive in `folder.arriving`.
        folder: Held by the caller.
        identities: Keys to open with; none: what arrives stays sealed.
        thumbnails: Makes small copies for the contact sheet.
        tell: Told when it is known what is new, and after each capture.
    """

    def __init__(
        self,
        connect: Connect,
        folder: PulledFolder,
        identities: Sequence[Identity],
        thumbnails: MakeThumbnails,
        tell: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self._connect = connect
        self._folder = folder
        self._identities = identities
        self._thumbnails = thumbnails
        self._tell = tell
        self._under_way: str | None = None
        self.report = PullReport()

    def run(self) -> PullReport:
        """Fetch what is new. What was done until an error is in `report`, and kept.

        Raises:
            RetrievalError: The box cannot be reached or refuses, its index is missing or no index, or the
                disk here is full.
        """
        with disk_here():
            self._open_earlier()
        todo: list[IndexRow] | None = None
        done = tries = 0
        while True:
            before = done, self._arrived(todo, done)
            try:
                with self._connect() as session, disk_here():
                    if todo is None:
                        todo = self._new(self._index(session))
                        session.get(HEADS_NAME)  # there are none before the box's first hour
                        came = self._folder.keep_heads()
                        self.report.heads, self.report.heads_full = came.new, came.is_full
                        self._tell(_progress(todo, done))
                    rest_bytes = sum(row.size_bytes for row in todo[done:])
                    for row in todo[done:]:
                        self._check_room(row, rest_bytes)
                        rest_bytes -= row.size_bytes
                        self._under_way = row.id
                        self._fetch(session, row)
                        done += 1
                        self._tell(_progress(todo, done))
                    return self.report
            except RetrievalError as error:
                tries = 1 if before != (done, self._arrived(todo, done)) else tries + 1
                if error.fault != "cut" or todo is None or tries >= _TRIES:
                    raise

    def arriving(self) -> int:
        """Bytes of the capture under way that have arrived; for another thread that shows progress."""
        return self._folder.arriving_bytes(self._under_way) if self._under_way is not None else 0

    def _index(self, session: Session) -> IndexContent:
        path = self._folder.fresh_index()
        got = session.get(INDEX_NAME)
        if got.missing or got.refused or not path.exists():
            raise RetrievalError(
                "there is no index of captures on the box"
                if not got.refused
                else "the index may not be read",
                fault="no_index",
                hint="it comes with the first capture; if there is one, prepare the account anew on the box",
                command="on the box: appliance captures account --apply",
            )
        content = parse_index(path.read_bytes())
        self.report.bad_lines = content.bad_lines
        if not content.has_header:
            raise RetrievalError(
                "the index of captures on the box is damaged, or of another version of this program",
                fault="index_damaged",
                hint="the box mends it within ten minutes while it runs; try again then, and with the same "
                "version on both sides",
            )
        self.report.on_box = len(content.rows)
        return content

    def _new(self, content: IndexContent) -> list[IndexRow]:
        """Rows to fetch, oldest first."""
        new: list[IndexRow] = []
        for row in sorted(content.rows.values(), key=lambda row: row.id):
            known = self._folder.known.get(row.id)
            if known is not None:
                if known.sha256 != row.sha256:
                    self.report.changed.append(row.id)
            elif not 0 < row.size_bytes <= MAX_SEALED_BYTES:
                self.report.damaged.append(row.id)
            else:
                new.append(row)
        return new

    def _check_room(self, row: IndexRow, rest_bytes: int) -> None:
        """See that the next capture fits, and leaves room where not all of them do.

        How large they are is what the box says: it keeps nobody from fetching what there is room for.
        """
        every = 2 if self._identities else 1
        needed, all_needed = row.size_bytes * every, rest_bytes * every
        free = self._folder.free_bytes()
        if all_needed > free and needed + _ROOM_LEFT > free:
            raise RetrievalError(
                f"the next takes {needed / 1e6:,.0f} MB, all that are new {all_needed / 1e6:,.0f} MB, "
                f"and {free / 1e6:,.0f} MB are free here",
                fault="disk_full",
                hint="make room, or choose a folder on another disk; what does not fit all at once is "
                "fetched while a gigabyte stays free",
            )

    def _fetch(self, session: Session, row: IndexRow) -> None:
        sealed = self._folder.keep(row)  # it may have arrived whole just before the end of an earlier call
        # What was resumed and does not fit may have been begun wrongly: once more, from the start.
        for resume in (True, False) if self._folder.arrived(row) else (False,):
            if sealed is not None:
                break
            if not resume:
                self._folder.discard(row)
            got = session.get(f"{row.id}.age", resume=resume)
            if got.missing or got.refused:
                self._folder.discard(row)
                (self.report.gone if got.missing else self.report.refused).append(row.id)
                return
            sealed = self._folder.keep(row)
        if sealed is None:
            self._folder.discard(row)
            self.report.damaged.append(row.id)
            return
        self.report.fetched.append(row.id)
        self._open(row.id, sealed)

    def _open_earlier(self) -> None:
        """Open what was fetched and not opened: for want of a key, or because the program was ended."""
        for capture, known in list(self._folder.known.items()):
            if not known.is_open and self._identities:
                sealed = self._folder.sealed(capture, known.sha256)
                if sealed is not None:
                    self._open(capture, sealed)

    def _open(self, capture: str, sealed: bytes) -> None:
        if not self._identities:
            return
        try:
            contents = open_capture(sealed, self._identities)
        except IdentityError:
            self.report.unopened.append(capture)
            return
        except EvidenceError:
            self.report.damaged.append(capture)
            return
        self._folder.save(capture, contents, self._thumbnails(contents))
        self.report.opened.append(capture)

    def _arrived(self, todo: Sequence[IndexRow] | None, done: int) -> int:
        """Bytes of the capture under way."""
        return self._folder.arrived(todo[done]) if todo is not None and done < len(todo) else 0


def _progress(todo: Sequence[IndexRow], done: int) -> Progress:
    return Progress(
        done,
        len(todo),
        sum(row.size_bytes for row in todo[:done]),
        sum(row.size_bytes for row in todo),
    )


@contextmanager
def disk_here() -> Iterator[None]:
    """Around writing into the folder: turn what the disk here says into ours.

    Raises:
        RetrievalError: It is full, or may not be written (`disk_full`).
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RetrievalError(
                "the disk here is full", fault="disk_full", hint="make room and try again"
            ) from error
        raise RetrievalError(
            f"the folder here cannot be written: {error.strerror}",
            fault="disk_full",
            hint="check its owner, or choose another one",
        ) from error
