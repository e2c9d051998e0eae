"""Constructs and library of Python 2, each with what Python 2.7 prints: the port has to print the same.

The tables lie beside this file. Their outputs were compared with Python 2.7.18, which is not there when the
tests run.
"""

from pathlib import Path

import pytest
from ported_runs import commanded, of, ported, rows, run, write

HERE = Path(__file__).parent

# What a text file would not keep: tabs, line ends, form feeds.
WHITE_SPACE = {
    "line_ends_of_windows": ("x = 1\r\nif x:\r\n    print 'yes'\r\n", "yes\n"),
    "line_ends_of_old": ("x = 1\rif x:\r    print 'yes'\r", "yes\n"),
    "form_feed": ("x = 1\n\x0c\ndef f():\n    print x\nf()", "1\n"),
    "no_line_end": ("if 1:\n\tprint 'a'", "a\n"),
    "tabs_and_spaces": ("if 1:\n\tx = 1\n        print x\n", "1\n"),  # a tab goes to column 8
    "tabs_deep": ("def f():\n    if 1:\n\tx = 1\n\tprint x\n    print 2\nf()\n", "1\n2\n"),
    "tabs_in_text": ("x = '''\n\ta'''\nprint repr(x), repr('\t')", "'\\n\\ta' '\\t'\n"),
    "tab_after_continued_text": ("x = 'a\\\n\tb'\nif x:\n\tprint repr(x)", "'a\\tb'\n"),
}
TABLE = {
    **rows(HERE / "python2_constructs.txt"),
    **rows(HERE / "python2_library.txt"),
    **WHITE_SPACE,
}
FILES = {f"row_{name}.py": source for name, (source, _) in TABLE.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all rows lie, ported."""
    source, target = tmp_path_factory.mktemp("rows"), tmp_path_factory.mktemp("ported")
    report = commanded(write(source, FILES), target, "--runtime", "python2")
    assert () == report.failed
    return target


@pytest.fixture(scope="module")
def printed(folder: Path) -> dict[str, str]:
    """What each row prints when it was ported."""
    return run(folder, list(FILES))


@pytest.mark.parametrize("name", TABLE)
def test_a_row_prints_what_python_2_prints(name: str, printed: dict[str, str]) -> None:
    """A construct of Python 2, or a call of its library, does after porting what it did."""
    assert TABLE[name][1] == printed[f"row_{name}.py"]


def test_every_row_keeps_its_lines(folder: Path) -> None:
    """Whatever was rewritten stands on the line where the author wrote it."""
    for name, source in FILES.items():
        assert len(source.splitlines()) == len((folder / name).read_text().splitlines()), name


def test_a_declared_encoding_is_read_and_written_as_utf_8(tmp_path: Path) -> None:
    """A file in Latin-1 says in UTF-8 what it said; one with a byte order mark loses it."""
    files = {
        "latin.py": "#!/usr/bin/python\n# -*- coding: latin-1 -*-\nprint len(u'ä')\n".encode("latin-1"),
        "marked.py": b"\xef\xbb\xbfprint u'\xc3\xa4' == u'\\xe4'\n",
        "undeclared.py": b"# caf\xe9\nprint 'ok'\n",
    }

    folder, report = ported(tmp_path, files)

    assert b"# -*- coding: utf-8 -*-" == (folder / "latin.py").read_bytes().splitlines()[1]
    assert {"latin.py": "1\n", "marked.py": "True\n", "undeclared.py": "ok\n"} == run(folder, list(files))
    assert ("line 1 is not utf-8: the file was read as Latin-1",) == of(report, "undeclared.py").notes
