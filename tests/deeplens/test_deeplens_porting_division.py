"""Division by Python 2's rules: what is rewritten, and what the helpers give for ints, floats and numpy."""

import ast
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.deeplens.porting import division
from appliance.deeplens.porting.python2 import (
    python2_cmp,
    python2_divide,
    python2_divide_in_place,
    python2_divisor,
    python2_round,
    python2_sorted,
)
from appliance.deeplens.porting.sources import Sources

NAMES = {
    "python2_divide": python2_divide,
    "python2_divide_in_place": python2_divide_in_place,
    "python2_divisor": python2_divisor,
}
INTEGERS = st.integers(-(10**20), 10**20)
SMALL = st.integers(-100, 100)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def rewritten(text: str) -> str:
    """The text with its divisions rewritten."""
    source = Sources(text, ast.parse(text))
    division.rewrite(source)
    return source.edits.applied()


def evaluated(expression: str) -> Any:
    """What a rewritten expression gives."""
    return eval(rewritten(expression), {**NAMES, "np": np})  # noqa: S307


@given(INTEGERS, INTEGERS.filter(bool))
def test_two_integers_are_floored(left: int, right: int) -> None:
    """An int divided by an int is the int below, also for negative ones."""
    quotient = python2_divide(left, right)

    assert int is type(quotient)
    assert math.floor(Fraction(left, right)) == quotient


@given(st.one_of(INTEGERS, FLOATS), FLOATS.filter(bool))
def test_a_float_divides_truly(left: float, right: float) -> None:
    """As soon as one side is a float the quotient is the true one."""
    try:
        expected = left / right
    except OverflowError:
        with pytest.raises(OverflowError):
            python2_divide(left, right)
        return

    assert expected == python2_divide(left, right)


@given(
    st.booleans(),
    st.sampled_from([np.int8, np.uint8, np.int16, np.int32, np.int64]),
    SMALL,
    st.integers(1, 100),
)
def test_numpys_integers_are_floored(as_array: bool, kind: Any, left: int, right: int) -> None:  # noqa: FBT001
    """Ints of numpy and arrays of them were floored too, and keep their kind."""
    left = abs(left)
    value = np.array([left, left], kind) if as_array else kind(left)

    quotient = python2_divide(value, right)

    assert "f" != np.asarray(quotient).dtype.kind
    assert np.all(left // right == quotient)


@given(SMALL, st.floats(0.5, 100))
def test_arrays_of_floats_divide_truly(left: int, right: float) -> None:
    """An array of floats, or by a float, is divided truly."""
    assert left / right == python2_divide(np.array([left]), right)[0]
    assert float(left) / 7 == python2_divide(np.array([float(left)]), 7)[0]


def test_an_array_divided_by_a_number_too_large_for_it_is_widened() -> None:
    """A picture divided by 300 is 0, as numpy had it when it still looked at values."""
    picture = np.full((2, 2), 200, np.uint8)

    assert [[0, 0], [0, 0]] == python2_divide(picture, 300).tolist()
    assert [[1, 1], [1, 1]] == python2_divide(300, picture).tolist()


def test_an_array_divided_by_a_list_of_ints_is_floored() -> None:
    """Lists are taken for the arrays they become."""
    assert [2, 1] == python2_divide(np.array([5, 5]), [2, 3]).tolist()
    assert [2.5] == python2_divide(np.array([5]), [2.0]).tolist()


def test_in_place_division_changes_the_array_itself() -> None:
    """Whoever else holds the array sees the quotient, as it was."""
    held = other = np.array([7, 9])

    held = python2_divide_in_place(held, 2)

    assert held is other
    assert [3, 4] == other.tolist()


def test_what_a_class_says_of_division_is_asked() -> None:
    """`__div__`, `__rdiv__` and `__idiv__` are what `/` called."""

    class Length:
        def __div__(self, other: int) -> str:
            return f"div {other}"

        def __rdiv__(self, other: int) -> str:
            return f"rdiv {other}"

        def __idiv__(self, other: int) -> str:
            return f"idiv {other}"

    assert "div 2" == python2_divide(Length(), 2)
    assert "rdiv 2" == python2_divide(2, Length())
    assert "idiv 2" == python2_divide_in_place(Length(), 2)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("7 / 2", 3),
        ("-7 / 2", -4),
        ("7 / 2 / 2", 1),
        ("7 / (2 / 1)", 3),
        ("(7) / (2)", 3),
        ("(7 / 2) * 2.0", 6.0),
        ("7 / 2.0", 3.5),
        ("float(7) / 2", 3.5),
        ("float(7 / 2)", 3.0),
        ("1 - 7 / 2 + 1", -1),
        ("2 ** 3 / 3", 2),
        ("-(9 / 2)", -4),
        ("[x / 2 for x in (5, 6)]", [2, 3]),
        ("(lambda a, b=9 / 2: a / b)(9)", 2),
        ("7 / 2 if 1 / 2 else 9 / 2", 4),
        ("(7\n/ # half / of it\n2)", 3),
        ("7 \\\n / 2", 3),
        ("{'ä/ö': 7 / 2}['ä/ö']", 3),
        ("not 1 / 2", True),
        ("7 // 2 / 2", 1),
        ("np.arange(10)[len('abcde') / 2:9 / 2].tolist()", [2, 3]),
        ("'%d' % (7 / 2)", "3"),
        ("(5, 7)[1] / 2", 3),
        ("True / 2", 0),
    ],
)
def test_an_expression_gives_what_it_gave(written: str, expected: Any) -> None:
    """Whatever stands around a division, operands and precedence stay, and so do lines."""
    assert expected == evaluated(written)
    assert written.count("\n") == rewritten(written).count("\n")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("x = 7\nx /= 2", 3),
        ("x = 7\nx /= 2.0", 3.5),
        ("x = [7]\nx[0] /= 2\nx = x[0]", 3),
        ("x = [[7, 8]]\nx[0][0:1][0] /= 2\nx[0][-1] /= 3\nx = x[0]", [7, 2]),
        ("class C: a = 9\nC.a /= 2\nx = C.a", 4),
        ("def f(): f.n = f.n + 1; return 0\nf.n = 0\nx = [9]\nx[f()] /= 2\nx = (x[0], f.n)", (4, 1)),
        ("def f(): return 0\na = np.array([9, 9])\na[f()] /= 2\nx = a.tolist()", [4, 9]),
        ("def f(): return slice(0, 2)\na = np.array([9, 9])\na[f()] /= 2\nx = a.tolist()", [4, 4]),
        ("x = [9, 8]\nx[1 / 2] /= 7 / 3\nx = x[0]", 4),
        ("class C:\n    half = 9 / 2\n    half /= 2\nx = C.half", 2),
        ("x = 9\nif x: x /= 2; x /= 2", 2),
        ("x = 9\nx /= (\n 1 +\n 1)", 4),
    ],
)
def test_a_statement_gives_what_it_gave(statement: str, expected: Any) -> None:
    """`/=` looks at what stands left of it once, and in a class body as anywhere."""
    names: dict[str, Any] = {**NAMES, "np": np}

    exec(rewritten(statement), names)  # noqa: S102

    assert expected == names["x"]


def test_true_division_stays_where_it_was_asked_for() -> None:
    """A file that imports division from the future is not touched."""
    text = "from __future__ import division\nx = 7 / 2\n"

    assert text == rewritten(text)


def test_the_fudge_of_the_samples_comes_out_as_it_did() -> None:
    """On frames of 2688 pixels 8x + x is nearly the true 8.96x; truly divided it would be 9.96x."""
    assert 8.0 == evaluated("float(2688 / 300)")
    assert 900 == evaluated("int(float(2688 / 300) * 100) + int((100 - 300 / 2) + 300 / 2)")


@pytest.mark.parametrize(
    ("number", "digits", "expected"),
    [(2.5, 0, 3.0), (-2.5, 0, -3.0), (0.125, 2, 0.13), (2.675, 2, 2.67), (1e300, 2, 1e300), (151, -2, 200.0)],
)
def test_rounding_is_python_2s(number: float, digits: int, expected: float) -> None:
    """Halves go away from zero, what is no half goes where it is nearer, and the result is a float."""
    rounded = python2_round(number, digits)

    assert float is type(rounded)
    assert expected == rounded


@given(st.lists(SMALL))
def test_sorting_by_cmp_is_sorting(items: list[int]) -> None:
    """`cmp` orders as comparison does, and turned round it orders the other way."""
    assert sorted(items) == python2_sorted(items, python2_cmp)
    assert sorted(items, reverse=True) == python2_sorted(items, lambda a, b: python2_cmp(b, a))
    assert sorted(items, key=abs) == python2_sorted(items, python2_cmp, abs)
