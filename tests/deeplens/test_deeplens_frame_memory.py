"""The frames a function takes: those the hosting side wrote, whole, its own, waited for but once."""

import fcntl
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from appliance.deeplens.guest.frame_memory import FrameMemory, FrameMemoryError
from appliance.deeplens.guest.last_frame import LastFrame
from appliance.deeplens.guest.messages import FrameWanted, GuestSaid, Taken
from appliance.frames import FrameWriter
from appliance.values import CameraId, FrameStamp

HEIGHT, WIDTH = 4, 6


def stamp(sequence: int, monotonic_s: float = 12.5) -> FrameStamp:
    """A stamp with that number."""
    return FrameStamp(CameraId("door"), sequence, monotonic_s, datetime(2026, 1, 5, tzinfo=UTC))


def gray(level: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A picture of one level."""
    return np.full((HEIGHT, WIDTH, 3), level, np.uint8)


class Noted:
    """Keeps what is said, and does something when a frame is wanted."""

    def __init__(self, wanted: Callable[[], None] = lambda: None) -> None:
        self.said: list[GuestSaid] = []
        self._wanted = wanted

    def put(self, message: GuestSaid) -> None:
        """Note it."""
        self.said.append(message)
        if isinstance(message, FrameWanted):
            self._wanted()


@pytest.fixture
def writer() -> Iterator[FrameWriter]:
    """Memory for small frames, as the hosting side makes it."""
    with FrameWriter(WIDTH, HEIGHT, 3) as made:
        yield made


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 7), st.just(3))),
    st.integers(0, 2**62),
    st.floats(0, 1e12),
)
def test_what_the_appliance_writes_is_what_a_function_reads(
    picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], sequence: int, monotonic_s: float
) -> None:
    """The reader in the view and the writer outside agree on every byte, whatever else travels along."""
    with FrameWriter(9, 9) as writer:
        memory = FrameMemory(writer.fd)
        memory.open()
        writer.write(stamp(sequence, monotonic_s), picture, b'{"note": 1}')
        frame = memory.newest()
        memory.close()

    assert frame is not None
    assert (sequence, monotonic_s) == (frame.sequence, frame.monotonic_s)
    np.testing.assert_array_equal(picture, frame.bgr)


def test_there_is_nothing_before_the_first_frame(writer: FrameWriter) -> None:
    """No frame, and no number of one."""
    memory = FrameMemory(writer.fd)
    memory.open()

    assert memory.newest() is None
    assert -1 == memory.sequence


def test_the_newest_is_given_whatever_came_between(writer: FrameWriter) -> None:
    """Slots are used again and again; the last that was written is the one."""
    memory = FrameMemory(writer.fd)
    memory.open()
    for n in range(20):
        writer.write(stamp(n), gray(n))
    frame = memory.newest()

    assert frame is not None
    assert 19 == frame.sequence
    assert (frame.bgr == 19).all()


def test_a_frame_that_is_overwritten_while_it_is_copied_is_not_given(writer: FrameWriter) -> None:
    """With a slot torn for good the reader gives up rather than give half a frame."""
    writer.write(stamp(0), gray(1))
    memory = FrameMemory(writer.fd)
    memory.open()
    # a writer killed after it began the next frame of this slot: only `begin` is of the new one
    writer._views[1].fields["begin"] = 4
    torn = memory.newest()
    writer._views[1].fields["begin"] = 1

    assert torn is None
    assert memory.newest() is not None


def test_frames_read_beside_a_busy_writer_are_whole(writer: FrameWriter) -> None:
    """Thousands of frames of one level each: no copy holds two levels, and none is older than one before."""
    memory = FrameMemory(writer.fd)
    memory.open()
    stop = threading.Event()

    def write() -> None:
        n = 0
        while not stop.is_set():
            writer.write(stamp(n), gray(n % 256))
            n += 1

    thread = threading.Thread(target=write)
    thread.start()
    mixed, backwards, last, read = 0, 0, -1, 0
    while read < 2000:
        frame = memory.newest()
        if frame is None:
            continue
        read += 1
        mixed += not (frame.bgr == frame.sequence % 256).all()
        backwards += frame.sequence < last
        last = frame.sequence
    stop.set()
    thread.join()

    assert (0, 0) == (mixed, backwards)


def test_memory_that_holds_no_frames_is_refused(writer: FrameWriter) -> None:
    """Something else, something cut short, and nothing at all are one error."""
    foreign = os.memfd_create("foreign", os.MFD_CLOEXEC)
    os.ftruncate(foreign, 8192)
    short = os.memfd_create("short", os.MFD_CLOEXEC)
    os.ftruncate(short, 8192)
    os.pwrite(short, os.pread(writer.fd, 4096, 0), 0)
    for each in (foreign, short, -1):
        with pytest.raises(FrameMemoryError):
            FrameMemory(each).open()
    with pytest.raises(FrameMemoryError):
        FrameMemory(foreign).newest()
    os.close(foreign)
    os.close(short)

    assert fcntl.fcntl(writer.fd, fcntl.F_GETFD) >= 0


def test_each_frame_taken_is_the_functions_own(writer: FrameWriter) -> None:
    """Drawing into one changes neither what is taken next nor what others read."""
    writer.write(stamp(0, time.monotonic()), gray(7))
    last = LastFrame(Noted())
    last.share(os.dup(writer.fd))
    _, first = last.take()
    first[:] = 0
    _, second = last.take()

    assert (second == 7).all()
    assert second.flags.writeable
    assert second.flags.owndata or second.base is not None
    assert (HEIGHT, WIDTH, 3) == second.shape


def test_the_first_frame_is_waited_for_and_asked_for(writer: FrameWriter) -> None:
    """Before anybody shares frames, `take` blocks and says that one is wanted; then it gives it."""
    wanted = threading.Event()
    noted = Noted(wanted.set)
    last = LastFrame(noted)
    taken: list[bool] = []
    thread = threading.Thread(target=lambda: taken.append(last.take()[0]))
    thread.start()
    asked = wanted.wait(30)
    before = list(taken)
    writer.write(stamp(0, time.monotonic()), gray(7))
    last.share(os.dup(writer.fd))
    thread.join(30)

    assert asked
    assert [] == before
    assert [True] == taken
    assert Taken(0, 1) == noted.said[-1]


def test_what_is_taken_is_told(writer: FrameWriter) -> None:
    """Number of the newest and how many, so that the host sees that the function lives."""
    noted = Noted()
    last = LastFrame(noted)
    writer.write(stamp(41, time.monotonic()), gray(7))
    last.share(os.dup(writer.fd))
    for _ in range(3):
        last.take()

    assert [Taken(41, 1), Taken(41, 2), Taken(41, 3)] == noted.said


def test_a_frame_from_before_a_pause_is_not_given_as_new(writer: FrameWriter) -> None:
    """After a minute's sleep a newer frame is asked for and waited for."""
    writer.write(stamp(0, time.monotonic() - 60), gray(1))
    noted = Noted(lambda: writer.write(stamp(1, time.monotonic()), gray(2)))
    last = LastFrame(noted)
    last.share(os.dup(writer.fd))
    there, frame = last.take()

    assert there
    assert (frame == 2).all()
    assert [FrameWanted(), Taken(1, 1)] == noted.said


def test_a_camera_that_is_gone_is_told_with_its_last_frame(writer: FrameWriter) -> None:
    """When nothing newer comes in time the first value is false, the second still a frame; and back again."""
    writer.write(stamp(0, time.monotonic() - 60), gray(1))
    last = LastFrame(Noted(), gone_s=0.05)
    last.share(os.dup(writer.fd))
    gone, frame = last.take()
    writer.write(stamp(1, time.monotonic() + 60), gray(2))
    back, newer = last.take()

    assert (False, True) == (gone, back)
    assert ((frame == 1).all(), (newer == 2).all()) == (True, True)


def test_a_camera_is_gone_after_ten_seconds(writer: FrameWriter) -> None:
    """So long a newer frame is waited for, by a clock that goes on by a quarter of a second a look."""
    hours = itertools.count(time.monotonic() + 5, 0.25)
    writer.write(stamp(0, time.monotonic()), gray(1))
    last = LastFrame(Noted(), now=lambda: next(hours))
    last.share(os.dup(writer.fd))
    begun = next(hours)
    gives, _ = last.take()

    assert not gives
    assert 10 <= next(hours) - begun < 13


def test_memory_given_anew_takes_the_place_of_the_old(writer: FrameWriter) -> None:
    """A host that starts over shares other memory, whose numbers begin again."""
    writer.write(stamp(500, time.monotonic()), gray(1))
    last = LastFrame(Noted())
    last.share(os.dup(writer.fd))
    last.take()
    with FrameWriter(WIDTH, HEIGHT, 3) as other:
        other.write(stamp(0, time.monotonic()), gray(2))
        last.share(os.dup(other.fd))
        _, frame = last.take()

    assert (frame == 2).all()


def test_the_descriptor_is_closed_also_of_memory_that_is_refused() -> None:
    """Nothing stays open of what cannot be used."""
    foreign = os.memfd_create("foreign", os.MFD_CLOEXEC)
    with pytest.raises(FrameMemoryError):
        LastFrame(Noted()).share(foreign)

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(foreign)
