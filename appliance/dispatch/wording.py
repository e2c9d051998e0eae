"""Events in words for people: pure functions from an event to one line of text.

It shows a name only through a callback that it is given; without one, or when it answers
None, a person is called by the end of their id. It neither looks anything up nor writes
anything down. Whatever came from outside is stripped of control characters, so that no name
can move a terminal's cursor.
"""

from collections.abc import Callable
from datetime import datetime, tzinfo
from functools import singledispatch

from appliance.events import (
    ActionOutcome,
    CameraChanged,
    CameraDisturbed,
    CaptureRemoved,
    CaptureSkipped,
    ConsentChanged,
    DecisionCorrected,
    DecisionFacts,
    DeviceKeyChanged,
    DoorCalibrated,
    DoorChanged,
    DoorHeldOpen,
    Event,
    LogPruned,
    OperatorChanged,
    PasswordChanged,
    PersonUndecided,
    ProcessChanged,
    ReferenceChanged,
    ScreenChanged,
    SettingsChanged,
    SignInLinkMade,
    SignInThrottled,
    StrangerCaptured,
    StrangerRetracted,
    StrangerSeen,
    StrictnessChanged,
    SubjectChanged,
    SubjectIdentified,
    SubjectMerged,
    TokenChanged,
)
from appliance.phrases import lasting
from appliance.values import DoorState, Grade, SubjectId, Verdict
from appliance.writing import legible

Names = Callable[[SubjectId], str | None]
"""The name to show for a subject, or None for none."""

_SHORT = 6
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
_RESTS = {
    "file": "in a file",
    "passphrase": "under a passphrase",
    "credential": "in a credential of systemd",
}
_PRUNED = {"age": "their time was over", "size": "the log had grown to its limit"}
_REALLY = {"identified": "somebody enrolled", "stranger": "a stranger", "unknown": "nobody knows who"}
_OUTCOMES = {
    "action_unknown": "was interrupted; it may have happened, and is not repeated",
    "action_expired": "came too late and was not done",
    "action_dead": "failed for good",
}
_SUBJECT = {
    "subject_enrolled": "was enrolled",
    "subject_renamed": "has another name, initials or alias",
    "subject_paused": "was paused",
    "subject_resumed": "is recognised again",
    "subject_removed": "was removed",
}
_OPERATOR = {
    "operator_added": "was admitted to the admin pages as {role}",
    "operator_changed": "is now {role}",
    "operator_removed": "is no longer admitted to the admin pages",
}
_DISTURBED = {
    "camera_moved": "was moved: it no longer shows what it did",
    "camera_covered": "is covered",
    "camera_dark": "sees nothing, it is dark",
    "camera_frozen": "sends the same picture again and again",
}


def line(event: Event, at: datetime, names: Names | None = None, zone: tzinfo | None = None) -> str:
    """One line without its end: local time as HH:MM:SS, then what happened.

    Args:
        event: What happened.
        at: When, aware.
        names: The name to show for a subject; None shows ids only.
        zone: Time zone of the clock shown; None is this machine's.
    """
    return f"{at.astimezone(zone):%H:%M:%S}  {describe(event, names)}"


def describe(event: Event, names: Names | None = None) -> str:
    """What happened, in words, on one line; see `line`."""
    doer = f" (by {event.by[-_SHORT:]})" if event.by is not None else ""
    return plain(_sentence(event, lambda subject: person(subject, names)) + doer)


def person(subject: str, names: Names | None = None) -> str:
    """A subject's name, or the end of the id: UUIDv7s made together differ in their ends only."""
    name = names(SubjectId(subject)) if names else None
    return name or f"person {subject[-_SHORT:]}"


def plain(text: str) -> str:
    """Without control characters, so that it cannot move a terminal's cursor."""
    return legible(text)


_Call = Callable[[str], str]


@singledispatch
def _sentence(event: Event, _call: _Call) -> str:
    """A type without words of its own: its name has to do."""
    return str(getattr(event, "type", "event")).replace("_", " ")


@_sentence.register
def _(event: SubjectIdentified, call: _Call) -> str:
    verb = ("is here again" if event.repeated else "came in") if event.door else "was seen"
    return f"{call(event.subject)} {verb}{_place(event)} ({_why(event.grade, event.facts)})"


@_sentence.register
def _(event: StrangerSeen, _call: _Call) -> str:
    verb = "came in" if event.door else "was seen"
    return f"a stranger {verb}{_place(event)} ({_why(event.grade, event.facts)})"


@_sentence.register
def _(event: PersonUndecided, _call: _Call) -> str:
    return f"undecided about somebody{_place(event)} ({_why(event.grade, event.facts)}); no image is kept"


@_sentence.register
def _(event: DecisionCorrected, call: _Call) -> str:
    was = call(event.was_subject) if event.was_subject else f"a {event.was}"
    if event.was == Verdict.UNDECIDED:
        was = "undecided"
    really = call(event.subject) if event.subject else _REALLY[event.verdict]
    return f"corrected{_place(event)}: said to be {was}, really {really}"


@_sentence.register
def _(event: StrangerRetracted, _call: _Call) -> str:
    return f"no stranger after all{_place(event)}: the person was recognised; the image is dropped"


@_sentence.register
def _(event: DoorChanged, _call: _Call) -> str:
    door = f"door {event.door}" if event.door else "the door"
    seen = f"fill {event.fraction:.0%}"
    if event.state is DoorState.UNSURE:
        return f"cannot tell whether {door} is open ({seen})"
    return f"{door} {'opened' if event.state is DoorState.OPEN else 'shut'} ({seen})"


@_sentence.register
def _(event: DoorHeldOpen, _call: _Call) -> str:
    door = f"door {event.door}" if event.door else "the door"
    return f"{door} has not been shut for {lasting(event.open_s)}"


@_sentence.register
def _(event: CameraDisturbed, _call: _Call) -> str:
    camera = f"camera {event.camera}" if event.camera else "the camera"
    if event.type == "camera_clear":
        after = f" after {lasting(event.lasted_s)}" if event.lasted_s is not None else ""
        return f"{camera} sees again{after}"
    return f"{camera} {_DISTURBED[event.type]}"


@_sentence.register
def _(event: StrangerCaptured, _call: _Call) -> str:
    found = " (found at start-up)" if event.adopted else ""
    return (
        f"sealed a stranger's image{_place(event)}: {_count(event.frames, 'frame')}, "
        f"{_size(event.size_bytes)}, to {_count(len(event.recipients), 'recipient')}, "
        f"kept until {event.expires_at.astimezone():%Y-%m-%d}{found}"
    )


@_sentence.register
def _(event: CaptureSkipped, _call: _Call) -> str:
    return f"no image of the stranger was kept: {_SKIPPED[event.reason]}"


@_sentence.register
def _(event: CaptureRemoved, _call: _Call) -> str:
    return f"sealed image {event.capture[-_SHORT:]} was removed: {_REMOVED[event.reason]}"


@_sentence.register
def _(event: DeviceKeyChanged, _call: _Call) -> str:
    return f"the device key was changed; the new one rests {_RESTS[event.to]}"


@_sentence.register
def _(event: LogPruned, _call: _Call) -> str:
    return f"{event.events} old events went, up to #{event.up_to}: {_PRUNED[event.reason]}"


@_sentence.register
def _(event: CameraChanged, _call: _Call) -> str:
    camera = f"camera {event.camera}" if event.camera else "the camera"
    if event.type == "camera_lost":
        return f"{camera} is lost" + (f": {event.reason}" if event.reason else "")
    return f"{camera} is back" + (f" after {lasting(event.outage_s)}" if event.outage_s is not None else "")


@_sentence.register
def _(event: ProcessChanged, _call: _Call) -> str:
    verb = event.type.removeprefix("process_")
    reason = f": {event.reason}" if event.reason else ""
    times = f" ({_count(event.restarts, 'restart')} so far)" if event.restarts else ""
    return f"process {event.process} {verb}{reason}{times}"


@_sentence.register
def _(event: SubjectChanged, call: _Call) -> str:
    return f"{call(event.subject)} {_SUBJECT[event.type]}"


@_sentence.register
def _(event: SubjectMerged, call: _Call) -> str:
    return f"{call(event.subject)} took over what was enrolled as {call(event.merged)}"


@_sentence.register
def _(event: StrictnessChanged, call: _Call) -> str:
    return f"{call(event.subject)} is now recognised {event.strictness:g} times as strictly as usual"


@_sentence.register
def _(event: ReferenceChanged, call: _Call) -> str:
    verb = "added to" if event.type == "reference_added" else "removed from"
    models = f" ({', '.join(event.models)})" if event.models else ""
    return f"a reference was {verb} {call(event.subject)}{models}"


@_sentence.register
def _(event: ConsentChanged, call: _Call) -> str:
    verb = "gave consent" if event.type == "consent_given" else "withdrew consent"
    return f"{call(event.subject)} {verb}: {', '.join(event.purposes)} (text {event.text_version})"


@_sentence.register
def _(event: SettingsChanged, _call: _Call) -> str:
    return f"{_count(len(event.keys), 'setting')} changed: {', '.join(event.keys)}"


@_sentence.register
def _(event: ActionOutcome, _call: _Call) -> str:
    reason = f": {event.reason}" if event.reason else ""
    return f"action {event.action} {_OUTCOMES[event.type]}{reason}"


@_sentence.register
def _(event: OperatorChanged, _call: _Call) -> str:
    words = _OPERATOR[event.type].format(role="an admin" if event.role == "admin" else f"a {event.role}")
    shut_out = " and may not sign in" if event.disabled else ""
    return f"operator {event.operator[-_SHORT:]} {words}{shut_out}"


@_sentence.register
def _(event: SignInLinkMade, _call: _Call) -> str:
    return f"a link was made that sets the password of operator {event.operator[-_SHORT:]}"


@_sentence.register
def _(event: PasswordChanged, _call: _Call) -> str:
    return f"operator {event.operator[-_SHORT:]} has another password"


@_sentence.register
def _(event: SignInThrottled, _call: _Call) -> str:
    if event.scope == "address":
        return "signing in was tried too often from one place; it is slowed down"
    whose = f"operator {event.operator[-_SHORT:]}" if event.operator else "a name that nobody has"
    return f"signing in was tried too often as {whose}; it is slowed down"


@_sentence.register
def _(event: TokenChanged, _call: _Call) -> str:
    verb = "was made" if event.type == "token_created" else "was revoked"
    return f"token {event.token[-_SHORT:]} {verb} ({', '.join(event.scopes)})"


@_sentence.register
def _(event: ScreenChanged, _call: _Call) -> str:
    verb = "was paired" if event.type == "screen_paired" else "is paired no more"
    return f"screen {event.screen[-_SHORT:]} {verb}"


@_sentence.register
def _(event: DoorCalibrated, _call: _Call) -> str:
    apart = f" ({event.separation:.0%} apart)" if event.separation is not None else ""
    return f"door {event.door} was set up{apart}" if event.door else f"the door was set up{apart}"


def _place(event: Event) -> str:
    if event.door:
        return f" at {event.door}"
    return f" by camera {event.camera}" if event.camera else ""


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
    return f"{grade}: {seen}, {_count(facts.frames_seen, 'good frame')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _size(size_bytes: int) -> str:
    return f"{size_bytes} bytes" if size_bytes < _KIB else f"{size_bytes / _KIB:.0f} KiB"
