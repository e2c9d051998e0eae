"""The camera: newest frame first, reconnecting, telling of losses, ending when told."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from pathlib import Path

import pytest
from camera_clips import MIDDLE, number_of, write_clip
from camera_servers import MjpegCamera
from camera_sources import ScriptedSource, settings_for

from appliance.camera import Camera, Source
from appliance.clock import Clock, SystemClock
from appliance.errors import CameraLostError, CameraRefusedError
from appliance.events import CameraChanged
from appliance.settings import CameraSettings
from appliance.values import Frame


class Story:
    """A camera on a source of ours, and what was told of it."""

    def __init__(self, settings: CameraSettings, source: Source | None = None, *, loop: bool = False) -> None:
        self.stop = threading.Event()
        self.changes: list[CameraChanged] = []
        make: dict[str, Callable[[CameraSettings, Clock], Source]] = {}
        if source is not None:
            make["source_factory"] = lambda _settings, _clock: source
        self.camera = Camera(
            settings, SystemClock(), on_change=self.changes.append, loop=loop, rng=random.Random(1), **make
        )

    def frames(self) -> Iterator[Frame]:
        """Iterate."""
        return self.camera.frames(self.stop)

    def told(self) -> list[str]:
        """Types of what was told."""
        return [change.type for change in self.changes]


def test_making_a_camera_starts_nothing() -> None:
    """No thread runs and nothing is opened before somebody iterates."""
    source = ScriptedSource(3)
    before = threading.active_count()
    story = Story(settings_for("unused"), source)
    iterator = story.frames()

    assert (before, 0) == (threading.active_count(), source.opened)
    assert next(iterator).stamp.sequence == 0


def test_a_recording_plays_at_its_own_pace_and_ends(tmp_path: Path) -> None:
    """Frames come in order, with media time, no faster than recorded, and then the camera ends."""
    clip = write_clip(tmp_path / "clip.mp4", fps=40)
    story = Story(settings_for(clip, fps=40))
    began = time.monotonic()
    frames = list(story.frames())
    took = time.monotonic() - began
    media = [frame.stamp.media_s for frame in frames]

    assert took >= 0.25
    assert frames
    assert media == sorted(m for m in media if m is not None)
    assert [] == story.told()


def test_a_looped_recording_goes_on(tmp_path: Path) -> None:
    """After the last frame comes the first again; numbers go on rising."""
    clip = write_clip(tmp_path / "clip.mp4", fps=60, frames=4)
    story = Story(settings_for(clip, fps=60), loop=True)
    frames = list(islice(story.frames(), 10))

    assert 10 == len(frames)
    assert len({frame.stamp.media_s for frame in frames}) <= 4
    assert all(a.stamp.sequence < b.stamp.sequence for a, b in pairwise(frames))


def test_a_slow_reader_gets_the_newest_frame() -> None:
    """Frames that came meanwhile are dropped, counted, and show as a gap in the numbers."""
    story = Story(settings_for("unused", fps=60), ScriptedSource(16, fps=50))
    iterator = story.frames()
    first = next(iterator)
    time.sleep(0.15)
    second = next(iterator)
    gap = second.stamp.sequence - first.stamp.sequence

    assert gap > 2
    assert second.stamp.sequence == number_of(second.gray(MIDDLE))
    assert story.camera.statistics.dropped >= gap - 1
    assert sum(1 for _ in iterator) > 0


def test_frames_above_the_limit_are_passed_over(tmp_path: Path) -> None:
    """Of 40 frames a second, limited to 10, every fourth comes; the others are skipped, not dropped."""
    clip = write_clip(tmp_path / "clip.mp4", fps=40)
    story = Story(settings_for(clip, fps=10))
    frames = list(story.frames())

    assert [0, 4, 8] == [number_of(frame.gray(MIDDLE)) for frame in frames]
    assert [0, 1, 2] == [frame.stamp.sequence for frame in frames]
    assert (12, 9, 0) == (
        story.camera.statistics.received,
        story.camera.statistics.skipped,
        story.camera.statistics.dropped,
    )


def test_a_source_that_can_never_work_is_said_at_once() -> None:
    """A refusal at the first opening ends the iteration with that error."""
    source = ScriptedSource(3)
    source.refusals = [CameraRefusedError("no such thing")]
    story = Story(settings_for("unused"), source)

    with pytest.raises(CameraRefusedError, match="no such thing"):
        next(story.frames())


def test_a_recording_without_pictures_is_an_error() -> None:
    """Nothing to look at is said, not shown as a quiet end."""
    story = Story(settings_for("unused"), ScriptedSource(0), loop=True)

    with pytest.raises(CameraRefusedError, match="no picture"):
        next(story.frames())


def test_a_camera_that_comes_up_late_is_waited_for() -> None:
    """Lost is told once, however many attempts fail; recovered once, with the length of the outage."""
    source = ScriptedSource(1000, live=True)
    source.before_read = lambda _: time.sleep(0.01)
    source.refusals = [CameraLostError("off"), CameraLostError("off"), CameraLostError("off")]
    story = Story(settings_for("unused", reconnect_max_s=1.0, fps=60), source)
    frames = list(islice(story.frames(), 3))

    assert 3 == len(frames)
    assert ["camera_lost", "camera_recovered"] == story.told()
    assert "off" == story.changes[0].reason
    assert (story.changes[1].outage_s or 0) > 0.5


def test_a_refusal_after_it_worked_is_an_outage() -> None:
    """A camera that answers "forbidden" while it reboots is not given up."""
    source = ScriptedSource(3, live=True)
    source.before_read = lambda _: time.sleep(0.01)
    story = Story(settings_for("unused", fps=60, reconnect_max_s=1.0), source)
    iterator = story.frames()
    next(iterator)
    source.refusals = [CameraRefusedError("forbidden")]
    told_at = [len(story.told()) for _ in islice(iterator, 5)]

    assert ["camera_lost", "camera_recovered"] == story.told()[:2]
    assert 2 <= told_at[-1]


def test_a_network_camera_that_dies_and_comes_back_is_taken_up_again(mjpeg_camera: MjpegCamera) -> None:
    """Frames, then the server is gone, then the same port answers again: frames; told once each."""
    story = Story(settings_for(mjpeg_camera.url, fps=60, reconnect_max_s=1.0, stall_s=3.0))
    iterator = story.frames()
    before = [frame.stamp.sequence for frame in islice(iterator, 5)]
    mjpeg_camera.stop()
    threading.Timer(0.8, mjpeg_camera.start).start()
    after = [frame.stamp.sequence for frame in islice(iterator, 40)]
    stopped = threading.active_count()
    iterator.close()  # type: ignore[attr-defined]

    assert before + after == sorted(before + after)
    assert ["camera_lost", "camera_recovered"] == story.told()
    assert 0.3 < (story.changes[1].outage_s or 0) < 10
    assert 1 == story.camera.statistics.reconnects
    assert len(story.camera.ring) > 5
    assert threading.active_count() < stopped


def test_a_frame_from_before_an_outage_is_dropped() -> None:
    """Whoever it shows was said good-bye to when the loss was told: the next one is of the new connection."""
    taken, back, over = threading.Event(), threading.Event(), threading.Event()
    source = ScriptedSource(2, live=True)
    # Of the first connection the second frame comes, is not taken, and the source ends; of the
    # second one only the first frame comes.
    waits = {(1, 1): taken, (2, 0): back, (2, 1): over}

    def before_read(number: int) -> None:
        if (source.opened, number) in waits:
            waits[source.opened, number].wait(10)

    source.before_read = before_read
    story = Story(settings_for("unused", fps=60), source)
    iterator = story.frames()
    first = next(iterator)
    time.sleep(0.1)  # the next frame shall not be passed over for coming too early
    taken.set()
    deadline = time.monotonic() + 60
    while source.opened < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    # The slot now holds the second frame and the loss; nothing of the new connection is there yet.
    threading.Timer(0.3, back.set).start()
    again = next(iterator)
    over.set()

    assert [0, 0] == [number_of(frame.gray(MIDDLE)) for frame in (first, again)]
    assert 2 == again.stamp.sequence
    assert 1 == story.camera.statistics.dropped
    assert ["camera_lost", "camera_recovered"] == story.told()


def test_a_camera_that_falls_silent_is_lost(mjpeg_camera: MjpegCamera) -> None:
    """A connection that stays open and gives nothing for `stall_s` counts as lost; told once."""
    story = Story(settings_for(mjpeg_camera.url, fps=60, stall_s=1.0, reconnect_max_s=1.0))
    iterator = story.frames()
    list(islice(iterator, 3))
    mjpeg_camera.silent.set()
    threading.Timer(2.2, mjpeg_camera.silent.clear).start()
    list(islice(iterator, 40))

    assert ["camera_lost", "camera_recovered"] == story.told()
    assert 1.0 <= (story.changes[1].outage_s or 0)


def test_a_source_that_hangs_in_its_driver_is_lost_all_the_same() -> None:
    """The iterating side has its own watch, for a read that never returns; and stopping does not hang."""
    release = threading.Event()
    source = ScriptedSource(100, live=True)
    source.before_read = lambda index: (release.wait(20), None)[1] if index == 2 else None
    story = Story(settings_for("unused", fps=60, stall_s=1.0), source)
    iterator = story.frames()
    next(iterator)
    threading.Timer(2.0, story.stop.set).start()
    rest = list(iterator)
    release.set()

    assert len(rest) <= 1
    assert ["camera_lost"] == story.told()
    assert "no frame for 1 s" == story.changes[0].reason


def test_stopping_ends_the_iteration_and_its_thread() -> None:
    """Setting `stop` ends a camera that gives nothing, within a second or so."""
    source = ScriptedSource(1000, live=True)
    source.before_read = lambda _: time.sleep(0.02)
    story = Story(settings_for("unused", fps=1), source)
    before = threading.active_count()
    threading.Timer(0.3, story.stop.set).start()
    began = time.monotonic()
    frames = list(story.frames())
    took = time.monotonic() - began

    assert frames
    assert took < 2
    assert before >= threading.active_count() - 1


def test_slow_work_on_a_frame_is_not_silence_of_the_camera() -> None:
    """A loop that took longer than `stall_s` over a frame does not blame the camera."""
    source = ScriptedSource(100, live=True)
    source.before_read = lambda index: time.sleep(2.5 if index == 1 else 0.01)
    story = Story(settings_for("unused", fps=60, stall_s=1.0), source)
    iterator = story.frames()
    next(iterator)
    time.sleep(1.7)
    next(iterator)

    assert [] == story.told()


def test_a_camera_is_read_by_one_at_a_time() -> None:
    """A second iteration while the first runs is a programming error."""
    story = Story(settings_for("unused"), ScriptedSource(16))
    iterator = story.frames()
    next(iterator)

    with pytest.raises(RuntimeError, match="being read"):
        next(story.frames())


def test_pauses_between_attempts_grow_and_are_capped() -> None:
    """Half a second at first, doubling, never above `reconnect_max_s`, the upper half of it random."""
    camera = Story(settings_for("unused", reconnect_max_s=8)).camera
    pauses = [camera._pause(failures) for failures in range(1, 12)]

    assert all(0.25 * 2**i <= p <= 0.5 * 2**i for i, p in enumerate(pauses[:4]))
    assert all(4 <= p <= 8 for p in pauses[5:])
    assert len(set(pauses[5:])) > 1


def test_what_is_told_carries_no_password(mjpeg_camera: MjpegCamera) -> None:
    """The reason of an outage goes into the event log, so it names the camera without credentials."""
    address = mjpeg_camera.url.replace("://", "://watcher:topsecret@") + "?key=alsosecret"
    story = Story(settings_for(address, fps=60, reconnect_max_s=1.0))
    iterator = story.frames()
    next(iterator)
    mjpeg_camera.stop()
    threading.Timer(0.5, mjpeg_camera.start).start()
    list(islice(iterator, 20))
    said = repr(story.changes)

    assert "127.0.0.1" in said
    assert "topsecret" not in said
    assert "alsosecret" not in said
