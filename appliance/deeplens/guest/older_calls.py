"""What numpy, OpenCV and json of 2018 did with arguments that they refuse today, for functions written then.

Each call is first made as it is; only where that fails what was meant then is tried. `NMSBoxes` alone gives
its result in the shape it had. Names that are gone are not put back here: the porting rewrites them.
"""

import functools
import json
import numbers
from collections.abc import Callable
from typing import Any, Final

import cv2
import numpy as np

_DRAWING: Final = (
    *("arrowedLine", "circle", "drawMarker", "ellipse", "line", "putText", "rectangle", "resize"),
    *("warpAffine", "warpPerspective"),
)
_POINT: Final = (1, 4)
"""Numbers of a point or a size, at least and at most."""


def install() -> None:
    """Put them in place, for good: the process is the function's."""
    for name in _DRAWING:
        setattr(cv2, name, _cut_off(getattr(cv2, name)))
    cv2.dnn.NMSBoxes = _as_column(cv2.dnn.NMSBoxes)
    np.array = _wrapping(np.array)
    json.JSONEncoder.default = _plain_numbers(json.JSONEncoder.default)  # type: ignore[assignment, method-assign]


def _cut_off(call: Callable[..., Any]) -> Callable[..., Any]:
    """Points, sizes and a radius with a fraction: without it. Refused since OpenCV 4.5.2."""

    @functools.wraps(call)
    def drawn(*positional: Any, **named: Any) -> Any:
        try:
            return call(*positional, **named)
        except (cv2.error, TypeError):
            # The picture comes first; what a text says and how large it is are no points.
            whole = [*positional[:1], *(_whole(each) for each in positional[1:])]
            if call.__name__ == "circle" and len(whole) > 2 and isinstance(whole[2], numbers.Real):  # noqa: PLR2004
                whole[2] = int(float(whole[2]))
            further = {name: _whole(each) for name, each in named.items()}
            if _same(whole, positional) and _same(further.values(), named.values()):
                raise
            return call(*whole, **further)

    return drawn


def _whole(value: Any) -> Any:
    """A point or a size in whole numbers; anything else as it is."""
    numbers_of = value.tolist() if isinstance(value, np.ndarray) and value.ndim == 1 else value
    if not isinstance(numbers_of, tuple | list) or not _POINT[0] <= len(numbers_of) <= _POINT[1]:
        return value
    if not all(isinstance(each, numbers.Real) for each in numbers_of):
        return value
    return tuple(int(float(each)) for each in numbers_of)


def _same(one: Any, other: Any) -> bool:
    return all(each is theirs for each, theirs in zip(one, other, strict=True))


def _as_column(call: Callable[..., Any]) -> Callable[..., Any]:
    """Numbers of boxes one a row, as they were until OpenCV 4.5.4; none are an empty tuple as ever."""

    @functools.wraps(call)
    def kept(*positional: Any, **named: Any) -> Any:
        found = call(*positional, **named)
        return np.reshape(found, (-1, 1)) if len(found) else found

    return kept


def _wrapping(call: Callable[..., Any]) -> Callable[..., Any]:
    """Whole numbers that do not fit go round, as they did until numpy 2."""

    @functools.wraps(call)
    def made(*positional: Any, **named: Any) -> Any:
        try:
            return call(*positional, **named)
        except OverflowError:
            dtype = named.pop("dtype", positional[1] if len(positional) > 1 else None)
            if dtype is None:
                raise
            return call(positional[0], **named).astype(dtype)

    return made


def _plain_numbers(refuses: Callable[[json.JSONEncoder, Any], Any]) -> Callable[[json.JSONEncoder, Any], Any]:
    """Numbers of numpy: what was computed with one and a float of Python was a float until numpy 2."""

    def default(encoder: json.JSONEncoder, value: Any) -> Any:
        return value.item() if isinstance(value, np.floating) else refuses(encoder, value)

    return default
