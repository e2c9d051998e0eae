"""Reading protobuf messages field by field, without the schema they were written with.

Caffe and TensorFlow keep networks in protobuf; of their hundreds of fields a dozen matter here, and neither
library has to be installed for them. Knows no network. Nothing is copied: what is handed out are views.
"""

import struct
from collections.abc import Iterator
from typing import cast

import numpy as np
from numpy.typing import NDArray

from appliance.errors import ModelError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SIZES = {_FIXED64: 8, _FIXED32: 4}
_LONGEST_VARINT = 10
_MOST_FIELDS = 1 << 20
"""Of one message, and whole numbers of one list; real ones have thousands. Each takes more than its bytes."""


class Fields:
    """One message, taken apart into its fields by number.

    Args:
        data: The message's bytes.

    Raises:
        ModelError: They are no protobuf message.
    """

    def __init__(self, data: bytes | memoryview) -> None:
        self._found: dict[int, list[int | memoryview]] = {}
        for count, (number, value) in enumerate(_split(memoryview(data))):
            if count >= _MOST_FIELDS:
                raise _damaged(f"a message of more than {_MOST_FIELDS} fields")
            self._found.setdefault(number, []).append(value)

    def messages(self, number: int) -> "list[Fields]":
        """Every message in a repeated field."""
        return [Fields(view) for view in self.views(number)]

    def message(self, number: int) -> "Fields":
        """The message in a field; an empty one where there is none. As protobuf says, the last counts."""
        views = self.views(number)
        return Fields(views[-1] if views else b"")

    def texts(self, number: int) -> list[str]:
        """Every text in a repeated field."""
        try:
            return [str(view, "utf-8") for view in self.views(number)]
        except UnicodeDecodeError as error:
            raise _damaged("a name that is no text") from error

    def text(self, number: int) -> str:
        """The text in a field, empty where there is none."""
        return (self.texts(number) or [""])[-1]

    def whole(self, number: int, otherwise: int = 0) -> int:
        """The whole number in a field."""
        return (self.wholes(number) or [otherwise])[-1]

    def wholes(self, number: int) -> list[int]:
        """Whole numbers in a repeated field, packed or one by one; those below 0 as protobuf writes them."""
        numbers: list[int] = []
        for value in self._found.get(number, []):
            if isinstance(value, int):
                numbers.append(_signed(value))
                continue
            at = 0
            while at < len(value):
                packed, at = _varint(value, at)
                numbers.append(_signed(packed))
                if len(numbers) > _MOST_FIELDS:
                    raise _damaged(f"a list of more than {_MOST_FIELDS} numbers")
        return numbers

    def floats(self, number: int) -> NDArray[np.float32]:
        """32-bit numbers in a repeated field, packed or one by one."""
        views = self.views(number)
        joined = views[0] if len(views) == 1 else b"".join(views)
        if len(joined) % 4:
            raise _damaged("a number cut in two")
        return np.frombuffer(joined, dtype="<f4")

    def real(self, number: int, otherwise: float = 0.0) -> float:
        """The 32-bit number in a field."""
        found = self.floats(number)
        return float(found[-1]) if found.size else otherwise

    def views(self, number: int) -> list[memoryview]:
        """The bytes of every value in a field.

        Raises:
            ModelError: One is a whole number.
        """
        found = self._found.get(number, [])
        if any(isinstance(value, int) for value in found):
            raise _damaged(f"a number in field {number}")
        return cast("list[memoryview]", found)


def _damaged(what: str) -> ModelError:
    return ModelError(
        f"published weights: {what}; the file is damaged or of another kind",
        command="fetch the published file with: appliance models install",
    )


def _split(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message in order: number, and a whole number or bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in _SIZES:
            size = _SIZES[kind]
        else:
            raise _damaged(f"no protobuf at byte {at}")
        if size > len(data) - at:
            raise _damaged(f"it ends within the {size} bytes from byte {at}")
        yield number, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """A number of variable length, and where the next byte is."""
    value = 0
    for shift, byte in enumerate(data[at : at + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that more follow
            return value & 0xFFFF_FFFF_FFFF_FFFF, at + shift + 1
    raise _damaged(f"no number at byte {at}")


def _signed(value: int) -> int:
    """A whole number as its writer meant it: negative ones take all 64 bits."""
    (signed,) = struct.unpack("<q", struct.pack("<Q", value))
    return int(signed)
