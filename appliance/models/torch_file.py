"""Reading the weights in a file that PyTorch wrote before 2020, without PyTorch and without running anything.

Such a file is five pickles and then the numbers of each tensor. A pickle is a program; here it is read as a
list of a dozen plain instructions, three of which name things of PyTorch's, and any other is refused: nothing
is imported or called, whatever the file says. Knows no network.
"""

import io
import math
import pickletools
import struct
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appliance.errors import ModelError
from appliance.models.onnx_weights import refusal

Array = NDArray[Any]

_MAGIC: Final = 0x1950A86A20F9469CFC6C
_VERSION: Final = 1001
_MOST_DEPTH: Final = 8
"""Of tuples in tuples."""
_TYPES: Final[Mapping[str, np.dtype[Any]]] = {
    "torch FloatStorage": np.dtype("<f4"),
    "torch LongStorage": np.dtype("<i8"),
}
_DICT: Final = "collections OrderedDict"
_TENSOR: Final = "torch._utils _rebuild_tensor_v2"
_COUNT: Final = struct.Struct("<q")


class _Mark:
    """Where a group of values begins on the stack."""


class _Name(str):
    """The name of something that a pickle would import."""

    __slots__ = ()


def tensors(data: bytes) -> Mapping[str, Array]:
    """Every tensor of the file by its name, float32 or int64.

    Raises:
        ModelError: It is no such file, or holds something else than tensors.
    """
    file = io.BytesIO(data)
    try:
        with warnings.catch_warnings():
            # Python's reader of pickles remarks on escapes in noise; what is wrong is said below.
            warnings.simplefilter("ignore", DeprecationWarning)
            return _read(file, data)
    except (
        *(KeyError, ValueError, IndexError, TypeError, AttributeError, OverflowError, struct.error),
        *(UnicodeDecodeError, RecursionError, EOFError),
    ) as error:
        raise refusal(f"{type(error).__name__} in a file of PyTorch's") from error


def _read(file: io.BytesIO, data: bytes) -> Mapping[str, Array]:
    if [_value(file), _value(file)] != [_MAGIC, _VERSION]:
        raise refusal("not a file of PyTorch's")
    _value(file)  # about the machine that wrote it
    described, keys = _value(file), _value(file)
    storages = dict(_storages(file, data, keys, _types(described)))
    return {name: _tensor(given, storages) for name, given in described.items() if given is not None}


def _types(described: Mapping[str, Any]) -> dict[str, np.dtype[Any]]:
    """The type of each storage by its key."""
    return {given[1][0][2]: _TYPES[given[1][0][1]] for given in described.values() if given is not None}


def _storages(
    file: io.BytesIO, data: bytes, keys: list[str], types: Mapping[str, np.dtype[Any]]
) -> Iterator[tuple[str, Array]]:
    """The numbers of each storage: how many, then they."""
    for key in keys:
        (count,) = _COUNT.unpack(file.read(_COUNT.size))
        kind = types[key]
        if not 0 <= count * kind.itemsize <= len(data) - file.tell():
            raise refusal("fewer numbers than promised")
        yield key, np.frombuffer(file.read(count * kind.itemsize), kind)


def _tensor(given: tuple[str, tuple[Any, ...]], storages: Mapping[str, Array]) -> Array:
    """One tensor, in order; in its storage it may lie with its axes in another one."""
    made_by, (stored, offset, shape, strides, *_) = given
    storage = storages[stored[2]]
    if made_by != _TENSOR or len(shape) != len(strides) or min((offset, *shape, *strides)) < 0:
        raise refusal("something else than a tensor")
    last = offset + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
    if math.prod(shape) > storage.size or last >= storage.size:
        raise refusal("a tensor that reaches beyond its storage")
    steps = [step * storage.itemsize for step in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps, writeable=False).copy()


def _value(file: io.BytesIO) -> Any:  # noqa: C901, PLR0912 - one line for each instruction
    """The value that the next pickle in the file describes, of plain ones and `(name, arguments)`."""
    stack: list[Any] = []
    memo: dict[object, Any] = {}
    for instruction, argument, _ in pickletools.genops(file):
        match instruction.name:
            case "PROTO":
                pass
            case "STOP":
                (value,) = stack
                return value
            case "MARK":
                stack.append(_Mark)
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "BINUNICODE" | "BININT" | "BININT1" | "BININT2" | "LONG1":
                stack.append(argument)
            case "GLOBAL":
                stack.append(_Name(argument))
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[instruction.name])
            case "EMPTY_TUPLE":
                stack.append(())
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_DICT":
                stack.append({})
            case "TUPLE1" | "TUPLE2":
                count = int(instruction.name[-1])
                stack[-count:] = [_nested(tuple(stack[-count:]))]
            case "TUPLE":
                stack.append(_nested(tuple(_since_mark(stack))))
            case "APPENDS":
                values = _since_mark(stack)
                stack[-1].extend(values)
            case "SETITEM":
                value, key = stack.pop(), stack.pop()
                stack[-1][key] = value
            case "SETITEMS":
                values = _since_mark(stack)
                stack[-1].update(zip(values[::2], values[1::2], strict=True))
            case "BINPERSID":
                pass  # the storage's description, a tuple, stays what it is
            case "REDUCE":
                arguments, name = stack.pop(), stack.pop()
                stack.append(_called(name, arguments))
            case "BUILD":
                stack.pop()  # notes about versions
            case other:
                raise refusal(f"an instruction {other} in a file of PyTorch's")
    raise refusal("a pickle without an end")


def _called(name: object, arguments: Any) -> Any:
    """What a call would give: only a dictionary's beginning and a tensor's description are known."""
    if not isinstance(name, _Name):
        raise refusal("a call of nothing")
    if name == _DICT and arguments == ():
        return {}
    if name == _TENSOR:
        return (str(name), arguments)
    raise refusal("a call that no weights need")


def _since_mark(stack: list[Any]) -> list[Any]:
    at = len(stack) - 1 - stack[::-1].index(_Mark)
    values = stack[at + 1 :]
    del stack[at:]
    return values


def _nested(value: tuple[Any, ...]) -> tuple[Any, ...]:
    """The tuple, unless tuples of tuples of tuples would make comparing them endless."""
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [each for one in level for each in one if isinstance(each, tuple)]
        if depth > _MOST_DEPTH or len(level) > 100:  # noqa: PLR2004 - none has more than a handful
            raise _too_deep()
    return value


def _too_deep() -> ModelError:
    return refusal("tuples in tuples in a file of PyTorch's")
