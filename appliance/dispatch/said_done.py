"""In words: what was done about what happened, and what came of it: rules, songs, coffees, locks, screens."""

from appliance.dispatch.said import SHORT, Call, place, said
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
from appliance.phrases import UNLOCKING

_OUTCOMES = {
    "action_unknown": "was interrupted; it may have happened, and is not repeated",
    "action_expired": "came too late and was not done",
    "action_dead": "failed for good",
}
_SKIPPED = {
    "quiet_hours": "these are quiet hours",
    "queue": "others were being played",
    "stopped": "somebody stopped the music",
    "no_device": "this box has no sound",
    "no_song": "there is none",
    "muted": "the sound is off",
}


@said.register
def _(event: ActionOutcome, _call: Call) -> str:
    reason = f": {event.reason}" if event.reason else ""
    return f"action {event.action} {_OUTCOMES[event.type]}{reason}"


@said.register
def _(event: RuleTried, call: Call) -> str:
    return f"rule {event.rule[-SHORT:]} was tried on {call(event.subject)}; nothing is counted"


@said.register
def _(event: ScreenAsked, call: Call) -> str:
    whom = f" about {call(event.subject)}" if event.subject is not None else ""
    return f"the screens were asked to show a line{whom} for {event.seconds:g} s"


@said.register
def _(event: CoffeeTaken, call: Call) -> str:
    who = f"visitor {event.visitor}" if event.visitor is not None else "somebody"
    who = call(event.subject) if event.subject is not None else who
    return f"{who} took a coffee{place(event)} ({event.label}, {event.score:.0%})"


@said.register
def _(event: CoffeeCorrected, call: Call) -> str:
    was = call(event.was_subject) if event.was_subject is not None else "nobody who is enrolled"
    really = call(event.subject) if event.subject is not None else "nobody's"
    return f"a coffee was corrected: said to be of {was}, really {really}"


@said.register
def _(event: CoffeeAdded, call: Call) -> str:
    return f"a coffee of {call(event.subject)} was added by hand"


@said.register
def _(event: SongStarted, call: Call) -> str:
    whom = f" for {call(event.subject)}" if event.subject is not None else ""
    return f"song {event.song[-SHORT:]} began{whom} ({event.output})"


@said.register
def _(event: SongSkipped, call: Call) -> str:
    whom = f" for {call(event.subject)}" if event.subject is not None else ""
    return f"no song was played{whom}: {_SKIPPED[event.reason]}"


@said.register
def _(_event: SongStopped, _call: Call) -> str:
    return "the music was stopped"


@said.register
def _(event: UnlockDecided, call: Call) -> str:
    whom = f" for {call(event.subject)}" if event.subject is not None else ""
    if event.type == "unlock_granted":
        return f"lock {event.lock} was told to open{whom}{' (with a PIN)' if event.pin else ''}"
    return f"lock {event.lock} stays shut{whom}: {UNLOCKING.get(event.reason, event.reason)}"
