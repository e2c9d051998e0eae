"""Sentences about what cameras saw of people, doors and things, what was decided, and what was sealed."""

from collections.abc import Mapping
from typing import Final

from appliance.app.desk.saying import Names, after, camera_of, count, door_of, said
from appliance.events import (
    CameraChanged,
    CameraDisturbed,
    CaptureRemoved,
    CaptureSkipped,
    DecisionCorrected,
    DoorCalibrated,
    DoorChanged,
    DoorHeldOpen,
    ObjectSeen,
    PersonUndecided,
    StrangerCaptured,
    StrangerRetracted,
    StrangerSeen,
    SubjectIdentified,
)
from appliance.phrases import lasting
from appliance.values import Verdict

_DISTURBED: Final[Mapping[str, str]] = {
    "camera_moved": "was moved: it no longer shows what it did",
    "camera_covered": "is covered",
    "camera_dark": "sees nothing: it is dark",
    "camera_frozen": "stands still: it sends the same picture again and again",
}
_SKIPPED: Final[Mapping[str, str]] = {
    "no_recipient": "no key is set to seal it to",
    "spool_full": "there is no room for more sealed pictures",
    "disk_full": "the disk is full",
    "no_frame": "none was good enough",
    "memory": "too many were waiting already",
    "replay": "a recording was played",
    "failed": "they could not be sealed",
}
_REMOVED: Final[Mapping[str, str]] = {
    "retracted": "the person was recognised after all",
    "expired": "their time was over",
    "cap": "room was needed for newer ones",
    "room": "the disk was nearly full",
    "missing": "their file is gone",
    "by_admin": "an admin wanted it so",
    "copied": "a copy elsewhere was verified",
}
_REALLY: Final[Mapping[str, str]] = {
    "identified": "somebody enrolled",
    "stranger": "a stranger",
}


@said.register
def _(event: SubjectIdentified, names: Names) -> str:
    verb = ("is here again" if event.repeated else "came in") if event.door else "was seen"
    return f"{names.called(event.subject)} {verb}"


@said.register
def _(event: StrangerSeen, _: Names) -> str:
    return f"a stranger {'came in' if event.door else 'was seen'}"


@said.register
def _(_event: PersonUndecided, _: Names) -> str:
    return "left open who somebody was; no picture of them is kept"


@said.register
def _(event: DecisionCorrected, names: Names) -> str:
    was = names.called(event.was_subject) if event.was_subject else f"a {event.was.value}"
    open_ = event.was is Verdict.UNDECIDED
    if event.verdict == "unknown":
        return f"somebody said that nobody can tell who it was{'' if open_ else f', not {was}'}"
    really = names.called(event.subject) if event.subject else _REALLY[event.verdict]
    if (event.verdict, event.subject) == (event.was.value, event.was_subject):
        return f"somebody said that it was right: {really}"
    return (
        f"somebody said who it was: {really}" if open_ else f"somebody set it right: not {was}, but {really}"
    )


@said.register
def _(_event: StrangerRetracted, _: Names) -> str:
    return "no stranger after all: they were recognised, and their pictures are dropped"


@said.register
def _(event: DoorChanged, _: Names) -> str:
    if event.type == "door_unsure":
        return f"it cannot be told whether {door_of(event)} is open"
    return f"{door_of(event)} {'opened' if event.type == 'door_opened' else 'shut'}"


@said.register
def _(event: DoorHeldOpen, _: Names) -> str:
    return f"{door_of(event)} has not been shut for {lasting(event.open_s)}"


@said.register
def _(event: CameraDisturbed, _: Names) -> str:
    if event.type == "camera_clear":
        return f"{camera_of(event)} sees again{after(event.lasted_s)}"
    return f"{camera_of(event)} {_DISTURBED[event.type]}"


@said.register
def _(event: StrangerCaptured, _: Names) -> str:
    keys = count(len(event.recipients), "key")
    one = event.frames == 1
    many = "a picture of a stranger was" if one else f"{event.frames} pictures of a stranger were"
    found = ", found again after a restart" if event.adopted else ""
    return f"{many} sealed to {keys}, kept until {event.expires_at.astimezone():%d %b %Y}{found}"


@said.register
def _(event: CaptureSkipped, _: Names) -> str:
    return f"no picture of the stranger was kept: {_SKIPPED[event.reason]}"


@said.register
def _(event: CaptureRemoved, _: Names) -> str:
    return f"sealed pictures were deleted: {_REMOVED[event.reason]}"


@said.register
def _(event: CameraChanged, _: Names) -> str:
    if event.type == "camera_lost":
        return f"{camera_of(event)} gives no pictures any more"
    return f"{camera_of(event)} gives pictures again{after(event.outage_s)}"


@said.register
def _(event: DoorCalibrated, _: Names) -> str:
    return f"{door_of(event)} was set up"


@said.register
def _(event: ObjectSeen, _: Names) -> str:
    article = "an" if event.label[:1] in "aeiou" else "a"
    return f"{article} {event.label} was seen"
