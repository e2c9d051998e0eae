"""Who is to be enrolled from which files: a folder of folders, or a table of names and files.

A folder's name is a person's name and nothing else; it is only ever read. A table names files that lie beside
it. What cannot be is told by line or by folder, before anything is enrolled.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from appliance.errors import InputError
from appliance.picture_files import PICTURES, pictures_in
from appliance.store.people import INITIALS_CHARS
from appliance.writing import writable
from enroll.files import MOST_PICTURES
from enroll.names import shown, usable_name

FAULTS = {
    "name_unusable": "the folder's name cannot be a person's name",
    "name_twice": "another folder has the same name, written with other characters",
    "folder_unreadable": "the folder cannot be read",
    "only_folders": "it holds folders, not pictures; the pictures have to lie directly in it",
    "no_pictures": f"no pictures in it ({', '.join(PICTURES)})",
    "too_many_pictures": f"more than {MOST_PICTURES} pictures; a handful of different days does best",
    "name_taken": "somebody of that name is enrolled, from other pictures; see: appliance enroll add --help",
}
"""Why nothing of somebody's was looked at, by code."""

_NOT_PEOPLE = ("__MACOSX",)
"""Folders that programs leave behind."""
_MAX_TABLE_BYTES = 10_000_000
_MOST_FAULTS = 20
_COLUMNS = (2, 3)
_FORM = "each line is: name,file or name,file,initials"


@dataclass(slots=True)
class Entry:
    """A person to be enrolled.

    Attributes:
        name: As it is kept; as it may be shown, where it cannot be one.
        files: Their pictures.
        initials: None: made from the name.
        fault: Why nothing can be looked at, by code; empty: nothing is in the way.
    """

    name: str
    files: list[Path] = field(default_factory=list)
    initials: str | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody to be enrolled.

    Attributes:
        entries: In order of name, or of the table.
        beside: Files beside the folders, which belong to nobody.
    """

    entries: tuple[Entry, ...]
    beside: int = 0


def read_roster(source: Path) -> Roster:
    """Everybody that a folder or a table names.

    Raises:
        InputError: It cannot be read, names nobody, or the table has faults; each is told with its line.
    """
    return _of_folder(source) if source.is_dir() else _of_table(source)


def _of_folder(folder: Path) -> Roster:
    try:
        inside = sorted(each for each in folder.iterdir() if not each.name.startswith("."))
    except OSError as error:
        raise InputError(f"the folder cannot be read: {error.strerror}") from error
    people = [each for each in inside if each.is_dir() and each.name not in _NOT_PEOPLE]
    if not people:
        loose = any(each.suffix.lower() in PICTURES for each in inside)
        raise InputError(
            "the folder holds pictures, but no folder per person"
            if loose
            else "the folder holds no folder per person",
            hint="a folder of each person's name with their pictures",
            command="for one: appliance enroll add",
        )
    seen: set[str] = set()
    entries = []
    for each in people:
        entry = _entry(each)
        if not entry.fault and entry.name in seen:
            entry.fault = "name_twice"
        seen.add(entry.name)
        entries.append(entry)
    return Roster(tuple(entries), len([each for each in inside if not each.is_dir()]))


def _entry(folder: Path) -> Entry:
    name = usable_name(folder.name)
    if name is None:
        return Entry(shown(folder.name), fault="name_unusable")
    try:
        files = pictures_in(folder)
        nested = not files and any(each.is_dir() for each in folder.iterdir())
    except (InputError, OSError):
        return Entry(name, fault="folder_unreadable")
    if not files:
        return Entry(name, fault="only_folders" if nested else "no_pictures")
    if len(files) > MOST_PICTURES:
        return Entry(name, fault="too_many_pictures")
    return Entry(name, files)


def _of_table(table: Path) -> Roster:
    entries: dict[str, Entry] = {}
    faults: list[str] = []
    for line, row in _rows(_text(table), faults):
        fault = _add(entries, row, table.parent)
        if fault:
            faults.append(f"line {line}: {fault}")
    if faults:
        told = faults[:_MOST_FAULTS]
        if len(faults) > len(told):
            told.append(f"and {len(faults) - len(told)} lines more")
        raise InputError("\n".join(told), hint=f"{_FORM}; nothing was enrolled")
    if not entries:
        raise InputError("the table names nobody", hint=_FORM)
    for entry in entries.values():
        if len(entry.files) > MOST_PICTURES:
            entry.fault = "too_many_pictures"
    return Roster(tuple(entries.values()))


def _text(table: Path) -> str:
    """What the table says.

    Raises:
        InputError: It cannot be read, is too large, or no UTF-8 text.
    """
    try:
        if not table.is_file() or table.stat().st_size > _MAX_TABLE_BYTES:
            raise InputError(f"the table is no ordinary file of at most {_MAX_TABLE_BYTES // 10**6} MB")
        return table.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"the table cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(f"line {line}: not UTF-8 text", hint="save the table as CSV UTF-8") from error


def _rows(text: str, faults: list[str]) -> Iterator[tuple[int, list[str]]]:
    """The rows with their line numbers, without heading and empty lines; semicolons and tabs divide, too."""
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count) if first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, row in enumerate(reader):
            cells = [cell.strip() for cell in row]
            heading = number == 0 and [cell.casefold() for cell in cells[:2]] == ["name", "file"]
            if any(cells) and not heading:
                yield reader.line_num, cells
    except csv.Error as error:
        faults.append(f"line {reader.line_num}: no CSV: {error}")


def _add(entries: dict[str, Entry], cells: list[str], folder: Path) -> str:
    """Add a row; what is wrong with it, naming nobody, or nothing."""
    if len(cells) not in _COLUMNS:
        return f"{len(cells)} column(s), expected name,file or name,file,initials"
    name, initials = usable_name(cells[0]), (cells[2] or None) if len(cells) == max(_COLUMNS) else None
    if name is None:
        return "the name is empty, too long, or holds what cannot be printed"
    file = _file(cells[1], folder)
    if isinstance(file, str):
        return file
    entry = entries.setdefault(name, Entry(name))
    fault = ""
    if initials is not None and (len(initials) > INITIALS_CHARS or not writable(initials)):
        fault = f"initials have 1 to {INITIALS_CHARS} visible characters"
    elif initials is not None and entry.initials not in {None, initials}:
        fault = "other initials than in a line before, for the same name"
    elif file in entry.files:
        fault = "this person's file is named a second time"
    else:
        entry.initials = initials or entry.initials
        entry.files.append(file)
    return fault


def _file(cell: str, folder: Path) -> Path | str:
    """The file that a cell names, beside the table or below it; else what is wrong."""
    if not cell or "\0" in cell:
        return "no file is named"
    path = Path(cell)
    if path.is_absolute() or ".." in path.parts:
        return "the file has to lie beside the table, or in a folder beside it"
    try:
        if not (folder / path).is_file():
            return "there is no such file"
    except OSError:
        return "the file cannot be reached"
    return folder / path
