"""`<`, `<=`, `>` and `>=` by Python 2's rules: what cannot be compared has an order all the same.

None comes first, then numbers, then texts, lists, tuples and dictionaries by the names of their types. Of
what Python 3 compares nothing changes.
"""

import datetime as dt
import numbers
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from appliance.deeplens.porting.python2_text import as_bytes

_COMPARE: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TEXTS: Final = (str, bytes)
_NAMED: Final[Mapping[type, str]] = {str: "str", bytes: "str", list: "list", tuple: "tuple", dict: "dict"}
_REFUSING: Final = (dt.date, dt.time, dt.timedelta, set, frozenset)
"""Types that Python 2 did not compare with None either."""


def python2_compare(left: Any, sign: str, right: Any) -> Any:
    """`left < right`, by Python 2's rules.

    Args:
        left: One side.
        sign: `<`, `<=`, `>` or `>=`.
        right: The other.

    Raises:
        TypeError: Python 2 refused them as well, or had an order of addresses, or one that is not known here.
    """
    compare = _COMPARE[sign]
    try:
        return compare(left, right)
    except TypeError:
        places = _places(left, right)
        if places is None:
            raise
        return compare(*places)


def _places(left: Any, right: Any) -> tuple[Any, Any] | None:
    """What stands in the same order as both, and can be compared; None where there is no order."""
    if left is None or right is None:
        return None if _refuses(left) or _refuses(right) else (left is not None, right is not None)
    if isinstance(left, _TEXTS) and isinstance(right, _TEXTS):
        return as_bytes(left), as_bytes(right)
    one, other = _rank(left), _rank(right)
    return None if not one or not other or one == other else (one, other)


def _refuses(value: Any) -> bool:
    """Whether its type had its own say: times, sets, complex numbers, arrays."""
    without_order = isinstance(value, numbers.Complex) and not isinstance(value, numbers.Real)
    return without_order or isinstance(value, _REFUSING) or bool(getattr(value, "shape", ()))


def _rank(value: Any) -> str:
    """The name its type is ordered by, a number's before all others; empty for types not known here."""
    if isinstance(value, numbers.Real):
        return "\x01"
    return next((name for kind, name in _NAMED.items() if isinstance(value, kind)), "")
