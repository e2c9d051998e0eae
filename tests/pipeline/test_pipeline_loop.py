"""One camera's loop, with toy rooms: what ends up on record, in which order."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from factories import direction, face, frame, templates
from fakes import MemoryLog, MemorySpool, ScriptedDoor, ToyFaces

from appliance.decision import ErrorTables, Policy
from appliance.errors import EvidenceError
from appliance.events import PersonUndecided, StrangerSeen, SubjectIdentified
from appliance.ids import seeded_ids
from appliance.matching import Gallery, Reference
from appliance.pipeline import CameraPipeline, GalleryHolder, Records
from appliance.pipeline.disturbances import CameraWatching
from appliance.pipeline.loop import LoopSettings, Rooms, Show
from appliance.settings import (
    CameraSettings,
    EncounterSettings,
    EvidenceSettings,
    FaceSettings,
    RecognitionSettings,
)
from appliance.values import (
    DLIB_MIRROR,
    SFACE,
    CameraReading,
    DetectedFace,
    Disturbance,
    DoorState,
    FaceSample,
    Frame,
    ReferenceId,
    SubjectId,
    Templates,
)

TABLES = ErrorTables.from_json(
    json.loads((Path(__file__).parents[2] / "data" / "score-tails.json").read_text(encoding="utf-8"))
)
ANN, BEN, NOBODY = templates(1, 0, 0), templates(0, 1, 0), templates(0, 0, 1)
BAD_ANN = templates(0.32, 0, 0.95)
"""A frame of Ann in which nobody would know her, though it is like her other frames."""
Seen = tuple[DetectedFace, float, Templates]


def seen(who: Templates, *, x: float = 100, quality: float = 80, width: float = 80) -> list[Seen]:
    """One face of somebody."""
    return [(face(x, width=width), quality, who)]


class House:
    """A camera's loop among toy rooms."""

    def __init__(
        self,
        script: Sequence[list[Seen]],
        *,
        doors: Sequence[DoorState] = (DoorState.OPEN,),
        when: str = "door",
        recipients: tuple[str, ...] = ("age1x",),
        enrolled: tuple[str, ...] = ("ann", "ben"),
        **encounters: object,
    ) -> None:
        self.log, self.spool = MemoryLog(), MemorySpool()
        self.faces = ToyFaces(list(script))
        self.version, self.enrolled = 1, list(enrolled)
        self.holder = GalleryHolder(self._gallery, lambda: self.version)
        self._camera = CameraSettings.model_validate(
            {"id": "entrance", "source": "scene:door", "when": when, "tail_s": 1}
        )
        self._encounters = EncounterSettings.model_validate(encounters)
        self._recipients = recipients
        self._doors = doors
        self.loop = self.build(self.faces)

    def build(
        self, faces: ToyFaces, show: Show | None = None, condition: CameraWatching | None = None
    ) -> CameraPipeline:
        """The loop, with these faces."""
        return CameraPipeline(
            LoopSettings(
                self._camera, FaceSettings(), self._encounters, EvidenceSettings(recipients=self._recipients)
            ),
            Rooms(
                {"front": ScriptedDoor(*self._doors)} if self._doors else {},
                faces,
                Policy(RecognitionSettings(), TABLES),
                self.holder,
                Records(self.log, self.spool),
                seeded_ids(1),
                condition,
            ),
            show=show,
        )

    def _gallery(self) -> Gallery:
        axes = {"ann": direction(1, 0, 0), "ben": direction(0, 1, 0), "zoe": direction(0, 0, 1)}
        rows = [
            Reference(SubjectId(name), ReferenceId("r"), model, axes[name])
            for name in self.enrolled
            for model in (DLIB_MIRROR, SFACE)
        ]
        return Gallery((DLIB_MIRROR, SFACE), rows, version=self.version)

    def run(self, frames: int, *, start: int = 0) -> "House":
        """Feed frames, ten a second."""
        for i in range(start, start + frames):
            self.loop.process(frame(i))
        return self

    def finish(self) -> list[str]:
        """End the frames; the types on record."""
        self.loop.finish()
        return self.log.types()


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


def encounters(house: House) -> list[tuple[str, str | None]]:
    """(type, subject) of the last decision of each encounter, in the order they began."""
    last: dict[str, tuple[str, str | None]] = {}
    for kept in house.log.kept:
        event = kept.event
        if isinstance(event, SubjectIdentified | StrangerSeen | PersonUndecided):
            last[event.encounter] = (event.type, getattr(event, "subject", None))
    return list(last.values())


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
