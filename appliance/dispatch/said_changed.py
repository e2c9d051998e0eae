"""In words: what people changed about the box, its people, its settings, its rules, and who is let in."""

from appliance.dispatch.said import SHORT, Call, count, said
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
_RULE = {"rule_added": "was made", "rule_changed": "was changed", "rule_removed": "was removed"}
_GROUP = {
    "group_added": "was made",
    "group_changed": "has another name",
    "group_removed": "was removed",
}
_SONG = {"song_added": "was added", "song_changed": "was changed", "song_removed": "was removed"}


@said.register
def _(event: DeviceKeyChanged, _call: Call) -> str:
    return f"the device key was changed; the new one rests {_RESTS[event.to]}"


@said.register
def _(event: LogPruned, _call: Call) -> str:
    return f"{event.events} old events went, up to #{event.up_to}: {_PRUNED[event.reason]}"


@said.register
def _(event: ProcessChanged, _call: Call) -> str:
    verb = event.type.removeprefix("process_")
    reason = f": {event.reason}" if event.reason else ""
    times = f" ({count(event.restarts, 'restart')} so far)" if event.restarts else ""
    return f"process {event.process} {verb}{reason}{times}"


@said.register
def _(event: SubjectChanged, call: Call) -> str:
    return f"{call(event.subject)} {_SUBJECT[event.type]}"


@said.register
def _(event: SubjectMerged, call: Call) -> str:
    return f"{call(event.subject)} took over what was enrolled as {call(event.merged)}"


@said.register
def _(event: StrictnessChanged, call: Call) -> str:
    return f"{call(event.subject)} is now recognised {event.strictness:g} times as strictly as usual"


@said.register
def _(event: ReferenceChanged, call: Call) -> str:
    verb = "added to" if event.type == "reference_added" else "removed from"
    models = f" ({', '.join(event.models)})" if event.models else ""
    return f"a reference was {verb} {call(event.subject)}{models}"


@said.register
def _(event: ConsentChanged, call: Call) -> str:
    verb = "gave consent" if event.type == "consent_given" else "withdrew consent"
    return f"{call(event.subject)} {verb}: {', '.join(event.purposes)} (text {event.text_version})"


@said.register
def _(event: SettingsChanged, _call: Call) -> str:
    return f"{count(len(event.keys), 'setting')} changed: {', '.join(event.keys)}"


@said.register
def _(event: OperatorChanged, _call: Call) -> str:
    words = _OPERATOR[event.type].format(role="an admin" if event.role == "admin" else f"a {event.role}")
    shut_out = " and may not sign in" if event.disabled else ""
    return f"operator {event.operator[-SHORT:]} {words}{shut_out}"


@said.register
def _(event: SignInLinkMade, _call: Call) -> str:
    return f"a link was made that sets the password of operator {event.operator[-SHORT:]}"


@said.register
def _(event: PasswordChanged, _call: Call) -> str:
    return f"operator {event.operator[-SHORT:]} has another password"


@said.register
def _(event: SignInThrottled, _call: Call) -> str:
    if event.scope == "address":
        return "signing in was tried too often from one place; it is slowed down"
    whose = f"operator {event.operator[-SHORT:]}" if event.operator else "a name that nobody has"
    return f"signing in was tried too often as {whose}; it is slowed down"


@said.register
def _(event: TokenChanged, _call: Call) -> str:
    verb = "was made" if event.type == "token_created" else "was revoked"
    return f"token {event.token[-SHORT:]} {verb} ({', '.join(event.scopes)})"


@said.register
def _(event: ScreenChanged, _call: Call) -> str:
    verb = "was paired" if event.type == "screen_paired" else "is paired no more"
    return f"screen {event.screen[-SHORT:]} {verb}"


@said.register
def _(event: RuleChanged, _call: Call) -> str:
    off = " and is switched off" if not event.enabled and event.type != "rule_removed" else ""
    return f"rule {event.rule[-SHORT:]} {_RULE[event.type]}{off}"


@said.register
def _(event: GroupChanged, call: Call) -> str:
    group = f"group {event.group[-SHORT:]}"
    if event.subject is None:
        return f"{group} {_GROUP.get(event.type, 'was changed')}"
    return f"{call(event.subject)} {'joined' if event.type == 'group_joined' else 'left'} {group}"


@said.register
def _(event: SongChanged, call: Call) -> str:
    song = f"song {event.song[-SHORT:]}"
    if event.subject is None:
        return f"{song} {_SONG.get(event.type, 'was changed')}"
    return f"{call(event.subject)} {'was given' if event.type == 'song_given' else 'no longer has'} {song}"


@said.register
def _(event: PinChanged, call: Call) -> str:
    return f"{call(event.subject)} {'has a new PIN' if event.type == 'pin_set' else 'has no PIN any more'}"


@said.register
def _(event: KeypadChanged, _call: Call) -> str:
    verb = "was paired with" if event.type == "keypad_paired" else "is no longer paired with"
    return f"keypad {event.keypad[-SHORT:]} {verb} lock {event.lock}"


@said.register
def _(event: PinThrottled, _call: Call) -> str:
    return f"wrong PINs came too often at keypad {event.keypad[-SHORT:]}; it is slowed down"
