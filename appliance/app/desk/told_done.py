"""Sentences about what was done: actions, rules tried out, coffees, songs, locks, lines on the screens."""

from collections.abc import Mapping
from typing import Final

from appliance.app.desk.saying import Names, label, quoted, said
from appliance.events import (
    ActionOutcome,
    CoffeeAdded,
    CoffeeCorrected,
    CoffeeTaken,
    RuleTried,
    ScreenAsked,
    SongSkipped,
    SongStarted,
    SongStopped,
    UnlockDecided,
)

_OUTCOMES: Final[Mapping[str, str]] = {
    "action_unknown": "was interrupted; it may have been done, and is not done again",
    "action_expired": "would have come too late and was not done",
    "action_dead": "did not work and was given up",
}
SKIPPED: Final[Mapping[str, str]] = {
    "quiet_hours": "these are quiet hours",
    "queue": "others were being played",
    "stopped": "somebody stopped the music",
    "no_device": "nothing here can play it",
    "no_song": "there is none",
    "muted": "the sound is off",
}
"""Why a song was not played."""
_REFUSED: Final[Mapping[str, str]] = {
    "off": "unlocking is switched off",
    "no_decision": "nobody was recognised",
    "other_device": "another box recognised them",
    "other_camera": "they were seen by another camera",
    "other_door": "they were at another door",
    "sees_too_late": "its camera looks only once the door is open",
    "not_confirmed": "it was not certain enough who they are",
    "clock": "the clock of the box was changed",
    "too_old": "it took too long",
    "not_recomputed": "it could not be checked again who they are",
    "other_person": "they look more like somebody else",
    "low_score": "they did not look enough like themselves for a lock",
    "small_margin": "they look nearly as much like somebody else",
    "contradicted": "it was taken back that it was them",
    "not_active": "they are not recognised for the time being",
    "no_consent": "they did not agree to that",
    "outside_hours": "it stays shut at this time",
    "no_pin": "no PIN was typed",
    "pin_not_set": "they have no PIN",
    "pin_wrong": "the PIN was wrong",
    "pin_paused": "the PIN was wrong too often",
    "not_known": "something about it was not known",
}


@said.register
def _(event: ActionOutcome, _: Names) -> str:
    return f"the action “{event.action}” {_OUTCOMES[event.type]}"


@said.register
def _(event: RuleTried, names: Names) -> str:
    whom = names.called(event.subject)
    return f"a rule{label(names.thing(event.rule))} was tried out on {whom}; nothing is counted"


@said.register
def _(event: ScreenAsked, names: Names) -> str:
    if event.text is not None:  # logged by an older program
        return f"the office screens were asked to show{quoted(event.text)}"
    rule = names.thing(event.rule)
    return f"the office screens were asked to show a line{f' of the rule{quoted(rule)}' if rule else ''}"


@said.register
def _(event: CoffeeTaken, names: Names) -> str:
    if event.subject is not None:
        return f"{names.called(event.subject)} took a coffee"
    return f"{'somebody' if event.visitor is None else f'visitor {event.visitor}'} took a coffee"


@said.register
def _(event: CoffeeCorrected, names: Names) -> str:
    if event.subject is None:
        return "somebody said that there was no coffee"
    return f"somebody said whose coffee it was: {names.called(event.subject)}"


@said.register
def _(event: CoffeeAdded, names: Names) -> str:
    return f"a coffee was added by hand: {names.called(event.subject)}"


@said.register
def _(event: SongStarted, names: Names) -> str:
    whom = f" for {names.called(event.subject)}" if event.subject is not None else ""
    return f"a song{label(names.thing(event.song))} began{whom}"


@said.register
def _(event: SongSkipped, names: Names) -> str:
    whom = f" for {names.called(event.subject)}" if event.subject is not None else ""
    return f"no song was played{whom}: {SKIPPED[event.reason]}"


@said.register
def _(_event: SongStopped, _: Names) -> str:
    return "the music was stopped"


@said.register
def _(event: UnlockDecided, names: Names) -> str:
    whom = f" for {names.called(event.subject)}" if event.subject is not None else ""
    if event.type == "unlock_granted":
        return f"lock {event.lock} was told to open{whom}"
    return f"lock {event.lock} stayed shut{whom}: {_REFUSED.get(event.reason, 'it was not allowed')}"
