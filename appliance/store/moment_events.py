"""What an event of the log is as a moment: a document of its own, the newest word about a stay, or a clip.

Reads events; writes nothing. A stay (an encounter) is one document, whose verdict is the last word about it:
the box's newest decision, or what somebody who knows said of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from appliance.events import (
    CameraChanged,
    CameraDisturbed,
    ClipBegun,
    ClipDeleted,
    ClipEnded,
    DecisionCorrected,
    DoorChanged,
    DoorHeldOpen,
    Event,
    ObjectSeen,
    PersonUndecided,
    StrangerSeen,
    SubjectIdentified,
)
from appliance.store.records import StoredEvent

ENCOUNTER: Final = "encounter"
"""Kind of a document about somebody's stay."""
_ALONE: Final = (
    *("door_opened", "door_shut", "door_unsure", "door_held_open"),
    *("camera_lost", "camera_recovered", "camera_moved", "camera_covered", "camera_dark"),
    *("camera_frozen", "camera_clear", "object_seen"),
)
KINDS: Final = (ENCOUNTER, *_ALONE)
"""Kinds of moments that come of the log."""
FOLLOWED: Final = (
    *_ALONE,
    *("subject_identified", "stranger_seen", "person_undecided", "decision_corrected"),
    *("clip_begun", "clip_ended", "clip_deleted"),
)
"""Types of events that are read."""

Verdict = Literal["identified", "stranger", "undecided", "unknown"]


@dataclass(frozen=True, slots=True)
class Alone:
    """An event that is a moment by itself.

    Attributes:
        camera: Which, if any.
        door: Likewise.
        labels: What was seen.
    """

    camera: str
    door: str | None
    labels: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Stay:
    """A word about a stay.

    Attributes:
        encounter: Which.
        camera: Which, if any.
        door: Likewise.
        verdict: What it was.
        subject: Who.
        corrects: Whether somebody who knows says so; False: they take it back; None: the box says so.
    """

    encounter: str
    camera: str
    door: str | None
    verdict: Verdict
    subject: str | None
    corrects: bool | None = None


@dataclass(frozen=True, slots=True)
class Clip:
    """Something about a clip.

    Attributes:
        clip: Which.
        camera: What it shows; None: it is gone.
        begin_ms: Of it.
        end_ms: None: not yet.
    """

    clip: str
    camera: str | None
    begin_ms: int = 0
    end_ms: int | None = None


def meaning(stored: StoredEvent) -> Alone | Stay | Clip | None:
    """What an event means here; None: nothing, or its body is gone or cannot be read."""
    event = stored.event
    if isinstance(event, DecisionCorrected):
        return _corrected(event)
    if isinstance(event, SubjectIdentified | StrangerSeen | PersonUndecided):
        return _decided(event)
    if isinstance(event, ClipBegun | ClipEnded | ClipDeleted):
        return _clip(event)
    if isinstance(event, DoorChanged | DoorHeldOpen | CameraChanged | CameraDisturbed | ObjectSeen):
        return _alone(event)
    return None


def _clip(event: ClipBegun | ClipEnded | ClipDeleted) -> Clip:
    if isinstance(event, ClipDeleted):
        return Clip(event.clip, None)
    end_ms = event.end_ms if isinstance(event, ClipEnded) else None
    return Clip(event.clip, event.camera or "", event.begin_ms, end_ms)


def _alone(event: Event) -> Alone:
    labels = {event.label: event.score} if isinstance(event, ObjectSeen) else {}
    return Alone(event.camera or "", event.door, labels)


def _decided(event: SubjectIdentified | StrangerSeen | PersonUndecided) -> Stay:
    verdict: Verdict
    subject = None
    if isinstance(event, SubjectIdentified):
        verdict, subject = "identified", event.subject
    else:
        verdict = "stranger" if isinstance(event, StrangerSeen) else "undecided"
    return Stay(event.encounter, event.camera or "", event.door, verdict, subject)


def _corrected(event: DecisionCorrected) -> Stay:
    taken_back = (event.verdict, event.subject) == (event.was.value, event.was_subject)
    return Stay(
        event.encounter, event.camera or "", event.door, event.verdict, event.subject, corrects=not taken_back
    )
