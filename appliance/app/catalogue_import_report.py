"""What became of an import into the catalogue: how many rows did what, and what was wrong with which.

Holds and words it; prints nothing. Texts from the table stand in it as they may be shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from appliance.writing import legible

_MOST_SHOWN: Final = 80
_MOST_TOLD: Final = 20


@dataclass(frozen=True, slots=True)
class RowFault:
    """Something in a row that cannot be.

    Attributes:
        row: As a spreadsheet counts: that with the columns' names is 1. In JSON the first item is 1.
        item: The id that stands there, as it may be shown; empty: none.
        column: In which column; empty: the whole row.
        what: What is wrong, in words.
        hint: What to do about it; empty: that is plain from the words.
    """

    row: int
    item: str
    column: str
    what: str
    hint: str = ""

    def told(self) -> str:
        """One line."""
        item = f" ({self.item})" if self.item else ""
        column = f"{self.column}: " if self.column else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"row {self.row}{item}: {column}{self.what}{hint}"

    def as_json(self) -> dict[str, Any]:
        """With stable names."""
        return {
            "row": self.row,
            "item": self.item,
            "column": self.column,
            "what": self.what,
            "hint": self.hint,
        }


@dataclass(slots=True)
class ImportReport:
    """What became of each row; grows while the import runs.

    Attributes:
        rows: How many there are.
        added: Rows whose item is new.
        changed: Rows whose item is another now.
        same: Rows whose item was there just so.
        refused: Rows of which nothing was taken.
        incomplete: Rows that were taken without some of their pictures; counted above as well.
        pictures: Pictures that were looked at and taken.
        faults: What was wrong, in the order of the rows.
        stopped: It was asked to stop before the last row.
        error: What ended it before the last row; empty: nothing did.
    """

    rows: int
    added: int = 0
    changed: int = 0
    same: int = 0
    refused: int = 0
    incomplete: int = 0
    pictures: int = 0
    faults: list[RowFault] = field(default_factory=list)
    stopped: bool = False
    error: str = ""

    @property
    def done(self) -> int:
        """Rows that were reached."""
        return self.added + self.changed + self.same + self.refused

    def as_json(self) -> dict[str, Any]:
        """With stable names."""
        return {
            "rows": self.rows,
            "added": self.added,
            "changed": self.changed,
            "same": self.same,
            "refused": self.refused,
            "incomplete": self.incomplete,
            "not_reached": self.rows - self.done,
            "pictures": self.pictures,
            "stopped": self.stopped,
            "error": self.error or None,
            "faults": [each.as_json() for each in self.faults],
        }

    def lines(self, most: int = _MOST_TOLD) -> Iterator[str]:
        """In words.

        Args:
            most: Faults that are told one by one; the others are counted.
        """
        for each in self.faults[:most]:
            yield each.told()
        if len(self.faults) > most:
            yield f"and {len(self.faults) - most:,} more"
        without = f" ({self.incomplete:,} without some of its pictures)" if self.incomplete else ""
        yield (
            f"{self.added:,} added, {self.changed:,} changed, {self.same:,} there already{without}, "
            f"{self.refused:,} refused; {self.pictures:,} new pictures"
        )
        if self.done < self.rows:
            yield f"{self.rows - self.done:,} rows were not reached: run it again to go on"


def shown(text: str) -> str:
    """A text from outside as it may stand in a line: no more than a line, nothing that acts on a terminal."""
    clipped = text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"
    return legible(clipped)
