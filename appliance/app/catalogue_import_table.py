"""Tables of items: CSV or JSON bytes to rows that may be imported, and what is wrong with the others.

Opens nothing: paths of pictures stay the text that they are. A table that cannot be read at all is an error;
a row that cannot be taken is a row with faults, beside the others.
"""

import csv
import difflib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from appliance.app.catalogue_import_report import RowFault, shown
from appliance.errors import FormError, InputError
from appliance.store.catalogue_checks import checked_entry
from appliance.store.search_records import MOST_ITEMS, MOST_PICTURES_OF_ITEM, ItemEntry

COLUMNS: Final = ("id", "title", "link", "price", "notes", "pictures")
NEEDED: Final = ("id", "title")
MOST_BYTES: Final = 128 << 20
MOST_PATH: Final = 4096
"""Characters of a picture's path; no system has longer ones."""
APART: Final = ";"
"""Between the paths of several pictures in one cell."""

_DELIMITERS: Final = (",", ";", "\t", "|")
_BOMS: Final = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_SAVE: Final = 'save it as UTF-8; a spreadsheet calls that "CSV UTF-8"'
_FORM: Final = f"the columns are: {', '.join(COLUMNS)}; id and title are needed"
_FAMILIAR: Final = {
    "name": "title",
    "url": "link",
    "image": "pictures",
    "images": "pictures",
    "photo": "pictures",
    "photos": "pictures",
    "description": "notes",
    "sku": "id",
    "number": "id",
}
"""What other programs call them."""
_MOST_CELL: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row.

    Attributes:
        row: Its number; see `RowFault`.
        entry: What its item says, as it is kept; where there are faults, as it stands there.
        pictures: Paths as they stand there, in order, none twice.
        faults: Why it cannot be taken; empty: it can.
    """

    row: int
    entry: ItemEntry
    pictures: tuple[str, ...] = ()
    faults: tuple[RowFault, ...] = ()


def read_table(content: bytes, *, pass_over: bool = False) -> list[TableRow]:
    """All rows of a table; which of both forms it has is told by how it begins.

    A row whose id was there before has that fault. Rows without any text are none.

    Args:
        content: The file's bytes, UTF-8 with or without a byte order mark.
        pass_over: Other columns than those known are passed over, instead of being an error.

    Raises:
        InputError: It is empty, too large, no UTF-8, has columns that are not known or lacks one that is
            needed, or is no JSON.
    """
    text = _text(content)
    begins = text.lstrip()[:1]
    rows = _of_json(text, pass_over=pass_over) if begins in {"[", "{"} else _of_csv(text, pass_over=pass_over)
    found: list[TableRow] = []
    first: dict[str, int] = {}
    for each in rows:
        if len(found) >= MOST_ITEMS:
            raise InputError(f"the table has more than {MOST_ITEMS:,} rows", hint="no catalogue has as many")
        before = None if each.faults else first.setdefault(each.entry.id, each.row)
        if before is not None and before != each.row:
            fault = RowFault(
                *(each.row, shown(each.entry.id), "id"),
                *(f"row {before} has this id already", "an item is one row; name all its pictures there"),
            )
            found.append(replace(each, faults=(fault,)))
        else:
            found.append(each)
    if not found:
        raise InputError("the table has no items, only the columns' names", hint="a row is an item")
    return found


def check_size(size: int) -> None:
    """Refuse a table that is too large, before it is read.

    Args:
        size: Bytes that it has.

    Raises:
        InputError: It is.
    """
    if size > MOST_BYTES:
        raise InputError(
            f"the table has {size / 1e6:.0f} MB, more than the {MOST_BYTES / 1e6:.0f} allowed",
            hint="pictures are named in it by path, and lie beside it",
        )


def paths(cell: str) -> tuple[str, ...]:
    """The paths in a cell, none twice."""
    return tuple(dict.fromkeys(each for each in map(str.strip, cell.split(APART)) if each))


def _text(content: bytes) -> str:
    """What the file says.

    Raises:
        InputError: It is empty, too large or no UTF-8.
    """
    check_size(len(content))
    for mark, name in _BOMS.items():
        if content.startswith(mark):
            raise InputError(f"the table is written in {name}, not in UTF-8", hint=_SAVE)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"the table is not UTF-8: line {line} has other bytes", hint=_SAVE) from None
    if not text.strip():
        raise InputError("the table is empty", hint=_FORM)
    return text


def _of_csv(text: str, *, pass_over: bool) -> Iterator[TableRow]:
    """Rows after the one with the columns' names.

    Raises:
        InputError: The columns are not those.
    """
    head = next(each for each in text.splitlines() if each.strip())
    delimiter = max(_DELIMITERS, key=lambda each: _known(next(csv.reader([head], delimiter=each), [])))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records = _records(reader)
    names: list[str] = []
    for number, cells in records:
        if isinstance(cells, str):
            raise InputError(f"row {number}: {cells}", hint=_FORM)
        if any(cells):
            names = _columns(cells, number, pass_over=pass_over)
            break
    for number, cells in records:
        if isinstance(cells, str):
            yield TableRow(number, ItemEntry("", ""), faults=(RowFault(number, "", "", cells),))
            continue
        if not any(map(str.strip, cells)):
            continue
        given = dict(zip(names, cells, strict=False))
        faults = []
        if any(map(str.strip, cells[len(names) :])):
            what = f"it has {len(cells)} cells, and there are {len(names)} columns"
            hint = f'put quotes (") round a cell with {_word(delimiter)} in it'
            faults.append(RowFault(number, shown(given.get("id", "")), "", what, hint))
        pictures = paths(given.pop("pictures", ""))
        yield _row(number, given, pictures, faults)


def _records(reader: Any) -> Iterator[tuple[int, list[str] | str]]:
    """Records with their numbers from 1; or what is wrong with one, in words."""
    number = 0
    before = csv.field_size_limit(_MOST_CELL)
    try:
        while True:
            number += 1
            try:
                yield number, next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield number, _words(str(error))
    finally:
        csv.field_size_limit(before)


def _words(error: str) -> str:
    if "unexpected end" in error:
        return 'a quote (") is opened here and never closed, so nothing after it could be read'
    if "larger than field limit" in error:
        return f"a cell has more than {_MOST_CELL:,} characters; a quote may be open"
    return f"it is no CSV: {error}"


def _word(delimiter: str) -> str:
    return {"\t": "a tab"}.get(delimiter, f"a {delimiter}")


def _known(names: Iterable[str]) -> int:
    return sum(each.strip().casefold() in COLUMNS for each in names)


def _columns(cells: Sequence[str], number: int, *, pass_over: bool) -> list[str]:
    """The names of the columns, in order.

    Raises:
        InputError: They are not those.
    """
    names = [each.strip().casefold() for each in cells]
    wrong = [] if pass_over else [_unknown(each) for each in names if each not in COLUMNS and each]
    wrong += [f"there are two columns {each}" for each in COLUMNS if names.count(each) > 1]
    wrong += [f"there is no column {each}" for each in NEEDED if each not in names]
    if wrong:
        raise InputError(f"row {number}: {'; '.join(wrong)}", hint=_FORM)
    return names


def _unknown(name: str) -> str:
    near = _nearest(name)
    meant = f" (did you mean {near}?)" if near else ""
    return f"{shown(name)!r} is no column{meant}"


def _nearest(name: str) -> str:
    word = name.strip().casefold()
    if word in _FAMILIAR:
        return _FAMILIAR[word]
    return next(iter(difflib.get_close_matches(word, COLUMNS, n=1, cutoff=0.5)), "")


def _of_json(text: str, *, pass_over: bool) -> Iterator[TableRow]:
    """The objects of a list, or of the list `items` of one object.

    Raises:
        InputError: It is no such JSON.
    """
    try:
        # Numbers as they are written: 12.50 is a price, and 007 would be no number.
        said = json.loads(text, parse_float=str, parse_int=str)
    except json.JSONDecodeError as error:
        words = f"the table is no JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        raise InputError(words, hint='wanted is [{"id": "…", "title": "…", "pictures": ["…"]}, …]') from None
    except RecursionError:
        raise InputError("the table is JSON that is nested too deeply") from None
    items = said.get("items") if isinstance(said, dict) else said
    if not isinstance(items, list):
        raise InputError("the table is JSON, but no list of items", hint='wanted is [{"id": "…", …}, …]')
    if not items:
        raise InputError("the table is empty", hint=_FORM)
    for number, each in enumerate(items, 1):
        if not isinstance(each, dict):
            fault = RowFault(number, "", "", "it is no item", 'an item is {"id": "…", "title": "…", …}')
            yield TableRow(number, ItemEntry("", ""), faults=(fault,))
            continue
        yield _object(number, each, pass_over=pass_over)


def _object(number: int, said: Mapping[str, Any], *, pass_over: bool) -> TableRow:
    given: dict[str, str] = {}
    faults: list[RowFault] = []
    pictures: tuple[str, ...] = ()
    item = shown(said["id"]) if isinstance(said.get("id"), str) else ""
    for key, value in said.items():
        name = key.strip().casefold()
        if name not in COLUMNS:
            if not pass_over:
                faults.append(RowFault(number, item, "", _unknown(key), _FORM))
        elif name == "pictures" and isinstance(value, list):
            if all(isinstance(each, str) for each in value):
                pictures = tuple(dict.fromkeys(each for each in value if each.strip()))
            else:
                faults.append(RowFault(number, item, name, "these are no paths", 'wanted is ["cup.jpg", …]'))
        elif isinstance(value, str):
            if name == "pictures":
                pictures = paths(value)
            else:
                given[name] = value
        elif value is not None:
            faults.append(RowFault(number, item, name, "this is no text", "put it in quotes"))
    return _row(number, given, pictures, faults)


def _row(
    number: int, given: Mapping[str, str], pictures: tuple[str, ...], faults: Sequence[RowFault]
) -> TableRow:
    """A row held against what the catalogue takes."""
    texts = {name: given.get(name, "") for name in COLUMNS if name != "pictures"}
    entry, found, item = ItemEntry(**texts), list(faults), shown(texts["id"].strip())
    if len(pictures) > MOST_PICTURES_OF_ITEM:
        what = f"an item has {MOST_PICTURES_OF_ITEM} pictures at most, not {len(pictures)}"
        found.append(RowFault(number, item, "pictures", what))
    found += [RowFault(number, item, "pictures", *wrong) for wrong in map(_wrong_path, pictures) if wrong]
    try:
        entry = checked_entry(entry)
    except FormError as error:
        said = {each.column for each in found}
        found += [
            RowFault(number, item, name, _wrong(texts[name], wanted), f"wanted: {wanted}")
            for name, wanted in error.fields.items()
            if name not in said
        ]
    return TableRow(number, entry, pictures, tuple(found))


def _wrong_path(path: str) -> tuple[str, str] | None:
    """What is wrong with a text as a path wherever the pictures lie, and what to do; None: nothing."""
    if len(path) > MOST_PATH:
        return f"{shown(path)}: no path has {len(path):,} characters", f"put {APART} between several paths"
    if any("\ud800" <= each <= "\udfff" for each in path):
        return f"{shown(path)}: this is no path of a file", "it holds half of a character"
    return None


def _wrong(text: str, wanted: str) -> str:
    if not text.strip():
        return "it is missing"
    most = "".join(each for each in wanted.partition(" to ")[2].partition(" ")[0] if each.isdigit())
    if most and len(text.strip()) > int(most):
        return f"it has {len(text.strip()):,} characters, which is too long"
    if wanted.startswith("an address"):
        return f"{shown(text)!r} is no link"
    if wanted.startswith("another"):
        return f"{shown(text)!r} cannot be one"
    return "it has characters that cannot be seen"
