"""Reads the newest frame out of the memory in which the hosting side shares them.

The layout is that of `appliance.frames`, written down there; a contract test writes with its writer and reads
with this. It is read anew here because a function's view holds nothing of the appliance but this package.

    byte 0      header: magic, version, geometry, number of frames written
    byte 4096   slots: begin mark, fields, picture, end mark; frame n lies in slot n modulo slots

A reader copies a picture between reading the slot's two marks, and throws the copy away unless both name the
frame it came for: it gets a whole frame or none, and never makes the writer wait.
"""

import mmap
import os
import threading
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

VERSION: Final = 1

_MAGIC: Final = np.frombuffer(b"DOORFRAM", np.uint64)[0]
_PAGE: Final = 4096
_CHANNELS: Final = 3
_ATTEMPTS: Final = 64
"""A reader this often too slow for its writer is told that there is nothing."""

_HEADER: Final = np.dtype(
    [
        ("magic", "u8"),
        ("version", "u8"),
        ("slots", "u8"),
        ("width", "u8"),
        ("height", "u8"),
        ("slot_bytes", "u8"),
        ("written", "u8"),
        ("sequence", "i8"),
    ]
)
_SLOT: Final = np.dtype(
    [
        ("begin", "u8"),
        ("sequence", "i8"),
        ("monotonic_s", "f8"),
        ("wall_us", "i8"),
        ("media_s", "f8"),
        ("width", "u8"),
        ("height", "u8"),
        ("camera_bytes", "u8"),
        ("note_bytes", "u8"),
        ("camera", "u1", 64),
        ("note", "u1", 16 * 1024),
        ("end", "u8"),
    ],
    align=True,
)


class FrameMemoryError(Exception):
    """The memory does not hold frames, or not as this reader knows them."""


@dataclass(frozen=True, slots=True)
class TakenFrame:
    """A copy of a frame, whole, the reader's own.

    Attributes:
        sequence: Its number, growing.
        monotonic_s: When it was shared, in seconds of the monotonic clock.
        bgr: uint8, (height, width, 3), blue first, writable.
    """

    sequence: int
    monotonic_s: float
    bgr: NDArray[np.uint8]


class FrameMemory:
    """The memory of one feed; read from any thread."""

    def __init__(self, descriptor: int) -> None:
        """Note the descriptor; it stays the caller's to close, also after `open`."""
        self._descriptor = descriptor
        self._header: Any = None
        self._slots: list[_Slot] = []

    def open(self) -> None:
        """Map the memory, for reading only.

        Raises:
            FrameMemoryError: It does not hold frames, is of another version, or cannot be mapped.
        """
        try:
            size = os.fstat(self._descriptor).st_size
            memory = mmap.mmap(self._descriptor, size, prot=mmap.PROT_READ)
        except (OSError, ValueError) as error:
            raise FrameMemoryError("the shared frames cannot be mapped") from error
        header: Any = np.frombuffer(memory, _HEADER, 1) if size >= _PAGE else None
        if header is None or header["magic"][0] != _MAGIC or header["version"][0] != VERSION:
            raise FrameMemoryError("the shared memory does not hold frames of this version")
        slots, slot_bytes = int(header["slots"][0]), int(header["slot_bytes"][0])
        least = _SLOT.itemsize + int(header["width"][0]) * int(header["height"][0]) * _CHANNELS
        if not slots or slot_bytes < least or size < _PAGE + slots * slot_bytes:
            raise FrameMemoryError("the shared frames are cut short")
        self._slots = [_Slot(memory, _PAGE + i * slot_bytes, slot_bytes) for i in range(slots)]
        self._header = header

    @property
    def sequence(self) -> int:
        """Number of the newest frame; -1 before the first."""
        return int(self._header["sequence"][0]) if self._header is not None else -1

    def newest(self) -> TakenFrame | None:
        """A copy of the newest frame; None before the first.

        Raises:
            FrameMemoryError: It is not open, or the writer writes nonsense.
        """
        if self._header is None:
            raise FrameMemoryError("the shared frames are not open")
        fence = _Fence()
        for _ in range(_ATTEMPTS):
            number = int(self._header["written"][0])
            if not number:
                return None
            frame = self._slots[number % len(self._slots)].copy(number, fence)
            if frame is not None:
                return frame
        return None

    def close(self) -> None:
        """Let go of the memory; it is unmapped when nobody reads it any more. May be called twice."""
        self._header = None
        self._slots = []


class _Slot:
    """One slot."""

    def __init__(self, memory: mmap.mmap, offset: int, size: int) -> None:
        self._fields: Any = np.frombuffer(memory, _SLOT, 1, offset)
        self._pixels = np.frombuffer(memory, np.uint8, size - _SLOT.itemsize, offset + _SLOT.itemsize)

    def copy(self, number: int, fence: "_Fence") -> TakenFrame | None:
        """The slot's frame, if it was frame `number` from the beginning of the copying to its end."""
        fields = self._fields
        if int(fields["end"][0]) != number:
            return None
        fence.order()
        width, height = int(fields["width"][0]), int(fields["height"][0])
        sequence, monotonic_s = int(fields["sequence"][0]), float(fields["monotonic_s"][0])
        length = width * height * _CHANNELS
        bgr = self._pixels[:length].copy() if 0 < length <= len(self._pixels) else None
        fence.order()
        if int(fields["begin"][0]) != number:
            return None
        if bgr is None:
            raise FrameMemoryError("the shared frames hold a size that cannot be")
        return TakenFrame(sequence, monotonic_s, bgr.reshape(height, width, _CHANNELS))


class _Fence:
    """Keeps memory accesses before it before those after it; see `appliance.frames`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def order(self) -> None:
        """Order what was done before with what is done next."""
        self._lock.release()
        self._lock.acquire()
