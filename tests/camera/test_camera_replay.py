"""Recordings from beginning to end, at the recording's own time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from camera_clips import MIDDLE, number_of, write_clip
from camera_sources import ScriptedSource, settings_for
from hypothesis import given
from hypothesis import strategies as st

from appliance.camera import Source, open_source, recorded_frames
from appliance.camera.source import FrameLimit
from appliance.clock import SystemClock
from appliance.errors import CameraRefusedError
from appliance.values import CameraId, Frame

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ENTRANCE = CameraId("entrance")


def replay(source: Source, fps: float = 60) -> list[Frame]:
    """All frames of a recording."""
    return list(recorded_frames(source, camera=ENTRANCE, fps=fps, start_wall=START))


def test_every_frame_comes_once_in_order(recording: Source) -> None:
    """Nothing is dropped, however fast or slow it is read."""
    frames = replay(recording)

    assert list(range(12)) == [number_of(frame.gray(MIDDLE)) for frame in frames]
    assert list(range(12)) == [frame.stamp.sequence for frame in frames]


def test_the_clocks_of_a_replay_are_the_recordings(recording: Source) -> None:
    """Monotonic time is media time, wall time its start plus media time: the same on every run."""
    first, second = replay(recording), replay(recording)

    assert [frame.stamp for frame in first] == [frame.stamp for frame in second]
    assert all(
        (frame.stamp.media_s, START + timedelta(seconds=frame.stamp.media_s or 0))
        == (frame.stamp.monotonic_s, frame.stamp.wall)
        for frame in first
    )


def test_a_replay_is_thinned_to_the_rate_asked_for(tmp_path: Path) -> None:
    """Of 40 frames a second, 10 are wanted: every fourth, evenly."""
    source = open_source(settings_for(write_clip(tmp_path / "clip.mp4", fps=40)), SystemClock())

    assert [0, 4, 8] == [number_of(frame.gray(MIDDLE)) for frame in replay(source, fps=10)]


def test_a_live_source_cannot_be_replayed() -> None:
    """It has no end."""
    with pytest.raises(CameraRefusedError, match="live"):
        replay(ScriptedSource(3, live=True))


def test_a_recording_of_nothing_is_an_error() -> None:
    """Rather than a replay without events that looks like a quiet day."""
    with pytest.raises(CameraRefusedError, match="no picture"):
        replay(ScriptedSource(0))


def test_the_start_needs_a_time_zone() -> None:
    """Wall times are aware, always."""
    with pytest.raises(ValueError, match="time zone"):
        list(
            recorded_frames(ScriptedSource(1), camera=ENTRANCE, fps=10, start_wall=START.replace(tzinfo=None))
        )


def test_leaving_a_replay_early_closes_the_source(tmp_path: Path) -> None:
    """A closed iterator leaves nothing open; the recording can be replayed again."""
    source = open_source(settings_for(write_clip(tmp_path / "clip.mp4")), SystemClock())
    frames = recorded_frames(source, camera=ENTRANCE, fps=60, start_wall=START)
    next(frames)
    frames.close()  # type: ignore[attr-defined]

    assert 12 == len(replay(source))


@given(st.lists(st.floats(0.001, 0.5), min_size=1, max_size=200), st.floats(0.5, 60))
def test_the_limit_never_lets_more_through_than_asked(steps: list[float], fps: float) -> None:
    """Whenever frames come, no stretch of time holds noticeably more than `fps` a second."""
    limit = FrameLimit(fps)
    at, taken = 0.0, []
    for step in steps:
        at += step
        if limit.admits(at):
            taken.append(at)

    assert taken
    assert len(taken) <= (taken[-1] - taken[0]) * fps * 2 + 2
    assert all(b - a >= 0.24 / fps for a, b in pairwise(taken))


@given(st.floats(1, 30), st.floats(-0.1, 0.1), st.integers(2, 200))
def test_a_source_at_the_limit_loses_nothing_to_jitter(fps: float, jitter: float, count: int) -> None:
    """Frames that come at the very rate asked for, each a little early or late, are all wanted."""
    limit = FrameLimit(fps)
    times = [(i + (jitter if i % 2 else 0)) / fps for i in range(count)]

    assert all(limit.admits(at) for at in times)
