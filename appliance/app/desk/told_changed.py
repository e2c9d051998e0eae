"""Sentences about what people changed: the box, who is enrolled, settings, rules, songs, who is let in."""

from collections.abc import Mapping
from typing import Final

from appliance.app.desk.describing import ROOMS, title
from appliance.app.desk.saying import Names, label, listed, quoted, said
from appliance.events import (
    ConsentChanged,
    DeviceKeyChanged,
    GroupChanged,
    KeypadChanged,
    LogPruned,
    OperatorChanged,
    PasswordChanged,
    PinChanged,
    PinThrottled,
    ProcessChanged,
    ReferenceChanged,
    RuleChanged,
    ScreenChanged,
    SettingsChanged,
    SignInLinkMade,
    SignInThrottled,
    SongChanged,
    StrictnessChanged,
    SubjectChanged,
    SubjectMerged,
    TokenChanged,
)
from appliance.phrases import PURPOSES
from appliance.values import PARTS

_LISTED: Final = 3
"""Settings that are named one by one."""
_RESTS: Final[Mapping[str, str]] = {
    "file": "in a file",
    "passphrase": "under a passphrase",
    "credential": "in a credential of systemd",
}
_PRUNED: Final[Mapping[str, str]] = {
    "age": "their time was over",
    "size": "the log had grown to its limit",
}
_SUBJECT: Final[Mapping[str, str]] = {
    "subject_enrolled": "was enrolled",
    "subject_renamed": "has another name, initials or alias",
    "subject_paused": "is not recognised for the time being",
    "subject_resumed": "is recognised again",
}
_RULE: Final[Mapping[str, str]] = {
    "rule_added": "was made",
    "rule_changed": "was changed",
    "rule_removed": "was removed",
}
_GROUP: Final[Mapping[str, str]] = {
    "group_added": "was made",
    "group_changed": "has another name",
    "group_removed": "was removed",
}
_SONG: Final[Mapping[str, str]] = {
    "song_added": "was added",
    "song_changed": "was changed",
    "song_removed": "was removed",
}


@said.register
def _(event: DeviceKeyChanged, _: Names) -> str:
    return f"the device key was changed; the new one rests {_RESTS[event.to]}"


@said.register
def _(event: LogPruned, _: Names) -> str:
    return f"{event.events} old events went from the log: {_PRUNED[event.reason]}"


@said.register
def _(event: ProcessChanged, _: Names) -> str:
    part = PARTS.get(event.process, "a part of the program")
    if event.type == "process_started":
        return f"{part} was started"
    if event.type == "process_stopped":
        return f"{part} was stopped"
    return f"{part} failed and was started again"


@said.register
def _(event: SubjectChanged, names: Names) -> str:
    if event.type == "subject_removed":
        return "somebody was removed, and their key destroyed"
    return f"{names.called(event.subject)} {_SUBJECT[event.type]}"


@said.register
def _(event: SubjectMerged, names: Names) -> str:
    return f"two enrolments were of one person and became one: {names.called(event.subject)}"


@said.register
def _(event: StrictnessChanged, names: Names) -> str:
    who = names.called(event.subject)
    if event.strictness == 1:
        return f"{who} is recognised as easily as everybody else again"
    return f"a stranger is taken for {who} {event.strictness:g} times more rarely than for others"


@said.register
def _(event: ReferenceChanged, names: Names) -> str:
    verb = "was added" if event.type == "reference_added" else "was removed"
    return f"a picture of {names.called(event.subject)} {verb}"


@said.register
def _(event: ConsentChanged, names: Names) -> str:
    verb = "agreed to" if event.type == "consent_given" else "no longer agrees to"
    to = listed([PURPOSES[each].what if each in PURPOSES else "something else" for each in event.purposes])
    return f"{names.called(event.subject)} {verb} {to}"


@said.register
def _(event: SettingsChanged, _: Names) -> str:
    found = list(dict.fromkeys(_setting(each) for each in event.keys))
    if len(found) > _LISTED:
        found = list(dict.fromkeys(each.partition(":")[0] for each in found))
    return f"settings were changed: {listed(found)}" if found else "settings were changed"


@said.register
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


@said.register
def _(event: SignInLinkMade, names: Names) -> str:
    return f"a link was made with which {names.who(event.operator)} chooses a password"


@said.register
def _(event: PasswordChanged, names: Names) -> str:
    return f"{names.who(event.operator)} has another password"


@said.register
def _(event: SignInThrottled, names: Names) -> str:
    if event.scope == "address":
        return "somebody tried to sign in too often and has to wait now"
    whose = f"as {names.who(event.operator)}" if event.operator else "under a name that nobody has"
    return f"somebody tried too often to sign in {whose}, and has to wait now"


@said.register
def _(event: TokenChanged, names: Names) -> str:
    verb = "was made" if event.type == "token_created" else "was revoked"
    return f"a token for a program{label(names.token(event.token))} {verb}"


@said.register
def _(event: ScreenChanged, names: Names) -> str:
    verb = "was paired" if event.type == "screen_paired" else "was disconnected for good"
    return f"an office screen{label(names.screen(event.screen))} {verb}"


@said.register
def _(event: RuleChanged, names: Names) -> str:
    off = " and is switched off" if not event.enabled and event.type != "rule_removed" else ""
    return f"a rule{label(names.thing(event.rule))} {_RULE[event.type]}{off}"


@said.register
def _(event: GroupChanged, names: Names) -> str:
    group = names.thing(event.group)
    if event.subject is None:
        return f"a group of people{label(group)} {_GROUP.get(event.type, 'was changed')}"
    verb = "joined" if event.type == "group_joined" else "left"
    return f"{names.called(event.subject)} {verb} a group of people{quoted(group)}"


@said.register
def _(event: SongChanged, names: Names) -> str:
    song = names.thing(event.song)
    if event.subject is None:
        return f"a song{label(song)} {_SONG.get(event.type, 'was changed')}"
    if event.type == "song_taken_back":
        return f"{names.called(event.subject)} has no song any more"
    return f"{names.called(event.subject)} was given a song{quoted(song)}"


@said.register
def _(event: PinChanged, names: Names) -> str:
    verb = "has a new PIN" if event.type == "pin_set" else "has no PIN any more"
    return f"{names.called(event.subject)} {verb}"


@said.register
def _(event: KeypadChanged, names: Names) -> str:
    verb = "was paired" if event.type == "keypad_paired" else "was disconnected for good"
    return f"a keypad{label(names.screen(event.keypad))} of lock {event.lock} {verb}"


@said.register
def _(event: PinThrottled, names: Names) -> str:
    return f"wrong PINs came too often at a keypad{label(names.screen(event.keypad))} and it has to wait now"


def _setting(key: str) -> str:
    """A key as the settings pages call it: part and title, without what is below a camera or a door."""
    room, _, rest = key.partition(".")
    if room not in ROOMS:
        return ROOMS[""][0]
    field = rest.rpartition(".")[2]
    return f"{ROOMS[room][0]}: {title(field, room)}" if field and "." not in rest else ROOMS[room][0]
