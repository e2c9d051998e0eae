"""Reading MXNet's `.params`: a list of arrays and their names.

The layouts that versions 0.8 to 1.9 wrote: arrays with a header of the first, second or third kind or, before
there were headers, with none; stored densely. Sparse and quantised ones are refused. Knows no network. Every
length is held against what is left of the file before anything is made of it, and arrays are views of it.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.models.artefact import damaged, unsupported

Array = NDArray[Any]

_LIST = 0x112
_FIRST, _SECOND, _THIRD = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
_TYPES = {0: "<f4", 1: "<f8", 2: "<f2", 3: "<u1", 4: "<i4", 5: "<i1", 6: "<i8"}
_DENSE = 0
_MOST_AXES = 8
_MOST_ARRAYS = 100_000
_LONGEST_NAME = 1_000


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a network has learnt.

    Attributes:
        arguments: Weights by name.
        auxiliary: What it gathered besides, such as means, by name.
    """

    arguments: Mapping[str, Array]
    auxiliary: Mapping[str, Array]

    def get(self, name: str) -> Array | None:
        """The array of this name, of either kind."""
        found = self.arguments.get(name)
        return self.auxiliary.get(name) if found is None else found

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in the file's order."""
        return (*self.arguments, *self.auxiliary)


def read_parameters(data: bytes) -> Parameters:
    """The arrays of a file, as they are stored.

    Names without `arg:` or `aux:`, which some programs leave out, are taken for arguments.

    Raises:
        ModelError: It is no such file, stops short, or stores arrays in a way that is not supported.
    """
    source = _Source(data)
    if len(data) < 24 or source.number("Q") != _LIST:  # noqa: PLR2004 - three numbers come first
        raise damaged("the .params file does not begin as MXNet's do")
    source.number("Q")
    arrays = [_array(source) for _ in range(source.count(_MOST_ARRAYS))]
    names = [_name(source) for _ in range(source.count(_MOST_ARRAYS))]
    if len(names) != len(arrays) or len(set(names)) != len(names):
        raise damaged(f"the .params file has {len(arrays)} arrays and {len(set(names))} names")
    if source.left:
        raise damaged(f"the .params file goes on for {source.left} bytes after its end")
    arguments: dict[str, Array] = {}
    auxiliary: dict[str, Array] = {}
    for name, array in zip(names, arrays, strict=True):
        if array is not None:
            (auxiliary if name.startswith("aux:") else arguments)[_bare(name)] = array
    return Parameters(arguments, auxiliary)


def _bare(name: str) -> str:
    return name[4:] if name.startswith(("arg:", "aux:")) else name


class _Source:
    """Numbers and bytes from the front of a file."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def number(self, form: str) -> int:
        (value,) = struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))
        return int(value)

    def count(self, most: int) -> int:
        """How many of something follow: never more than there are bytes for a length of each."""
        value = self.number("Q")
        if value > min(most, self.left // 4):
            raise damaged(f"the .params file promises {value} entries in {self.left} bytes")
        return value

    def take(self, size: int) -> memoryview:
        if size > self.left:
            raise damaged(f"the .params file ends within the {size} bytes from byte {self._at}")
        self._at += size
        return self._data[self._at - size : self._at]


def _array(source: _Source) -> Array | None:
    """One array; None where the file says that there is none."""
    magic = source.number("I")
    if magic in {_SECOND, _THIRD}:
        storage = source.number("i")
        if storage != _DENSE:
            raise unsupported(
                "the .params file stores arrays sparsely",
                hint="save the parameters again after array.tostype('default')",
            )
    if magic in {_FIRST, _SECOND, _THIRD}:
        axes, size_form = source.number("i"), "q"
    else:  # the oldest had no header: it begins with the number of axes
        axes, size_form = magic, "I"
    if (axes == 0 and magic != _THIRD) or axes == -1:
        return None
    if not 0 <= axes <= _MOST_AXES:
        raise damaged(f"the .params file has an array of {axes} axes")
    shape = tuple(source.number(size_form) for _ in range(axes))
    source.take(8)  # the device it was on
    kind = source.number("i")
    if kind not in _TYPES:
        raise unsupported(f"the .params file has numbers of a kind ({kind}) that is not supported")
    dtype = np.dtype(_TYPES[kind])
    count = 1
    for size in shape:
        if size < 0 or (count := count * size) * dtype.itemsize > source.left:
            raise damaged(f"the .params file has fewer numbers than the shape {shape} asks for")
    return np.frombuffer(source.take(count * dtype.itemsize), dtype).reshape(shape)


def _name(source: _Source) -> str:
    size = source.number("Q")
    if size > _LONGEST_NAME:
        raise damaged(f"the .params file has a name of {size} characters")
    try:
        return str(source.take(size), "utf-8")
    except UnicodeDecodeError as error:
        raise damaged("the .params file has a name that is no text") from error
