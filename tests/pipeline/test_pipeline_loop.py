"""One camera's loop, with toy rooms: what ends up on record, in which order."""

from collections.abc import Callable
from typing import Any

import pytest
from factories import face, templates
from fakes import ToyFaces
from toy_house import BAD_ANN, House, seen

from appliance.errors import EvidenceError
from appliance.values import (
    CameraReading,
    Disturbance,
    DoorState,
    FaceSample,
    Frame,
    Templates,
)

ANN, BEN, NOBODY = templates(1, 0, 0), templates(0, 1, 0), templates(0, 0, 1)


def test_somebody_enrolled_comes_in() -> None:
    """Door, greeting, confirmation, final, in this order, within one visit."""
    house = House([seen(ANN)] * 5).run(5)

    assert ["door_opened", *["subject_identified"] * 3] == house.finish()
    assert ["greeting", "confirmed", "final"] == [kept.event.grade.value for kept in house.log.kept[1:]]  # type: ignore[attr-defined]
    assert 1 == len({kept.event.visit for kept in house.log.kept})
    assert {"ann"} == {kept.event.subject for kept in house.log.kept[1:]}  # type: ignore[attr-defined]


def test_once_confirmed_one_look_a_second_is_enough() -> None:
    """Three good frames settle who it is; after that a look a second tells that it is still them."""
    house = House([seen(ANN)] * 30).run(30)

    assert 3 + 2 == house.faces.embedded
    assert ["door_opened", *["subject_identified"] * 3] == house.finish()


def test_a_stranger_is_sealed_once_by_the_best_frames() -> None:
    """Said at confirmed and at the end; one capture of the best frames so far, in the order taken."""
    house = House([seen(NOBODY, quality=60 + i) for i in range(6)]).run(6)

    assert ["door_opened", "stranger_seen", "stranger_captured", "stranger_seen"] == house.finish()
    assert [[3, 4, 5]] == [[p.stamp.sequence for p in pictures] for pictures in house.spool.stored.values()]


def test_without_recipients_no_picture_is_kept() -> None:
    """The stranger is logged, and nothing else; the spool is not even asked."""
    house = House([seen(NOBODY)] * 4, recipients=()).run(4)

    assert ["door_opened", "stranger_seen", "capture_skipped", "stranger_seen"] == house.finish()
    assert 0 == house.spool.sealed


def test_a_full_spool_is_said_and_the_loop_goes_on() -> None:
    """The reason is in the log; the next person is still greeted."""
    house = House([seen(NOBODY)] * 4 + [seen(ANN, x=900)] * 4)
    house.spool.refuse = EvidenceError("full", reason="spool_full")
    house.run(8)

    assert "capture_skipped" in house.finish()
    assert "subject_identified" in house.log.types()


def test_a_stranger_who_was_somebody_is_retracted_and_the_capture_dropped() -> None:
    """A bad start, sealed after two seconds, then better frames: retraction, capture gone, greeting."""
    bad, good = [seen(BAD_ANN, quality=40)] * 25, [seen(ANN, quality=99)] * 60
    house = House(bad + good, keep_frames=3).run(85)
    types = house.finish()

    assert ["stranger_seen", "stranger_captured", "stranger_retracted", "capture_removed"] == types[1:5]
    assert {} == house.spool.stored


def test_a_stranger_retracted_before_the_sealing_was_never_sealed() -> None:
    """The first two seconds are for better pictures; whoever is known by then leaves none."""
    house = House([seen(BAD_ANN, quality=40)] * 3 + [seen(ANN, quality=99)] * 40, keep_frames=3).run(43)

    assert ["stranger_seen", "stranger_retracted", "subject_identified"] == house.finish()[1:4]
    assert 0 == house.spool.sealed


def test_a_stranger_is_sealed_while_still_there() -> None:
    """Two seconds after it was said, not at the end of a stay of minutes."""
    house = House([seen(NOBODY)] * 30).run(24)

    assert ["door_opened", "stranger_seen", "stranger_captured"] == house.log.types()


def test_whoever_comes_after_an_outage_is_somebody_else() -> None:
    """The same place, minutes later: a new encounter, looked at anew; the old one has ended."""
    house = House([seen(ANN)] * 5 + [seen(NOBODY)] * 5).run(5)
    house.run(5, start=6000)
    types = house.finish()

    assert ["subject_identified"] * 3 == types[1:4]
    assert "stranger_seen" in types[4:]


def test_a_gallery_that_changes_within_a_frame_is_taken_up_with_the_next() -> None:
    """Whatever is swapped in while faces are embedded, one frame is compared with one gallery."""
    house = House([seen(ANN)] * 6)

    class Swapping(ToyFaces):
        def templates(self, sample: FaceSample) -> Templates:
            house.version += 1
            house.holder.refresh()
            return super().templates(sample)

    house.faces = Swapping([seen(ANN)] * 6)
    house.loop = house.build(house.faces)
    house.run(6)

    assert ["door_opened", *["subject_identified"] * 3] == house.finish()


def test_nothing_is_read_behind_a_shut_door() -> None:
    """Faces are looked for while the door is not shut and for the tail after; then no more."""
    doors = [DoorState.OPEN] * 5 + [DoorState.SHUT]
    house = House([], doors=doors).run(40)

    assert 15 == house.faces.detected


def test_an_unsure_door_reads_faces() -> None:
    """Something standing before the door must not make the box blind."""
    house = House([seen(ANN)] * 3, doors=[DoorState.UNSURE]).run(3)

    assert 3 == house.faces.detected


def test_always_needs_no_door() -> None:
    """A corridor camera has no door at all."""
    house = House([seen(ANN)] * 4, doors=(), when="always").run(4)

    assert ["subject_identified"] * 3 == house.finish()
    assert house.log.kept[0].event.door is None


def test_an_approach_is_looked_out_for_twice_a_second() -> None:
    """Nobody there: every fifth frame of ten a second. Somebody there: every frame."""
    empty = House([], doors=(), when="approach").run(20)
    crowded = House([seen(ANN)] * 20, doors=(), when="approach").run(20)

    assert (4, 20) == (empty.faces.detected, crowded.faces.detected)


def test_bad_frames_do_not_count() -> None:
    """Blurred or too small faces are tracked, never embedded, never decided upon."""
    house = House([seen(ANN, quality=10)] * 3 + [seen(ANN, width=40)] * 3).run(6)

    assert ["door_opened"] == house.finish()
    assert 0 == house.faces.embedded


def test_two_people_are_two_encounters() -> None:
    """Side by side, each is named; nobody's scores mix."""
    both = [(face(0), 80.0, ANN), (face(200), 80.0, BEN)]
    house = House([list(both) for _ in range(4)]).run(4)
    house.finish()
    named = [kept.event for kept in house.log.kept if hasattr(kept.event, "subject")]

    assert {"ann", "ben"} == {event.subject for event in named}  # type: ignore[attr-defined]
    assert 2 == len({event.encounter for event in named})  # type: ignore[attr-defined]


def test_somebody_back_soon_is_logged_but_not_greeted_again() -> None:
    """A second encounter within the time set is marked as repeated."""
    house = House([seen(ANN)] * 3 + [[]] * 40 + [seen(ANN)] * 3, end_after_s=1).run(46)
    house.finish()
    repeated = [kept.event.repeated for kept in house.log.kept if hasattr(kept.event, "repeated")]

    assert [False] * 3 + [True] * 3 == repeated


def test_somebody_enrolled_meanwhile_is_recognised() -> None:
    """The gallery changes under a stranger who is still there: retracted and greeted."""
    house = House([seen(NOBODY)] * 40).run(5)
    house.enrolled.append("zoe")
    house.version = 2
    house.holder.refresh()
    house.run(20, start=5)

    assert ["stranger_retracted", "subject_identified"] == house.log.types()[2:4]


def test_too_many_faces_take_turns() -> None:
    """No frame embeds more than the limit, and everybody gets their three."""
    crowd = [(face(150 * i), 80.0, NOBODY) for i in range(8)]
    house = House([list(crowd) for _ in range(30)]).run(1)

    assert 4 == house.faces.embedded
    house.run(29, start=1)
    assert 8 == house.log.types().count("stranger_seen")


def test_the_same_frames_make_the_same_log() -> None:
    """Ids, times and order depend on the frames alone."""
    logs = [House([seen(ANN)] * 3 + [seen(NOBODY, x=600)] * 6).run(9) for _ in range(2)]
    texts = [[(kept.at, kept.event.model_dump_json()) for kept in house.log.kept] for house in logs]

    assert texts[0] == texts[1]


def test_an_empty_run_ends_quietly() -> None:
    """No frame, no event."""
    assert [] == House([]).finish()


@pytest.mark.parametrize("look", [0, 1])
def test_what_is_shown_is_put_together_only_for_a_viewer(look: int) -> None:
    """The loop hands a way to ask; nothing is computed unless it is asked."""
    house = House([seen(ANN)] * 4)
    asked: list[dict[str, object]] = []
    offers: list[Callable[[], dict[str, object]]] = []
    house.loop = house.build(house.faces, lambda _, overlay: offers.append(overlay))
    house.run(4)
    asked.extend(overlay() for overlay in offers[: 4 * look])

    assert 4 == len(offers)
    assert 4 * look == len(asked)


def test_who_looks_is_told_who_it_is_and_by_which_rule() -> None:
    """A face's overlay has the latest decision's score, threshold, grade and rule, and the good frames."""
    house = House([seen(ANN)] * 4)
    told: list[dict[str, Any]] = []
    house.loop = house.build(house.faces, lambda _, overlay: told.append(overlay()))
    house.run(4)
    (face,) = told[-1]["faces"]

    assert ("score_and_margin", "confirmed", False) == (face["rule"], face["grade"], face["stranger"])
    assert face["score"] > face["threshold"]
    assert face["frames"] >= 3
    assert face["subject"] is not None


def test_somebody_greeted_is_not_sealed_as_a_stranger() -> None:
    """One good frame of Ann, then many that hardly look like her: undecided, and no picture is stored."""
    house = House([seen(ANN, quality=40), *[seen(BAD_ANN)] * 8]).run(9)

    assert ["door_opened", "subject_identified", "person_undecided"] == house.finish()
    assert "contradicted" == house.log.kept[-1].event.facts.rule  # type: ignore[attr-defined]
    assert 0 == house.spool.sealed


class Frozen:
    """A camera that freezes in frame 5 and sees again in frame 20."""

    def observe(self, seen: Frame) -> CameraReading:
        """Its condition."""
        number = seen.stamp.sequence
        return CameraReading(
            begun=Disturbance.FROZEN if number == 5 else None,
            lasted_s=1.5 if number == 20 else None,
            blind=5 <= number < 20,
        )


def test_nobody_is_read_out_of_a_frozen_picture() -> None:
    """While the camera is blind the door is unsure and no face is looked for, whenever they are read."""
    house = House([seen(ANN)] * 3 + [[]] * 40, when="always")
    house.loop = house.build(house.faces, condition=Frozen())
    house.run(30)
    told = [name for name in house.finish() if not name.startswith("subject")]

    assert ["door_opened", "camera_frozen", "door_unsure", "camera_clear", "door_opened"] == told
    assert 15 == house.faces.detected


def test_a_lost_camera_leaves_no_visit_behind() -> None:
    """Open when the camera was lost, open when it is back: who is there now came with another visit."""
    house = House([seen(ANN)] * 20, doors=[DoorState.OPEN]).run(5)
    house.loop.finish()
    house.run(5, start=5000)
    house.finish()
    visits = [kept.event.visit for kept in house.log.kept if kept.event.type == "door_opened"]
    met = [kept.event.visit for kept in house.log.kept if kept.event.type == "subject_identified"]

    assert 2 == len(set(visits)) == len(visits)
    assert visits == list(dict.fromkeys(met))
