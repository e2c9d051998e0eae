"""Shared frames: whole or not at all, across processes, whatever happens to the writer."""

import fcntl
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from appliance.errors import WireError
from appliance.frames import MAX_NOTE_BYTES, FrameReader, FrameWriter
from appliance.values import CameraId, FrameStamp

WRITER = Path(__file__).parents[1] / "support" / "frames_writer.py"
WALL = datetime(2026, 1, 5, 9, 0, 0, 123456, tzinfo=UTC)


def stamp(sequence: int = 0, media_s: float | None = None) -> FrameStamp:
    """A stamp with that number."""
    return FrameStamp(CameraId("entrance"), sequence, 12.5, WALL, media_s)


def gray(level: int, height: int = 4, width: int = 6) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A picture of one level."""
    return np.full((height, width, 3), level, np.uint8)


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 7), st.just(3))),
    st.binary(max_size=300),
    st.integers(0, 2**62),
    st.floats(0, 1e12),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds it
    st.none() | st.floats(0, 1e9),
    st.text("abcdefgh-0123", min_size=1, max_size=32),
)
def test_what_is_written_is_read(  # noqa: PLR0917 - one argument per field of a frame
    picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    note: bytes,
    sequence: int,
    monotonic_s: float,
    wall: datetime,
    media_s: float | None,
    camera: str,
) -> None:
    """Every field of the stamp, every pixel and every byte of the note."""
    written = FrameStamp(CameraId(camera), sequence, monotonic_s, wall, media_s)
    with FrameWriter(9, 9) as writer, FrameReader(writer.fd) as reader:
        writer.write(written, picture, note)
        frame = reader.newest()

    assert frame is not None
    assert (written, note) == (frame.stamp, frame.note)
    np.testing.assert_array_equal(picture, frame.bgr)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("wrr"), st.integers(0, 255)), max_size=40), st.integers(2, 16))
def test_the_newest_is_the_last_that_was_written(steps: list[tuple[str, int]], slots: int) -> None:
    """Whatever the order of writing and reading, a reader sees the last frame, and none before the first."""
    with FrameWriter(6, 4, slots) as writer, FrameReader(writer.fd) as reader:
        last: tuple[int, int] | None = None
        for number, (what, level) in enumerate(steps):
            if what == "w":
                writer.write(stamp(number), gray(level), str(number).encode())
                last = (number, level)
            frame = reader.newest()
            seen = None if frame is None else (frame.stamp.sequence, int(frame.bgr.max()))

            assert last == seen


def test_a_frame_is_the_readers_own() -> None:
    """A frame handed out does not change when newer ones are written over it."""
    with FrameWriter(6, 4, 2) as writer, FrameReader(writer.fd) as reader:
        writer.write(stamp(0), gray(10))
        frame = reader.newest()
        for number in range(1, 6):
            writer.write(stamp(number), gray(200))

    assert frame is not None
    assert 10 == frame.bgr.max()


def test_waiting_ends_when_a_newer_frame_comes() -> None:
    """`wait_newer` gives what came while it waited, and at once what is there already."""
    with FrameWriter(6, 4) as writer, FrameReader(writer.fd) as reader:
        writer.write(stamp(7), gray(1))
        at_once = reader.wait_newer(6, 0)
        later = threading.Timer(0.1, writer.write, (stamp(8), gray(2)))
        later.start()
        came = reader.wait_newer(7, 10)
        later.join()

    assert at_once is not None
    assert came is not None
    assert (7, 8) == (at_once.stamp.sequence, came.stamp.sequence)


def test_the_newest_number_is_told_without_a_copy() -> None:
    """Before the first frame, and while it is not open, there is none."""
    with FrameWriter(6, 4) as writer:
        reader = FrameReader(writer.fd)
        closed = reader.sequence
        with reader:
            before = reader.sequence
            writer.write(stamp(7), gray(1))
            after = reader.sequence

    assert (-1, -1, 7) == (closed, before, after)


def test_waiting_in_vain_ends_in_time() -> None:
    """No newer frame, no answer, but not for ever."""
    with FrameWriter(6, 4) as writer, FrameReader(writer.fd) as reader:
        nothing = reader.wait_newer(-1, 0.02)
        writer.write(stamp(7), gray(1))
        not_newer = reader.wait_newer(7, 0.02)

    assert (None, None) == (nothing, not_newer)


def test_smaller_pictures_fit() -> None:
    """A camera that changes its resolution to a smaller one goes on in the same memory."""
    with FrameWriter(6, 4) as writer, FrameReader(writer.fd) as reader:
        writer.write(stamp(0), gray(9, height=8, width=3))
        frame = reader.newest()

    assert frame is not None
    assert (8, 3, 3) == frame.bgr.shape


def test_a_picture_is_drawn_where_it_lies() -> None:
    """Without a copy; the note and the stamp are as of one that was copied."""
    with FrameWriter(6, 4, 2) as writer, FrameReader(writer.fd) as reader:
        for number in range(5):
            writer.draw(stamp(number), 6, 4, lambda picture: picture.fill(number), b"{}")  # noqa: B023
            frame = reader.newest()

            assert frame is not None
            assert (number, b"{}") == (frame.stamp.sequence, frame.note)
            np.testing.assert_array_equal(gray(number), frame.bgr)


def test_what_was_drawn_in_part_is_no_frame() -> None:
    """The one before it stays the newest, and the next is shared."""

    def break_off(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
        picture[0] = 200
        raise ValueError("no picture")

    with FrameWriter(6, 4, 2) as writer, FrameReader(writer.fd) as reader:
        writer.write(stamp(1), gray(1))
        with pytest.raises(ValueError, match="no picture"):
            writer.draw(stamp(2), 6, 4, break_off)
        before = reader.newest()
        writer.write(stamp(3), gray(3))
        after = reader.newest()

    assert before is not None
    assert after is not None
    assert (1, 3) == (before.stamp.sequence, after.stamp.sequence)
    np.testing.assert_array_equal(gray(1), before.bgr)
    np.testing.assert_array_equal(gray(3), after.bgr)


@pytest.mark.parametrize(
    ("picture", "note"),
    [
        (gray(0, 5, 6), b""),
        (np.zeros((4, 6), np.uint8), b""),
        (np.zeros((4, 6, 4), np.uint8), b""),
        (np.zeros((4, 6, 3), np.float32), b""),
        (gray(0), bytes(MAX_NOTE_BYTES + 1)),
    ],
)
def test_what_does_not_fit_is_refused(
    picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], note: bytes
) -> None:
    """Too large, not a colour picture, too long a note: the frame before stays."""
    with FrameWriter(6, 4) as writer, FrameReader(writer.fd) as reader:
        writer.write(stamp(3), gray(50))
        with pytest.raises(ValueError, match=r"fit|expected|long"):
            writer.write(stamp(4), picture, note)
        frame = reader.newest()

    assert frame is not None
    assert 3 == frame.stamp.sequence


@pytest.mark.parametrize("size", [(0, 4, 4), (4, -1, 4), (100_000, 100_000, 4), (4, 4, 1), (4, 4, 99)])
def test_sizes_that_cannot_be_are_refused(size: tuple[int, int, int]) -> None:
    """No pixels, more than 40 million, one slot, too many."""
    with pytest.raises(ValueError, match="cannot share"):
        FrameWriter(*size)


def test_a_reader_cannot_disturb_the_writer() -> None:
    """The memory cannot be cut short, grown, or mapped for writing by whoever has its descriptor."""
    with FrameWriter(6, 4) as writer:
        with pytest.raises(PermissionError):
            os.ftruncate(writer.fd, 100)
        with pytest.raises(PermissionError):
            mmap.mmap(writer.fd, 4096)
        with pytest.raises(PermissionError):
            os.pwrite(writer.fd, b"x", 0)
        with FrameReader(writer.fd) as reader:
            writer.write(stamp(1), gray(8))
            frame = reader.newest()

    assert frame is not None


def sealed(content: bytes) -> int:
    """A memory file of that content, its size sealed."""
    fd = os.memfd_create("test", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, content)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    return fd


def good_bytes() -> bytearray:
    """The memory of a writer with one frame in it."""
    with FrameWriter(6, 4, 2) as writer:
        writer.write(stamp(1), gray(8))
        return bytearray(os.pread(writer.fd, os.fstat(writer.fd).st_size, 0))


def attach(content: bytes) -> FrameReader:
    """A reader on that content, opened."""
    fd = sealed(content)
    reader = FrameReader(fd)
    try:
        reader.open()
    finally:
        os.close(fd)
    return reader


def test_the_bytes_of_a_writer_can_be_attached_to() -> None:
    """The way the next tests make their garbage is sound where it is not spoiled."""
    frame = attach(bytes(good_bytes())).newest()

    assert frame is not None
    assert 1 == frame.stamp.sequence


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda _: b"", "too small"),
        (lambda data: data[:100], "too small"),
        (lambda data: os.urandom(len(data)), "does not hold frames"),
        (lambda data: bytes(len(data)), "does not hold frames"),
        (lambda data: data[:-4096], "cut short"),
        (lambda data: data[:8] + (2).to_bytes(8, sys.byteorder) + data[16:], "version 2"),
        (lambda data: data[:24] + (2**40).to_bytes(8, sys.byteorder) + data[32:], "claim a size"),
        (lambda data: data[:16] + (1).to_bytes(8, sys.byteorder) + data[24:], "layout"),
        (lambda data: data[:40] + (4096).to_bytes(8, sys.byteorder) + data[48:], "layout"),
    ],
)
def test_garbage_is_refused(spoil: Callable[[bytes], bytes], said: str) -> None:
    """Other bytes, cut-off memory, another version, sizes that cannot be: a WireError that says which."""
    with pytest.raises(WireError, match=said):
        attach(spoil(bytes(good_bytes())))


@given(st.integers(4096, 4096 + 20_000), st.binary(min_size=1, max_size=64))
def test_nonsense_in_a_slot_is_a_frame_or_a_wire_error(at: int, junk: bytes) -> None:
    """A writer gone mad makes a reader raise or show nonsense, never crash."""
    data = good_bytes()
    at = min(at, len(data) - len(junk))
    data[at : at + len(junk)] = junk
    reader = attach(bytes(data))
    try:
        frame = reader.newest()
    except WireError:
        frame = None

    assert frame is None or frame.bgr.ndim == 3


def test_memory_that_could_be_cut_short_is_refused(tmp_path: Path) -> None:
    """An ordinary file, a socket, or memory without seals could kill a reader by signal."""
    path = tmp_path / "frames"
    path.write_bytes(bytes(good_bytes()))
    unsealed = os.memfd_create("test")
    os.write(unsealed, bytes(good_bytes()))
    ours, theirs = socket.socketpair()
    with path.open("rb") as file, ours, theirs:
        for fd in (file.fileno(), unsealed, ours.fileno(), 999_999):
            with pytest.raises(WireError, match="not shared memory"):
                FrameReader(fd).open()
    os.close(unsealed)


def test_using_what_is_not_open_is_an_error() -> None:
    """Before opening and after closing."""
    writer = FrameWriter(6, 4)
    reader = FrameReader(0)

    with pytest.raises(WireError, match="not open"):
        writer.write(stamp(), gray(1))
    with pytest.raises(WireError, match="not open"):
        _ = writer.fd
    with pytest.raises(WireError, match="not open"):
        reader.newest()
    with pytest.raises(WireError, match="not open"):
        reader.wait_newer(0, 0)


def test_a_reader_outlives_its_writer() -> None:
    """What was written last can still be read when the writer has gone."""
    writer = FrameWriter(6, 4)
    writer.open()
    reader = FrameReader(writer.fd)
    reader.open()
    writer.write(stamp(5), gray(77))
    writer.close()
    writer.close()
    frame = reader.newest()
    reader.close()
    reader.close()

    assert frame is not None
    assert 77 == frame.bgr.max()


def test_times_before_1970_and_far_ahead_survive() -> None:
    """A box without a clock battery starts in 1970 or worse."""
    odd = FrameStamp(CameraId("a"), 1, 0.0, datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC))
    with FrameWriter(6, 4) as writer, FrameReader(writer.fd) as reader:
        writer.write(odd, gray(1))
        frame = reader.newest()

    assert frame is not None
    assert odd == frame.stamp
    assert timedelta(0) == frame.stamp.wall.utcoffset()


# ---------------------------------------------------------------- across processes

Start = Callable[[int], tuple[subprocess.Popen[bytes], int]]


@pytest.fixture
def start_writer() -> Iterator[Start]:
    """Starts a process that writes frames as fast as it can; gives it and its descriptor."""
    with ExitStack() as stack:

        def start(slots: int) -> tuple[subprocess.Popen[bytes], int]:
            ours, theirs = socket.socketpair()
            argv = [sys.executable, str(WRITER), str(theirs.fileno()), str(slots)]
            process = subprocess.Popen(argv, pass_fds=[theirs.fileno()])
            stack.callback(process.wait)
            stack.callback(process.kill)
            theirs.close()
            with ours:
                ours.settimeout(30)
                _, fds, _, _ = socket.recv_fds(ours, 1, 1)
            stack.callback(os.close, fds[0])
            return process, fds[0]

        yield start


def torn(frame_level: int, sequence: int, note: bytes) -> bool:
    """Whether picture, number and note are of different frames."""
    return frame_level != sequence % 251 or note != str(sequence).encode() * 50


def test_no_frame_is_torn_while_another_process_writes(start_writer: Start) -> None:
    """Two slots and a writer that never rests: each frame read is of one piece, and numbers never fall."""
    _, fd = start_writer(2)
    seen: list[int] = []
    broken = 0
    with FrameReader(fd) as reader:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            frame = reader.newest()
            if frame is None:
                continue
            low, high = int(frame.bgr.min()), int(frame.bgr.max())
            broken += low != high or torn(low, frame.stamp.sequence, frame.note)
            seen.append(frame.stamp.sequence)

    assert 0 == broken
    assert len(set(seen)) > 10
    assert sorted(seen) == seen


@pytest.mark.parametrize("after_s", [0.0, 0.01, 0.023, 0.05])
def test_a_writer_killed_in_the_middle_leaves_a_whole_frame(start_writer: Start, after_s: float) -> None:
    """Killed with SIGKILL at any moment, the last whole frame can be read, again and again."""
    process, fd = start_writer(2)
    with FrameReader(fd) as reader:
        first = reader.wait_newer(-1, 10)
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        frames = [reader.newest() for _ in range(3)]

    assert first is not None
    assert all(frame is not None for frame in frames)
    assert 1 == len({frame.stamp.sequence for frame in frames if frame})
    assert not any(
        frame.bgr.min() != frame.bgr.max() or torn(int(frame.bgr.min()), frame.stamp.sequence, frame.note)
        for frame in frames
        if frame
    )
