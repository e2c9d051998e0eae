"""The catalogue as a folder: a table, CSV or JSON, and the pictures beside it, as an import takes them.

Pictures leave as they are kept: small, and in the clear. The table is written last, so where it is all is
there; what was written before a break is not written again.
"""

import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from appliance import private_files
from appliance.app.catalogue_import_table import APART, COLUMNS
from appliance.app.catalogue_pictures import exported_name
from appliance.errors import InputError, UnknownItemError, VaultError
from appliance.store.search_records import CatalogueItem

Form = Literal["csv", "json"]
PICTURES: Final = "pictures"
"""The folder of them, in that of the table."""

_PAGE: Final = 200


class ExportStore(Protocol):
    """The store, as far as it is needed here; see `appliance.store.catalogue`."""

    def items(
        self, after: int | None = None, limit: int = 100, text: str = "", *, oldest_first: bool = False
    ) -> list[CatalogueItem]:
        """A page of items."""

    def picture_jpeg(self, picture: str) -> bytes:
        """A picture as it is shown, opened."""


def export_catalogue(
    store: ExportStore,
    folder: Path,
    form: Form = "csv",
    *,
    tell: Callable[[int, int], object] = lambda _items, _pictures: None,
    left_out: Callable[[str, str], object] = lambda _item, _why: None,
) -> tuple[Path, int, int]:
    """Write all items, in the order in which they were added.

    Args:
        store: Opened, with a key.
        folder: Made if it is not there; the table in it is `items.csv` or `items.json`.
        form: Of the table.
        tell: Called with the items and pictures written so far, after each item.
        left_out: Called with the item of a picture that does not open, and why; its others are written.

    Returns:
        The table's file, how many items, how many pictures.

    Raises:
        InputError: There is such a table already, or the place cannot be written to.
        StoreError: The catalogue cannot be read.
    """
    table = folder / f"items.{form}"
    if table.exists():
        raise InputError(f"{table} is there already", hint="choose another folder")
    rows: list[dict[str, Any]] = []
    pictures = 0
    try:
        (folder / PICTURES).mkdir(parents=True, exist_ok=True)
        for item in all_items(store):
            names = []
            for each in item.pictures:
                try:
                    jpeg = store.picture_jpeg(each.id)
                except UnknownItemError:  # removed since its item was read
                    continue
                except VaultError as error:
                    left_out(item.entry.id, error.message)
                    continue
                name = exported_name(each.sha256, jpeg)
                _write(folder / PICTURES / name, jpeg)
                names.append(f"{PICTURES}/{name}")
            rows.append(_row(item, names))
            pictures += len(names)
            tell(len(rows), pictures)
        private_files.replace(table, (_csv if form == "csv" else _json)(rows))
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written: {error.strerror}", hint="choose a folder that you may write to"
        ) from error
    return table, len(rows), pictures


def all_items(store: ExportStore) -> Iterator[CatalogueItem]:
    """Every item, page by page, in the order in which they were added."""
    after: int | None = None
    while page := store.items(after, _PAGE, oldest_first=True):
        yield from page
        after = page[-1].number


def _write(file: Path, jpeg: bytes) -> None:
    """Write a picture unless it is there; half a one of an earlier run is written anew."""
    if file.exists() and file.read_bytes() == jpeg:
        return
    with open(file, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as opened:
        opened.write(jpeg)


def _row(item: CatalogueItem, pictures: Sequence[str]) -> dict[str, Any]:
    said = {name: getattr(item.entry, name) for name in COLUMNS if name != "pictures"}
    return {**said, "pictures": list(pictures)}


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    written = io.StringIO(newline="")
    table = csv.writer(written)
    table.writerow(COLUMNS)
    for row in rows:
        table.writerow([APART.join(row[name]) if name == "pictures" else row[name] for name in COLUMNS])
    # With a byte order mark: spreadsheets read UTF-8 by it.
    return written.getvalue().encode("utf-8-sig")


def _json(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return (json.dumps({"items": rows}, indent=1, ensure_ascii=False) + "\n").encode()
