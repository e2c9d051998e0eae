"""An import into the catalogue: rows of a table become items with pictures and features, or are told of.

Rows are read and described some at once, and kept one after the other in the table's order, each whole in
one transaction: whoever is killed leaves every item as it was or as it is to be; running it again goes on.
What the catalogue has already (item by id, picture by the hash of its bytes) is neither described nor kept
again.
"""

import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Final, Protocol

from appliance.app.catalogue_import_report import ImportReport, RowFault, shown
from appliance.app.catalogue_import_table import TableRow
from appliance.app.catalogue_pictures import PictureSource, identity
from appliance.errors import FormError, InputError, PeerGoneError, PhotoError, UnknownItemError
from appliance.store.search_records import CatalogueItem, ItemEntry, NewPicture, PutOutcome

WORKERS: Final = 3
"""Rows that are read and described at once: while one is in the network, another is decoded."""
_AHEAD: Final = 4 * WORKERS
_LOOK_UP: Final = 200
"""Items that are looked up in the catalogue at once."""
_TRIES: Final = 2


class Describes(Protocol):
    """Who decodes pictures and makes features of them."""

    def describe(self, content: bytes, sha256: str) -> NewPicture:
        """A picture as it is kept; several threads may ask at once.

        Raises:
            PhotoError: It cannot be used as a picture.
            PeerGoneError: Whoever does it is gone.
        """

    def reopen(self) -> None:
        """Begin anew with another one, after a `PeerGoneError`."""


class ImportStore(Protocol):
    """The store, as far as it is needed here; see `appliance.store.catalogue`."""

    def items_by_id(self, items: Sequence[str]) -> dict[str, CatalogueItem]:
        """Those of these that there are."""

    def put_item(
        self,
        entry: ItemEntry,
        pictures: Sequence[NewPicture] = (),
        *,
        known: Collection[str] = (),
        replace_pictures: bool = False,
        logged: bool = True,
    ) -> PutOutcome:
        """Keep an item, or change the one that has its id, unless pictures it is known to have are gone."""


@dataclass(slots=True)
class Ready:
    """A row whose pictures were looked at.

    Attributes:
        new: To be kept.
        known: Hashes of those that the item had already.
        faults: What was wrong with others.
    """

    new: list[NewPicture] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)


class CatalogueImport:
    """One import.

    Args:
        store: Opened, with a key.
        pictures: Where the table's pictures are.
        models: Who describes them.
        replace: An item is to have exactly the pictures of its row, if that names any and all can be read;
            otherwise those it has stay.
        workers: Rows that are described at once.
    """

    def __init__(
        self,
        store: ImportStore,
        pictures: PictureSource,
        models: Describes,
        *,
        replace: bool = False,
        workers: int = WORKERS,
    ) -> None:
        self._store = store
        self._pictures = pictures
        self._models = models
        self._replace = replace
        self._workers = workers

    def run(
        self,
        rows: Sequence[TableRow],
        report: ImportReport,
        *,
        stop: threading.Event | None = None,
        tell: Callable[[ImportReport], object] = lambda _: None,
    ) -> None:
        """Import rows, in order. That it began and ended is for whoever calls to put on record.

        Args:
            rows: As `read_table` gives them.
            report: Takes in what becomes of each, also if this ends with an error.
            stop: Set when it is to end after the row under way.
            tell: Called after each row.

        Raises:
            StoreError: The catalogue cannot be written; what the report tells of is kept.
            ModelError: Pictures cannot be described at all.
        """
        stop = stop or threading.Event()
        waiting: deque[tuple[TableRow, CatalogueItem | None, Future[Ready]]] = deque()
        # Daemon threads would be ended in the middle of nothing that lasts: they only read and ask.
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="import")
        try:
            for first in range(0, len(rows), _LOOK_UP):
                part = rows[first : first + _LOOK_UP]
                there = self._store.items_by_id([each.entry.id for each in part if not each.faults])
                for row in part:
                    if stop.is_set():
                        break
                    had = None if row.faults else there.get(row.entry.id)
                    waiting.append((row, had, pool.submit(self._looked_at, row, had)))
                    if len(waiting) >= _AHEAD:
                        self._next(waiting, report, tell)
            while waiting and not stop.is_set():
                self._next(waiting, report, tell)
            report.stopped = report.done < report.rows
        finally:
            pool.shutdown(cancel_futures=True)

    def _next(
        self,
        waiting: deque[tuple[TableRow, CatalogueItem | None, Future[Ready]]],
        report: ImportReport,
        tell: Callable[[ImportReport], object],
    ) -> None:
        """Keep the first of those that wait, and tell of it."""
        row, had, future = waiting.popleft()
        try:
            ready = future.result()
        except PeerGoneError:
            # It may have died of any of those under way: once they have ended, each is tried alone.
            wait([each for _, _, each in waiting])
            ready = self._looked_at(row, had, patient=True)
        try:
            keep_row(self._store, row, had, ready, report, replace=self._replace)
        except UnknownItemError:  # somebody removed what it had since it was looked up
            had = self._store.items_by_id([row.entry.id]).get(row.entry.id)
            ready = self._looked_at(row, had, patient=True, all_anew=True)
            keep_row(self._store, row, had, ready, report, replace=self._replace)
        tell(report)

    def _looked_at(
        self, row: TableRow, had: CatalogueItem | None, *, patient: bool = False, all_anew: bool = False
    ) -> Ready:
        """Read a row's pictures, and describe those that the item does not have.

        Args:
            row: Whose.
            had: The item as the catalogue has it.
            patient: Whoever describes is replaced when they die, and tried once more.
            all_anew: Those that it has are described, too: then it does not matter whether it has them.

        Raises:
            PeerGoneError: They died, and it was not to be patient.
        """
        ready = Ready()
        if row.faults:
            return ready
        known = {each.sha256 for each in had.pictures} if had is not None else set()
        if all_anew or (self._replace and row.pictures and known - self._hashes(row)):
            known = set()  # some go, so those that stay are handed over with the new ones, in one transaction
        seen: set[str] = set()
        for path in row.pictures:
            try:
                content = self._pictures.read(path)
                sha256 = identity(path, content)
                if sha256 in seen:
                    continue
                seen.add(sha256)
                if sha256 in known:
                    ready.known.append(sha256)
                else:
                    ready.new.append(self._described(content, sha256, patient=patient))
            except InputError as error:
                ready.faults.append(picture_fault(row, path, error))
        return ready

    def _hashes(self, row: TableRow) -> set[str]:
        found = set()
        for path in row.pictures:
            try:
                found.add(identity(path, self._pictures.read(path)))
            except InputError:  # told of when it is looked at
                continue
        return found

    def _described(self, content: bytes, sha256: str, *, patient: bool) -> NewPicture:
        for _ in range(_TRIES):
            try:
                return self._models.describe(content, sha256)
            except PeerGoneError:
                if not patient:
                    raise
                self._models.reopen()
        raise PhotoError(
            "nobody could look at it: the process that does ended over it twice",
            reason="unreadable",
            hint="save it anew with another program, or take another picture",
        )


def keep_row(
    store: ImportStore,
    row: TableRow,
    had: CatalogueItem | None,
    ready: Ready,
    report: ImportReport,
    *,
    replace: bool,
) -> None:
    """Keep a row whose pictures were looked at, and count what became of it.

    Args:
        store: Opened, with a key.
        row: It.
        had: The item as the catalogue has it.
        ready: Its pictures.
        report: Takes it in.
        replace: See `CatalogueImport`.

    Raises:
        UnknownItemError: The item no longer has what it had; nothing was kept or counted.
        StoreError: The catalogue cannot be written.
    """
    faults = [*row.faults, *ready.faults]
    refused = bool(row.faults) or bool(row.pictures and not ready.new and not ready.known)
    outcome: PutOutcome | None = None
    if not refused:
        replace = replace and bool(row.pictures) and not faults and _left_over(had, ready)
        as_it_was = had is not None and had.entry == row.entry and not ready.new and not replace
        if had is not None and as_it_was and set(ready.known) <= {each.sha256 for each in had.pictures}:
            outcome = "same"
        else:
            try:
                outcome = store.put_item(
                    row.entry, ready.new, known=ready.known, replace_pictures=replace, logged=False
                )
            except FormError as error:
                column, wanted = next(iter(error.fields.items()), ("", ""))
                faults.append(_fault(row, column, error.message, wanted))
    report.faults += faults
    if outcome is None:
        report.refused += 1
        return
    setattr(report, outcome, getattr(report, outcome) + 1)
    report.pictures += len(ready.new)
    report.incomplete += bool(faults)


def picture_fault(row: TableRow, path: str, error: InputError) -> RowFault:
    """A picture of a row that cannot be had."""
    return _fault(row, "pictures", f"{shown(path)}: {error.message}", error.hint)


def _left_over(had: CatalogueItem | None, ready: Ready) -> bool:
    """Whether the item has pictures that its row does not name; those it names were all described then."""
    if had is None or ready.known:
        return False
    named = {each.sha256 for each in ready.new}
    return any(each.sha256 not in named for each in had.pictures)


def _fault(row: TableRow, column: str, what: str, hint: str) -> RowFault:
    return RowFault(row.row, shown(row.entry.id), column, what, hint)
