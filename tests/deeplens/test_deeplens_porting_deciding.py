"""Which Python a package is for, and why."""

import pytest

from appliance.deeplens.porting.deciding import Evidence, decide, evidence, runtime_of
from appliance.deeplens.porting.report import Runtime
from appliance.deeplens.porting.source_text import decode


def seen(text: str) -> Evidence:
    """What a file of that text says."""
    return evidence(decode(text.encode()))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1\nprint 'a'\n", "line 2: print as a statement"),
        ("print >>f, 1\n", "line 1: print as a statement"),
        ("try: pass\nexcept A, e: pass\n", "line 2: except E, e"),
        ("if 1:\n\tx\n        y\n", "line 3: tabs and spaces mixed"),
        ("x = 0755\n", "line 1: Python 3 does not parse it"),
        ("for a in d.iteritems(): pass\n", "line 1: .iteritems"),
        ("d.has_key(1)\n", "line 1: .has_key"),
        ("for i in xrange(3): pass\n", "line 1: xrange"),
        ("x = unicode('a')\n", "line 1: unicode"),
        ("import urllib2\n", "line 1: import urllib2"),
        ("from Queue import Queue\n", "line 1: import Queue"),
    ],
)
def test_what_only_python_2_takes_speaks_for_python_2(text: str, reason: str) -> None:
    """Each is told with its line."""
    found = seen(text)

    assert found.python2[0].startswith(reason)
    assert ("python2", (f"f.py: {found.python2[0]}",)) == decide(None, [("f.py", found)])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = f'{1}'\n", "an f-string"),
        ("async def f(): pass\n", "async"),
        ("def f():\n    x = 1\n    def g():\n        nonlocal x\n", "nonlocal"),
        ("x: int = 1\n", "an annotation"),
        ("def f(a: int): pass\n", "an annotation"),
        ("def f() -> int: pass\n", "an annotation"),
        ("def f(*, a): pass\n", "a parameter by keyword or by position only"),
        ("print('a', end='')\n", "print(end=…)"),
        ("print('a', file=f)\n", "print(file=…)"),
        ("class A(metaclass=M): pass\n", "a keyword in a class's first line"),
        ("class A:\n    def f(self): super().f()\n", "super()"),
        ("def f(): yield from g()\n", "yield from"),
        ("raise A from b\n", "raise … from"),
        ("a, *b = c\n", "a starred target"),
        ("x = a @ b\n", "@ between values"),
        ("if (x := 1): pass\n", ":="),
        ("import urllib.request\n", "import urllib.request"),
        ("from queue import Queue\n", "import queue"),
        ("import http.client\n", "import http.client"),
        ("from pathlib import Path\n", "import pathlib"),
        ("import time\nx = time.perf_counter()\n", "time.perf_counter"),
        ("import subprocess\nsubprocess.run(['ls'])\n", "subprocess.run"),
        ("try:\n    f()\nexcept FileNotFoundError:\n    pass\n", "FileNotFoundError"),
        ("open('labels.txt', encoding='utf-8')\n", "open(encoding=…)"),
        ("import os\nos.makedirs('a', exist_ok=True)\n", "exist_ok=…"),
    ],
)
def test_what_python_2_never_took_speaks_for_python_3(text: str, reason: str) -> None:
    """Each is told with its line, and decides."""
    found = seen(text)

    assert found.python3[0].endswith(reason)
    assert "python3" == decide(None, [("f.py", found)])[0]


@pytest.mark.parametrize(
    "text",
    [
        "import greengrasssdk\nprint('a')\nx = 7 / 2\n",
        "try:\n    import Queue\nexcept ImportError:\n    import queue as Queue\n",
        "try:\n    unicode\nexcept NameError:\n    unicode = str\n",
        "from __future__ import print_function\nprint('a', end='')\n",
        "from __future__ import division\nprint('a %s' % 1)\n",
        "",
    ],
)
def test_what_both_take_is_python_2(text: str) -> None:
    """Ambiguous files are the rule, and were written for 2.7."""
    found = seen(text)

    assert ((), ()) == (found.python2, found.python3)
    runtime, reasons = decide(None, [("f.py", found)])
    assert "python2" == runtime
    assert "taken for 2.7" in reasons[0]


@pytest.mark.parametrize("declared", ["python2", "python3"])
def test_what_the_project_declares_wins(declared: Runtime) -> None:
    """Even against what its files say."""
    voices = [("a.py", seen("print 'a'\n")), ("b.py", seen("x = f''\n"))]

    assert (declared, ("declared by the project",)) == decide(declared, voices)


def test_the_first_file_that_says_something_decides() -> None:
    """The handler's file goes first; beside an ambiguous one another file decides."""
    old, new, neither = seen("print 'a'\n"), seen("x = f''\n"), seen("x = 1\n")

    assert "python2" == decide(None, [("a.py", old), ("b.py", new)])[0]
    assert "python3" == decide(None, [("a.py", neither), ("b.py", new)])[0]


def test_what_2_7_alone_had_says_more_than_a_newer_library() -> None:
    """A guard against an error that 2.7 never raised does not make Python 3 of it; an f-string does."""
    guarded = "try:\n    f()\nexcept FileNotFoundError:\n    pass\nfor i in xrange(3): pass\n"

    assert "python2" == decide(None, [("f.py", seen(guarded))])[0]
    assert "python3" == decide(None, [("f.py", seen(guarded + "x = f''\n"))])[0]


def test_a_file_that_python_2_could_not_load_is_python_3_anywhere() -> None:
    """In a package of Python 2 it is left as it is."""
    assert "python3" == runtime_of("python2", seen("x = f''\n"))[0]
    assert "python2" == runtime_of("python2", seen("x = 1\n"))[0]
    assert "python3" == runtime_of("python3", seen("x = 1 / 2\n"))[0]
