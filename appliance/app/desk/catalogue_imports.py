"""Operations of imports into the catalogue from a page: a table first, then its pictures one by one.

Whoever imports sends the table, is told its rows, and sends each row's pictures; a picture is described as
it comes, and a row is kept once all its pictures are there. A connection that breaks loses nothing: what was
kept is found the same when the table is sent again. Nothing of an import lasts here but its counts, and what
its pictures became while they wait for the others of their row.
"""

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from pydantic import Field

from appliance.app.catalogue_changing import CatalogueChanges
from appliance.app.catalogue_import import keep_row, picture_fault
from appliance.app.catalogue_import_report import ImportReport
from appliance.app.catalogue_import_table import MOST_PATH, TableRow, read_table
from appliance.app.desk.applying import Source
from appliance.app.desk.catalogue_import_describing import (
    Described,
    Describing,
    needless,
    ready,
    weight,
)
from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.errors import FormError, InputError, UnknownItemError
from appliance.events import ItemsImported
from appliance.permissions import Permission
from appliance.services import Services
from appliance.wire import Client

_NUMBERS: Final = 90_000_000
"""They have eight digits at most."""
_KEPT: Final = 4
"""Imports at once, with those that ended and are still told of."""
_WAITING_BYTES: Final = 64 << 20
"""Of what pictures became that wait for the others of their rows, of all imports together."""
_PAGE_CHARS: Final = 128 << 10
"""Of paths in one answer, about; a message between our processes has an end."""
_MOST_FAULTS: Final = 500
_TOO_LARGE: Final = "the file has more than the 25 MiB that a page can send"
_SMALLER: Final = "use a smaller copy; 1,000 pixels are plenty"
_IDLE_S: Final = 600.0
"""An import that was sent nothing for so long is over."""


class NewImport(Arguments):
    """An import; its table, CSV or JSON, goes with it.

    Attributes:
        name: Of the file, for who looks on.
        replace: Items are to have the pictures of their rows and no others.
        pass_over: Columns that are not known are passed over.
    """

    name: str = Field(default="", max_length=255)
    replace: bool = False
    pass_over: bool = False


class ImportRows(Arguments):
    """Attributes: number: of the import; after: rows that are known; limit: so many more at most."""

    number: int = Field(ge=1)
    after: int = Field(default=0, ge=0)
    limit: int = Field(default=200, ge=1, le=500)


class ImportPicture(Arguments):
    """A picture of a row; the file goes with it.

    Attributes:
        number: Of the import.
        index: Which row, from 0.
        path: As the row names it; empty: the row names none and is to be kept.
        missing: There is no such file.
        too_large: It is too large to be sent.
    """

    number: int = Field(ge=1)
    index: int = Field(ge=0)
    path: str = Field(default="", max_length=MOST_PATH)
    missing: bool = False
    too_large: bool = False


class WhichImport(Arguments):
    """Attributes: number: of the import."""

    number: int = Field(ge=1)


@dataclass(slots=True)
class _Import:
    """One import."""

    number: int
    name: str
    rows: list[TableRow]
    report: ImportReport
    replace: bool
    heard_s: float
    over: bool = False
    waiting: dict[int, dict[str, Described]] = field(default_factory=dict)
    kept: set[int] = field(default_factory=set)


class CatalogueImports:
    """Imports under way.

    Args:
        services: The store, the clock, and where the models process listens.
        source: The settings.
    """

    def __init__(self, services: Services, source: Source) -> None:
        self._store = services.store
        self._clock = services.clock
        self._models = Client(services.layout.socket("models"))
        self._describing = Describing(self._models)
        self._source = source
        self._lock = threading.Lock()
        self._imports: OrderedDict[int, _Import] = OrderedDict()
        # Not from 1: a page that outlived the desk it began with is not to go on in another one's import.
        self._count = secrets.randbelow(_NUMBERS)

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        may = Permission.CATALOGUE
        return [
            Operation("catalogue.import_begin", NewImport, may, self.begin),
            Operation("catalogue.import_rows", ImportRows, may, self.rows),
            Operation("catalogue.import_picture", ImportPicture, may, self.picture, waits=True),
            Operation("catalogue.import_end", WhichImport, may, self.end),
            Operation("catalogue.imports", Nothing, may, self.imports),
        ]

    def begin(self, asked: Asked[NewImport]) -> Answer:
        """Read the table that came along: `told_import`, with the faults of rows that cannot be taken.

        Raises:
            FormError: The table cannot be read, or too many imports are under way.
        """
        try:
            rows = read_table(asked.blob, pass_over=asked.arguments.pass_over)
        except InputError as error:
            raise FormError(error.message, fields={"table": error.message}, hint=error.hint) from None
        with self._lock:
            self._forget()
            if len(self._imports) >= _KEPT:
                words = f"{_KEPT} imports are under way"
                raise FormError(words, fields={"table": words}, hint="wait until one has ended")
            self._count += 1
            begun = _Import(
                self._count,
                asked.arguments.name,
                rows,
                ImportReport(len(rows)),
                asked.arguments.replace,
                self._clock.monotonic(),
            )
            for index, row in enumerate(rows):
                if row.faults:
                    begun.report.refused += 1
                    begun.report.faults += row.faults
                    begun.kept.add(index)
            self._imports[begun.number] = begun
        self._store.append(ItemsImported(type="items_import_begun", rows=len(rows)))
        return Answer(told_import(begun))

    def rows(self, asked: Asked[ImportRows]) -> Answer:
        """Rows of the table: `{rows: [{index, row, item, title, pictures}], next}`.

        `pictures` are paths as they stand there; rows that cannot be taken are left out. `next` goes in
        `after`, null at the end.

        Raises:
            FormError: There is no such import.
        """
        given = asked.arguments
        begun = self._import(given.number)
        most, until, chars = min(len(begun.rows), given.after + given.limit), given.after, 0
        told = []
        while until < most and chars < _PAGE_CHARS:
            row, index = begun.rows[until], until
            until += 1
            if row.faults:
                continue
            chars += sum(map(len, row.pictures))
            told.append(
                {
                    "index": index,
                    "row": row.row,
                    "item": row.entry.id,
                    "title": row.entry.title,
                    "pictures": list(row.pictures),
                }
            )
        return Answer({"rows": told, "next": until if until < len(begun.rows) else None})

    def picture(self, asked: Asked[ImportPicture]) -> Answer:
        """Take a picture of a row, and keep the row once it is whole: `told_import` and `row_done`.

        What is wrong with rows is told once the last one is done, and by `end`. One that was refused may be
        sent again; a row that is not done may be sent again from its first picture.

        Raises:
            FormError: There is no such import or row, the row names no such picture, or too much waits; that
                row's pictures are let go of then.
            PeerGoneError: The models process is away.
            StoreError: The catalogue cannot be written; what was kept stays.
            ModelError: Pictures cannot be described at all.
        """
        given = asked.arguments
        begun = self._import(given.number)
        with self._lock:
            row = self._row(begun, given)
        if row is not None:
            one = self._described(begun, row, given, asked.blob) if row.pictures else None
            with self._lock:
                whole = self._taken(begun, given, one)
            if whole is not None:
                self._keep(begun, given.index, whole)
        told = told_import(begun) if begun.over else _counts(begun)
        return Answer({**told, "row_done": given.index in begun.kept})

    def end(self, asked: Asked[WhichImport]) -> Answer:
        """End an import, whole or not: `told_import`.

        Raises:
            FormError: There is no such import.
        """
        begun = self._import(asked.arguments.number)
        self._end(begun)
        return Answer(told_import(begun))

    def imports(self, asked: Asked[Nothing]) -> Answer:
        """Imports under way, and the last ones that ended: a list of `told_import`."""
        del asked
        with self._lock:
            self._end_idle()
            return Answer([told_import(each) for each in self._imports.values()])

    def _row(self, begun: _Import, given: ImportPicture) -> TableRow | None:
        """The row of a picture that came; None: it is kept. The lock is held."""
        begun.heard_s = self._clock.monotonic()
        if begun.over or given.index >= len(begun.rows):
            words = "the import is over" if begun.over else "the table has no such row"
            raise FormError(words, fields={"index": words}, hint="begin it again: what is there stays")
        if given.index in begun.kept:
            return None
        row = begun.rows[given.index]
        if row.pictures and given.path not in row.pictures:
            words = "its row names no such picture"
            raise FormError(words, fields={"path": words})
        return row

    def _described(self, begun: _Import, row: TableRow, given: ImportPicture, content: bytes) -> Described:
        if given.missing:
            hint = "choose the pictures together with the table"
            return picture_fault(row, given.path, InputError("there is no such file", hint=hint))
        if given.too_large:
            return picture_fault(row, given.path, InputError(_TOO_LARGE, hint=_SMALLER))
        had = self._store.items_by_id([row.entry.id]).get(row.entry.id)
        known = needless(had, replace=begun.replace)
        return self._describing.described(self._changes(), row, given.path, content, known)

    def _taken(
        self, begun: _Import, given: ImportPicture, one: Described | None
    ) -> dict[str, Described] | None:
        """A row's pictures once they are all there, to be kept; None: not yet. The lock is held."""
        row = self._row(begun, given)
        if row is None:
            return None
        pictures = begun.waiting.setdefault(given.index, {})
        if one is not None:
            pictures[given.path] = one
            rows = (row for each in self._imports.values() for row in each.waiting.values())
            if sum(weight(each) for some in rows for each in some.values()) > _WAITING_BYTES:
                del begun.waiting[given.index]
                words = "too many pictures wait for others of their rows"
                raise FormError(words, fields={"picture": words}, hint="send row after row")
        if set(pictures) != set(row.pictures):
            return None
        begun.kept.add(given.index)
        return begun.waiting.pop(given.index)

    def _keep(self, begun: _Import, index: int, pictures: dict[str, Described]) -> None:
        row, report = begun.rows[index], ImportReport(1)
        try:
            had = self._store.items_by_id([row.entry.id]).get(row.entry.id)
            whole = ready(row, pictures, had, replace=begun.replace)
            keep_row(self._store, row, had, whole, report, replace=begun.replace)
        except UnknownItemError:  # a picture that it had was removed meanwhile: all are to be sent again
            with self._lock:
                begun.kept.discard(index)
            return
        except Exception:
            with self._lock:  # its last picture may be sent again
                begun.kept.discard(index)
                if not begun.over:
                    begun.waiting[index] = pictures
            raise
        with self._lock:
            for each in fields(ImportReport):
                if each.name not in {"rows", "faults", "stopped", "error"}:
                    total = getattr(begun.report, each.name) + getattr(report, each.name)
                    setattr(begun.report, each.name, total)
            begun.report.faults += report.faults
        if begun.report.done == begun.report.rows:
            self._end(begun)

    def _end(self, begun: _Import) -> None:
        with self._lock:
            if begun.over:
                return
            begun.over = True
            begun.waiting.clear()
            begun.report.stopped = begun.report.done < begun.report.rows
        report = begun.report
        self._store.append(
            ItemsImported(
                type="items_imported",
                rows=report.rows,
                added=report.added,
                changed=report.changed,
                same=report.same,
                refused=report.refused,
            )
        )

    def _end_idle(self) -> None:
        """Let go of what waits for somebody who is gone; the lock is held."""
        now = self._clock.monotonic()
        for each in self._imports.values():
            if not each.over and now - each.heard_s > _IDLE_S:
                each.over = each.report.stopped = True
                each.waiting.clear()

    def _forget(self) -> None:
        """Make room by those that ended, the oldest first; the lock is held."""
        self._end_idle()
        for number in [number for number, each in self._imports.items() if each.over]:
            if len(self._imports) >= _KEPT:
                del self._imports[number]

    def _import(self, number: int) -> _Import:
        with self._lock:
            found = self._imports.get(number)
        if found is None:
            words = "there is no such import any more"
            raise FormError(words, fields={"number": words}, hint="begin it again: what is there stays")
        return found

    def _changes(self) -> CatalogueChanges:
        return CatalogueChanges(self._store, self._models, self._source.running().search.model)


def told_import(begun: _Import) -> dict[str, Any]:
    """How an import goes, as JSON values.

    `{number, name, over, rows, added, changed, same, refused, incomplete, not_reached, pictures, stopped,
    error, faults: [{row, item, column, what, hint}], more_faults}`.
    """
    faults = begun.report.faults
    return {
        **_counts(begun),
        "faults": [each.as_json() for each in faults[:_MOST_FAULTS]],
        "more_faults": max(0, len(faults) - _MOST_FAULTS),
    }


def _counts(begun: _Import) -> dict[str, Any]:
    """The same without what was wrong: as much as can be told with each picture."""
    counts = replace(begun.report, faults=[]).as_json()
    del counts["faults"]
    return {"number": begun.number, "name": begun.name, "over": begun.over, **counts}
