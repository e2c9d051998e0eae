"""What numpy, OpenCV and json of 2018 did with arguments that they refuse today, for functions written then.

Each call is first made as it is; only where that fails what was meant then is tried. What gave its result in
another shape gives it in that (`NMSBoxes`, `findContours`, `split`, numbers as text). Names that are gone are
not put back here: the porting rewrites them.
"""

import builtins
import contextlib
import functools
import importlib
import json
import numbers
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import cv2
import numpy as np

_POINTS: Final = {
    "arrowedLine": (1, 2),
    "circle": (1, 2),
    "drawMarker": (1,),
    "ellipse": (1, 2),
    "getRotationMatrix2D": (),
    "line": (1, 2),
    "pointPolygonTest": (),
    "putText": (2,),
    "rectangle": (1, 2),
    "resize": (1,),
    "warpAffine": (2,),
    "warpPerspective": (2,),
}
"""Function → which of its arguments are points, sizes or a radius: whole numbers."""
_LEGACY: Final = 125
"""How numpy itself notes version 1.25."""
_NO_KEY: Final = -1
_WINDOWS: Final = (
    "destroyAllWindows",
    "destroyWindow",
    "imshow",
    "moveWindow",
    "namedWindow",
    "resizeWindow",
)
_OF_WINDOWS: Final = {
    **dict.fromkeys(_WINDOWS),
    "startWindowThread": 0,
    "waitKey": _NO_KEY,
    "waitKeyEx": _NO_KEY,
}
"""What is done with windows → what it gives where there is no screen."""
_POINT_NAMES: Final = frozenset({"axes", "center", "dsize", "org", "position", "pt1", "pt2", "radius"})
_MOST: Final = 4
"""Numbers of a point, a size or a colour."""
_AS_IN_3: Final = (1, 2)
"""Numbers that OpenCV 3 gave what `findContours` gives; 0 was the picture, which nobody asks for."""
_WITH_PICKLE: Final = 3
"""Arguments of `np.load` among which `allow_pickle` is."""
_WIDEST: Final = 8
"""Bytes of the numbers that never went round."""


def install() -> None:
    """Put them in place, for good: the process is the function's."""
    for name, points in _POINTS.items():
        setattr(cv2, name, _cut_off(getattr(cv2, name), points))
    cv2.dnn.NMSBoxes = _as_column(cv2.dnn.NMSBoxes)
    cv2.dnn.NMSBoxesRotated = _as_column(cv2.dnn.NMSBoxesRotated)
    builtins.opencv_column = opencv_column  # type: ignore[attr-defined]
    builtins.opencv_contours = opencv_contours  # type: ignore[attr-defined]
    cv2.findContours = _with_lists(cv2.findContours)
    cv2.split = _as_list(cv2.split)
    for name, gives in _OF_WINDOWS.items():
        setattr(cv2, name, _without_screen(getattr(cv2, name), gives))
    np.array = _going_round(np.array)
    np.asarray = _going_round(np.asarray)
    np.load = _with_objects(np.load)
    _numbers_as_numbers()
    json.JSONEncoder.default = _plain_numbers(json.JSONEncoder.default)  # type: ignore[assignment, method-assign]


def _numbers_as_numbers() -> None:
    """`str([np.float32(0.5)])` is "[0.5]", in every thread: many build their JSON by hand."""
    np.set_printoptions(legacy="1.25")
    with contextlib.suppress(ImportError, AttributeError, KeyError):  # a thread has options of its own
        options = importlib.import_module("numpy._core.printoptions").default_format_options_dict
        options["legacy"] = _LEGACY


def _cut_off(call: Callable[..., Any], points: Iterable[int]) -> Callable[..., Any]:
    """Points and sizes with a fraction: without it. numpy's numbers: Python's. Refused since OpenCV 4.5.2."""
    places = frozenset(points)

    @functools.wraps(call)
    def drawn(*positional: Any, **named: Any) -> Any:
        try:
            return call(*positional, **named)
        except (cv2.error, TypeError):
            try:
                plain = [_plain(each, whole=place in places) for place, each in enumerate(positional)]
                further = {name: _plain(each, whole=name in _POINT_NAMES) for name, each in named.items()}
            except (ValueError, OverflowError):  # not a number, or endless
                plain, further = list(positional), named
            if _same(plain, positional) and _same(further.values(), named.values()):
                raise
            return call(*plain, **further)

    return drawn


def _plain(value: Any, *, whole: bool) -> Any:
    """A few numbers as Python's, whole ones if they are to be; a picture, a text, anything else as it is."""
    if whole and isinstance(value, numbers.Real):
        return int(float(value))
    given = value.tolist() if isinstance(value, np.ndarray) and value.ndim == 1 and whole else value
    if not isinstance(given, tuple | list) or not 0 < len(given) <= _MOST:
        return value
    given = [each.item() if isinstance(each, np.ndarray) and each.size == 1 else each for each in given]
    if not all(isinstance(each, numbers.Real) for each in given):
        return value
    if whole:
        return tuple(int(float(each)) for each in given)
    return tuple(each.item() if isinstance(each, np.generic) else each for each in given)


def _same(one: Iterable[Any], other: Iterable[Any]) -> bool:
    return all(each is theirs for each, theirs in zip(one, other, strict=True))


def _as_column(call: Callable[..., Any]) -> Callable[..., Any]:
    """Numbers of boxes one a row, as they were until OpenCV 4.5.4; none are an empty tuple as ever."""

    @functools.wraps(call)
    def kept(*positional: Any, **named: Any) -> Any:
        return opencv_column(call(*positional, **named))

    return kept


class Column(np.ndarray):
    """Whole numbers, one a row: each is `[number]`, and counts as its number where that looks one up."""

    def __index__(self) -> int:
        """The number of a row."""
        if self.size != 1:
            raise TypeError("several rows are no number")
        return int(self.reshape(-1).tolist()[0])


def opencv_column(found: Any) -> Any:
    """Numbers one a row, for functions of both times: `row[0]` was the number, and later `row` itself."""
    return np.reshape(found, (-1, 1)).view(Column) if len(found) else found


def _with_lists(call: Callable[..., Any]) -> Callable[..., Any]:
    """Contours in a list, as they were until OpenCV 4.5.4: functions sort it and add to it."""

    @functools.wraps(call)
    def found(*positional: Any, **named: Any) -> Any:
        contours, *others = call(*positional, **named)
        return (list(contours), *others)

    return found


def _as_list(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def given(*positional: Any, **named: Any) -> list[Any]:
        return list(call(*positional, **named))

    return given


def _without_screen(call: Callable[..., Any], gives: int | None) -> Callable[..., Any]:
    """A window that nobody sees: nothing happens, and no key is pressed."""

    @functools.wraps(call)
    def shown(*positional: Any, **named: Any) -> Any:
        try:
            return call(*positional, **named)
        except cv2.error as error:
            if "not implemented" not in str(error):
                raise
            if gives == _NO_KEY:
                time.sleep(max(0, *positional[:1], *named.values(), 0) / 1000)
            return gives

    return shown


def _with_objects(call: Callable[..., Any]) -> Callable[..., Any]:
    """Arrays of objects in the function's files, also of Python 2: read unasked for until numpy 1.16.3."""

    @functools.wraps(call)
    def read(*positional: Any, **named: Any) -> Any:
        usual = {"allow_pickle": True, "encoding": "latin1"} if len(positional) < _WITH_PICKLE else {}
        return call(*positional, **(usual | named))

    return read


class Contours(tuple[Any, ...]):
    """Contours and their order, whose numbers count as in OpenCV 3 too: there `[1]` were the contours."""

    __slots__ = ()

    def __getitem__(self, number: Any) -> Any:
        """One by its number; the contours for the first two."""
        return super().__getitem__(number - 1 if number in _AS_IN_3 else number)


def opencv_contours(found: tuple[Any, ...]) -> Contours:
    """What `findContours` gives, for functions that ask for one of it by its number."""
    return Contours(found)


def _going_round(call: Callable[..., Any]) -> Callable[..., Any]:
    """Whole numbers that do not fit into few bytes go round, as they did until numpy 2.

    Rows of several lengths are objects, as they were until numpy 1.24.
    """

    @functools.wraps(call)
    def made(*positional: Any, **named: Any) -> Any:
        dtype = named.get("dtype", positional[1] if len(positional) > 1 else None)
        try:
            return call(*positional, **named)
        except OverflowError:
            kind = np.dtype(dtype)
            values = call(positional[0] if positional else named.get("object", named.get("a")))
            if kind.kind not in "iu" or kind.itemsize >= _WIDEST or values.dtype.kind not in "iu":
                raise
            return values.astype(kind)
        except ValueError as error:
            if dtype is not None or "inhomogeneous" not in str(error):
                raise
            return call(*positional[:1], **{**named, "dtype": object})

    return made


def _plain_numbers(refuses: Callable[[json.JSONEncoder, Any], Any]) -> Callable[[json.JSONEncoder, Any], Any]:
    """Numbers of numpy: what was computed with one and a float of Python was a float until numpy 2."""

    def default(encoder: json.JSONEncoder, value: Any) -> Any:
        return float(value) if isinstance(value, np.floating) else refuses(encoder, value)

    return default
