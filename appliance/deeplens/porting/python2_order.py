"""`<`, `<=`, `>` and `>=` by Python 2's rules: what cannot be compared has an order all the same.

None comes first, then numbers, then all else by the names of their types. Of what Python 3 compares nothing
changes.
"""

import numbers
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

_COMPARE: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NAMED: Final[Mapping[type, str]] = {str: "str", bytes: "str", list: "list", tuple: "tuple", dict: "dict"}


def python2_compare(left: Any, sign: str, right: Any) -> Any:
    """`left < right`, by Python 2's rules.

    Args:
        left: One side.
        sign: `<`, `<=`, `>` or `>=`.
        right: The other.

    Raises:
        TypeError: They cannot be compared, and Python 2 did not either, or by their addresses.
    """
    compare = _COMPARE[sign]
    try:
        return compare(left, right)
    except TypeError:
        one, other = _rank(left), _rank(right)
        if one is None or other is None or (one == other and left is not None):
            raise
        return compare(one, other)


def _rank(value: Any) -> tuple[int, str] | None:
    """Where its type stands; None for types that had a say in it themselves (arrays, times)."""
    if value is None:
        return 0, ""
    if isinstance(value, numbers.Real):
        return 1, ""
    return next(((2, name) for kind, name in _NAMED.items() if isinstance(value, kind)), None)
