"""Lines and white space: every statement stays on its line, tracebacks name it, tabs are Python 2's."""

import ast
import importlib.util
from pathlib import Path
from typing import Any

import pytest
from fissix import pygram, pytree
from fissix.fixer_util import syms
from fissix.pgen2 import driver
from hypothesis import given
from hypothesis import strategies as st
from ported_runs import of, ported, rows, run

from appliance.deeplens.porting import deciding, porting_file
from appliance.deeplens.porting.source_text import Decoded, decode, lines_of
from appliance.deeplens.porting.syntax import Syntax
from appliance.deeplens.porting.tabs import expand_tabs, expanded

HERE = Path(__file__).parent
CONSTRUCTS = [
    source
    for name, (source, _) in rows(HERE / "python2_constructs.txt").items()
    if name not in {"names_that_are_keywords", "future_print"}  # not of fissix's plain grammar
]
SPACE = st.text(" \t\f", max_size=12)

SPREAD = '''
import sys, \\
       urllib2

def fetch(url,
          (host, port)=("a",
                        80)):
    """Says
    much.
    """
    raise IOError, \\
          "no %s" % \\
          host

def show(d):
    print "a", \\
        "b"
    print >>sys.stderr, \\
        "c"
    if d.has_key(
            "a"):
        return map(
            lambda (a, b):
                a / b,
            d.items()
        )[
            0]
    exec "x = 1" in \\
        d
    x = [`1`,
         0777]
    return filter(lambda v: v,
                  x)

class Meta(object):

    __metaclass__ = type

    def next(self): return 1

try:
    fetch("x", (1, 2))
except (IOError,
        OSError), \\
        e:
    print e.message
x = (7
     / 2)
x /= \\
    2
raise ValueError, x
'''


def statements_before(text: str) -> set[int]:
    """Lines on which Python 2's parser sees a statement begin."""
    tree: Any = driver.Driver(pygram.python_grammar, convert=pytree.convert).parse_string(text + "\n")
    words = (
        "simple_stmt",
        "if_stmt",
        "for_stmt",
        "while_stmt",
        "try_stmt",
        "funcdef",
        "classdef",
        "with_stmt",
    )
    kinds = {getattr(syms, word) for word in words}
    begun = {node.get_lineno() for node in tree.pre_order() if node.type in kinds and str(node).strip()}
    # For Python 3 an elif is a statement within the if.
    return begun | {leaf.lineno for leaf in tree.leaves() if leaf.value == "elif"}


def statements_after(text: str) -> set[int]:
    """Lines on which Python 3's parser sees a statement begin, as the compiler counts them."""
    return {node.lineno for node in ast.walk(deciding.parsed(text)) if isinstance(node, ast.stmt)}


def ported_text(source: Decoded) -> str:
    """The text, ported as Python 2."""
    return porting_file.port(source, "python2", deciding.evidence(source), Syntax()).text


def grammar_of_python_2() -> str:
    """A thousand lines of everything Python 2 allows: fissix brings them for its own tests."""
    found = importlib.util.find_spec("fissix")
    assert found is not None
    assert found.origin is not None
    text = (Path(found.origin).parent / "tests/data/py2_test_grammar.py").read_text("utf-8")
    return text.replace("from sys import *", "import sys")  # inside a function: refused since 3.0


@pytest.mark.parametrize(
    "text",
    [
        SPREAD,
        grammar_of_python_2(),
        *CONSTRUCTS,
    ],
)
def test_every_statement_keeps_its_line(text: str) -> None:
    """What is written over several lines or needs another statement leaves all others where they were."""
    result = ported_text(Decoded(text, "utf-8"))

    assert len(lines_of(text)) == len(lines_of(result))
    assert statements_before(text) == statements_after(result)


def test_a_traceback_names_the_authors_lines(tmp_path: Path) -> None:
    """An error below everything that is rewritten is on the line where the author finds it."""
    folder, _ = ported(tmp_path, {"lambda_function.py": SPREAD})
    line = SPREAD[: SPREAD.index("raise ValueError, x")].count("\n") + 1

    printed = run(folder, ["lambda_function.py"])["lambda_function.py"]

    assert "no 1\n" == printed.split("Traceback")[0]
    assert f'File "lambda_function.py", line {line}, in <module>' in printed
    assert printed.endswith("ValueError: 1\n")


def test_a_line_more_is_told_of() -> None:
    """Where a statement finds no place on a line, the port says from where on lines are moved."""
    text = "try:\n    raise IOError(1, 2)\nexcept IOError, (a, b):\n    while a:\n        a = 0\nprint b\n"

    result = porting_file.port(Decoded(text, "utf-8"), "python2", deciding.evidence(decode(b"")), Syntax())

    assert ["line 3: needed a line more"] == [note.split(";")[0] for note in result.notes]
    assert len(lines_of(text)) + 1 == len(lines_of(result.text))


@given(SPACE)
def test_expanding_twice_is_expanding_once(indent: str) -> None:
    """What has no tabs stays."""
    assert "\t" not in expanded(indent)
    assert expanded(indent) == expanded(expanded(indent))


@given(SPACE)
def test_the_column_is_the_one_python_2_counted(indent: str) -> None:
    """A tab goes to the next multiple of eight, a form feed back to nought, as in Python 2's tokenizer."""
    column = 0
    for character in indent:
        column = {"\t": (column // 8 + 1) * 8, "\f": 0}.get(character, column + 1)

    assert column == len(expanded(indent).rpartition("\f")[2])


@given(
    st.lists(
        st.sampled_from(["\t", "  ", "x = 1", '"""', "'''", "# it's", "'a\\'", '"\\\n', "\n", "\r\n", "\\"])
    )
)
def test_only_indentation_changes(parts: list[str]) -> None:
    """Whatever else a file holds, closed or not, lines differ in leading white space at most."""
    text = "".join(parts)

    result, changed = expand_tabs(text)

    before, after = lines_of(text), lines_of(result)
    assert len(before) == len(after)
    assert [line.lstrip(" \t\f") for line in before] == [line.lstrip(" \t\f") for line in after]
    assert changed == [number for number, line in enumerate(before, 1) if line != after[number - 1]]


def test_blocks_that_are_seen_only_with_narrow_tabs_are_seen(tmp_path: Path) -> None:
    """As in an editor whose tabs are 4 columns. Python 2 refused that: the report says so."""
    narrow = "if 1:\n    x = 1\n\tprint x\nprint 2\n"
    neither = "if 1:\n    x = 1\n\t  print x\n"

    folder, report = ported(tmp_path, {"a.py": narrow, "b.py": neither}, "python2")

    assert "if 1:\n    x = 1\n    print(x)\nprint(2)\n" == (folder / "a.py").read_text()
    assert any("4 columns" in note for note in of(report, "a.py").notes)
    assert "failed" == of(report, "b.py").outcome


def test_tabs_inside_texts_stay() -> None:
    """Texts of several lines are what the author wrote, whatever quotes stand in comments before them."""
    text = "# it's \"\"\"\nx = '''\n\ta\n'''\n\ty = r'\\'\n\tz = \"\\\n\tb\"\n"

    result, changed = expand_tabs(text)

    assert [5, 6] == changed
    assert "\n\ta\n" in result
    assert '\\\n\tb"' in result
