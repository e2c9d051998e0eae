"""The catalogue as one zip file, made as it is sent: a table and the pictures beside it, fit to be imported.

Nothing of it is kept: item after item is asked for and sent on. Pictures are not packed, for JPEGs do not get
smaller by it. One that does not open is left out, and a file in it says so.
"""

import csv
import hashlib
import io
import zipfile
from collections.abc import Generator
from typing import Any, Final

from appliance.errors import UnknownItemError, VaultError
from web.access import credential
from web.asking import ask
from web.surroundings import surroundings

COLUMNS: Final = ("id", "title", "link", "price", "notes", "pictures")
LEFT_OUT: Final = "left-out.txt"
"""The file in it that names items of which a picture is missing; only where there are some."""
_PAGE: Final = 200
_APART: Final = ";"


class _Sent(io.RawIOBase):
    """Takes what is written, and gives it away."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Take it."""
        self._waiting += data
        return len(data)

    def taken(self) -> bytes:
        """What was written since."""
        found = bytes(self._waiting)
        self._waiting.clear()
        return found


def archive() -> Generator[bytes]:
    """The file, piece by piece.

    The first page is asked for before anything is sent, so that what cannot be had is a page of faults.
    """
    desk, secret = surroundings().desk, credential()
    first = ask("catalogue.items", limit=_PAGE, oldest_first=True).result

    def flow() -> Generator[bytes]:
        sent, table, left_out = _Sent(), io.StringIO(newline=""), []
        writer = csv.writer(table)
        writer.writerow(COLUMNS)
        with zipfile.ZipFile(sent, "w", zipfile.ZIP_STORED) as made:
            page = first
            while True:
                for item in page["items"]:
                    paths = []
                    for each in item["pictures"]:
                        asked = {"picture": each["picture"]}
                        try:
                            jpeg = desk.ask("catalogue.picture", asked, credential=secret).blob
                        except UnknownItemError:  # removed since its item was read
                            continue
                        except VaultError as error:
                            left_out.append(f"{item['item']}: {error.message}\n")
                            continue
                        paths.append(_path(each, jpeg))
                        made.writestr(paths[-1], jpeg)
                        yield sent.taken()
                    writer.writerow(_row(item, paths))
                if page["next"] is None:
                    break
                onward = {"after": page["next"], "limit": _PAGE, "oldest_first": True}
                page = desk.ask("catalogue.items", onward, credential=secret).result
            if left_out:
                made.writestr(LEFT_OUT, "".join(left_out).encode(), zipfile.ZIP_DEFLATED)
            # With a byte order mark: spreadsheets read UTF-8 by it.
            made.writestr("items.csv", table.getvalue().encode("utf-8-sig"), zipfile.ZIP_DEFLATED)
        yield sent.taken()

    return flow()


def _path(picture: dict[str, Any], jpeg: bytes) -> str:
    """Where a picture is in the file: named so that an import knows it again, and doubles none."""
    return f"pictures/{picture['sha256']}.{hashlib.sha256(jpeg).hexdigest()[:16]}.jpg"


def _row(item: dict[str, Any], paths: list[str]) -> list[str]:
    return [item["item"], *(item[name] for name in COLUMNS[1:-1]), _APART.join(paths)]
