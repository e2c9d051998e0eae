"""Which face is which: association by nearness, ends by time."""

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
