"""The newest frames of a camera in shared memory: one process writes, any number read.

No locks: the writer never waits for a reader, and a reader, which maps the memory for
reading only, cannot disturb the writer. A reader gets a whole frame or none; a writer
killed in the middle leaves the frame before it. How the file descriptor reaches the other
process (over a Unix socket) is not done here.

    byte 0      header: magic, version, geometry, number of frames written
    byte 4096   slot 0: begin mark, fields, note, picture, end mark
    …           slot 1, 2, …: frame n goes to slot n modulo slots

The marks are Lamport's: the writer sets `begin` to the frame's number before it touches a
slot and `end` after; a reader copies between reading `end` and reading `begin`, and throws
its copy away unless both name the frame it came for. L. Lamport, "Concurrent reading and
writing", CACM 20 (11), 1977.
"""

import contextlib
import fcntl
import math
import mmap
import os
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from appliance.errors import WireError
from appliance.values import MAX_PIXELS, CameraId, FrameStamp, ImageArray

VERSION = 1
MAX_NOTE_BYTES = 16 * 1024
MIN_SLOTS = 2
MAX_SLOTS = 16

_MAGIC = np.frombuffer(b"DOORFRAM", np.uint64)[0]
_PAGE = 4096
_CAMERA_BYTES = 64
_CHANNELS = 3
_ATTEMPTS = 64
"""A reader this often too slow for its writer is told that there is nothing newer."""
_LOOK_S = 0.005
"""How often `wait_newer` looks: well under a frame's time, and some 0.1 % of a core."""

_F_SEAL_FUTURE_WRITE = 0x0010
"""Linux 5.1: whoever maps it from now on maps it for reading. Missing from `fcntl` before 3.13."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_HEADER = np.dtype(
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
"""`written` counts frames from 1; `sequence` is that of the newest frame's stamp, -1 before the first."""

_SLOT = np.dtype(
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
        ("camera", "u1", _CAMERA_BYTES),
        ("note", "u1", MAX_NOTE_BYTES),
        ("end", "u8"),
    ],
    align=True,
)
"""Fields of a slot; the picture follows. All eight-byte fields lie on eight-byte boundaries."""


@dataclass(frozen=True, slots=True)
class SharedFrame:
    """A copy of a frame, whole, the reader's own.

    Attributes:
        stamp: When and where it was taken.
        bgr: uint8, (height, width, 3), blue first.
        note: What the writer had to say of it, as bytes of JSON; at most 16 KiB.
    """

    stamp: FrameStamp
    bgr: ImageArray
    note: bytes


class FrameWriter:
    """Writes frames; used from one thread of one process."""

    def __init__(self, width: int, height: int, slots: int = 4) -> None:
        """Note the geometry; `open` makes the memory.

        Args:
            width: Of the largest picture, pixels.
            height: Of the largest picture, pixels.
            slots: Frames kept; a reader has the time of `slots - 1` frames to copy one. 2 to 16.

        Raises:
            ValueError: A size out of range.
        """
        if width < 1 or height < 1 or width * height > MAX_PIXELS or not MIN_SLOTS <= slots <= MAX_SLOTS:
            raise ValueError(f"cannot share {slots} frames of {width} x {height} pixels")
        self._width = width
        self._height = height
        self._slots = slots
        self._fence = _Fence()
        self._fd = -1
        self._memory: mmap.mmap | None = None
        self._header: Any = None
        self._views: list[_SlotView] = []

    def open(self) -> None:
        """Make the memory and seal its size.

        Raises:
            WireError: The system has no memory for it.
        """
        slot_bytes = _slot_bytes(self._width, self._height)
        size = _PAGE + self._slots * slot_bytes
        try:
            self._fd = os.memfd_create("frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            os.ftruncate(self._fd, size)
            memory = mmap.mmap(self._fd, size)
            fcntl.fcntl(self._fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        except OSError as error:
            self.close()
            raise WireError(f"no shared memory of {size:,} bytes for frames: {error.strerror}") from error
        with contextlib.suppress(OSError):  # an older kernel: the descriptor given out is read-only anyway
            fcntl.fcntl(self._fd, fcntl.F_ADD_SEALS, _F_SEAL_FUTURE_WRITE | fcntl.F_SEAL_SEAL)
        self._memory = memory
        self._header = np.frombuffer(memory, _HEADER, 1)
        self._views = [_SlotView(memory, _PAGE + i * slot_bytes) for i in range(self._slots)]
        header = self._header
        header["version"] = VERSION
        header["slots"] = self._slots
        header["width"] = self._width
        header["height"] = self._height
        header["slot_bytes"] = slot_bytes
        header["sequence"] = -1
        self._fence.order()
        header["magic"] = _MAGIC

    @property
    def fd(self) -> int:
        """The descriptor to hand to readers; it stays the writer's to close.

        Raises:
            WireError: The memory is not open.
        """
        if self._memory is None:
            raise WireError("the shared frames are not open")
        return self._fd

    def write(self, stamp: FrameStamp, bgr: ImageArray, note: bytes = b"") -> None:
        """Share a frame.

        Args:
            stamp: Its sequence must be greater than the one before, or readers that wait see nothing new.
            bgr: uint8, (h, w, 3), blue first, no larger than the writer's size.
            note: JSON to travel with it, at most 16 KiB.

        Raises:
            ValueError: Picture, note or camera id do not fit.
            WireError: The memory is not open.
        """
        if bgr.dtype != np.uint8 or bgr.ndim != _CHANNELS or bgr.shape[2] != _CHANNELS:
            raise ValueError(f"expected uint8 (h, w, 3), got {bgr.dtype} {bgr.shape}")
        height, width = bgr.shape[:2]
        self.draw(stamp, width, height, lambda picture: np.copyto(picture, bgr), note)

    def draw(
        self,
        stamp: FrameStamp,
        width: int,
        height: int,
        fill: Callable[[ImageArray], object],
        note: bytes = b"",
    ) -> None:
        """Share a frame that is drawn where it will lie: as `write` without a copy.

        Args:
            stamp: As for `write`.
            width: Of the picture, pixels.
            height: Likewise.
            fill: Draws all of uint8, (height, width, 3), blue first, which holds an older frame. What it
                raises is raised, and no frame is shared.
            note: As for `write`.

        Raises:
            ValueError: Picture, note or camera id do not fit.
            WireError: The memory is not open.
        """
        if self._memory is None:
            raise WireError("the shared frames are not open")
        camera = stamp.camera.encode()
        if not 0 < width * height <= self._width * self._height:
            raise ValueError(f"{width} x {height} pixels do not fit into {self._width} x {self._height}")
        if len(note) > MAX_NOTE_BYTES or len(camera) > _CAMERA_BYTES:
            raise ValueError(f"a note of {len(note)} bytes or a camera id of {len(camera)} is too long")
        number = int(self._header["written"][0]) + 1
        slot = self._views[number % self._slots]
        fields = slot.fields
        fields["begin"] = number
        self._fence.order()
        fields["sequence"] = stamp.sequence
        fields["monotonic_s"] = stamp.monotonic_s
        fields["wall_us"] = (stamp.wall - _EPOCH) // timedelta(microseconds=1)
        fields["media_s"] = math.nan if stamp.media_s is None else stamp.media_s
        fields["width"] = width
        fields["height"] = height
        fields["camera_bytes"] = len(camera)
        fields["note_bytes"] = len(note)
        fields["camera"][0, : len(camera)] = np.frombuffer(camera, np.uint8)
        fields["note"][0, : len(note)] = np.frombuffer(note, np.uint8)
        fill(slot.pixels(width, height))
        self._fence.order()
        fields["end"] = number
        self._fence.order()
        self._header["sequence"] = stamp.sequence
        self._header["written"] = number

    def close(self) -> None:
        """Let go of the memory; readers keep what they have mapped. May be called twice."""
        self._header = None
        self._views = []
        memory, self._memory = self._memory, None
        _unmap(memory)
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self) -> Self:
        """Open."""
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Close."""
        self.close()


class FrameReader:
    """Reads frames out of memory that somebody else writes; used from one thread."""

    def __init__(self, fd: int) -> None:
        """Note the descriptor; it stays the caller's to close, also after `open`."""
        self._fd = fd
        self._fence = _Fence()
        self._memory: mmap.mmap | None = None
        self._header: Any = None
        self._views: list[_SlotView] = []
        self._capacity = 0

    def open(self) -> None:
        """Map the memory, for reading only, and check that it is what it should be.

        Raises:
            WireError: It is not shared frames, of another version, or could be cut short under us.
        """
        size = self._checked_size()
        try:
            memory = mmap.mmap(self._fd, size, prot=mmap.PROT_READ)
        except (OSError, ValueError) as error:
            raise WireError("the shared frames cannot be mapped") from error
        header = np.frombuffer(memory, _HEADER, 1)
        found = {name: int(header[name][0]) for name in _HEADER.names or ()}
        problem = _problem(found, size)
        if problem:
            del header
            memory.close()
            raise WireError(problem, hint="reader and writer must be of the same release")
        self._memory = memory
        self._header = header
        self._capacity = found["width"] * found["height"]
        slot_bytes = found["slot_bytes"]
        self._views = [_SlotView(memory, _PAGE + i * slot_bytes) for i in range(found["slots"])]

    @property
    def sequence(self) -> int:
        """The sequence of the newest frame, without a copy of it; -1 before the first, and while not open."""
        return -1 if self._memory is None else int(self._header["sequence"][0])

    def newest(self) -> SharedFrame | None:
        """A copy of the newest frame; None before the first.

        Raises:
            WireError: It is not open, or the writer writes nonsense.
        """
        if self._memory is None:
            raise WireError("the shared frames are not open")
        for _ in range(_ATTEMPTS):
            number = int(self._header["written"][0])
            if not number:
                return None
            frame = self._copy(self._views[number % len(self._views)], number)
            if frame is not None:
                return frame
        return None

    def wait_newer(self, sequence: int, timeout_s: float) -> SharedFrame | None:
        """The newest frame, once its sequence is greater than `sequence`; None if none comes in time.

        Raises:
            WireError: It is not open, or the writer writes nonsense.
        """
        if self._memory is None:
            raise WireError("the shared frames are not open")
        deadline = time.monotonic() + timeout_s
        while True:
            if self.sequence > sequence:
                frame = self.newest()
                if frame is not None and frame.stamp.sequence > sequence:
                    return frame
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            time.sleep(min(_LOOK_S, left))

    def close(self) -> None:
        """Unmap; frames given out are copies and stay. May be called twice."""
        self._header = None
        self._views = []
        memory, self._memory = self._memory, None
        _unmap(memory)

    def __enter__(self) -> Self:
        """Open."""
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _checked_size(self) -> int:
        """Size of the memory, once it is sure to stay: a file cut short would kill us by signal."""
        try:
            status = os.fstat(self._fd)
            seals = fcntl.fcntl(self._fd, fcntl.F_GET_SEALS)
        except OSError as error:
            raise WireError("the descriptor is not shared memory") from error
        if not stat.S_ISREG(status.st_mode) or not seals & fcntl.F_SEAL_SHRINK:
            raise WireError("the descriptor is not shared memory of a fixed size")
        if status.st_size < _PAGE:
            raise WireError("the shared memory is too small to hold frames")
        return status.st_size

    def _copy(self, slot: "_SlotView", number: int) -> SharedFrame | None:
        """A copy of the slot if it held frame `number` from beginning to end of the copying."""
        fields = slot.fields
        if int(fields["end"][0]) != number:
            return None
        self._fence.order()
        width, height = int(fields["width"][0]), int(fields["height"][0])
        camera_bytes, note_bytes = int(fields["camera_bytes"][0]), int(fields["note_bytes"][0])
        sound = (
            0 < width <= self._capacity
            and 0 < height <= self._capacity
            and width * height <= self._capacity
            and camera_bytes <= _CAMERA_BYTES
            and note_bytes <= MAX_NOTE_BYTES
        )
        values: Any = fields[0].copy()
        picture = slot.pixels(width, height).copy() if sound else None
        self._fence.order()
        if int(fields["begin"][0]) != number:
            return None
        if picture is None:
            raise WireError("the shared frames hold a size that cannot be")
        media_s = float(values["media_s"])
        try:
            camera = values["camera"][:camera_bytes].tobytes().decode()
            wall = _EPOCH + timedelta(microseconds=int(values["wall_us"]))
        except (UnicodeDecodeError, OverflowError) as error:
            raise WireError("the shared frames hold a stamp that cannot be") from error
        stamp = FrameStamp(
            CameraId(camera),
            int(values["sequence"]),
            float(values["monotonic_s"]),
            wall,
            None if math.isnan(media_s) else media_s,
        )
        return SharedFrame(stamp, picture, values["note"][:note_bytes].tobytes())


class _SlotView:
    """One slot: its fields, and its pixels as an array."""

    def __init__(self, memory: mmap.mmap, offset: int) -> None:
        self._memory = memory
        self._offset = offset + _SLOT.itemsize
        self.fields: Any = np.frombuffer(memory, _SLOT, 1, offset)

    def pixels(self, width: int, height: int) -> NDArray[np.uint8]:
        """The picture as uint8, (height, width, 3)."""
        flat = np.frombuffer(self._memory, np.uint8, width * height * _CHANNELS, self._offset)
        return flat.reshape(height, width, _CHANNELS)


class _Fence:
    """Keeps memory accesses before it before those after it, on processors that re-order them.

    Python has no fence. Giving a lock back and taking it again is one: a release followed by
    an acquire, which C11 and ARMv8 order with each other. On x86-64, where stores stay in
    order anyway, it costs 0.1 microseconds.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def order(self) -> None:
        """Order what was done before with what is done next."""
        self._lock.release()
        self._lock.acquire()


def _unmap(memory: mmap.mmap | None) -> None:
    """Unmap now; or, while a traceback still holds a view of it, when that is gone."""
    if memory is not None:
        with contextlib.suppress(BufferError):
            memory.close()


def _slot_bytes(width: int, height: int) -> int:
    """Bytes of a slot, in whole pages."""
    return -(-(_SLOT.itemsize + width * height * _CHANNELS) // _PAGE) * _PAGE


def _problem(header: dict[str, int], size: int) -> str:
    """What is wrong with a header; empty if nothing."""
    if header["magic"] != int(_MAGIC):
        return "the shared memory does not hold frames"
    if header["version"] != VERSION:
        return f"the shared frames are of version {header['version']}, not {VERSION}"
    width, height, slots = header["width"], header["height"], header["slots"]
    if not (0 < width <= MAX_PIXELS and 0 < height <= MAX_PIXELS and width * height <= MAX_PIXELS):
        return f"the shared frames claim a size of {width} x {height}"
    if not MIN_SLOTS <= slots <= MAX_SLOTS or header["slot_bytes"] != _slot_bytes(width, height):
        return "the shared frames have a layout that does not fit their size"
    if size != _PAGE + slots * header["slot_bytes"]:
        return "the shared frames are cut short"
    return ""
