"""Coffees in one camera's loop, with toy rooms: who is counted, who is not, and what is told of whom."""

import json
import math
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from factories import direction, face, frame, templates
from fakes import MemoryLog, MemorySpool, ToyFaces

from appliance.coffee import Shown, Turns
from appliance.decision import ErrorTables, Policy
from appliance.events import CoffeeTaken
from appliance.ids import seeded_ids
from appliance.matching import Gallery, Reference
from appliance.pipeline import CameraPipeline, GalleryHolder, Records
from appliance.pipeline.coffee import Before, CoffeeRooms
from appliance.pipeline.disturbances import CameraWatching
from appliance.pipeline.loop import LoopSettings, Rooms
from appliance.pipeline.visitors import Visitors
from appliance.settings import (
    CameraSettings,
    CoffeeSettings,
    EncounterSettings,
    EvidenceSettings,
    FaceSettings,
    RecognitionSettings,
)
from appliance.values import (
    DLIB_MIRROR,
    SFACE,
    Box,
    CameraReading,
    DetectedFace,
    DetectedObject,
    Disturbance,
    Frame,
    ImageArray,
    ReferenceId,
    SubjectId,
    Templates,
)

TABLES = ErrorTables.from_json(
    json.loads((Path(__file__).parents[2] / "data" / "score-tails.json").read_text(encoding="utf-8"))
)
POLICY = Policy(RecognitionSettings(), TABLES)
ANN, BEN, NOBODY, OTHER = (
    templates(1, 0, 0),
    templates(0, 1, 0),
    templates(0, 0, 1),
    templates(-0.8, -0.6, 0),
)
Seen = tuple[DetectedFace, float, Templates]


class ToyCups:
    """Cups where a script says, a cup for each face: before it, going up and down.

    Attributes:
        shown: Whether there are any.
        looks: How often it was asked.
    """

    def __init__(self) -> None:
        self.shown = True
        self.looks = 0

    def find(self, bgr: ImageArray, faces: Sequence[Box]) -> list[DetectedObject]:
        """See `CupFinding.find`."""
        del bgr
        self.looks += 1
        if not self.shown:
            return []
        return [
            DetectedObject(
                "cup",
                47,
                0.9,
                Box(
                    each.centre[0] - each.width / 4,
                    each.y + 1.9 * each.height + 0.4 * each.width * math.sin(self.looks / 2),
                    each.width / 2,
                    each.width / 2,
                ),
            )
            for each in faces
        ]


class Kitchen:
    """A camera's loop before a coffee corner.

    Args:
        agreed: Who of Ann and Ben agreed to be counted.
        visitors: Whether others are counted, too.
        before: Coffees of earlier runs.
        condition: Of the camera.
    """

    def __init__(
        self,
        *,
        agreed: tuple[str, ...] = ("ann", "ben"),
        visitors: bool = False,
        before: Sequence[Before] = (),
        condition: CameraWatching | None = None,
        **settings: Any,
    ) -> None:
        self.log, self.cups = MemoryLog(), ToyCups()
        self.told: list[list[Shown]] = []
        self.agreed = set(agreed)
        self.script: list[list[Seen]] = []
        chosen = CoffeeSettings.model_validate({"cool_down_s": 0, **settings})
        camera = CameraSettings.model_validate({"id": "corner", "source": "scene:coffee", "when": "always"})
        axes = {"ann": direction(1, 0, 0), "ben": direction(0, 1, 0)}
        rows = [
            Reference(SubjectId(name), ReferenceId("r"), model, axes[name])
            for name in axes
            for model in (DLIB_MIRROR, SFACE)
        ]
        gallery = Gallery((DLIB_MIRROR, SFACE), rows, version=1)
        self.faces = ToyFaces(self.script)
        self.loop = CameraPipeline(
            LoopSettings(camera, FaceSettings(), EncounterSettings(), EvidenceSettings()),
            Rooms(
                {},
                self.faces,
                POLICY,
                GalleryHolder(lambda: gallery, lambda: 1),
                Records(self.log, MemorySpool()),
                seeded_ids(1),
                condition,
                coffee=CoffeeRooms(
                    chosen,
                    self.cups,
                    lambda who: who in self.agreed,
                    Turns(chosen.participation_s),
                    Visitors(POLICY, forgotten_after_s=3600, first=7) if visitors else None,
                    list(before),
                    lambda _, shown: self.told.append(list(shown)),
                ),
            ),
            show=self._show,
        )
        self.seen: list[dict[str, Any]] = []
        self._next = 0

    def _show(self, frame_: Frame, overlay: Any) -> None:
        del frame_
        self.seen.append(overlay())

    def stand(self, seconds: float, *people: Templates) -> "Kitchen":
        """These people stand there, side by side."""
        faces = [(face(100 + 400 * i, width=80), 80.0, who) for i, who in enumerate(people)]
        for _ in range(round(seconds * 10)):
            self.script.append(faces)
            self.loop.process(frame(self._next))
            self._next += 1
        return self

    def coffees(self) -> list[CoffeeTaken]:
        """Those on record."""
        return [kept.event for kept in self.log.kept if isinstance(kept.event, CoffeeTaken)]


def test_somebody_recognised_with_a_cup_takes_a_coffee() -> None:
    """One event, of their stay, after they were recognised; and viewers see the cup and the countdown."""
    kitchen = Kitchen().stand(3, ANN)
    during = kitchen.seen[-1]
    (coffee,) = kitchen.stand(5, ANN).coffees()
    kinds = kitchen.log.types()

    assert ("ann", None, "cup", "corner") == (coffee.subject, coffee.visitor, coffee.label, coffee.camera)
    assert coffee.encounter == kitchen.log.kept[0].event.model_dump()["encounter"]
    assert kinds.index("subject_identified") < kinds.index("coffee_taken")
    assert "counting" == during["faces"][0]["coffee"]["phase"]
    assert ["cup"] == [each["label"] for each in during["objects"]]


def test_of_who_did_not_agree_nothing_is_logged_or_told() -> None:
    """Neither a coffee, nor a countdown, nor that it was too soon."""
    kitchen = Kitchen(agreed=("ben",)).stand(12, ANN)

    assert [] == kitchen.coffees()
    assert not any(kitchen.told)
    assert not any("coffee" in each for seen in kitchen.seen for each in seen["faces"])


def test_who_takes_the_consent_back_is_counted_no_more() -> None:
    """In the middle of a countdown."""
    kitchen = Kitchen().stand(2.5, ANN)
    counting = kitchen.told[-1]
    kitchen.agreed.clear()
    kitchen.stand(6, ANN)

    assert ["counting"] == [each.phase for each in counting]
    assert [] == kitchen.coffees()
    assert [] == kitchen.told[-1]


def test_somebody_not_enrolled_is_nobody() -> None:
    """Unless the admin allows visitors."""
    kitchen = Kitchen().stand(12, NOBODY)

    assert [] == kitchen.coffees()
    assert not any(kitchen.told)


def test_a_visitor_keeps_their_number() -> None:
    """For as long as they are remembered; another has another; and each waits for their turn."""
    kitchen = Kitchen(visitors=True, participation_s=20)
    kitchen.stand(8, NOBODY).stand(5).stand(8, OTHER).stand(5).stand(12, NOBODY)
    numbers = [each.visitor for each in kitchen.coffees()]

    assert [7, 8, 7] == numbers
    assert [None] * 3 == [each.subject for each in kitchen.coffees()]


def test_a_visitor_waits_for_their_turn() -> None:
    """The rule is for visitors, too."""
    kitchen = Kitchen(visitors=True, participation_s=300)
    kitchen.stand(8, NOBODY).stand(5).stand(10, NOBODY)

    assert [7] == [each.visitor for each in kitchen.coffees()]
    assert "too_soon" in [each.phase for shown in kitchen.told for each in shown]


def test_visitors_are_forgotten() -> None:
    """After their hours they are somebody else, and nothing of them is kept."""
    visitors = Visitors(POLICY, forgotten_after_s=60)
    kitchen = Kitchen(visitors=True).stand(3, NOBODY)
    (stay,) = kitchen.loop._stays.values()
    kept = stay.encounter.kept
    first = visitors.took("e", kept, 0.0)
    known = visitors.key("f", kept, 30.0)
    later = visitors.key("g", kept, 61.0)

    assert 1 == first
    assert "visitor:1" == known
    assert "visitor:g" == later
    assert {} == visitors.remembered()


def test_what_visitors_look_like_is_built_once_and_not_at_every_look() -> None:
    """All cameras wait for it: anew when somebody is kept or forgotten, and then it is up to date."""
    visitors = Visitors(POLICY, forgotten_after_s=60)
    kitchen = Kitchen(visitors=True).stand(3, NOBODY, OTHER)
    kept, others = (stay.encounter.kept for stay in kitchen.loop._stays.values())
    visitors.took("e", kept, 0.0)
    one = visitors.gallery
    unknown = [visitors.key(f"stay-{i}", others, i / 5) for i in range(20)]
    same = visitors.gallery
    visitors.took("o", others, 30.0)
    both = visitors.gallery
    again = visitors.key("o-again", others, 31.0)
    visitors.key("later", kept, 61.0)

    assert [f"visitor:stay-{i}" for i in range(20)] == unknown
    assert one is same
    assert ("1",) == one.subjects
    assert ("1", "2") == both.subjects
    assert "visitor:2" == again
    assert ("2",) == visitors.gallery.subjects


def test_a_coffee_before_a_restart_still_counts_for_the_rule() -> None:
    """What an earlier run logged keeps the same person from the next for the rest of the time."""
    a_minute_ago = frame(0).stamp.wall - timedelta(seconds=290)
    kitchen = Kitchen(before=[Before("ann", a_minute_ago)]).stand(6, ANN)
    told = [each.phase for shown in kitchen.told for each in shown]
    kitchen.stand(12, ANN)

    assert ["too_soon"] == sorted(set(told))
    assert ["ann"] == [each.subject for each in kitchen.coffees()]


def test_a_blind_camera_counts_nothing() -> None:
    """In a frozen picture somebody would hold their cup for ever."""

    class Frozen:
        """A camera that is said to be frozen from its second frame on."""

        def observe(self, frame: Frame) -> CameraReading:
            """See `CameraWatching.observe`."""
            later = frame.stamp.sequence > 20
            return CameraReading(Disturbance.FROZEN if frame.stamp.sequence == 21 else None, blind=later)

    kitchen = Kitchen(condition=Frozen()).stand(12, ANN)

    assert [] == kitchen.coffees()
    assert [] == kitchen.told[-1]


def test_cups_are_looked_for_as_often_as_set_and_only_at_people() -> None:
    """An empty corner costs nothing."""
    kitchen = Kitchen(looks_per_s=5).stand(5)
    empty = kitchen.cups.looks
    kitchen.stand(5, ANN)

    assert 0 == empty
    assert 25 == kitchen.cups.looks


def test_a_replay_counts_alike() -> None:
    """The same frames with the same people: the same events, to the last digit."""
    runs = [Kitchen(visitors=True).stand(6, ANN, NOBODY).stand(14, ANN, NOBODY) for _ in range(2)]
    one, other = ([kept.event for kept in run.log.kept] for run in runs)

    assert one == other
    assert 2 == len(runs[0].coffees())
