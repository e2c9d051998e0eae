"""Changes of a text by position, gathered first and made together, never adding or removing a line.

Positions come from Python's own syntax trees (line from 1, column in UTF-8 bytes). Knows nothing of Python.
"""

import ast
from dataclasses import dataclass
from typing import Literal

from appliance.deeplens.porting.source_text import lines_of

Positioned = ast.expr | ast.stmt | ast.excepthandler | ast.alias | ast.arg | ast.keyword


@dataclass(frozen=True)
class _Edit:
    start: int
    end: int
    text: str
    measure: str
    order: tuple[int, int]


class Edits:
    """Gathers changes of one text.

    Wrapping may nest: what is wrapped first is outermost, so a tree is to be walked from its root.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = lines_of(text)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))
        self._edits: list[_Edit] = []

    def span(self, node: Positioned) -> tuple[int, int]:
        """First character of a node, and the one behind its last."""
        line, column = node.end_lineno, node.end_col_offset
        if line is None or column is None:  # pragma: no cover - the parser always sets them
            raise ValueError("a node without an end")
        return self.offset(node.lineno, node.col_offset), self.offset(line, column)

    def offset(self, line: int, column: int) -> int:
        """The character at a line (from 1) and a column in UTF-8 bytes."""
        written = self._lines[line - 1] if line <= len(self._lines) else ""
        if written.isascii():
            return self._starts[line - 1] + column
        return self._starts[line - 1] + len(written.encode()[:column].decode())

    def source(self, node: Positioned) -> str:
        """A node as it is written."""
        start, end = self.span(node)
        return self.text[start:end]

    def replace(self, start: int, end: int, text: str, measure: str) -> None:
        """Put `text` where `start` to `end` was."""
        self._add(start, end, text, measure, 0)

    def insert(self, at: int, text: str, measure: str) -> None:
        """Put `text` before the character `at`, behind what was inserted there earlier."""
        self._add(at, at, text, measure, 1)

    def wrap(self, start: int, end: int, before: str, after: str, measure: str) -> None:
        """Put text on both sides of a span; of what begins or ends together, the first is outermost."""
        self._add(start, start, before, measure, 1)
        self._add(end, end, after, measure, -1)

    def lines(self) -> dict[str, list[int]]:
        """For each measure the numbers (from 1) of the lines it changes."""
        found: dict[str, set[int]] = {}
        for each in self._edits:
            found.setdefault(each.measure, set()).add(self._line_at(each.start))
        return {measure: sorted(lines) for measure, lines in found.items()}

    def applied(self) -> str:
        """The text with every change made.

        Raises:
            ValueError: Two replacements overlap, or lines would be added or removed.
        """
        parts: list[str] = []
        position = 0
        for each in sorted(self._edits, key=lambda edit: (edit.start, *edit.order)):
            if each.start < position:
                raise ValueError(f"changes overlap in line {self._line_at(each.start)}")
            parts += [self.text[position : each.start], each.text]
            position = each.end
        text = "".join(parts) + self.text[position:]
        if len(lines_of(text)) != len(self._lines):
            raise ValueError("changes would move lines")
        return text

    def _add(self, start: int, end: int, text: str, measure: str, side: Literal[-1, 0, 1]) -> None:
        number = len(self._edits)
        # At one place: what closes (innermost first), what opens (outermost first), then what is replaced.
        order = {-1: (0, -number), 1: (1, number), 0: (2, number)}[side]
        self._edits.append(_Edit(start, end, text, measure, order))

    def _line_at(self, position: int) -> int:
        low, high = 0, len(self._lines)
        while low < high:
            middle = (low + high) // 2
            if self._starts[middle + 1] <= position:
                low = middle + 1
            else:
                high = middle
        return low + 1
