"""What ported Python 2 code finds at run time: helpers that its rewritten lines call, names that are gone.

`install()` puts them among the built-ins, so that no import line has to be added, and makes the modules of
Python 2's library importable. Changes nothing for Python 3 code. Nothing happens on import.
"""

import builtins
import codecs
import decimal
import functools
import importlib
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from itertools import zip_longest
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from appliance.deeplens.porting import python2_library, since37
from appliance.deeplens.porting.python2_files import python2_open
from appliance.deeplens.porting.python2_order import python2_compare
from appliance.deeplens.porting.python2_text import as_bytes
from appliance.deeplens.porting.python2_types import basestring, buffer, file, python2_int, unicode

_INTEGERS = frozenset("iub")
"""Kinds of numpy's types that Python 2 divided as integers."""

_PRECISE = 800
"""Digits that hold every float exactly, and some behind."""

_TO_TEXT = frozenset(
    {"hex", "hex-codec", "base64", "base64-codec", "uu", "uu-codec", "quopri", "quopri-codec"}
)
_TO_BYTES = frozenset({"zip", "zlib", "zlib-codec", "bz2", "bz2-codec"})
_TEXT_TO_TEXT = {"rot13": "rot13", "rot-13": "rot13", "string-escape": "unicode_escape"}


def python2_divide(left: Any, right: Any) -> Any:
    """`left / right` by Python 2's rules: two integers, or arrays of them, are floored.

    A class that says what `/` does by `__div__` or `__rdiv__` is asked first.
    """
    if type(left) is int and type(right) is int:
        return left // right
    if hasattr(type(left), "__div__"):
        result = type(left).__div__(left, right)
        if result is not NotImplemented:
            return result
    if hasattr(type(right), "__rdiv__"):
        result = type(right).__rdiv__(right, left)
        if result is not NotImplemented:
            return result
    if not (_whole(left, right) and _whole(right, left)):
        return left / right
    try:
        return left // right
    except OverflowError:
        return _fitting(left, right) // _fitting(right, left)


def python2_divide_in_place(left: Any, right: Any) -> Any:
    """`left /= right` by Python 2's rules; gives what the name is bound to afterwards."""
    if type(left) is int and type(right) is int:
        return left // right
    if hasattr(type(left), "__idiv__"):
        result = type(left).__idiv__(left, right)
        if result is not NotImplemented:
            return result
    if hasattr(type(left), "__div__") or hasattr(type(right), "__rdiv__"):
        return python2_divide(left, right)
    if _whole(left, right) and _whole(right, left):
        left //= right
    else:
        left /= right
    return left


class python2_divisor:  # noqa: N801 - called like the functions beside it
    """Stands right of `/=` where the left side may be looked at only once (`next_box()[0] /= 2`)."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __rtruediv__(self, left: Any) -> Any:
        """Called by what knows nothing of this class: all numbers."""
        return python2_divide_in_place(left, self._value)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        """Called by numpy's arrays and numbers, whose result goes into `out`."""
        if getattr(ufunc, "__name__", "") not in {"divide", "true_divide"} or method != "__call__":
            return NotImplemented
        out = keywords.get("out")
        if not out:
            return python2_divide(inputs[0], self._value)
        return python2_divide_in_place(out[0], self._value)


def _whole(value: Any, other: Any) -> bool:
    """Whether Python 2 took the value for an integer, or for an array of them, when dividing."""
    if isinstance(value, int):
        return True
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    if kind is None and isinstance(value, (list, tuple)) and hasattr(other, "dtype"):
        kind = sys.modules["numpy"].asarray(value).dtype.kind  # an array is there, so numpy is
    return kind in _INTEGERS


def _fitting(value: Any, other: Any) -> Any:
    """A plain number as numpy's smallest type that holds it, as numpy widened arrays before version 2."""
    if isinstance(value, int) and hasattr(other, "dtype"):
        return sys.modules["numpy"].min_scalar_type(value).type(value)
    return value


def python2_round(number: Any, digits: int = 0) -> Any:
    """`round` of Python 2: always a float, and halves go away from zero."""
    value = float(number)
    if not math.isfinite(value):
        return value
    with decimal.localcontext(prec=_PRECISE):
        exact = decimal.Decimal(value)
        return float(exact.quantize(decimal.Decimal(1).scaleb(-digits), decimal.ROUND_HALF_UP))


def python2_bytearray(value: Any) -> bytearray:
    """`bytearray(value)`, where the value may be a text, which was bytes."""
    return bytearray(as_bytes(value))


def python2_cmp(left: Any, right: Any) -> int:
    """`cmp`: -1, 0 or 1."""
    return int(python2_compare(left, ">", right)) - int(python2_compare(left, "<", right))


def python2_sorted(
    items: Iterable[Any],
    cmp: Callable[[Any, Any], int] | None = None,
    key: Callable[[Any], Any] | None = None,
    reverse: bool = False,  # noqa: FBT001, FBT002 - Python 2's own signature
) -> list[Any]:
    """`sorted` with Python 2's arguments."""
    return sorted(items, key=_key(cmp, key), reverse=reverse)


def python2_sort(items: Any, *positional: Any, **named: Any) -> Any:
    """`items.sort(...)` with Python 2's arguments if it is a list; otherwise whatever its own `sort` says."""
    if not isinstance(items, list):
        return items.sort(*positional, **named)
    items[:] = python2_sorted(items, *positional, **named)
    return None


def _key(
    cmp: Callable[[Any, Any], int] | None, key: Callable[[Any], Any] | None
) -> Callable[[Any], Any] | None:
    if cmp is None:
        return key
    by_cmp = functools.cmp_to_key(cmp)
    if key is None:
        return by_cmp
    return lambda item: by_cmp(key(item))


def python2_map(function: Callable[..., Any] | None, *iterables: Iterable[Any]) -> list[Any]:
    """`map` of Python 2 over several iterables: a list, the shorter ones filled with None."""
    rows = zip_longest(*iterables)
    if function is None:
        return [row[0] if len(iterables) == 1 else row for row in rows]
    return [function(*row) for row in rows]


def python2_filter(function: Callable[[Any], Any] | None, items: Any) -> Any:
    """`filter` of Python 2: text stays text, a tuple a tuple, all else becomes a list."""
    kept = filter(function, items)
    if isinstance(items, str):
        return "".join(kept)
    return tuple(kept) if isinstance(items, tuple) else list(kept)


def python2_next(iterator: Any) -> Any:
    """`iterator.next()`: the next item of an iterator, or whatever a method called `next` does."""
    if hasattr(type(iterator), "__next__"):
        return next(iterator)
    return iterator.next()


def python2_message(error: Any) -> Any:
    """`error.message`, which every exception of Python 2 had."""
    if not isinstance(error, BaseException) or hasattr(error, "message"):
        return error.message
    return error.args[0] if len(error.args) == 1 else ""


def python2_encode(value: Any, *positional: Any, **named: Any) -> Any:
    """`value.encode(...)`, also for the codecs that turned text into text (hex, base64 …)."""
    name = _codec(positional, named)
    if name in _TO_TEXT | _TO_BYTES:
        encode: Any = codecs.lookup(name.replace("-", "_")).encode
        encoded: bytes = encode(_data(value))[0]
        return encoded.decode("ascii") if name in _TO_TEXT else encoded
    if name in _TEXT_TO_TEXT and isinstance(value, str):
        turned: Any = codecs.lookup(_TEXT_TO_TEXT[name]).encode(value)[0]
        return turned.decode("ascii") if isinstance(turned, bytes) else turned
    if isinstance(value, (bytes, bytearray)):
        return value  # Python 2's texts were bytes already
    return value.encode(*positional, **named)


def python2_text(value: Any, *positional: Any, **named: Any) -> Any:
    """`value.encode(...)` where the result goes into a text: the text itself, once it was seen to encode."""
    encoded = python2_encode(value, *positional, **named)
    return value if isinstance(value, str) and isinstance(encoded, bytes) else encoded


def python2_decode(value: Any, *positional: Any, **named: Any) -> Any:
    """`value.decode(...)`, where the value may be text already."""
    name = _codec(positional, named)
    if name in _TO_TEXT | _TO_BYTES:
        return codecs.lookup(name.replace("-", "_")).decode(_data(value))[0]
    if name in _TEXT_TO_TEXT:
        return codecs.lookup(_TEXT_TO_TEXT[name]).decode(value)[0]
    return value if isinstance(value, str) else value.decode(*positional, **named)


def _data(value: Any) -> bytes:
    return value.encode("latin-1") if isinstance(value, str) else bytes(value)


def _codec(positional: tuple[Any, ...], named: Mapping[str, Any]) -> str:
    name = positional[0] if positional else named.get("encoding", "")
    return str(name).lower().replace("_", "-")


def execfile(path: str, names: dict[str, Any] | None = None, local_names: Any = None) -> None:
    """Run a file in the caller's names, unless others are given."""
    frame = sys._getframe(1)  # noqa: SLF001 - there is no other way to the caller's names
    code: CodeType = compile(Path(path).read_bytes(), path, "exec", dont_inherit=True)
    exec(code, frame.f_globals if names is None else names, local_names)  # noqa: S102 - that is what it is for


def reload_(module: ModuleType) -> ModuleType:
    """Load a module anew; `sys`, re-loaded only for `setdefaultencoding`, stays."""
    return module if module is sys else importlib.reload(module)


def apply(function: Callable[..., Any], args: Any = (), keywords: Mapping[str, Any] | None = None) -> Any:
    """Call a function."""
    return function(*args, **(keywords or {}))


def coerce(left: Any, right: Any) -> tuple[Any, Any]:
    """Two numbers as one type."""
    kind = type(left + right)
    return kind(left), kind(right)


def install() -> None:
    """Make Python 2's names there for everything that is imported afterwards. May be called again."""
    since37.install()
    python2_library.install(divide=python2_divide)
    names: dict[str, Any] = {
        each.__name__: each
        for each in (
            *(python2_divide, python2_divide_in_place, python2_divisor, python2_round, python2_sorted),
            *(python2_sort, python2_map, python2_filter, python2_next, python2_message, python2_encode),
            *(python2_bytearray, python2_compare, python2_int, buffer),
            *(python2_open, python2_text, python2_decode, unicode, basestring, file, execfile, apply, coerce),
        )
    }
    names |= {
        "cmp": python2_cmp,
        "intern": sys.intern,
        "long": int,
        "raw_input": input,
        "reduce": functools.reduce,
        "reload": reload_,
        "StandardError": Exception,
        "unichr": chr,
        "xrange": range,
    }
    for name, value in names.items():
        if not hasattr(builtins, name):
            setattr(builtins, name, value)
