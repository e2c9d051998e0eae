"""What sets off an event: label, certainty, place, time; one thing once, and not in the cool-down."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from object_things import HEIGHT, WIDTH, ToyDetector, blank, thing, watch_settings

from appliance.objects import ObjectWatch
from appliance.values import DetectedObject, ObjectAlarm

Alarms = list[tuple[float, str, int]]
"""When, which trigger, which track."""

DOG = {"id": "dog-there", "label": "dog", "score": 0.6, "dwell_s": 1.0, "cool_down_s": 60}


def alarms(
    script: list[list[DetectedObject]], *triggers: dict[str, object], every_s: float = 0.2, **settings: object
) -> Alarms:
    """What goes off while a camera sees this, frame by frame."""
    watch = ObjectWatch(watch_settings(triggers=triggers, **settings), ToyDetector(script))
    found: Alarms = []
    for i in range(len(script)):
        reading = watch.observe(blank(i, i * every_s))
        found += (
            [(round(i * every_s, 3), each.trigger, each.tracked.track) for each in reading.alarms]
            if reading
            else []
        )
    return found


def seen(frames: int, score: float = 0.9, x: float = 270, label: str = "dog") -> list[list[DetectedObject]]:
    """One thing that stays where it is."""
    return [[thing(label, score, (x, 130, 100, 100))] for _ in range(frames)]


def test_a_dog_that_stays_sets_off_one_event() -> None:
    """Once, after its second; not in every frame."""
    assert [(1.0, "dog-there", 1)] == alarms(seen(100), DOG)


def test_the_alarm_says_how_long_how_certain_and_where() -> None:
    """A rule and a reader of the log need no more."""
    watch = ObjectWatch(watch_settings(triggers=[DOG]), ToyDetector([*seen(3, 0.97), *seen(3, 0.7)]))
    readings = [watch.observe(blank(i, i * 0.2)) for i in range(6)]
    (alarm,) = [each for reading in readings if reading for each in reading.alarms]

    assert isinstance(alarm, ObjectAlarm)
    assert pytest.approx((1.0, 0.97, 0.7)) == (alarm.dwell_s, alarm.tracked.best, alarm.tracked.thing.score)
    assert (270, 130, 370, 230) == alarm.tracked.thing.box.corners


def test_a_dog_that_passes_sets_off_nothing() -> None:
    """Shorter than the dwell."""
    assert [] == alarms([*seen(5), *[[]] * 20], DOG)


def test_a_glimpse_missed_does_not_begin_the_second_anew() -> None:
    """Networks miss a dog now and then; it did not leave."""
    assert [(1.2, "dog-there", 1)] == alarms([*seen(2), [], *seen(2), [], *seen(4)], DOG)


@pytest.mark.parametrize(("scores", "expected"), [([0.59] * 10, 0), ([0.59, 0.61] + [0.55] * 8, 1)])
def test_it_must_have_been_certain_once(scores: list[float], expected: int) -> None:
    """The best look at a thing says what it is; later ones need only be good enough to follow it."""
    assert expected == len(alarms([[thing("dog", score)] for score in scores], DOG))


def test_another_label_sets_off_nothing() -> None:
    """Each trigger is for one label."""
    assert [] == alarms(seen(20, label="cat"), DOG)


def test_a_second_dog_waits_until_the_trigger_has_cooled_down() -> None:
    """It is another thing, and sets it off when the time is over, if it is still there."""
    first, second = seen(300), seen(300, x=500)
    both = [
        one + (other if i >= 10 else []) for i, (one, other) in enumerate(zip(first, second, strict=True))
    ]

    assert [(1.0, "dog-there", 1), (31.0, "dog-there", 2)] == alarms(both, {**DOG, "cool_down_s": 30})
    assert [(1.0, "dog-there", 1), (3.0, "dog-there", 2)] == alarms(both, {**DOG, "cool_down_s": 0})


def test_a_dog_that_comes_back_sets_it_off_again() -> None:
    """Gone for longer than the tracker waits, and the trigger has cooled down: a new visit."""
    script = [*seen(10), *[[]] * 60, *seen(10)]

    assert [1.0, 15.0] == [at for at, _, _ in alarms(script, {**DOG, "cool_down_s": 5})]
    assert [1.0] == [at for at, _, _ in alarms(script, {**DOG, "cool_down_s": 60})]


def test_only_what_is_in_the_region_counts_and_from_when_it_is() -> None:
    """Walking into it begins the dwell; walking out ends it."""
    sofa = {**DOG, "region": (0.5, 0.0, 1.0, 1.0)}
    walk = [[thing("dog", 0.9, (20.0 * i, 130, 100, 100))] for i in range(25)]

    # Its middle passes x = 320 in the fifteenth frame, at 2.8 s.
    assert [3.8] == [at for at, _, _ in alarms(walk, sofa)]
    assert [] == alarms(walk[:16] + walk[:16][::-1], sofa)


def test_triggers_do_not_know_of_each_other() -> None:
    """Two for the same dog both go off, each with its own time, in the order of the settings."""
    soon = {**DOG, "id": "soon", "dwell_s": 0}

    assert [(0.0, "soon", 1), (1.0, "dog-there", 1)] == alarms(seen(10), DOG, soon)


@given(
    st.lists(st.lists(st.sampled_from([0, 150, 300, 450]), max_size=4, unique=True), max_size=40),
    st.floats(0, 3),
    st.floats(0, 5),
)
def test_no_thing_sets_a_trigger_off_twice_nor_two_within_the_cool_down(
    frames: list[list[int]], dwell_s: float, cool_down_s: float
) -> None:
    """Whatever comes and goes."""
    script = [[thing("dog", 0.9, (x, 130, 100, 100)) for x in xs] for xs in frames]
    found = alarms(script, {**DOG, "dwell_s": dwell_s, "cool_down_s": cool_down_s})
    times = [at for at, _, _ in found]
    tracks = [track for _, _, track in found]

    assert len(tracks) == len(set(tracks))
    assert all(later - earlier >= cool_down_s - 1e-6 for earlier, later in pairwise(times))


def test_frames_that_are_not_due_are_not_looked_at() -> None:
    """Ten frames a second come, five are looked at, also when they come out of step."""
    jitter = (0.0, 0.004, -0.004, 0.003, -0.002)
    for times in (
        [i / 10 for i in range(101)],
        [i / 10 + jitter[i % 5] for i in range(101)],
        [i / 7 for i in range(71)],
    ):
        detector = ToyDetector([])
        watch = ObjectWatch(watch_settings(fps=5), detector)
        for i, at_s in enumerate(times):
            watch.observe(blank(i, at_s))

        assert 49 <= detector.looked <= 51


def test_frames_slower_than_asked_are_all_looked_at() -> None:
    """Two a second come: both."""
    detector = ToyDetector([])
    watch = ObjectWatch(watch_settings(fps=5), detector)
    readings = [watch.observe(blank(i, i / 2)) for i in range(10)]

    assert 10 == detector.looked
    assert None not in readings


def test_what_is_seen_after_an_interruption_is_new() -> None:
    """A camera that saw nothing may look at another dog afterwards."""
    watch = ObjectWatch(watch_settings(triggers=[DOG]), ToyDetector(seen(20)))
    first = watch.observe(blank(0, 0.0))
    watch.interrupted()
    second = watch.observe(blank(1, 0.01))

    assert first is not None
    assert second is not None
    assert [1, 2] == [reading.things[0].track for reading in (first, second)]
    assert (WIDTH, HEIGHT) == (blank().width, blank().height)
