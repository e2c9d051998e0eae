"""`json` of Python 2: it took bytes for texts, and numpy's integers, which were its own integers there.

A `default` or an encoder class of the function's own goes on working beside it. Only ported files see this.
"""

import json
import numbers
from collections.abc import Callable
from typing import Any


class Encoder(json.JSONEncoder):
    """Takes bytes where a text goes, and whatever is a whole number."""

    def __init__(self, *, default: Callable[[Any], Any] | None = None, **named: Any) -> None:
        super().__init__(default=None if default is None else _plain_first(default), **named)

    def default(self, o: Any) -> Any:
        """The text that bytes are, the number an integer is; anything else is refused, as ever."""
        return _plain(o, super().default)


def _plain_first(further: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: _plain(value, further)


def _plain(value: Any, further: Callable[[Any], Any]) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8")
    return int(value) if isinstance(value, numbers.Integral) else further(value)


def _told(name: str) -> Callable[..., Any]:
    """A function of `json` that may be told an encoding; Python 2's took bytes for text by it."""
    of_json: Callable[..., Any] = getattr(json, name)
    further = {"cls": Encoder} if name.startswith("dump") else {}

    def called(*positional: Any, encoding: str = "utf-8", **named: Any) -> Any:
        del encoding  # what is text here needs none
        return of_json(*positional, **{**further, **named})

    return called


REPLACED: dict[str, Any] = {
    "JSONEncoder": Encoder,
    **{name: _told(name) for name in ("dump", "dumps", "load", "loads")},
}
