"""Which thing is which: one dog is one dog, two are two, and a name may be wrong for a frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from object_things import thing

from appliance.objects.tracking import ObjectTracker
from appliance.values import DetectedObject


def numbers(tracker: ObjectTracker, things: list[DetectedObject], now_s: float) -> list[int]:
    """The tracks of a frame's things."""
    return [track.number for track in tracker.update(things, now_s)]


def at(x: float, label: str = "dog", size: float = 100) -> DetectedObject:
    """A square thing whose left edge is at x."""
    return thing(label, 0.9, (x, 100, size, size))


def test_a_dog_that_runs_through_the_picture_is_one_dog() -> None:
    """Five looks a second, a fifth of its size from one to the next, growing as it comes nearer."""
    tracker = ObjectTracker(2.0)
    seen = {numbers(tracker, [at(20 * i, size=100 + 3 * i)], i / 5)[0] for i in range(25)}

    assert {1} == seen


def test_a_dog_that_is_missed_for_a_moment_is_the_same() -> None:
    """It turns its head, or somebody walks by: within the time it is not another."""
    tracker = ObjectTracker(2.0)
    numbers(tracker, [at(100)], 0.0)
    for i in range(1, 9):
        numbers(tracker, [], i / 5)

    assert [1] == numbers(tracker, [at(150)], 1.8)


def test_a_dog_that_comes_back_later_is_a_new_visit() -> None:
    """After the time it is gone, and counts as another."""
    tracker = ObjectTracker(2.0)
    numbers(tracker, [at(100)], 0.0)

    assert [2] == numbers(tracker, [at(100)], 2.0)
    assert frozenset({2}) == tracker.current()


def test_two_dogs_side_by_side_are_two_whatever_order_they_are_listed_in() -> None:
    """The likeliest pairs go first."""
    tracker = ObjectTracker(2.0)
    numbers(tracker, [at(0), at(150)], 0.0)

    assert [2, 1] == numbers(tracker, [at(155), at(5)], 0.2)


def test_a_far_or_far_larger_thing_is_another() -> None:
    """A jump across the picture, or to thrice the size, is another dog."""
    tracker = ObjectTracker(2.0)
    numbers(tracker, [at(0)], 0.0)

    assert [2] == numbers(tracker, [at(400)], 0.2)
    assert [3] == numbers(tracker, [at(0, size=310)], 0.4)


def test_a_wrong_name_for_a_frame_changes_nothing() -> None:
    """A puppy that is taken for a cat once is the same thing, and still called a dog."""
    tracker = ObjectTracker(2.0)
    for i in range(5):
        numbers(tracker, [at(100)], i / 5)
    (track,) = tracker.update([at(102, "cat")], 1.0)

    assert (1, "dog") == (track.number, track.label)


def test_what_is_put_in_a_things_place_has_its_own_name_within_a_second() -> None:
    """A cup where a bottle stood: five looks later it is called a cup."""
    tracker = ObjectTracker(2.0)
    for i in range(50):
        tracker.update([at(100, "bottle")], i / 5)
    called = [tracker.update([at(100, "cup")], 10 + i / 5)[0].label for i in range(5)]

    assert "cup" == called[-1]


def test_a_cup_before_a_face_is_not_the_person() -> None:
    """Things of two names share a track only if they share their place."""
    tracker = ObjectTracker(2.0)
    numbers(tracker, [thing("person", 0.9, (0, 0, 200, 400))], 0.0)

    assert [2] == numbers(tracker, [thing("cup", 0.9, (80, 100, 40, 40))], 0.2)


def test_after_an_interruption_everything_is_something_else() -> None:
    """The camera saw nothing for a while: the same dog might be another, and numbers go on."""
    tracker = ObjectTracker(2.0)
    numbers(tracker, [at(100)], 0.0)
    tracker.forget()

    assert [2] == numbers(tracker, [at(100)], 0.2)


def test_the_best_score_and_the_beginning_are_remembered() -> None:
    """A trigger asks how certain it ever was, and since when it has been there."""
    tracker = ObjectTracker(2.0)
    for i, score in enumerate((0.6, 0.95, 0.7)):
        (track,) = tracker.update([thing("dog", score)], 5 + i / 5)

    assert pytest.approx((0.95, 5.0, 5.4)) == (track.best, track.first_s, track.last_s)


@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 10), st.sampled_from(["dog", "cat", "cup"])),
            max_size=5,
            unique_by=lambda each: each,
        ),
        max_size=10,
    )
)
def test_no_two_things_of_a_frame_share_a_track(frames: list[list[tuple[int, str]]]) -> None:
    """Whatever is found, one track is one thing per frame, none is lost, and no number is used twice."""
    tracker = ObjectTracker(1.0)
    highest = 0
    for i, things in enumerate(frames):
        found = numbers(tracker, [at(40.0 * x, label) for x, label in things], i / 5)
        new = [number for number in found if number > highest]

        assert len(things) == len(set(found))
        assert list(range(highest + 1, highest + 1 + len(new))) == new
        highest += len(new)
