"""Which face is which: association by nearness, ends by time."""

import math

import pytest
from factories import face
from hypothesis import given
from hypothesis import strategies as st

from appliance.tracking import FaceTracker


def test_a_face_that_moves_a_little_is_the_same() -> None:
    """Ten frames of somebody walking up are one track."""
    tracker = FaceTracker(3.0)
    numbers = {tracker.update([face(100 + 5 * i, 50, 80 + 2 * i)], i / 10)[0].number for i in range(10)}

    assert {1} == numbers


def test_two_faces_that_cross_keep_to_the_nearest() -> None:
    """Each face goes to the track it is nearest to, whatever order the detector lists them in."""
    tracker = FaceTracker(3.0)
    tracker.update([face(0), face(300)], 0.0)

    assert [2, 1] == [track.number for track in tracker.update([face(290), face(10)], 0.1)]


def test_a_far_or_far_larger_face_is_another() -> None:
    """A jump across the picture, or to twice the size, begins a new track."""
    tracker = FaceTracker(3.0)
    tracker.update([face(0)], 0.0)

    assert [2] == [track.number for track in tracker.update([face(500)], 0.1)]
    assert [3] == [track.number for track in tracker.update([face(0, width=200)], 0.2)]


def test_a_face_found_again_after_a_gap_is_the_same() -> None:
    """Dropped frames and a turned head do not split an encounter."""
    tracker = FaceTracker(3.0)
    tracker.update([face(100)], 0.0)

    assert 1 == tracker.update([face(220)], 1.5)[0].number


def test_a_track_ends_after_its_time_and_once() -> None:
    """Ended tracks are handed out once."""
    tracker = FaceTracker(3.0)
    tracker.update([face()], 0.0)

    assert [] == tracker.ended(2.9)
    assert [1] == [track.number for track in tracker.ended(3.0)]
    assert [] == tracker.ended(9.0)
    assert [] == tracker.end_all()


@given(st.lists(st.lists(st.integers(0, 12).map(lambda x: x * 100), max_size=5, unique=True), max_size=12))
def test_no_two_faces_of_a_frame_share_a_track(frames: list[list[int]]) -> None:
    """Whatever is found, one track is one face per frame, and none is lost."""
    tracker = FaceTracker(2.0)
    for at, xs in enumerate(frames):
        numbers = [track.number for track in tracker.update([face(x) for x in xs], float(at))]

        assert len(xs) == len(set(numbers))
        tracker.ended(float(at))


def test_who_follows_through_the_door_is_another() -> None:
    """Somebody came near and left; half a second later the next comes from where they had come."""
    tracker = FaceTracker(3.0)
    for i in range(10):
        tracker.update([face(500 + 2 * i, 200 + 6 * i, 66 * 1.05**i)], i / 10)

    assert 2 == tracker.update([face(505, 205, 70)], 1.4)[0].number


def test_people_who_cross_are_not_exchanged_while_one_hides_the_other() -> None:
    """Four frames show only the nearer one; behind them the other is where their way had led."""
    tracker = FaceTracker(3.0)
    for i in range(12):
        left, right = face(200 + 40 * i, 200, 90), face(640 - 40 * i, 205, 80)
        hidden = 4 <= i <= 7
        tracks = tracker.update([left] if hidden else [left, right], i / 10)

        assert [1] if hidden else [1, 2] == [track.number for track in tracks]


def test_who_stops_or_turns_is_the_same() -> None:
    """Walking at half a width a frame, then standing, then going back."""
    tracker = FaceTracker(3.0)
    xs = [100, 140, 180, 220, 260, 260, 260, 260, 230, 195, 160]
    numbers = {tracker.update([face(x, 50, 80)], i / 10)[0].number for i, x in enumerate(xs)}

    assert {1} == numbers


@given(
    step=st.floats(-0.8, 0.8),
    growth=st.floats(-0.8, 0.8),
    fps=st.sampled_from([10, 15, 25]),
    seen=st.lists(st.booleans(), min_size=6, max_size=30),
)
def test_a_steady_walk_is_one_track_whatever_frames_are_lost(
    step: float, growth: float, fps: int, seen: list[bool]
) -> None:
    """Up to 0.8 widths a tenth of a second, nearing or leaving; up to four frames in a row are missed."""
    tracker = FaceTracker(3.0)
    numbers, missed = set(), 0
    for i, found in enumerate([True, True, True, *seen]):
        missed = 0 if found else missed + 1
        if missed in range(1, 5):
            continue
        at_s = i / fps
        width = 80 * math.exp(growth * at_s)
        numbers.add(tracker.update([face(5000 + 800 * step * at_s, 300, width)], at_s)[0].number)

    assert {1} == numbers


def test_a_face_is_rather_that_of_whom_was_seen_last() -> None:
    """Somebody lost behind another would by now be where that other stands: the place is the other's."""
    tracker = FaceTracker(3.0)
    for i in range(5):
        tracker.update([face(400, 200, 90), face(600 - 27 * i, 196, 85)], i / 10)
    for i in range(5, 8):
        tracker.update([face(400, 200, 90)], i / 10)

    assert [1] == [track.number for track in tracker.update([face(386, 198, 86)], 0.8)]


@pytest.mark.parametrize("burst", [[0.002], [0.002, 0.004], [0.001, 0.002, 0.003, 0.004]])
def test_a_box_that_jitters_in_a_burst_does_not_fly(burst: list[float]) -> None:
    """After a stall frames come milliseconds apart: six pixels of jitter are not 3,000 pixels a second."""
    tracker = FaceTracker(3.0)
    times = [0.0, *burst, 0.1, 0.2]
    xs = [100 + 6 * (i % 2) + 10 * at for i, at in enumerate(times)]
    numbers = {tracker.update([face(x, 50, 80)], at)[0].number for x, at in zip(xs, times, strict=True)}

    assert {1} == numbers


def test_a_runner_in_a_burst_is_the_same() -> None:
    """Two frames of a burst show no movement yet: ten hundredths later the face is more than a width away."""
    tracker = FaceTracker(3.0)
    numbers = {tracker.update([face(100 + 900 * at, 50, 80)], at)[0].number for at in (0.0, 0.002, 0.1, 0.2)}

    assert {1} == numbers


@given(
    step=st.floats(-0.4, 0.4),
    gaps=st.lists(
        st.tuples(st.sampled_from([0.001, 0.002, 0.01, 0.033, 0.1, 0.3]), st.floats(-0.06, 0.06)),
        min_size=2,
        max_size=30,
    ),
)
def test_a_steady_walk_is_one_track_whatever_the_frames_times(
    step: float, gaps: list[tuple[float, float]]
) -> None:
    """Up to 0.4 widths a tenth of a second; frames in bursts, even or late; the box jitters by 5 px."""
    tracker = FaceTracker(3.0)
    at_s, numbers = 0.0, set()
    for gap_s, jitter in gaps:
        numbers.add(tracker.update([face(5000 + 800 * step * at_s + 80 * jitter, 300, 80)], at_s)[0].number)
        at_s += gap_s

    assert {1} == numbers
