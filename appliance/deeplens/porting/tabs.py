"""Tabs in indentation → spaces, by Python 2's rule: a tab goes on to the next column that 8 divides.

Of an editor's 4 columns, if asked for. Python 3 refuses blocks indented with both (TabError). Only white
space at the beginning of a line counts; tabs inside texts, also inside those of many lines, and between words
stay.
"""

import re

from appliance.deeplens.porting.source_text import lines_of

COLUMNS = 8
COLUMNS_OF_EDITORS = 4

_INDENT = re.compile(r"[ \t\f]*")
_TOKEN = re.compile(
    r"""(?P<comment>\#[^\r\n]*)
    | (?P<triple>\"\"\"|''')
    | (?P<text>"(?:[^"\\\r\n]|\\(?:\r\n|.|\n|\r))*"?|'(?:[^'\\\r\n]|\\(?:\r\n|.|\n|\r))*'?)
    | (?P<escaped>\\(?:\r\n|.|\n|\r))""",
    re.VERBOSE,
)
_ENDS = {quotes: re.compile(rf"(?:[^\\]|\\.)*?{quotes}", re.DOTALL) for quotes in ('"""', "'''")}


def expand_tabs(text: str, columns: int = COLUMNS) -> tuple[str, list[int]]:
    """The text without tabs in indentation, and the numbers (from 1) of the lines that had one."""
    if "\t" not in text:
        return text, []
    inside = _lines_begun_inside_a_text(text)
    changed = []
    lines = lines_of(text)
    for index, line in enumerate(lines):
        found = _INDENT.match(line)
        indent = found[0] if found else ""
        if "\t" in indent and index not in inside:
            lines[index] = expanded(indent, columns) + line[len(indent) :]
            changed.append(index + 1)
    return "".join(lines), changed


def expanded(indent: str, columns: int = COLUMNS) -> str:
    """White space of the same width, without tabs; behind a form feed columns are counted anew.

    Args:
        indent: The white space.
        columns: Of which a tab goes on to the next multiple.
    """
    width = 0
    kept = ""
    for character in indent:
        if character == "\t":
            width += columns - width % columns
        elif character == "\f":
            kept, width = kept + " " * width + "\f", 0
        else:
            width += 1
    return kept + " " * width


def _lines_begun_inside_a_text(text: str) -> set[int]:
    """Indices of the lines whose beginning belongs to a text that was opened on an earlier line."""
    inside: set[int] = set()
    starts = []
    position = 0
    for line in lines_of(text):
        starts.append(position)
        position += len(line)
    position = 0
    line_index = 0
    while found := _TOKEN.search(text, position):
        end = found.end()
        if found.lastgroup == "triple":
            closing = _ENDS[found["triple"]].match(text, end)
            end = closing.end() if closing else len(text)
        if found.lastgroup in {"triple", "text"}:
            while line_index < len(starts) and starts[line_index] <= found.start():
                line_index += 1
            while line_index < len(starts) and starts[line_index] < end:
                inside.add(line_index)
                line_index += 1
        position = end
    return inside
