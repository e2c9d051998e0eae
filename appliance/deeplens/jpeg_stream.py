r"""Whole JPEGs out of a stream in which they follow each other, whatever else is in it.

A function writes its pictures one after the other, without headers between them; two of its threads may write
at once, and it may write anything at all. The markers of each picture are walked from its beginning to its
end, so that a thumbnail inside one is not taken for another. What does not walk is skipped. Nothing is
decoded: damage inside the compressed data is not found, nor is a picture whose middle is another's.

The work is bounded by what comes in: bytes that turned out to be no picture are looked at again for one that
begins inside them, but not more often than once for each byte that came since.
"""

import re
from dataclasses import dataclass

from appliance.values import MAX_PIXELS

MAX_JPEG_BYTES = 8 * 1024 * 1024
MAX_SIDE = 16_384
"""Pixels; a longer side is not a picture that anybody means to show."""

_START = b"\xff\xd8\xff"
_MARK = 0xFF
_SOI = 0xD8
_EOI = 0xD9
_SCAN = 0xDA
_SIZED = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive Huffman coding: what browsers and players decode."""
_UNREADABLE = frozenset({*range(0xC0), *range(0xC3, 0xD0)} - {0x01, 0xC4, 0xCC})
"""Frame headers of codings that nobody decodes, and what is no marker of a picture at all."""
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_AFTER_CODED = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""The first marker after coded data, in which stuffed bytes, restarts and fill bytes may stand."""
_NOT_FILL = re.compile(rb"[^\xff]")
_LENGTH_BYTES = 2
_SIZE_BYTES = 7
"""Of a frame header up to the width: length, bits, height, width."""
_MAX_SEGMENTS = 2000
"""Of one picture; a progressive one with a large colour profile has some hundred."""
_MAX_CREDIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FoundJpeg:
    """A whole JPEG of the stream.

    Attributes:
        data: From its first marker to its last.
        width: Pixels, as its header says.
        height: Likewise.
    """

    data: bytes
    width: int
    height: int


class _BrokenError(Exception):
    """It is no picture; known at this position."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at


class JpegStream:
    """Finds whole JPEGs in bytes that come in pieces of any size.

    Attributes:
        broken: Beginnings of a picture so far that came to no whole one.
    """

    def __init__(self, max_bytes: int = MAX_JPEG_BYTES) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._credit = 0
        self._restart()
        self.broken = 0

    def feed(self, data: bytes) -> FoundJpeg | None:
        """Take more of the stream.

        Returns:
            The last whole picture that ends in it; None if none does.
        """
        self._buffer += data
        self._credit = min(_MAX_CREDIT, self._credit + len(data))
        newest = None
        while self._begin():
            try:
                end = self._walk()
            except _BrokenError as error:
                self._skip(error.at)
                continue
            if end is None:
                break
            newest = FoundJpeg(bytes(memoryview(self._buffer)[:end]), self._width, self._height)
            self._drop(end)
        return newest

    @property
    def is_inside(self) -> bool:
        """The stream so far ends inside of what may become a picture."""
        return self._buffer.startswith(_START)

    def _begin(self) -> bool:
        """Drop what comes before the next picture; false: it has not begun yet."""
        if self.is_inside:
            return True
        at = self._buffer.find(_START)
        if at >= 0:
            self._drop(at)
            return True
        keep = 2 if self._buffer.endswith(_START[:2]) else 1 if self._buffer.endswith(_START[:1]) else 0
        self._drop(len(self._buffer) - keep)
        return False

    def _drop(self, count: int) -> None:
        """Forget the first bytes, and begin to walk anew after them."""
        del self._buffer[:count]
        self._restart()

    def _skip(self, at: int) -> None:
        """What began here is no picture: look for one that begins inside of it if that may be afforded."""
        self.broken += 1
        if at <= self._credit:
            self._credit -= at
            self._drop(len(_START) - 1)
        else:
            self._drop(max(at, len(_START) - 1))

    def _restart(self) -> None:
        """Stand behind the first marker of the buffer."""
        self._at = len(_START) - 1
        self._coded = False
        self._width = 0
        self._height = 0
        self._scans = 0
        self._segments = 0

    def _walk(self) -> int | None:
        """Go on from where the walk stopped; the position behind the last marker, None if more is needed.

        Raises:
            _BrokenError: It is no picture.
        """
        while True:
            marker = self._next_marker()
            if self._at > self._max_bytes or (marker is None and len(self._buffer) > self._max_bytes):
                raise _BrokenError(min(self._at, len(self._buffer)))
            if marker is None:
                return None
            if marker == _EOI:
                if not self._scans:
                    raise _BrokenError(self._at)
                return self._at + 2
            if marker in _STANDALONE and marker != _SOI:
                self._at += 2
                continue
            if not self._segment(marker):
                return None

    def _next_marker(self) -> int | None:
        """Go to the next marker and tell its code; None if more is needed."""
        buffer = self._buffer
        if self._coded:
            found = _AFTER_CODED.search(buffer, self._at)
            if found is None:
                # The last byte may be the first half of a marker.
                self._at = max(self._at, len(buffer) - 1)
                return None
            self._at = found.start()
            self._coded = False
            return buffer[self._at + 1]
        if self._at >= len(buffer):
            return None
        if buffer[self._at] != _MARK:
            raise _BrokenError(self._at)
        found = _NOT_FILL.search(buffer, self._at)
        if found is None:
            self._at = len(buffer) - 1
            return None
        self._at = found.start() - 1
        return buffer[self._at + 1]

    def _segment(self, marker: int) -> bool:
        """Go past a segment; false: more is needed.

        Raises:
            _BrokenError: There can be no such segment here.
        """
        start = self._at + 2
        self._segments += 1
        if marker == _SOI or marker in _UNREADABLE or self._segments > _MAX_SEGMENTS:
            raise _BrokenError(self._at)
        needed = start + (_SIZE_BYTES if marker in _SIZED else _LENGTH_BYTES)
        if len(self._buffer) < needed:
            self._segments -= 1
            return False
        length = int.from_bytes(self._buffer[start : start + _LENGTH_BYTES], "big")
        if length < needed - start:
            raise _BrokenError(self._at)
        if marker in _SIZED:
            self._note_size(start)
        if marker == _SCAN:
            if not self._width:
                raise _BrokenError(self._at)
            self._scans += 1
            self._coded = True
        self._at = start + length
        return True

    def _note_size(self, start: int) -> None:
        """Read the size from a frame header."""
        height = int.from_bytes(self._buffer[start + 3 : start + 5], "big")
        width = int.from_bytes(self._buffer[start + 5 : start + 7], "big")
        sides = 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS
        if self._width or not sides:
            raise _BrokenError(self._at)
        self._width, self._height = width, height
