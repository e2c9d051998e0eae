"""What happened, as pages tell it: sentences for whoever runs an office, with no inside word of the program.

Pure functions; who people, operators, tokens and screens are is handed in. The same event as `appliance
events` prints it, with figures and ids, is made in `appliance.dispatch.wording` and stands beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Final

from appliance.app.desk.describing import ROOMS, title
from appliance.events import (
    ActionOutcome,
    CameraChanged,
    CameraDisturbed,
    CaptureRemoved,
    CaptureSkipped,
    ConsentChanged,
    DecisionCorrected,
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
from appliance.phrases import PURPOSES, lasting
from appliance.values import PARTS, Verdict

Name = Callable[[str], str | None]
"""An id → what they are called; None: there is no name, or it is not told."""

_LISTED: Final = 3
"""Settings that are named one by one."""
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
_RESTS: Final[Mapping[str, str]] = {
    "file": "in a file",
    "passphrase": "under a passphrase",
    "credential": "in a credential of systemd",
}
_PRUNED: Final[Mapping[str, str]] = {
    "age": "their time was over",
    "size": "the log had grown to its limit",
}
_REALLY: Final[Mapping[str, str]] = {
    "identified": "somebody enrolled",
    "stranger": "a stranger",
}
_OUTCOMES: Final[Mapping[str, str]] = {
    "action_unknown": "was interrupted; it may have been done, and is not done again",
    "action_expired": "would have come too late and was not done",
    "action_dead": "did not work and was given up",
}
_SUBJECT: Final[Mapping[str, str]] = {
    "subject_enrolled": "was enrolled",
    "subject_renamed": "has another name, initials or alias",
    "subject_paused": "is not recognised for the time being",
    "subject_resumed": "is recognised again",
}


@dataclass(frozen=True, slots=True)
class Names:
    """Who is who, as far as it may be told.

    Attributes:
        person: Of people who are enrolled.
        operator: Of who signs in.
        token: Labels of tokens.
        screen: Labels of office screens.
    """

    person: Name
    operator: Name
    token: Name
    screen: Name

    def called(self, subject: str) -> str:
        """A person in a sentence."""
        return self.person(subject) or "somebody who is no longer enrolled"

    def who(self, operator: str | None) -> str:
        """An operator in a sentence."""
        return (self.operator(operator) if operator else None) or "somebody"


def sentence(event: Event, names: Names) -> str:
    """What happened, without a capital at the beginning and a full stop at the end."""
    return _said(event, names)


@singledispatch
def _said(event: Event, _: Names) -> str:
    """A type without words of its own; a test sees to it that there is none."""
    return str(getattr(event, "type", "event")).replace("_", " ")


@_said.register
def _(event: SubjectIdentified, names: Names) -> str:
    verb = ("is here again" if event.repeated else "came in") if event.door else "was seen"
    return f"{names.called(event.subject)} {verb}"


@_said.register
def _(event: StrangerSeen, _: Names) -> str:
    return f"a stranger {'came in' if event.door else 'was seen'}"


@_said.register
def _(_event: PersonUndecided, _: Names) -> str:
    return "left open who somebody was; no picture of them is kept"


@_said.register
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


@_said.register
def _(_event: StrangerRetracted, _: Names) -> str:
    return "no stranger after all: they were recognised, and their pictures are dropped"


@_said.register
def _(event: DoorChanged, _: Names) -> str:
    if event.type == "door_unsure":
        return f"it cannot be told whether {_door(event)} is open"
    return f"{_door(event)} {'opened' if event.type == 'door_opened' else 'shut'}"


@_said.register
def _(event: DoorHeldOpen, _: Names) -> str:
    return f"{_door(event)} has not been shut for {lasting(event.open_s)}"


@_said.register
def _(event: CameraDisturbed, _: Names) -> str:
    if event.type == "camera_clear":
        return f"{_camera(event)} sees again{_after(event.lasted_s)}"
    return f"{_camera(event)} {_DISTURBED[event.type]}"


@_said.register
def _(event: StrangerCaptured, _: Names) -> str:
    keys = _count(len(event.recipients), "key")
    one = event.frames == 1
    many = "a picture of a stranger was" if one else f"{event.frames} pictures of a stranger were"
    found = ", found again after a restart" if event.adopted else ""
    return f"{many} sealed to {keys}, kept until {event.expires_at.astimezone():%d %b %Y}{found}"


@_said.register
def _(event: CaptureSkipped, _: Names) -> str:
    return f"no picture of the stranger was kept: {_SKIPPED[event.reason]}"


@_said.register
def _(event: CaptureRemoved, _: Names) -> str:
    return f"sealed pictures were deleted: {_REMOVED[event.reason]}"


@_said.register
def _(event: DeviceKeyChanged, _: Names) -> str:
    return f"the device key was changed; the new one rests {_RESTS[event.to]}"


@_said.register
def _(event: LogPruned, _: Names) -> str:
    return f"{event.events} old events went from the log: {_PRUNED[event.reason]}"


@_said.register
def _(event: CameraChanged, _: Names) -> str:
    if event.type == "camera_lost":
        return f"{_camera(event)} gives no pictures any more"
    return f"{_camera(event)} gives pictures again{_after(event.outage_s)}"


@_said.register
def _(event: ProcessChanged, _: Names) -> str:
    part = PARTS.get(event.process, "a part of the program")
    if event.type == "process_started":
        return f"{part} was started"
    if event.type == "process_stopped":
        return f"{part} was stopped"
    return f"{part} failed and was started again"


@_said.register
def _(event: SubjectChanged, names: Names) -> str:
    if event.type == "subject_removed":
        return "somebody was removed, and their key destroyed"
    return f"{names.called(event.subject)} {_SUBJECT[event.type]}"


@_said.register
def _(event: SubjectMerged, names: Names) -> str:
    return f"two enrolments were of one person and became one: {names.called(event.subject)}"


@_said.register
def _(event: StrictnessChanged, names: Names) -> str:
    who = names.called(event.subject)
    if event.strictness == 1:
        return f"{who} is recognised as easily as everybody else again"
    return f"a stranger is taken for {who} {event.strictness:g} times more rarely than for others"


@_said.register
def _(event: ReferenceChanged, names: Names) -> str:
    verb = "was added" if event.type == "reference_added" else "was removed"
    return f"a picture of {names.called(event.subject)} {verb}"


@_said.register
def _(event: ConsentChanged, names: Names) -> str:
    verb = "agreed to" if event.type == "consent_given" else "no longer agrees to"
    to = _list([PURPOSES[each].what if each in PURPOSES else "something else" for each in event.purposes])
    return f"{names.called(event.subject)} {verb} {to}"


@_said.register
def _(event: SettingsChanged, _: Names) -> str:
    found = list(dict.fromkeys(_setting(each) for each in event.keys))
    if len(found) > _LISTED:
        found = list(dict.fromkeys(each.partition(":")[0] for each in found))
    return f"settings were changed: {_list(found)}" if found else "settings were changed"


@_said.register
def _(event: ActionOutcome, _: Names) -> str:
    return f"the action “{event.action}” {_OUTCOMES[event.type]}"


@_said.register
def _(event: OperatorChanged, names: Names) -> str:
    who = names.who(event.operator)
    if event.type == "operator_removed":
        return f"{who} was shut out of these pages for good"
    if event.disabled:
        return f"{who} may not sign in for the time being"
    role = "an admin" if event.role == "admin" else f"a {event.role}"
    return (
        f"{who} was admitted to these pages as {role}"
        if event.type == "operator_added"
        else f"{who} is {role} now"
    )


@_said.register
def _(event: SignInLinkMade, names: Names) -> str:
    return f"a link was made with which {names.who(event.operator)} chooses a password"


@_said.register
def _(event: PasswordChanged, names: Names) -> str:
    return f"{names.who(event.operator)} has another password"


@_said.register
def _(event: SignInThrottled, names: Names) -> str:
    if event.scope == "address":
        return "somebody tried to sign in too often and has to wait now"
    whose = f"as {names.who(event.operator)}" if event.operator else "under a name that nobody has"
    return f"somebody tried too often to sign in {whose}, and has to wait now"


@_said.register
def _(event: TokenChanged, names: Names) -> str:
    verb = "was made" if event.type == "token_created" else "was revoked"
    return f"a token for a program{_label(names.token(event.token))} {verb}"


@_said.register
def _(event: ScreenChanged, names: Names) -> str:
    verb = "was paired" if event.type == "screen_paired" else "was disconnected for good"
    return f"an office screen{_label(names.screen(event.screen))} {verb}"


@_said.register
def _(event: DoorCalibrated, _: Names) -> str:
    return f"{_door(event)} was set up"


def _door(event: Event) -> str:
    return f"door {event.door}" if event.door else "the door"


def _camera(event: Event) -> str:
    return f"camera {event.camera}" if event.camera else "the camera"


def _after(seconds: float | None) -> str:
    return f" after {lasting(seconds)}" if seconds is not None else ""


def _label(name: str | None) -> str:
    return f", “{name}”," if name else ""


def _setting(key: str) -> str:
    """A key as the settings pages call it: part and title, without what is below a camera or a door."""
    room, _, rest = key.partition(".")
    if room not in ROOMS:
        return ROOMS[""][0]
    field = rest.rpartition(".")[2]
    return f"{ROOMS[room][0]}: {title(field, room)}" if field and "." not in rest else ROOMS[room][0]


def _list(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
