"""One camera's loop: frame → condition → door → faces → tracks → encounters → decisions on record; things.

Knows its rooms by protocol. Works frame by frame on the frames' own time, so that a replay
of a recording decides what the live loop decided. It starts no thread and opens nothing.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from appliance.decision import Encounter, FrameEvidence, Policy, Sighting
from appliance.ids import IdFactory
from appliance.matching import Gallery
from appliance.pipeline.coffee import CoffeeRooms, Coffees
from appliance.pipeline.disturbances import CameraWatching, Disturbances
from appliance.pipeline.doors import Doors, DoorWatching
from appliance.pipeline.galleries import GalleryHolder
from appliance.pipeline.objects import ObjectWatching, Publish, Things
from appliance.pipeline.outcomes import Outcomes
from appliance.pipeline.records import Picture, Recording
from appliance.pipeline.stays import PictureShelf, Stay
from appliance.settings import CameraSettings, EncounterSettings, EvidenceSettings, FaceSettings, When
from appliance.tracking import FaceTracker, Track
from appliance.values import (
    DetectedFace,
    FaceSample,
    Frame,
    FrameStamp,
    ImageArray,
    Templates,
)

_LOOK_OUT_S = 0.5
"""With `when = "approach"` and nobody there, faces are looked for this often."""

_SHOWN_FACES = 32
"""Faces told to viewers, the nearest: what they are told has a place of fixed size."""

_GAP_S = 0.3
"""Out of sight for so long, while others were looked for, somebody else may have taken the place."""

Show = Callable[[Frame, Callable[[], dict[str, Any]]], None]
"""Told of each frame, with a way to ask what was seen in it."""


class FaceReading(Protocol):
    """The faces room, as the loop needs it."""

    def detect(self, bgr: ImageArray) -> list[DetectedFace]:
        """Faces of a full frame, in a fixed order."""

    def sample(self, bgr: ImageArray, face: DetectedFace) -> FaceSample:
        """Cut out, align and judge one face."""

    def templates(self, sample: FaceSample) -> Templates:
        """Embed it with every model the decision compares."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """What a camera's loop is introduced to.

    `condition` says whether the camera sees what it used to; None: it is always believed. `disturbed_since`
    is when what it was told is wrong already began. `objects` looks for things; None: nobody does, and
    `publish` is never told of any. `coffee` counts coffees; None: none are counted before this camera.
    """

    doors: dict[str, DoorWatching]
    faces: FaceReading
    policy: Policy
    gallery: GalleryHolder
    records: Recording
    ids: IdFactory
    condition: CameraWatching | None = None
    disturbed_since: datetime | None = None
    objects: ObjectWatching | None = None
    publish: Publish | None = None
    coffee: CoffeeRooms | None = None


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """The settings a camera's loop needs, one per room.

    `held_open_s` is by door: seconds after which it is said to be held open; 0 or missing: never.
    """

    camera: CameraSettings
    faces: FaceSettings
    encounters: EncounterSettings
    evidence: EvidenceSettings
    held_open_s: Mapping[str, float] = field(default_factory=dict)


class CameraPipeline:
    """The loop of one camera; call `process` with its frames in order, then `finish`.

    Args:
        settings: What this camera's loop needs.
        rooms: What it works with.
        show: Called after each frame with what was seen in it, for viewers; None when nobody can look.
    """

    def __init__(
        self,
        settings: LoopSettings,
        rooms: Rooms,
        *,
        show: Show | None = None,
    ) -> None:
        self._settings = settings
        self._rooms = rooms
        self._show = show
        camera, records = settings.camera.id, rooms.records
        self._disturbances = Disturbances(camera, rooms.condition, records, rooms.disturbed_since)
        self._doors = Doors(camera, rooms.doors, settings.held_open_s, records, rooms.ids)
        self._things = Things(camera, rooms.objects, records, rooms.publish)
        self._coffees = Coffees(camera, rooms.coffee, records)
        self._tracker = FaceTracker(settings.encounters.end_after_s)
        self._stays: dict[int, Stay] = {}
        self._shelf = PictureShelf(settings.evidence, self._stays.values())
        self._outcomes = Outcomes(camera, settings.encounters, settings.evidence, records)
        self._last_stamp: FrameStamp | None = None
        self._looked_s: float | None = None
        self._read_s = 0.0
        self._anew = threading.Event()
        self._gallery_version = rooms.gallery.current.version

    def process(self, frame: Frame) -> None:
        """Look at one frame and put on record what follows from it.

        While the camera is dark, covered or frozen, no door is believed and no face is read: in a frozen
        picture somebody would stand before the door for ever.
        """
        self._last_stamp = frame.stamp
        blind = self._disturbances.blind(frame)
        self._doors.observe(frame, blind=blind)
        for track in self._tracker.ended(frame.stamp.monotonic_s):
            self._end(track, frame.stamp)
        if self._anew.is_set():
            self._anew.clear()
            self._renew(frame.stamp)
        tracks: list[Track] = []
        if not blind and self._reads_faces(frame.stamp.monotonic_s):
            # One gallery for the whole frame: another may be swapped in at any moment.
            gallery = self._rooms.gallery.current
            self._follow(gallery)
            tracks = self._read_faces(frame, gallery)
        self._outcomes.seal_settled(self._stays.values(), frame.stamp)
        self._things.observe(frame, blind=blind)
        if blind:
            self._coffees.interrupted()
        else:
            self._coffees.observe(frame, tracks, self._stays)
        if self._show is not None:
            self._show(frame, lambda: self._overlay(tracks))

    def decide_again(self) -> None:
        """Whoever is identified now is to be recognised anew, from the next frame on; from any thread.

        Their encounter ends and another begins, which needs good frames of its own. Others are being decided
        upon anyway. A replay never asks for it.
        """
        self._anew.set()

    def finish(self) -> None:
        """No frame comes for now (the recording is over, the camera lost): end every encounter.

        If frames come again after all, how long a door stays open is counted anew, and after some seconds
        it is another visit.
        """
        self._doors.interrupted()
        self._things.interrupted()
        self._coffees.interrupted()
        if self._last_stamp is None:
            return
        for track in self._tracker.end_all():
            self._end(track, self._last_stamp)

    def _reads_faces(self, now_s: float) -> bool:
        """Whether faces are read in this frame: `when`, open or unsure doors, and the tail after them."""
        when = self._settings.camera.when
        if when is When.ALWAYS:
            return True
        if when is When.APPROACH:
            if not self._stays and self._looked_s is not None and now_s - self._looked_s < _LOOK_OUT_S:
                return False
            self._looked_s = now_s
            return True
        return self._doors.not_shut_since(now_s - self._settings.camera.tail_s)

    # ------------------------------------------------------------ faces

    def _read_faces(self, frame: Frame, gallery: Gallery) -> list[Track]:
        bgr = frame.bgr()
        now_s = frame.stamp.monotonic_s
        tracks = self._tracker.update(self._rooms.faces.detect(bgr), now_s)
        for track in tracks:
            stay = self._stays.get(track.number)
            if stay is None:
                stay = self._stays[track.number] = self._begin(frame.stamp, *self._doors.entrance())
            if now_s - stay.seen_s >= _GAP_S and self._read_s > stay.seen_s:
                stay.encounter.lose_sight()
            stay.seen_s = now_s
            if stay.encounter.identified and stay.label is not None:
                self._outcomes.present(stay.label, now_s)
        for track in self._to_embed(tracks, now_s):
            self._look_closely(track, frame, bgr, gallery)
        self._read_s = now_s
        return tracks

    def _to_embed(self, tracks: Sequence[Track], now_s: float) -> list[Track]:
        """The tracks whose face is embedded in this frame: the least known first, then the nearest."""
        wanted = [
            track
            for track in tracks
            if track.face.box.width >= self._settings.faces.min_width_px
            and (
                self._stays[track.number].encounter.wants_frame(now_s)
                or self._stays[track.number].awaits_capture
            )
        ]
        wanted.sort(key=lambda t: (self._stays[t.number].encounter.good_frames, -t.face.box.area, t.number))
        return wanted[: self._settings.faces.max_embedded]

    def _look_closely(self, track: Track, frame: Frame, bgr: ImageArray, gallery: Gallery) -> None:
        sample = self._rooms.faces.sample(bgr, track.face)
        if sample.quality.total < self._settings.faces.min_quality:
            return
        stay = self._stays[track.number]
        now_s = frame.stamp.monotonic_s
        picture = Picture(frame.stamp, bgr, track.face.box, sample.quality.total)
        if not stay.encounter.wants_frame(now_s) and not self._shelf.wants(stay, picture):
            return
        templates = self._rooms.faces.templates(sample)
        evidence = FrameEvidence(
            sequence=frame.stamp.sequence,
            at_s=now_s,
            media_s=frame.stamp.media_s,
            quality=sample.quality.total,
            box=track.face.box,
            scores=gallery.compare(templates),
        )
        decisions = stay.encounter.add(evidence, templates)
        if stay.encounter.newcomer:
            self._replace(track, picture)
        elif stay.encounter.held is not None:
            self._shelf.doubt(stay, picture)
        else:
            self._shelf.keep(stay, picture)
        for decision in decisions:
            self._outcomes.decided(stay, decision, frame.stamp.wall, now_s)

    def _follow(self, gallery: Gallery) -> None:
        """Compare what is kept of current encounters with a gallery that has changed meanwhile."""
        if gallery.version == self._gallery_version:
            return
        self._gallery_version = gallery.version
        enrolled = set(gallery.subjects)
        for stay in self._stays.values():
            stay.encounter.rescore(gallery.compare)
            if stay.label is not None and stay.label not in enrolled:
                stay.label, stay.repeated = None, False
        self._outcomes.forget_others(enrolled)

    # ------------------------------------------------------------ encounters

    def _begin(self, stamp: FrameStamp, door: str | None, visit: str | None) -> Stay:
        """A new face: an encounter, at a door on a visit of it."""
        return Stay(
            encounter_id=self._rooms.ids(stamp.wall),
            door=door,
            visit=visit,
            encounter=Encounter(self._settings.encounters, self._rooms.policy),
            seen_s=stamp.monotonic_s,
        )

    def _renew(self, stamp: FrameStamp) -> None:
        """End the encounters of those who are identified, and begin others with the same people."""
        for number, before in list(self._stays.items()):
            if before.encounter.identified:
                self._outcomes.close(before, stamp.wall, before.seen_s)
                stay = self._begin(stamp, before.door, before.visit)
                stay.seen_s = before.seen_s
                self._stays[number] = stay

    def _replace(self, track: Track, picture: Picture) -> None:
        """Somebody else has taken the place of whoever the track was of: that encounter ends, theirs begins.

        Args:
            track: Whose place it is.
            picture: Of the later of their two frames.
        """
        before = self._stays[track.number]
        newcomer = before.encounter.newcomer
        pictures = [picture] if before.doubted is None else [before.doubted, picture]
        before.doubted = None
        stay = self._begin(picture.stamp, *self._doors.entrance())
        self._outcomes.close(before, picture.stamp.wall, newcomer[0][0].at_s)
        self._stays[track.number] = stay
        for each in pictures:
            self._shelf.keep(stay, each)
        self._take(stay, newcomer, picture.stamp.wall)

    def _end(self, track: Track, stamp: FrameStamp) -> None:
        """Nobody has seen the track's face for long enough."""
        stay = self._stays.pop(track.number)
        self._outcomes.close(stay, stamp.wall, track.last_s)
        if stay.encounter.held is not None:
            # One good frame of another face, and no second to say that it was only a bad one.
            other = self._begin(stamp, stay.door, stay.visit)
            self._take(other, [stay.encounter.held], stamp.wall)
            self._outcomes.close(other, stamp.wall, track.last_s)

    def _take(self, stay: Stay, sightings: Sequence[Sighting], at: datetime) -> None:
        """Have an encounter begin with frames that were held back."""
        for evidence, templates in sightings:
            for decision in stay.encounter.add(evidence, templates):
                self._outcomes.decided(stay, decision, at, evidence.at_s)

    # ------------------------------------------------------------ for viewers

    def _overlay(self, tracks: Sequence[Track]) -> dict[str, Any]:
        """What was seen in the last frame, by opaque ids."""
        nearest = sorted(tracks, key=lambda track: -track.face.box.area)[:_SHOWN_FACES]
        return {
            "doors": self._doors.overlay(),
            "faces": [self._seen(track, self._stays[track.number]) for track in nearest],
            "objects": [*self._things.overlay(), *self._coffees.overlay()],
        }

    def _seen(self, track: Track, stay: Stay) -> dict[str, Any]:
        """A face for viewers: where it is, what was said of it, and by which rule."""
        return {
            "box": [round(v) for v in track.face.box.corners],
            "subject": stay.label,
            "stranger": stay.stranger is not None,
            "score": stay.score,
            "threshold": stay.threshold,
            "grade": stay.grade.value if stay.grade is not None else None,
            "rule": stay.rule,
            "frames": stay.encounter.good_frames,
            **self._coffees.told_of(stay.encounter_id),
        }
