"""Comparing by Python 2's rules: what is rewritten, and what the helper gives."""

import ast
import datetime as dt
import itertools
import operator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.deeplens.porting import ordering
from appliance.deeplens.porting.python2_order import python2_compare
from appliance.deeplens.porting.sources import Sources

SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
ORDERED = st.one_of(st.none(), st.integers(), st.floats(allow_nan=False), st.text())


def rewritten(text: str) -> str:
    """The text with its comparisons rewritten."""
    source = Sources(text, ast.parse(text))
    ordering.rewrite(source)
    return source.edits.applied()


@pytest.mark.parametrize(
    ("before", "text", "expected"),
    [
        ("x = None", "x < 3", 'python2_compare(x, "<", 3)'),
        ("x = None", "3>=x", 'python2_compare(3, ">=",x)'),
        ("a, x = 1, None", "if x > 3: pass", 'if python2_compare(x, ">", 3): pass'),
        ("a = b.x = None", "c.x <= 3", 'python2_compare(c.x, "<=", 3)'),
        ("x = 1 if y else None", "x < 3", 'python2_compare(x, "<", 3)'),
        ("def f(a, x=None):", "  return x < 3", '  return python2_compare(x, "<", 3)'),
        ("[a, x] = [1, None]", "x < 3", 'python2_compare(x, "<", 3)'),
        ("x = None if y else 1", "x < 3", 'python2_compare(x, "<", 3)'),
        ("class C: x = None", "c.x < 3", 'python2_compare(c.x, "<", 3)'),
        ("d['x'] = None", "e['x'] < 3", "python2_compare(e['x'], \"<\", 3)"),
        ("d = {'x': None, 'y': 1, **e}", "d['x'] < 3", "python2_compare(d['x'], \"<\", 3)"),
        ("d = {'x': None, 'y': 1}", "d['y'] < 3", "d['y'] < 3"),
        ("x = d.get('x')", "x < 3", 'python2_compare(x, "<", 3)'),
        ("def f(a=None): b.x = c = a", "b.x < 3", 'python2_compare(b.x, "<", 3)'),
        ("def f(): return", "x = f(1)\nx < 3", 'x = f(1)\npython2_compare(x, "<", 3)'),
        ("def f(a):\n  if a: return 1", "f(1) < 3", 'python2_compare(f(1), "<", 3)'),
        ("def f(a):\n  for b in a:\n    return 1", "c.f(1) < 3", 'python2_compare(c.f(1), "<", 3)'),
        ("def f():\n  return g()\ndef g(): return None", "f() < 3", 'python2_compare(f(), "<", 3)'),
        ("def f(): return 1", "f() < 3", "f() < 3"),
        ("def f():\n  if a: return 1\n  else: return 2", "f() < 3", "f() < 3"),
        ("def f():\n  def g(): return\n  return 1", "f() < 3", "f() < 3"),
        ("def f(): pass", "f() < 3", "f() < 3"),
        ("", "d.get('x', None) < 3", "python2_compare(d.get('x', None), \"<\", 3)"),
        ("", "d.get('x') < 3", "python2_compare(d.get('x'), \"<\", 3)"),
        ("", "(None) < (3)", 'python2_compare((None), "<", (3))'),
        ("x = None", "((x) # <\n < 3)", '(python2_compare((x) # <\n, "<", 3))'),
        ("x = None", "x < y < z", "x < y < z"),
        ("x = None", "x == 3, x is 3, x != 3", "x == 3, x is 3, x != 3"),
        ("a, x = None, 1", "x < 3", "x < 3"),
        ("def f(x, a=None):", "  return x < 3", "  return x < 3"),
        ("x = None", "c.x < 3", "c.x < 3"),
        ("", "d.get('x', 0) < 3", "d.get('x', 0) < 3"),
        ("x, y = f(None)", "x < 3", "x < 3"),
    ],
)
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_only_what_may_be_none_is_rewritten(before: str, text: str, expected: str) -> None:
    """Two sides, one of which the file gives None somewhere; all else stays as it is."""
    assert f"{before}\n{expected}" == rewritten(f"{before}\n{text}")


@given(ORDERED, ORDERED, ORDERED)
def test_everything_has_its_place(one: Any, two: Any, three: Any) -> None:
    """None before numbers before texts: one order, in which no two are before each other."""
    assert python2_compare(one, "<", two) is not python2_compare(one, ">=", two)
    assert python2_compare(one, ">", two) is python2_compare(two, "<", one)
    for a, b, c in itertools.permutations((one, two, three)):
        if python2_compare(a, "<=", b) and python2_compare(b, "<=", c):
            assert python2_compare(a, "<=", c)


@pytest.mark.parametrize("sign", SIGNS)
@given(left=st.one_of(st.integers(), st.floats()), right=st.one_of(st.integers(), st.floats()))
def test_what_can_be_compared_is_compared(sign: str, left: float, right: float) -> None:
    """Numbers are compared as ever, also one that is none."""
    assert SIGNS[sign](left, right) is python2_compare(left, sign, right)


def test_arrays_and_their_numbers() -> None:
    """An array is compared item by item, one of its numbers as a number."""
    assert [True, False] == python2_compare(np.array([1, 5]), "<", 3).tolist()
    assert python2_compare(np.float32(0.1), ">", None)
    assert python2_compare(np.float32(0.1), "<", "a")


@pytest.mark.parametrize("value", [object(), print, bytearray(), np.True_, "", [], -1, float("-inf")])
def test_none_is_less_than_everything(value: Any) -> None:
    """Whatever its type is."""
    assert python2_compare(None, "<", value)
    assert python2_compare(value, ">=", None)
    assert not python2_compare(value, "<=", None)


def test_text_was_bytes() -> None:
    """Both were one type, and are compared by what they hold."""
    assert python2_compare(b"a", "<", "b")
    assert python2_compare("b", ">", b"a")
    assert python2_compare("a", "<=", b"a")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (np.array([1, 5]), None),
        (dt.datetime(2018, 1, 1), None),  # noqa: DTZ001 - as functions make them
        (None, {1}),
        (None, 1j),
        (1j, 2j),
        ({}, {}),
        (object(), 1),
    ],
)
def test_what_had_no_order_has_none(left: Any, right: Any) -> None:
    """Types that refused in Python 2, and orders that are not known here, are a `TypeError`."""
    with pytest.raises(TypeError, match="not supported between"):
        python2_compare(left, "<", right)
