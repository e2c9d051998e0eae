"""EBML (RFC 8794) as bytes: identifiers, sizes, values, and a reader that is fed piece by piece.

The reader knows no format: which elements hold others, and where each may stand, comes with a `Schema`. What
the elements mean is `matroska`'s and `strict_matroska`'s subject.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

UNKNOWN_SIZE = b"\xff"
"""The size of an element that ends where something begins that cannot stand in it, in one byte."""

MAX_ID_BYTES = 4
MAX_SIZE_BYTES = 8

_MAX_UNSIGNED_BYTES = 8

Kind = Literal["master", "unsigned", "signed", "float", "text", "binary", "skipped"]
"""What an element holds; `skipped` is passed over without being kept."""


@dataclass(frozen=True, slots=True)
class Element:
    """What a schema knows of an element.

    Attributes:
        name: As the specification writes it.
        kind: What it holds.
        parent: Identifier of the element in which it stands; None at the top; `anywhere` counts before it.
        anywhere: It may stand in any master.
    """

    name: str
    kind: Kind
    parent: int | None = None
    anywhere: bool = False


Schema = Mapping[int, Element]


@dataclass(frozen=True, slots=True)
class Opened:
    """A master begins.

    Attributes:
        id: Its identifier.
        size: Bytes in it; None if it does not say.
        position: Where its identifier stands in everything read, bytes.
    """

    id: int
    size: int | None
    position: int


@dataclass(frozen=True, slots=True)
class Closed:
    """A master ends.

    Attributes:
        id: Its identifier.
        position: Where it ends, bytes.
    """

    id: int
    position: int


@dataclass(frozen=True, slots=True)
class Leaf:
    """An element with a value.

    Attributes:
        id: Its identifier.
        value: Its bytes; empty for one that is skipped.
        position: Where its identifier stands, bytes.
        size: Bytes of its value, also when it is skipped.
    """

    id: int
    value: bytes
    position: int
    size: int


Part = Opened | Closed | Leaf


class EbmlError(ValueError):
    """Bytes that are not EBML, or not where they may stand.

    Attributes:
        position: Where, bytes from the begin of everything read.
        too_large: It is an element that is larger than the reader takes.
    """

    def __init__(self, message: str, position: int, *, too_large: bool = False) -> None:
        super().__init__(message)
        self.position = position
        self.too_large = too_large


# ---------------------------------------------------------------- writing


def encode_size(size: int, length: int = 0) -> bytes:
    """A size as EBML writes it.

    Args:
        size: Bytes, 0 <= size < 2^56 - 1.
        length: Bytes to take for it, 1..8; 0 takes as few as it needs.

    Raises:
        ValueError: It does not fit.
    """
    shortest = 1
    # All bits of one mean that the size is unknown, so they are no size.
    while size >= (1 << (7 * shortest)) - 1:
        shortest += 1
    length = length or shortest
    if size < 0 or shortest > length or length > MAX_SIZE_BYTES:
        raise ValueError("a size does not fit")
    return ((1 << (7 * length)) | size).to_bytes(length, "big")


def encode_id(identifier: int) -> bytes:
    """An identifier, whose marker bits are part of it."""
    return identifier.to_bytes((identifier.bit_length() + 7) // 8, "big")


def element(identifier: int, value: bytes) -> bytes:
    """An element with its value."""
    return encode_id(identifier) + encode_size(len(value)) + value


def unsigned(identifier: int, value: int, length: int = 0) -> bytes:
    """An element that holds an unsigned integer, in as few bytes as it needs or in `length`."""
    return element(identifier, value.to_bytes(length or max(1, (value.bit_length() + 7) // 8), "big"))


def float64(identifier: int, value: float) -> bytes:
    """An element that holds a floating-point number of 8 bytes."""
    return element(identifier, struct.pack(">d", value))


def text(identifier: int, value: str) -> bytes:
    """An element that holds UTF-8."""
    return element(identifier, value.encode())


def master(identifier: int, *children: bytes) -> bytes:
    """An element that holds others."""
    return element(identifier, b"".join(children))


# ---------------------------------------------------------------- reading


def decode_unsigned(value: bytes) -> int:
    """The number in an element's value; an empty one is 0.

    Raises:
        ValueError: It has more than 8 bytes.
    """
    if len(value) > _MAX_UNSIGNED_BYTES:
        raise ValueError("a number is longer than 8 bytes")
    return int.from_bytes(value, "big")


def decode_float(value: bytes) -> float:
    """The floating-point number in an element's value; an empty one is 0.

    Raises:
        ValueError: It has neither 0, 4 nor 8 bytes.
    """
    formats = {0: "", 4: ">f", 8: ">d"}
    if len(value) not in formats:
        raise ValueError("a floating-point number has 4 or 8 bytes")
    return float(struct.unpack(formats[len(value)], value)[0]) if value else 0.0


def decode_text(value: bytes) -> str:
    """The UTF-8 in an element's value, which a zero byte may end early.

    Raises:
        ValueError: It is not UTF-8.
    """
    return value.partition(b"\x00")[0].decode()


@dataclass(slots=True)
class _Master:
    """A master that is open: what it is, and where it ends (None: unknown)."""

    id: int
    end: int | None


class EbmlReader:
    """Takes bytes in pieces of any length and gives the parts that are complete.

    Holds at most one value at a time that is not complete yet, of `max_value_bytes` at most. Elements that
    the schema does not know are passed over, as RFC 8794 wants; whoever reads hears of them as of a value.
    """

    def __init__(self, schema: Schema, *, max_value_bytes: int) -> None:
        """Begin at the first byte of a document.

        Args:
            schema: The elements that are known.
            max_value_bytes: How many bytes a value may have.
        """
        self._schema = schema
        self._max_value = max_value_bytes
        self._buffer = bytearray()
        self._at = 0  # in the buffer
        self._base = 0  # where the buffer begins in everything read
        self._skip = 0
        self._open: list[_Master] = []
        self._pending: tuple[int, int, int, int] | None = None  # id, size, header bytes, position

    @property
    def position(self) -> int:
        """Bytes read so far that belong to complete parts."""
        return self._base + self._at

    @property
    def between_elements(self) -> bool:
        """Whether everything that was fed is read, and nothing is missing that a size has promised."""
        return (
            self._at == len(self._buffer)
            and not self._skip
            and self._pending is None
            and all(each.end is None or each.end <= self.position for each in self._open)
        )

    def feed(self, data: bytes) -> Iterator[Part]:
        """The parts that `data` completes; iterate to the end before feeding more.

        Raises:
            EbmlError: It is not EBML, something stands where it cannot, or is larger than the bound.
        """
        self._buffer += data
        while (part := self._next()) is not None:
            yield part
        del self._buffer[: self._at]
        self._base += self._at
        self._at = 0

    def finish(self) -> Iterator[Closed]:
        """There are no more bytes: what is open ends here.

        Raises:
            EbmlError: Something is missing.
        """
        if not self.between_elements:
            raise EbmlError("it ends in the middle of an element", self.position)
        while self._open:
            yield Closed(self._open.pop().id, self.position)

    def _next(self) -> Part | None:
        """The next complete part; None if more bytes are needed."""
        while True:
            if self._skip:
                step = min(self._skip, len(self._buffer) - self._at)
                self._at += step
                self._skip -= step
                if self._skip:
                    return None
            if self._pending is None:
                if self._open and self._open[-1].end is not None and self._open[-1].end <= self.position:
                    return Closed(self._open.pop().id, self.position)
                header = self._header()
                if header is None:
                    return None
                if isinstance(header, Closed):
                    return header
                identifier, size, header_bytes = header
                found = self._begin(identifier, size, header_bytes)
                if found is not None:
                    return found
                if self._pending is None:
                    continue
            return self._value()

    def _header(self) -> Closed | tuple[int, int | None, int] | None:
        """Identifier, size (None: unknown) and bytes of both; or what ends before it; or None."""
        buffer, at = self._buffer, self._at
        if at >= len(buffer):
            return None
        id_bytes = _length(buffer[at])
        if id_bytes > MAX_ID_BYTES:
            raise EbmlError("this is no identifier of an element", self.position)
        if at + id_bytes >= len(buffer):
            return None
        identifier = int.from_bytes(buffer[at : at + id_bytes], "big")
        closed = self._ends_before(identifier)
        if closed is not None:
            return closed
        size_bytes = _length(buffer[at + id_bytes])
        if size_bytes > MAX_SIZE_BYTES:
            raise EbmlError("this is no size of an element", self.position)
        total = id_bytes + size_bytes
        if at + total > len(buffer):
            return None
        coded = int.from_bytes(buffer[at + id_bytes : at + total], "big")
        size = coded & ((1 << (7 * size_bytes)) - 1)
        unknown = size == (1 << (7 * size_bytes)) - 1
        return identifier, None if unknown else size, total

    def _ends_before(self, identifier: int) -> Closed | None:
        """The master of unknown size that ends because this element cannot stand in it."""
        if not self._open or self._open[-1].end is not None:
            return None
        known = self._schema.get(identifier)
        if known is None or known.anywhere or known.parent == self._open[-1].id:
            return None
        if known.parent is not None and all(known.parent != each.id for each in self._open):
            return None  # it can stand in nothing that is open: not an end, but a fault
        return Closed(self._open.pop().id, self.position)

    def _begin(self, identifier: int, size: int | None, header_bytes: int) -> Opened | Leaf | None:
        """Step past an element's header: open a master, skip, or leave a value pending."""
        position = self.position
        known = self._schema.get(identifier)
        kind: Kind = known.kind if known is not None else "skipped"
        parent = self._open[-1] if self._open else None
        if known is not None and not known.anywhere and known.parent != (parent.id if parent else None):
            raise EbmlError(f"{known.name} cannot stand here", position)
        if size is None and kind != "master":
            raise EbmlError("an element without others in it has no size", position)
        if parent is not None and parent.end is not None:
            if size is None:
                raise EbmlError("an element without a size stands in one with a size", position)
            if position + header_bytes + size > parent.end:
                raise EbmlError("an element is larger than the one in which it stands", position)
        if kind in {"master", "skipped"}:
            self._at += header_bytes
            if kind == "skipped":
                self._skip = size or 0
                return Leaf(identifier, b"", position, size or 0)
            self._open.append(_Master(identifier, None if size is None else self.position + size))
            return Opened(identifier, size, position)
        if size is not None and size > self._max_value:
            raise EbmlError("an element is too large", position, too_large=True)
        self._pending = (identifier, size or 0, header_bytes, position)
        return None

    def _value(self) -> Leaf | None:
        """The value that is pending, if it is complete."""
        if self._pending is None:
            return None
        identifier, size, header_bytes, position = self._pending
        begin = self._at + header_bytes
        if begin + size > len(self._buffer):
            return None
        value = bytes(memoryview(self._buffer)[begin : begin + size])
        self._at = begin + size
        self._pending = None
        return Leaf(identifier, value, position, size)


def _length(first: int) -> int:
    """How many bytes an identifier or size has, from its first byte; 9 if it is none."""
    return 9 - first.bit_length()
