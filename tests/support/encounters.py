"""Made-up encounters before the real appliance: seen by its loop, told by its log.

People are enrolled in `encounters_enrolment`. Frames then go through `CameraPipeline` with networks, tracker,
gallery, rule and store as the running appliance introduces them. What it decided is read back from the log
and held against the truth by where the faces of its frames were; `encounters_figures` counts.
"""

import functools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from encounters_enrolment import SETTINGS, Enrolled
from encounters_frames import Painter, Present
from encounters_people import Figure, cut_figure
from encounters_plan import FPS, Scene
from factories import PictureFrame, stamp

from appliance.app.error_tables import TABLES_FILE
from appliance.app.parts import (
    LoggedEvents,
    Parts,
    camera_pipeline,
    opened_parts,
    read_policy,
    store_gallery,
)
from appliance.app.replaying import SealsNothing
from appliance.clock import ManualClock
from appliance.decision import Changes, ErrorTables, obstacle, recompute
from appliance.events import PersonUndecided, StrangerSeen, SubjectIdentified
from appliance.faces import FaceReader
from appliance.ids import seeded_ids
from appliance.pipeline import Records
from appliance.services import Layout, open_services
from appliance.tracking import FaceTracker
from appliance.values import Box, DetectedFace, FaceSample, ImageArray, Templates

_APART_S = 4.0
"""Seconds between scenes: longer than an encounter lasts after somebody was last seen."""
_SHIFT_S = 3600
_SHIFT_FRAMES = 100_000
_TOUCH = 0.2
"""A face that overlaps somebody's true place less than this is not theirs."""
_DECISIONS = ("subject_identified", "stranger_seen", "person_undecided")


@dataclass(frozen=True)
class Told:
    """One decision of the appliance, with whom it was about in truth.

    Attributes:
        encounter: Its id in the log.
        grade: greeting, confirmed or final.
        verdict: identified, stranger or undecided.
        named: Index of the person it named, or None.
        shows: How many of its frames show which walk; -1 is nobody.
        rule: Which line decided.
        score: Best fused score.
        threshold: What it was held against.
        margin: Lead over the second.
        quality: Best of its frames, 0 to 100.
    """

    encounter: str
    grade: str
    verdict: str
    named: int | None
    shows: Mapping[int, int]
    rule: str
    score: float | None
    threshold: float
    margin: float | None
    quality: float

    @property
    def walk(self) -> int:
        """Whom most of its frames show, of equals the one of the higher number; -1: nobody."""
        return max(self.shows, key=lambda walk: (self.shows[walk], walk), default=-1)


@dataclass
class Seen:
    """What came of one walk before any decision.

    Attributes:
        walk: Its number.
        person: Index among the people.
        photo: Which of theirs.
        frames: In how many they were drawn.
        found: In how many their face was found.
        near: In how many of those it was large enough to be looked at closely.
        sampled: In how many the loop cut it out.
        good: In how many of those its quality sufficed.
        tracks: Track → how many of its sightings were of them.
    """

    walk: int
    person: int
    photo: int
    frames: int = 0
    found: int = 0
    near: int = 0
    sampled: int = 0
    good: int = 0
    tracks: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True)
class Shift:
    """What came of some scenes.

    Attributes:
        seen: Each walk.
        told: Each decision.
        frames: Frames looked at.
        faces_of_nobody: Found where nobody was.
        reproduced: Stored decisions that a what-if at the same settings concluded exactly as they were.
        differing: Stored decisions that it did not, by event id.
    """

    seen: tuple[Seen, ...]
    told: tuple[Told, ...]
    frames: int
    faces_of_nobody: int
    reproduced: int
    differing: tuple[str, ...]


class WatchedFaces:
    """The faces room, watched: passes everything through and notes of whom each face is.

    It follows the faces with a tracker of its own, of the same kind and given the same, so that tracks can be
    held against the truth without looking into the loop.

    Args:
        reader: The real one.
    """

    def __init__(self, reader: FaceReader) -> None:
        self._reader = reader
        self._tracker = FaceTracker(SETTINGS.encounters.end_after_s)
        self._present: tuple[Present, ...] = ()
        self._at_s = 0.0
        self._whose: dict[int, int] = {}
        self.seen: dict[int, Seen] = {}
        self.nobody = 0

    def expect(self, present: tuple[Present, ...], at_s: float) -> None:
        """Who is in the next frame."""
        self._present, self._at_s = present, at_s
        for face in present:
            self.seen[face.walk].frames += 1

    def detect(self, bgr: ImageArray) -> list[DetectedFace]:
        """See `FaceReader.detect`."""
        faces = self._reader.detect(bgr)
        self._whose = {id(face): whose(face.box, self._present) for face in faces}
        for face, track in zip(faces, self._tracker.update(faces, self._at_s), strict=True):
            walk = self._whose[id(face)]
            if walk < 0:
                self.nobody += 1
                continue
            self.seen[walk].found += 1
            self.seen[walk].near += face.box.width >= SETTINGS.faces.min_width_px
            self.seen[walk].tracks[track.number] += 1
        return faces

    def sample(self, bgr: ImageArray, face: DetectedFace) -> FaceSample:
        """See `FaceReader.sample`."""
        sample = self._reader.sample(bgr, face)
        if (walk := self._whose[id(face)]) >= 0:
            self.seen[walk].sampled += 1
            self.seen[walk].good += sample.quality.total >= SETTINGS.faces.min_quality
        return sample

    def templates(self, sample: FaceSample) -> Templates:
        """See `FaceReader.templates`."""
        return self._reader.templates(sample)


def whose(box: Box, present: Sequence[Present]) -> int:
    """The walk whose face is at this place; -1: nobody's."""
    best = max(present, key=lambda face: face.box.overlap(box), default=None)
    return best.walk if best is not None and best.box.overlap(box) >= _TOUCH else -1


class Entrance:
    """An appliance that looks at made-up scenes; use `opened`.

    Args:
        parts: Networks, gallery, rule, store.
        clock: Its clock.
        enrolled: Who is enrolled, and what everybody walks in as.
    """

    def __init__(self, parts: Parts, clock: ManualClock, enrolled: Enrolled) -> None:
        self._parts = parts
        self._clock = clock
        self._subjects = enrolled.subjects
        self._position = 0
        self._tables = ErrorTables.from_json(json.loads(TABLES_FILE.read_text(encoding="utf-8")))

        @functools.cache
        def figure(person: int, photo: int) -> Figure:
            return cut_figure(enrolled.people[person].shown[photo], parts.reader)

        self._painter = Painter(figure)

    @classmethod
    @contextmanager
    def opened(cls, enrolled: Enrolled, folder: Path) -> Iterator["Entrance"]:
        """A box of its own log in `folder`, with the gallery of those enrolled."""
        policy, clock = read_policy(SETTINGS), ManualClock(stamp().wall)
        with ExitStack() as stack:
            origin = stack.enter_context(open_services(SETTINGS, Layout(enrolled.state)))
            own = open_services(
                SETTINGS, Layout(folder), create=True, clock=clock, ids=seeded_ids(1), boot="encounters"
            )
            services = stack.enter_context(own)
            gallery = store_gallery(origin.store, policy)
            parts = stack.enter_context(opened_parts(SETTINGS, services, policy, gallery))
            yield cls(parts, clock, enrolled)

    def watch(
        self, scenes: Sequence[Scene], shift: int, tell: Callable[[int], None] = lambda _: None
    ) -> Shift:
        """Look at scenes one after the other.

        Args:
            scenes: Far enough apart that no encounter reaches from one into the next.
            shift: Which part of a run this is; decides the time of day. Of one box, each only once.
            tell: Told of the walks of each scene that is over.
        """
        faces = WatchedFaces(self._parts.reader)
        records = Records(
            LoggedEvents(self._parts.services.store, lambda: None), SealsNothing(), self._parts.origin
        )
        pipeline = camera_pipeline(SETTINGS.cameras[0], self._parts, records, faces)
        truth: dict[int, tuple[Present, ...]] = {}
        number, at_s = shift * _SHIFT_FRAMES, float(shift * _SHIFT_S)
        for scene in scenes:
            faces.seen.update({w.number: Seen(w.number, w.person, w.photo) for w in scene.walks})
            for drawn in self._painter.frames(scene):
                truth[number] = drawn.present
                faces.expect(drawn.present, at_s)
                frame = PictureFrame(drawn.bgr, stamp(number, at_s))
                self._clock.set(wall=frame.stamp.wall, monotonic=at_s)
                pipeline.process(frame)
                number, at_s = number + 1, round(at_s + 1 / FPS, 6)
            at_s += _APART_S
            tell(len(scene.walks))
        pipeline.finish()
        return self._read_back(faces, truth)

    def _read_back(self, faces: WatchedFaces, truth: Mapping[int, tuple[Present, ...]]) -> Shift:
        """The log's decisions since the last time, each with whom it was about."""
        told: list[Told] = []
        reproduced, differing = 0, []
        stored = self._parts.services.store.events(after=self._position, types=_DECISIONS, limit=1_000_000)
        for each in stored:
            self._position = each.position
            event = each.event
            if not isinstance(event, SubjectIdentified | StrangerSeen | PersonUndecided):
                raise TypeError(f"{each.type} is no decision")
            told.append(self._told(event, truth))
            if self._again(event):
                reproduced += 1
            else:
                differing.append(each.id)
        return Shift(
            tuple(faces.seen.values()), tuple(told), len(truth), faces.nobody, reproduced, tuple(differing)
        )

    def _again(self, event: SubjectIdentified | StrangerSeen | PersonUndecided) -> bool:
        """Whether a what-if that changes nothing concludes what was concluded, to the last digit."""
        if obstacle(event.facts, self._tables, Changes()) is not None:
            return False
        found = recompute(event.facts, event.grade, self._tables)
        named = event.subject if isinstance(event, SubjectIdentified) else None
        return found.facts == event.facts and found.subject == named

    def _told(
        self,
        event: SubjectIdentified | StrangerSeen | PersonUndecided,
        truth: Mapping[int, tuple[Present, ...]],
    ) -> Told:
        facts = event.facts
        shows = Counter(whose(Box(*frame.box), truth[frame.sequence]) for frame in facts.frames)
        verdict = {
            SubjectIdentified: "identified",
            StrangerSeen: "stranger",
            PersonUndecided: "undecided",
        }[type(event)]
        return Told(
            encounter=event.encounter,
            grade=event.grade.value,
            verdict=verdict,
            named=self._subjects[event.subject] if isinstance(event, SubjectIdentified) else None,
            shows=dict(shows),
            rule=facts.rule,
            score=facts.score,
            threshold=facts.threshold,
            margin=facts.margin,
            quality=max((frame.quality for frame in facts.frames), default=0.0),
        )
