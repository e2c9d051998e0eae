"""Size, orientation and soundness of a JPEG from its markers, without decoding it.

A frame that is cut off or not a JPEG at all is told apart here for some tens of
microseconds, so that the decoder is only run on frames somebody wants to look at. Damage
inside the compressed data is not found; the decoder paints over it. `upper_rows` makes a shorter
JPEG of the upper part, for a decoder that shall not spend time on the rest.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_START = b"\xff\xd8"
_END = b"\xff\xd9"
_TAIL_BYTES = 4096
"""Some cameras pad a frame behind its end marker; further back than this it is not looked for."""
_FRAME_HEADERS = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive Huffman coding: what libjpeg decodes."""
_FRAME_HEADER = struct.Struct(">BHHB")
"""Bits a sample, height, width, components."""
_BITS = 8
_BLOCK = 8
"""Side of the squares that JPEG codes, pixels."""
_RESTART_INTERVAL = 0xDD
_RESTART = 0xD0
_SEQUENTIAL = frozenset({0xC0, 0xC1})
"""Of these, the kinds whose one scan runs from the top to the bottom."""
_HEIGHT_AT = 5
"""Where a frame header has the height, counted from its marker."""
_SCAN = 0xDA
_PADDING = bytes(16)
"""libjpeg reads ahead by eight bytes at most and waits for more when there are none."""
_EXIF = 0xE1
_EXIF_START = b"Exif\0\0"
_MARK = 0xFF
"""Begins every marker; repeated, it fills."""
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_ORIENTATION_TAG = 0x0112
_ORIENTATIONS = 8
_SIDEWAYS = 5
"""EXIF orientations from here up swap width and height."""


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """What the markers say.

    Attributes:
        width: Pixels as stored.
        height: Pixels as stored.
        orientation: EXIF orientation, 1 to 8; 1 when there is none.
        height_at: Position of the height in the data.
        unit: Columns and rows of what is coded together, 8 to 32 each; None where the upper rows are not
            coded first.
        scan_at: Position of the coded data.
        restart: Units after which a restart marker stands in the coded data; 0 for none.
    """

    width: int
    height: int
    orientation: int
    height_at: int = 0
    unit: tuple[int, int] | None = None
    scan_at: int = 0
    restart: int = 0

    @property
    def sideways(self) -> bool:
        """Shown upright, width and height change places."""
        return self.orientation >= _SIDEWAYS


def parse_jpeg(data: bytes) -> JpegHeader:
    """Read the markers up to the first scan, and check that the end is there.

    Raises:
        ValueError: It is not a JPEG, is cut off, or is of a kind libjpeg does not decode.
    """
    if not data.startswith(_START):
        raise ValueError("does not begin like a JPEG")
    if data.rfind(_END, max(len(_START), len(data) - _TAIL_BYTES)) < 0:
        raise ValueError("is cut off")
    frame: tuple[int, int, bytes] | None = None
    orientation, restart, scan_at, components = 1, 0, 0, b""
    for at, marker, body in _segments(data):
        if marker in _FRAME_HEADERS:
            frame = at, marker, body
        elif marker == _EXIF and body.startswith(_EXIF_START):
            orientation = _exif_orientation(body[len(_EXIF_START) :])
        elif marker == _RESTART_INTERVAL:
            restart = int.from_bytes(body[:2], "big")
        elif marker == _SCAN:
            scan_at, components = at + 4 + len(body), body[:1]
    if frame is None:
        raise ValueError("does not say its size, or is of a rare kind")
    at, marker, body = frame
    in_one_scan = marker in _SEQUENTIAL and components == body[5:6]
    unit = _unit(body) if in_one_scan else None
    return JpegHeader(*_frame_size(body), orientation, at + _HEIGHT_AT, unit, scan_at, restart)


def upper_rows(data: bytes, header: JpegHeader, rows: int) -> bytes:
    """A JPEG of at least the upper `rows` rows, pixel for pixel what the whole one has there.

    Coded from top to bottom, it need only say that it is less high. A decoder that has what it wants looks
    for the next marker and complains of what it finds before it, so what follows is taken away from there on:
    it then finds the end of the data instead. Where this cannot be done, the whole JPEG is returned.

    Args:
        data: The whole JPEG.
        header: Its.
        rows: Pixels, >= 1.
    """
    if header.unit is None:
        return data
    across, down = header.unit
    rows = -(-rows // down) * down
    if rows >= header.height:
        return data
    at = header.height_at
    end = data.rfind(_END)
    if header.restart:
        units = rows // down * -(-header.width // across)
        end = _restart_at(data, header.scan_at, -(-units // header.restart))
        if end < 0:
            return data
    return b"".join((data[:at], rows.to_bytes(2, "big"), data[at + 2 : end], _PADDING))


def _restart_at(data: bytes, start: int, number: int) -> int:
    """Position of the restart marker with that number, counted from 1; negative if there are too few."""
    at = start - 2
    for count in range(number):
        # They count from 0 to 7 and begin again; within coded data nothing else looks like one.
        at = data.find(bytes((_MARK, _RESTART + count % 8)), at + 2)
        if at < 0:
            break
    return at


def _segments(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Position, marker and content of each segment up to and with the first scan's."""
    at = len(_START)
    while at + 4 <= len(data):
        if data[at] != _MARK:
            raise ValueError(f"has no marker at byte {at}")
        marker = data[at + 1]
        if marker == _MARK or marker in _STANDALONE:
            at += 1 if marker == _MARK else 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        body = data[at + 4 : at + 2 + length]
        if len(body) != length - 2:
            raise ValueError(f"has a segment of wrong length at byte {at}")
        yield at, marker, body
        if marker == _SCAN:
            return
        at += 2 + length
    raise ValueError("has no picture data")


def _frame_size(body: bytes) -> tuple[int, int]:
    """Width and height from a frame header; both positive."""
    if len(body) < _FRAME_HEADER.size:
        raise ValueError("has a frame header that is too short")
    precision, height, width, _ = _FRAME_HEADER.unpack_from(body)
    if precision != _BITS or not width or not height:
        raise ValueError("has no size, or not 8 bits a sample")
    return width, height


def _unit(body: bytes) -> tuple[int, int] | None:
    """Columns and rows of one coded unit, from a frame header; None if it is unsound.

    A block times the finest component's share. A single component is coded block by block.
    """
    factors = [(body[at] >> 4, body[at] & 0xF) for at in range(7, len(body), 3)]
    if not factors or len(factors) != body[5] or not all(a and b for a, b in factors):
        return None
    if len(factors) == 1:
        return _BLOCK, _BLOCK
    return _BLOCK * max(a for a, _ in factors), _BLOCK * max(b for _, b in factors)


def _exif_orientation(tiff: bytes) -> int:
    """The orientation tag of the first directory; 1 if there is none that makes sense."""
    try:
        order = {b"II": "<", b"MM": ">"}[tiff[:2]]
        (directory,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, directory)
        for entry in range(count):
            tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, directory + 2 + 12 * entry)
            if tag == _ORIENTATION_TAG:
                return value if 1 <= value <= _ORIENTATIONS else 1
    except (KeyError, struct.error):
        pass
    return 1
