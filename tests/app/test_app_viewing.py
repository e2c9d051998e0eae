"""Whoever asks sees frames; when nobody asks, none is written."""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
from factories import frame

from appliance.app.viewing import Showcase, ShownCamera
from appliance.errors import CameraLostError, CameraRefusedError
from appliance.frames import FrameReader
from appliance.values import Frame, ImageArray
from appliance.wire import Client, Server
from appliance.wire.messages import FramesShared, ShowFound, WatchFrames


class Overlay:
    """What was seen in a frame; counts how often somebody wanted to know."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> dict[str, Any]:
        """Nothing was seen."""
        self.asked += 1
        return {"faces": []}


@contextmanager
def filming(shown: ShownCamera, *, size: tuple[int, int] = (320, 180), first: int = 0) -> Iterator[None]:
    """A camera's loop: a frame every few milliseconds until the block ends."""
    over = threading.Event()

    def film() -> None:
        sequence = first
        while not over.wait(0.01):
            shown.show(frame(sequence, level=sequence % 200, size=size), Overlay())
            sequence += 1

    thread = threading.Thread(target=film)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_without_a_viewer_nothing_is_written() -> None:
    """No overlay is made, no memory taken."""
    shown, overlay = ShownCamera("entrance"), Overlay()
    for sequence in range(100):
        shown.show(frame(sequence), overlay)

    assert 0 == overlay.asked


def test_a_viewer_gets_frames_that_go_on() -> None:
    """One question is enough for `LEASE_S` of frames, each newer than the one before."""
    shown = ShownCamera("entrance")
    with filming(shown):
        reply = shown.share()
        with FrameReader(reply.fds[0]) as reader:
            first = reader.wait_newer(-1, 5.0)
            assert first is not None
            second = reader.wait_newer(first.stamp.sequence, 5.0)

    assert second is not None
    assert second.stamp.sequence > first.stamp.sequence
    assert b'{"faces": []}' == second.note
    np.testing.assert_array_equal(frame(level=second.stamp.sequence % 200).bgr(), second.bgr)


def test_another_process_gets_a_descriptor_it_can_read(tmp_path: Path) -> None:
    """Over the socket, as `appliance view` does it; the size comes along."""
    showcase = Showcase()
    with (
        filming(showcase.camera("entrance")),
        Server(tmp_path / "run" / "loop.sock", showcase.handlers()),
    ):
        reply = Client(tmp_path / "run" / "loop.sock").call(WatchFrames(camera="entrance"), FramesShared)
        with FrameReader(reply.fds[0]) as reader:
            seen = reader.wait_newer(-1, 5.0)
        for fd in reply.fds:
            os.close(fd)

    assert (320, 180) == (reply.message.width, reply.message.height)
    assert seen is not None
    assert (180, 320, 3) == seen.bgr.shape


def test_a_viewer_who_comes_late_sees_no_frame_of_the_last_one() -> None:
    """After the lease has run out the memory still holds an old frame; it is not shown as the newest."""
    shown = ShownCamera("entrance", lease_s=1.0)
    with filming(shown):
        shown.share()
    time.sleep(1.1)
    with filming(shown, first=9999), FrameReader(shown.share().fds[0]) as reader:
        seen = reader.newest()

    assert seen is not None
    assert seen.stamp.sequence >= 9999


def test_frames_stop_when_the_lease_is_over() -> None:
    """Nobody has to say that they have seen enough."""
    shown, overlay = ShownCamera("entrance", lease_s=0.5), Overlay()
    with filming(shown):
        shown.share()
    time.sleep(0.6)
    shown.show(frame(9999), overlay)

    assert 0 == overlay.asked


def test_a_camera_of_another_size_gets_other_memory() -> None:
    """A camera that comes back with another resolution is shown in it."""
    shown = ShownCamera("entrance")
    with filming(shown):
        small = shown.share().message
    with filming(shown, size=(640, 360)):
        deadline = time.monotonic() + 60
        large = shown.share().message
        while large.width == small.width and time.monotonic() < deadline:
            time.sleep(0.02)
            large = shown.share().message

    assert ((320, 180), (640, 360)) == ((small.width, small.height), (large.width, large.height))


def test_changing_sizes_leave_nothing_open() -> None:
    """However often a camera comes back different, one memory is open; whoever holds an old one keeps it."""
    shown = ShownCamera("entrance")
    with filming(shown):
        kept = shown.share().fds[0]
    before = sorted(Path("/proc/self/fd").iterdir())
    for width in range(100, 150):
        shown.show(frame(width, size=(width, 90)), Overlay())
        os.close(until_wide(shown, width))
    with FrameReader(kept) as reader:
        seen = reader.newest()

    assert len(before) == len(sorted(Path("/proc/self/fd").iterdir()))
    assert seen is not None
    assert (180, 320, 3) == seen.bgr.shape
    os.close(kept)


def until_wide(shown: ShownCamera, width: int) -> int:
    """Wait for frames of that width; a descriptor of them."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        reply = shown.share()
        if reply.message.width == width:
            return reply.fds[0]
        os.close(reply.fds[0])
    raise AssertionError("no frame is so wide")


def test_the_loop_waits_for_no_copy_and_the_newest_is_shown() -> None:
    """A picture that takes long is made beside the loop; of what comes meanwhile only the last is."""
    shown = ShownCamera("entrance")
    with filming(shown):
        fd = shown.share().fds[0]
    slow, *others = [SlowFrame(frame(1000 + n)) for n in range(11)]
    shown.show(slow, Overlay())
    assert slow.begun.wait(60)
    for each in others:
        each.may_go.set()
        shown.show(each, Overlay())
    slow.may_go.set()
    with FrameReader(fd) as reader:
        seen = reader.wait_newer(1009, 60)
    os.close(fd)

    assert seen is not None
    assert 1010 == seen.stamp.sequence
    assert [False] * 9 + [True] == [each.begun.is_set() for each in others]


def test_frames_are_copied_off_the_first_processor() -> None:
    """Where there are several: woken on the loop's own, a copy would begin before the frame is done with."""
    shown, every, before = ShownCamera("entrance"), os.sched_getaffinity(0), threading.enumerate()
    with filming(shown):
        os.close(shown.share().fds[0])
        (copies,) = (each for each in threading.enumerate() if each.name == "viewing" and each not in before)

        assert copies.native_id is not None
        assert (every - {min(every)} or every) == os.sched_getaffinity(copies.native_id)
    assert every == os.sched_getaffinity(0)


def test_a_damaged_frame_is_said_once_and_the_next_is_shown() -> None:
    """What shows only when the picture is decoded ends nothing; nor does a fault of ours for good."""
    shown = ShownCamera("entrance")
    with filming(shown):
        fd = shown.share().fds[0]
    with FrameReader(fd) as reader, structlog.testing.capture_logs() as logged:
        for sequence in (1000, 1001):
            damaged = SlowFrame(frame(sequence), CameraLostError("half a picture"))
            damaged.may_go.set()
            shown.show(damaged, Overlay())
            assert damaged.begun.wait(60)
        shown.show(frame(1002), Overlay())
        seen = reader.wait_newer(999, 60)
    os.close(fd)

    assert seen is not None
    assert 1002 == seen.stamp.sequence
    assert [("frame_not_shown", "half a picture")] == [(each["event"], each["error"]) for each in logged]


def test_what_is_written_late_does_not_bring_a_lost_camera_back() -> None:
    """A frame that was in hand when the camera was lost is written; whoever asks is told of the loss."""
    shown = ShownCamera("entrance")
    with filming(shown):
        fd = shown.share().fds[0]
    slow = SlowFrame(frame(1000))
    shown.show(slow, Overlay())
    assert slow.begun.wait(60)
    shown.lose("the device said no")
    slow.may_go.set()
    with FrameReader(fd) as reader:
        late = reader.wait_newer(999, 60)
    os.close(fd)

    assert late is not None
    with pytest.raises(CameraLostError, match="the device said no"):
        shown.share()


def test_frames_that_cannot_be_written_leave_nothing_open() -> None:
    """However many: what is made for a frame is made once it is decoded."""
    shown = ShownCamera("entrance")
    with filming(shown):
        os.close(shown.share().fds[0])
    before = sorted(Path("/proc/self/fd").iterdir())
    for width in range(100, 130):
        damaged = SlowFrame(frame(width, size=(width, 90)), CameraLostError("half a picture"))
        damaged.may_go.set()
        shown.show(damaged, Overlay())
        assert damaged.begun.wait(60)

    assert len(before) == len(sorted(Path("/proc/self/fd").iterdir()))


class SlowFrame:
    """A frame whose picture is not made before it may be."""

    def __init__(self, made: Frame, error: CameraLostError | None = None) -> None:
        self._made = made
        self._error = error
        self.stamp, self.width, self.height, self.gray = made.stamp, made.width, made.height, made.gray
        self.begun, self.may_go = threading.Event(), threading.Event()

    def bgr(self) -> ImageArray:
        """The picture, once it may be made."""
        self.begun.set()
        assert self.may_go.wait(60)
        if self._error is not None:
            raise self._error
        return self._made.bgr()


def test_what_was_found_is_in_the_note_for_some_seconds() -> None:
    """Until it is said that it is nothing any more; of a camera that there is not it is let go."""
    showcase = Showcase()
    shown = showcase.camera("entrance")
    show_found = showcase.handlers()[ShowFound]

    def said(**how: Any) -> None:
        given = {"camera": "entrance", "words": "cup 0.83", "known": True, "box": (1, 2, 3, 4), **how}
        request: Any = type("Asked", (), {"message": ShowFound.model_validate(given)})()
        show_found(request)

    with filming(shown):
        fd = shown.share().fds[0]
        with FrameReader(fd) as reader:
            said()
            until_note(reader, {"words": "cup 0.83", "known": True, "box": [1, 2, 3, 4]})
            said(words="")
            until_note(reader, None)
            said(camera="yard")
            said(for_s=0.2)
            until_note(reader, {"words": "cup 0.83", "known": True, "box": [1, 2, 3, 4]})
            until_note(reader, None)


def until_note(reader: FrameReader, found: Any) -> None:
    """Wait for a frame whose note says that."""
    sequence, deadline = -1, time.monotonic() + 60
    while time.monotonic() < deadline:
        frame_now = reader.wait_newer(sequence, 5)
        assert frame_now is not None
        sequence = frame_now.stamp.sequence
        if json.loads(frame_now.note).get("found") == found:
            return
    raise AssertionError("no frame says so")


def test_a_camera_that_is_not_there_is_told_with_those_that_are() -> None:
    """A wrong name is answered at once."""
    showcase = Showcase()
    showcase.camera("entrance")
    watch = showcase.handlers()[WatchFrames]
    request: Any = type("Asked", (), {"message": WatchFrames(camera="yard")})()

    with pytest.raises(CameraLostError, match="no camera 'yard'") as caught:
        watch(request)
    assert "there are: entrance" == caught.value.hint


def test_while_the_cameras_start_nobody_is_told_that_there_is_none() -> None:
    """After a door was saved the loop starts again: its page asks for a moment."""
    watch = Showcase().handlers()[WatchFrames]
    request: Any = type("Asked", (), {"message": WatchFrames(camera="entrance")})()

    with pytest.raises(CameraLostError, match="the cameras are being started") as caught:
        watch(request)
    assert "wait a moment" == caught.value.hint


def test_why_a_camera_was_lost_is_told_at_once_until_it_is_back() -> None:
    """Whoever looks is neither kept waiting nor shown the last picture as if it were of now."""
    shown = ShownCamera("entrance")
    with filming(shown):
        os.close(shown.share().fds[0])
    shown.lose("the device said no")
    began = time.monotonic()
    with pytest.raises(CameraLostError, match="the device said no"):
        shown.share()
    waited = time.monotonic() - began
    shown.lose("")
    with filming(shown, first=100):
        back = shown.share()
    os.close(back.fds[0])

    assert waited < 1


def test_a_camera_that_can_never_work_is_told_at_once() -> None:
    """Whoever looks hears what is wrong with it, and is not kept waiting for a frame."""
    shown = ShownCamera("entrance")
    shown.refuse(CameraRefusedError("camera entrance: not a video", hint="name another file"))
    began = time.monotonic()
    with pytest.raises(CameraLostError, match="not a video") as caught:
        shown.share()

    assert "name another file" == caught.value.hint
    assert time.monotonic() - began < 1
