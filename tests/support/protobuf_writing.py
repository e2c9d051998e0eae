"""Writing protobuf messages field by field, as the published files of Caffe and TensorFlow are."""

import numpy as np


def varint(value: int) -> bytes:
    """A whole number as protobuf writes it."""
    value &= 0xFFFF_FFFF_FFFF_FFFF
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def field(number: int, kind: int, value: bytes) -> bytes:
    """A field with its key."""
    return varint(number << 3 | kind) + (varint(len(value)) if kind == 2 else b"") + value


def text(number: int, value: str) -> bytes:
    """A field that is a text."""
    return field(number, 2, value.encode())


def whole(number: int, value: int) -> bytes:
    """A field that is a whole number."""
    return field(number, 0, varint(value))


def floats(number: int, values: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> bytes:
    """A field of 32-bit numbers, packed."""
    return field(number, 2, np.ascontiguousarray(values, "<f4").tobytes())
