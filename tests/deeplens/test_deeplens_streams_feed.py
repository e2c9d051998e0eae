"""Frames for functions: newest only, only while wanted, shared by all functions of a camera."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from factories import frame, stamp
from pipe_readers import eventually

from appliance.deeplens.frame_feed import FrameFeed, FrameFeeds
from appliance.deeplens.frame_source import FrameSource, LeasedFrames, NewestFrames
from appliance.deeplens.per_camera import give_way
from appliance.deeplens.view import NICE
from appliance.errors import CameraLostError
from appliance.frames import FrameReader, FrameWriter, SharedFrame


@contextmanager
def read(feed: FrameFeed) -> Iterator[FrameReader]:
    """The feed's memory as a function has it."""
    fd = feed.descriptor()
    try:
        with FrameReader(fd) as reader:
            yield reader
    finally:
        os.close(fd)


def level(shared: SharedFrame | None) -> int:
    """Gray of an even picture."""
    assert shared is not None
    return int(shared.bgr[700, 1300, 0])


def test_a_frame_comes_at_the_size_functions_know_and_only_the_newest_of_them() -> None:
    """Whatever the camera gives, 1520 x 2688 x 3; older frames are never seen."""
    camera = NewestFrames()
    for number in range(3):
        camera.offer(frame(number, level=50 + number))
    with FrameFeed(camera.source()) as feed, read(feed) as reader:
        feed.want()
        first = reader.wait_newer(-1, 20)
        camera.offer(frame(3, level=90))
        feed.want()
        second = reader.wait_newer(0, 20)

    assert first is not None
    assert (1520, 2688, 3) == first.bgr.shape
    assert [52, 90] == [level(first), level(second)]
    assert second is not None
    assert (0, 1) == (first.stamp.sequence, second.stamp.sequence)
    assert first.stamp.monotonic_s <= second.stamp.monotonic_s <= time.monotonic()


def test_nothing_is_scaled_while_nobody_takes_frames() -> None:
    """A feed that nobody wants writes nothing; one that is left alone stops by itself."""
    camera = NewestFrames()
    with FrameFeed(camera.source(), fps=200) as feed:
        camera.offer(frame(0))
        time.sleep(0.05)
        idle = feed.written
        feed.want()

        assert idle == 0
        assert eventually(lambda: feed.written == 1)

        time.sleep(1.5)
        camera.offer(frame(1))
        time.sleep(0.1)

        assert feed.written == 1


def test_no_more_frames_a_second_than_set() -> None:
    """However fast the camera is."""
    camera = NewestFrames()
    with FrameFeed(camera.source(), fps=4) as feed, read(feed) as reader:
        taken: list[float] = []
        for number in range(200):
            camera.offer(frame(number))
            feed.want()
            newest = reader.newest()
            if newest is not None and newest.stamp.monotonic_s not in taken:
                taken.append(newest.stamp.monotonic_s)
            time.sleep(0.003)

    assert len(taken) >= 2
    assert min(np.diff(taken)) >= 0.24


def test_a_function_cannot_write_into_the_frames() -> None:
    """The descriptor handed out is for reading, so several functions can share one memory."""
    camera = NewestFrames()
    with FrameFeed(camera.source()) as feed:
        fd = feed.descriptor()
        try:
            with pytest.raises(OSError, match=r"Bad file descriptor|not permitted"):
                os.pwrite(fd, b"mine", 0)
        finally:
            os.close(fd)


class _Loop:
    """A process that shares a camera's frames, restarted by `restart`, away while `away`."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False
        self.writer = FrameWriter(64, 36)
        self.writer.open()

    def lease(self) -> int:
        """A descriptor of the frames."""
        self.asked += 1
        if self.away:
            raise CameraLostError("camera entrance gives nothing: unplugged")
        return os.dup(self.writer.fd)

    def restart(self) -> None:
        """Another memory, whose frames are counted from 0 again."""
        self.writer.close()
        self.writer = FrameWriter(64, 36)
        self.writer.open()

    def show(self, number: int, gray: int) -> None:
        """Share a frame."""
        self.writer.write(stamp(number), np.full((36, 64, 3), gray, np.uint8))


def test_frames_go_on_after_the_loop_was_restarted() -> None:
    """Another memory, counted from 0 again, is noticed at the next renewal; numbers go on rising here."""
    loop = _Loop()
    loop.show(500, 10)
    with FrameFeed(LeasedFrames(loop.lease, renew_s=0.01)) as feed, read(feed) as reader:
        feed.want()
        first = reader.wait_newer(-1, 20)
        loop.restart()
        loop.show(0, 20)
        feed.want()
        second = reader.wait_newer(0, 20)
    loop.writer.close()

    assert [10, 20] == [level(first), level(second)]


def test_a_camera_that_is_gone_leaves_its_last_frame_and_says_why() -> None:
    """The last frame stays, as old as it is; the reason is there to be shown; frames come when it is back."""
    loop = _Loop()
    loop.show(1, 10)
    with FrameFeed(LeasedFrames(loop.lease, renew_s=0.01)) as feed, read(feed) as reader:
        feed.want()
        assert reader.wait_newer(-1, 20) is not None
        loop.away = True

        def is_told() -> bool:
            feed.want()
            return feed.trouble != ""

        assert eventually(is_told)
        assert "unplugged" in feed.trouble
        assert level(reader.newest()) == 10

        loop.away = False
        loop.show(2, 30)

        def is_back() -> bool:
            feed.want()
            return feed.written == 2

        assert eventually(is_back)
        assert feed.trouble == ""
    loop.writer.close()


def test_an_idle_feed_lets_the_lease_lapse() -> None:
    """A loop is not asked to share frames that no function takes."""
    loop = _Loop()
    loop.show(1, 10)
    with FrameFeed(LeasedFrames(loop.lease, renew_s=0.01)) as feed:
        feed.want()
        assert eventually(lambda: feed.written == 1)

        def is_quiet() -> bool:
            asked = loop.asked
            time.sleep(0.4)  # longer than it waits for a frame before it asks again
            return asked == loop.asked

        assert eventually(is_quiet)
    loop.writer.close()


class _Counted:
    """Makes sources and counts those not closed."""

    def __init__(self) -> None:
        self.camera = NewestFrames()
        self.made = 0

    def source(self, _camera: str) -> FrameSource:
        """One more."""
        self.made += 1
        return self.camera.source()


def test_functions_of_one_camera_share_a_feed_that_ends_with_the_last() -> None:
    """Scaling is paid once a camera, however many functions look through it."""
    counted = _Counted()
    before = threading.active_count()
    feeds = FrameFeeds(counted.source)
    first, second, other = feeds.join("entrance"), feeds.join("entrance"), feeds.join("yard")
    feeds.leave("entrance")
    shared = first is second, first is other, counted.made
    feeds.leave("entrance")
    again = feeds.join("entrance")
    feeds.close()

    assert (True, False, 2) == shared
    assert again is not first
    assert before == threading.active_count()


@pytest.mark.parametrize(("before", "after"), [(os.nice(0), max(os.nice(0), NICE)), (NICE + 2, NICE + 2)])
def test_its_thread_gives_way_and_never_asks_for_more_than_it_has(before: int, after: int) -> None:
    """Who is further behind already stays there: to come forward is refused to all but root."""
    found: list[int] = []

    def run() -> None:
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, before)
        give_way()
        found.append(os.getpriority(os.PRIO_PROCESS, thread))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    assert [after] == found
