"""One camera's loop, with toy rooms: who steps into another's place, and who is decided upon anew."""

import pytest
from factories import frame, templates
from toy_house import BAD_ANN, House, encounters, seen

from appliance.events import PersonUndecided, StrangerSeen, SubjectIdentified
from appliance.values import (
    Templates,
)

ANN, BEN, NOBODY = templates(1, 0, 0), templates(0, 1, 0), templates(0, 0, 1)


def shown(house: House) -> list[set[int]]:
    """Which frames the decisions of each encounter were made of."""
    frames: dict[str, set[int]] = {}
    for kept in house.log.kept:
        event = kept.event
        if isinstance(event, SubjectIdentified | StrangerSeen | PersonUndecided):
            frames.setdefault(event.encounter, set()).update(f.sequence for f in event.facts.frames)
    return list(frames.values())


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (ANN, BEN, [("subject_identified", "ann"), ("subject_identified", "ben")]),
        (NOBODY, BEN, [("stranger_seen", None), ("subject_identified", "ben")]),
        (ANN, NOBODY, [("subject_identified", "ann"), ("stranger_seen", None)]),
    ],
)
@pytest.mark.parametrize("before", [2, 3, 6])
def test_whoever_steps_into_another_s_place_has_an_encounter_of_their_own(
    first: Templates, second: Templates, said: list[tuple[str, str | None]], before: int
) -> None:
    """One track, two people: each gets their own verdict, and no frame of one counts for the other."""
    house = House([seen(first)] * before + [seen(second)] * 20).run(before + 20)
    house.finish()

    assert said == encounters(house)
    one, other = shown(house)
    assert max(one) < before <= min(other)


def test_somebody_swallowed_is_neither_averaged_in_nor_named_by_another_s_frames() -> None:
    """A poor frame of Ann and good ones of Ben: nobody is named by the mean of two."""
    house = House([seen(ANN, quality=31), *[seen(BEN, quality=99)] * 6]).run(7)
    house.finish()

    assert [("subject_identified", "ann"), ("subject_identified", "ben")] == encounters(house)
    assert [{0}, {1, 2, 3}] == shown(house)


def test_one_frame_unlike_the_others_is_held_back_and_dropped() -> None:
    """Blurred past knowing between good ones: no new encounter, and it counts for nothing."""
    house = House([seen(ANN), seen(NOBODY), seen(ANN), seen(ANN)]).run(4)
    house.finish()

    assert [("subject_identified", "ann")] == encounters(house)
    assert [{0, 2, 3}] == shown(house)


def test_a_blurred_frame_that_is_still_like_the_person_counts() -> None:
    """Nobody would know her in it, but it is like her other frames."""
    house = House([seen(ANN), seen(BAD_ANN, quality=40), seen(ANN)]).run(3)
    house.finish()

    assert [{0, 1, 2}] == shown(house)


def test_unlike_frames_that_are_unlike_each_other_split_nothing() -> None:
    """A hand, a profile, a shadow: nobody else is there as long as no two frames show the same face."""
    odd = [templates(*(float(i == axis) for axis in range(9))) for i in range(3, 9)]
    house = House([*[seen(NOBODY)] * 3, *(seen(one) for one in odd), seen(NOBODY)]).run(10)
    house.finish()

    assert [("stranger_seen", None)] == encounters(house)


def test_a_single_frame_of_another_at_the_end_is_an_encounter() -> None:
    """Somebody seen once before the track ended: too little to say who, but they are on record."""
    house = House([seen(ANN)] * 3 + [seen(NOBODY)], end_after_s=1, confirm_frames=4).run(30)
    house.finish()

    assert [("subject_identified", "ann"), ("person_undecided", None)] == encounters(house)
    assert [{0, 1, 2}, {3}] == shown(house)
    assert {"ann"} == {kept.event.subject for kept in house.log.kept if hasattr(kept.event, "subject")}
    assert 1 == len({kept.event.visit for kept in house.log.kept if hasattr(kept.event, "encounter")})


def test_somebody_confirmed_who_was_out_of_sight_is_looked_at_at_once() -> None:
    """A third of a second without a face: whoever is there then may be another, and is looked at."""
    script = [seen(ANN)] * 3 + [[]] * 3 + [seen(BEN)] * 3
    house = House(script).run(9)
    house.finish()

    assert [("subject_identified", "ann"), ("subject_identified", "ben")] == encounters(house)
    assert [{0, 1, 2}, {6, 7, 8}] == shown(house)


def test_a_slow_camera_is_no_face_out_of_sight() -> None:
    """Two frames a second: nobody was looked for in between, so one look a second is still enough."""
    house = House([seen(ANN)] * 9)
    for i in range(9):
        house.loop.process(frame(5 * i))

    assert 3 + 3 == house.faces.embedded


def test_the_same_person_after_a_split_is_not_greeted_again() -> None:
    """Split by mistake, or back in their own place: a second encounter, marked as repeated."""
    house = House([seen(ANN)] * 4 + [seen(NOBODY)] * 12 + [seen(ANN)] * 20).run(36)
    house.finish()
    repeated = [(k.event.subject, k.event.repeated) for k in house.log.kept if hasattr(k.event, "repeated")]

    assert [("ann", False)] * 3 + [("ann", True)] * 3 == repeated


def test_a_stranger_s_capture_shows_one_person() -> None:
    """Two strangers on one track, the pictures of the second better: each capture has its own frames only."""
    other = templates(0, 0, 0, 1)
    script = [seen(NOBODY, quality=60 + i) for i in range(5)] + [
        seen(other, quality=90 + i) for i in range(5)
    ]
    house = House(script).run(10)
    house.finish()

    assert [("stranger_seen", None)] * 2 == encounters(house)
    assert [[2, 3, 4], [7, 8, 9]] == [
        [p.stamp.sequence for p in pictures] for pictures in house.spool.stored.values()
    ]


def test_the_frame_that_told_a_newcomer_is_among_their_pictures() -> None:
    """The first of them was held back while the pictures of whoever was there before were complete."""
    other = templates(0, 0, 0, 1)
    script = [seen(NOBODY, quality=90)] * 4 + [seen(other, quality=99)] + [seen(other, quality=50)] * 3
    house = House(script).run(8)
    house.finish()

    assert [[0, 1, 2], [4, 5, 6]] == [
        [p.stamp.sequence for p in pictures] for pictures in house.spool.stored.values()
    ]


def test_no_picture_of_a_frame_held_back_is_sealed() -> None:
    """A stranger, and one frame of another face of the best quality of all: not in the capture."""
    script = [seen(NOBODY, quality=60)] * 3 + [seen(ANN, quality=99)] + [seen(NOBODY, quality=70)] * 2
    house = House(script).run(6)
    house.finish()

    assert [[0, 4, 5]] == [[p.stamp.sequence for p in pictures] for pictures in house.spool.stored.values()]


def test_a_frame_held_back_is_compared_with_a_gallery_that_changed() -> None:
    """Between the newcomer's two frames the gallery changes: they are compared with one and the same."""
    house = House([seen(ANN)] * 3 + [seen(NOBODY)] * 20).run(14)
    house.enrolled.append("zoe")
    house.version = 2
    house.holder.refresh()
    house.run(9, start=14)
    house.finish()

    assert [("subject_identified", "ann"), ("subject_identified", "zoe")] == encounters(house)


def test_whoever_is_identified_is_recognised_anew_when_asked() -> None:
    """For a PIN typed after that: another encounter, confirmed by frames of its own, and greeted no more."""
    house = House([seen(ANN)] * 20, when="always", doors=()).run(5)
    house.loop.decide_again()
    house.run(10, start=5).finish()
    said = [kept.event for kept in house.log.kept if isinstance(kept.event, SubjectIdentified)]
    first, second = dict.fromkeys(each.encounter for each in said)
    again = [each for each in said if each.encounter == second]

    assert ["greeting", "confirmed", "final"] == [
        each.grade.value for each in said if each.encounter == first
    ]
    assert ["greeting", "confirmed", "final"] == [each.grade.value for each in again]
    assert [True] * 3 == [each.repeated for each in again]
    assert min(each.sequence for each in again[1].facts.frames) >= 5


def test_asked_to_decide_again_about_nobody_nothing_is_said() -> None:
    """Before an empty camera, or one whose person is not identified yet, it changes nothing."""
    empty, undecided = (
        House([[]] * 5, when="always", doors=()),
        House([seen(ANN)] * 9, when="always", doors=()),
    )
    empty.loop.decide_again()
    undecided.loop.decide_again()

    assert [] == empty.run(5).finish()
    assert ["subject_identified"] * 3 == undecided.run(9).finish()
