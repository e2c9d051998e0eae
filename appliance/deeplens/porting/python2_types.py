"""Types of Python 2 that are gone, or that took in more: what `isinstance` is asked for, and what is called.

Nothing happens on import; `python2.install` puts them among the built-ins.
"""

import io
import sys
from typing import Any

from appliance.deeplens.porting.python2_files import python2_open
from appliance.deeplens.porting.python2_text import as_bytes


class _SaidToBe(type):
    """Makes `isinstance(x, unicode)` and the like true for what took the old type's place."""

    types: tuple[type, ...] = ()

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.types)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return cls in subclass.__mro__ or issubclass(subclass, cls.types)


class _Whole(_SaidToBe):
    """Also of numpy's integers as wide as Python 2's own, which inherited from those."""

    def __instancecheck__(cls, instance: object) -> bool:
        numpy = sys.modules.get("numpy")  # what has none of its numbers need not wait for it
        return isinstance(instance, int if numpy is None else (int, numpy.int64))


class python2_int(metaclass=_Whole):  # noqa: N801 - stands where `int` stood
    """`int` where `isinstance` asks for it."""

    types = (int,)


class unicode(str, metaclass=_SaidToBe):  # noqa: N801 - Python 2's name
    """Text. Calling it gives a plain `str`."""

    types = (str,)
    __slots__ = ()

    def __new__(cls, value: Any = "", encoding: str | None = None, errors: str = "strict") -> Any:
        """As Python 2: bytes are decoded, text stays."""
        if isinstance(value, (bytes, bytearray)):
            return value.decode(encoding or "utf-8", errors)
        return str(value)


class basestring(metaclass=_SaidToBe):  # noqa: N801 - Python 2's name
    """What all texts of Python 2 were: text and bytes."""

    types = (str, bytes)


class buffer(metaclass=_SaidToBe):  # noqa: N801 - Python 2's name
    """Calling it gives a view of bytes, of a text as well, or of a part of them."""

    types = (memoryview,)

    def __new__(cls, value: Any, offset: int = 0, size: int = -1) -> Any:
        """A `memoryview`."""
        view = memoryview(as_bytes(value))
        return view[offset:] if size < 0 else view[offset : offset + size]


class file(metaclass=_SaidToBe):  # noqa: N801 - Python 2's name
    """Calling it opens a file."""

    types = (io.IOBase,)

    def __new__(cls, *positional: Any, **named: Any) -> Any:
        """Open a file."""
        return python2_open(*positional, **named)
