"""Size, orientation and soundness of a JPEG from its markers, without decoding it.

A frame that is cut off or not a JPEG at all is told apart here for some tens of
microseconds, so that the decoder is only run on frames somebody wants to look at. Damage
inside the compressed data is not found; the decoder paints over it.
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
_SCAN = 0xDA
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
    """

    width: int
    height: int
    orientation: int

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
    size: tuple[int, int] | None = None
    orientation = 1
    for marker, body in _segments(data):
        if marker in _FRAME_HEADERS:
            size = _frame_size(body)
        elif marker == _EXIF and body.startswith(_EXIF_START):
            orientation = _exif_orientation(body[len(_EXIF_START) :])
    if size is None:
        raise ValueError("does not say its size, or is of a rare kind")
    return JpegHeader(*size, orientation)


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and content of each segment up to the first scan."""
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
        if marker == _SCAN:
            return
        yield marker, body
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
