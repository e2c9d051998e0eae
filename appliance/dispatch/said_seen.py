"""In words: what cameras saw of people, doors and things, what was decided, what was sealed."""

from appliance.dispatch.said import SHORT, Call, count, place, said
from appliance.events import (
    CameraChanged,
    CameraDisturbed,
    CaptureRemoved,
    CaptureSkipped,
    DecisionCorrected,
    DecisionFacts,
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
from appliance.values import DoorState, Grade, Verdict

_KIB = 1024
_SKIPPED = {
    "no_recipient": "no recipient is set",
    "spool_full": "the spool is full",
    "disk_full": "the disk is full",
    "no_frame": "no good picture was at hand",
    "memory": "too many pictures were waiting already",
    "replay": "a replay that keeps nothing seals nothing",
    "failed": "sealing failed",
}
_REMOVED = {
    "retracted": "the person was recognised after all",
    "expired": "its time is over",
    "cap": "the spool was full",
    "room": "the disk was nearly full",
    "missing": "its file is gone",
    "by_admin": "an admin removed it",
    "copied": "a copy elsewhere was verified",
}
_REALLY = {"identified": "somebody enrolled", "stranger": "a stranger", "unknown": "nobody knows who"}
_OUTCOMES = {
    "action_unknown": "was interrupted; it may have happened, and is not repeated",
    "action_expired": "came too late and was not done",
    "action_dead": "failed for good",
}
_DISTURBED = {
    "camera_moved": "was moved: it no longer shows what it did",
    "camera_covered": "is covered",
    "camera_dark": "sees nothing, it is dark",
    "camera_frozen": "sends the same picture again and again",
}


@said.register
def _(event: SubjectIdentified, call: Call) -> str:
    verb = ("is here again" if event.repeated else "came in") if event.door else "was seen"
    return f"{call(event.subject)} {verb}{place(event)} ({_why(event.grade, event.facts)})"


@said.register
def _(event: StrangerSeen, _call: Call) -> str:
    verb = "came in" if event.door else "was seen"
    return f"a stranger {verb}{place(event)} ({_why(event.grade, event.facts)})"


@said.register
def _(event: PersonUndecided, _call: Call) -> str:
    return f"undecided about somebody{place(event)} ({_why(event.grade, event.facts)}); no image is kept"


@said.register
def _(event: DecisionCorrected, call: Call) -> str:
    was = call(event.was_subject) if event.was_subject else f"a {event.was}"
    if event.was == Verdict.UNDECIDED:
        was = "undecided"
    really = call(event.subject) if event.subject else _REALLY[event.verdict]
    return f"corrected{place(event)}: said to be {was}, really {really}"


@said.register
def _(event: StrangerRetracted, _call: Call) -> str:
    return f"no stranger after all{place(event)}: the person was recognised; the image is dropped"


@said.register
def _(event: DoorChanged, _call: Call) -> str:
    door = f"door {event.door}" if event.door else "the door"
    seen = f"fill {event.fraction:.0%}"
    if event.state is DoorState.UNSURE:
        return f"cannot tell whether {door} is open ({seen})"
    return f"{door} {'opened' if event.state is DoorState.OPEN else 'shut'} ({seen})"


@said.register
def _(event: DoorHeldOpen, _call: Call) -> str:
    door = f"door {event.door}" if event.door else "the door"
    return f"{door} has not been shut for {lasting(event.open_s)}"


@said.register
def _(event: CameraDisturbed, _call: Call) -> str:
    camera = f"camera {event.camera}" if event.camera else "the camera"
    if event.type == "camera_clear":
        after = f" after {lasting(event.lasted_s)}" if event.lasted_s is not None else ""
        return f"{camera} sees again{after}"
    return f"{camera} {_DISTURBED[event.type]}"


@said.register
def _(event: StrangerCaptured, _call: Call) -> str:
    found = " (found at start-up)" if event.adopted else ""
    return (
        f"sealed a stranger's image{place(event)}: {count(event.frames, 'frame')}, "
        f"{_size(event.size_bytes)}, to {count(len(event.recipients), 'recipient')}, "
        f"kept until {event.expires_at.astimezone():%Y-%m-%d}{found}"
    )


@said.register
def _(event: CaptureSkipped, _call: Call) -> str:
    return f"no image of the stranger was kept: {_SKIPPED[event.reason]}"


@said.register
def _(event: CaptureRemoved, _call: Call) -> str:
    return f"sealed image {event.capture[-SHORT:]} was removed: {_REMOVED[event.reason]}"


@said.register
def _(event: CameraChanged, _call: Call) -> str:
    camera = f"camera {event.camera}" if event.camera else "the camera"
    if event.type == "camera_lost":
        return f"{camera} is lost" + (f": {event.reason}" if event.reason else "")
    return f"{camera} is back" + (f" after {lasting(event.outage_s)}" if event.outage_s is not None else "")


@said.register
def _(event: DoorCalibrated, _call: Call) -> str:
    apart = f" ({event.separation:.0%} apart)" if event.separation is not None else ""
    return f"door {event.door} was set up{apart}" if event.door else f"the door was set up{apart}"


@said.register
def _(event: ObjectSeen, _call: Call) -> str:
    stayed = f" for {lasting(event.dwell_s)}" if event.dwell_s else ""
    return f"{event.label} seen{place(event)}{stayed} ({event.score:.0%}, {event.model})"


def _why(grade: Grade, facts: DecisionFacts) -> str:
    """Grade, score, threshold, margin: what a decision is checked by."""
    if facts.score is None:
        seen = "nobody is enrolled"
    else:
        seen = f"score {facts.score:.3f}, threshold {facts.threshold:.3f}"
        if facts.margin is not None:
            seen += f", margin {facts.margin:.3f} of {facts.margin_wanted:.3f}"
        if facts.extrapolated:
            seen += ", beyond the measured tables"
    return f"{grade}: {seen}, {count(facts.frames_seen, 'good frame')}"


def _size(size_bytes: int) -> str:
    return f"{size_bytes} bytes" if size_bytes < _KIB else f"{size_bytes / _KIB:.0f} KiB"
