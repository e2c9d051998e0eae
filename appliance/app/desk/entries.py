"""Entries of the log as pages show them: what an encounter came to, and every other event in a sentence.

Turns stored events into JSON values; finds nothing, and decides nothing about who may see what.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

from appliance.app.desk.naming import SOMEBODY
from appliance.app.desk.saying import Name, Names, nameless
from appliance.app.desk.sentences import sentence
from appliance.app.desk.times import moment
from appliance.decision import DECIDED, verdict_of
from appliance.dispatch.wording import describe, plain
from appliance.events import (
    CaptureSkipped,
    DecisionCorrected,
    Event,
    StrangerCaptured,
    StrangerRetracted,
    SubjectIdentified,
)
from appliance.store import StoredEvent
from appliance.store.timeline import Entry
from appliance.values import Verdict

Kind = Literal[
    "people",
    "door",
    "camera",
    "captures",
    "enrolment",
    "access",
    "settings",
    "processes",
    "actions",
    "objects",
    "coffee",
    "songs",
    "locks",
    "functions",
    "video",
    "search",
]
"""What an entry is about; `people` are those who came by."""

_BEGINNINGS: Final[dict[str, Kind]] = {
    "door_": "door",
    "camera_": "camera",
    "capture_": "captures",
    "stranger_captured": "captures",
    "subject_": "enrolment",
    "reference_": "enrolment",
    "consent_": "enrolment",
    "operator_": "access",
    "sign_in_": "access",
    "password_": "access",
    "token_": "access",
    "screen_asked": "actions",
    "screen_": "access",
    "settings_": "settings",
    "device_key_": "settings",
    "log_pruned": "settings",
    "process_": "processes",
    "action_": "actions",
    "rule_": "actions",
    "group_": "actions",
    "object_": "objects",
    "coffee_": "coffee",
    "song_": "songs",
    "unlock_": "locks",
    "pin_": "locks",
    "keypad_": "locks",
    "function_": "functions",
    "clip_": "video",
    "stream_": "video",
    "item_": "search",
    "items_": "search",
    "search_": "search",
}
"""By the beginning of an event's type; of those that belong to an encounter only where it is not known."""

_BESIDE: Final[frozenset[Kind]] = frozenset({"coffee", "songs", "locks"})
"""What is told of a stay besides who it was."""

Call = Callable[[str], dict[str, Any] | None]
"""Somebody's id → who they are, as JSON values; None: nobody may be named here."""


def kind_of(event_type: str) -> Kind:
    """What an event that belongs to no encounter is about."""
    if event_type in DECIDED or event_type in {"stranger_retracted", "decision_corrected"}:
        return "people"
    fitting = [kind for beginning, kind in _BEGINNINGS.items() if event_type.startswith(beginning)]
    return fitting[0] if fitting else "processes"


class Shown:
    """Shows entries to one caller.

    Args:
        person: Who a subject is.
        operator: Who did something, or which token.
        screen: Which screen it is about.
        in_spool: Whether a capture is still kept.
        thing: What rules, groups of people and songs are called.
    """

    def __init__(
        self,
        person: Call,
        operator: Call,
        screen: Call,
        in_spool: Callable[[str], bool],
        *,
        thing: Name = nameless,
    ) -> None:
        self._person = person
        self._operator = operator
        self._in_spool = in_spool
        self._names = Names(self._called, _name(operator), _name(operator), _name(screen), thing)

    def entry(self, entry: Entry) -> dict[str, Any]:
        """An entry as JSON values."""
        first = entry.events[0]
        place = first.event or Event()
        common = {
            "position": entry.position,
            "newest": entry.events[-1].position,
            "at": moment(first.at),
            "door": place.door,
            "camera": place.camera,
            "visit": place.visit,
        }
        if entry.encounter is not None:
            return {**common, **self._encounter(entry)}
        return {**common, **self._alone(first)}

    def _alone(self, stored: StoredEvent) -> dict[str, Any]:
        event = stored.event
        by = None if event is None or event.by is None else self._operator(event.by)
        return {
            "kind": kind_of(stored.type),
            "type": stored.type,
            "event": stored.id,
            "words": self._words(stored),
            "exact": self._exact(stored),
            "by": by,
            "capture": event.capture if isinstance(event, StrangerCaptured) else None,
        }

    def _encounter(self, entry: Entry) -> dict[str, Any]:
        decisions = [each for each in entry.events if each.type in DECIDED]
        last = decisions[-1] if decisions else None
        said = self._decision(last) if last is not None else None
        correction = self._correction(entry.events)
        return {
            "kind": "people",
            "encounter": entry.encounter,
            "decision": said,
            "history": [self._step(each) for each in entry.events],
            "also": [self._words(each) for each in entry.events if kind_of(each.type) in _BESIDE],
            "capture": self._capture(entry.events),
            "correction": correction,
            "wrong": last is not None and _is_wrong(last, entry.events),
            "explainable": last is not None and last.event is not None,
        }

    def _decision(self, stored: StoredEvent) -> dict[str, Any]:
        """A decision; of one whose body was dropped its type is all that is left."""
        said = None if stored.event is None else verdict_of(stored.event)
        verdict, subject = said or (_VERDICTS[stored.type], None)
        event = stored.event
        return {
            "event": stored.id,
            "position": stored.position,
            "at": moment(stored.at),
            "verdict": verdict.value,
            "person": self._person(subject) if subject is not None else None,
            "grade": getattr(event, "grade", None),
            "repeated": isinstance(event, SubjectIdentified) and event.repeated,
        }

    def _step(self, stored: StoredEvent) -> dict[str, Any]:
        """One event of an encounter, for its history."""
        step: dict[str, Any] = {
            "event": stored.id,
            "position": stored.position,
            "type": stored.type,
            "at": moment(stored.at),
            "words": self._words(stored),
        }
        if stored.type in DECIDED:
            step["decision"] = self._decision(stored)
        return step

    def _capture(self, events: Sequence[StoredEvent]) -> dict[str, Any] | None:
        """What became of a stranger's pictures."""
        found: dict[str, Any] | None = None
        for stored in events:
            event = stored.event
            if isinstance(event, StrangerCaptured):
                kept = self._in_spool(event.capture)
                found = {
                    "state": "sealed" if kept else "gone",
                    "capture": event.capture,
                    "size_bytes": event.size_bytes,
                    "frames": event.frames,
                    "recipients": list(event.recipients),
                    "expires_at": event.expires_at.isoformat(),
                }
            elif isinstance(event, CaptureSkipped):
                found = {"state": "skipped", "reason": event.reason, "words": self._words(stored)}
            elif isinstance(event, StrangerRetracted) and found is not None:
                found = {**found, "state": "gone"} if found["state"] != "sealed" else found
        return found

    def _correction(self, events: Sequence[StoredEvent]) -> dict[str, Any] | None:
        """The newest one: it holds."""
        corrections = [each for each in events if isinstance(each.event, DecisionCorrected)]
        if not corrections:
            return None
        stored = corrections[-1]
        event = stored.event
        if not isinstance(event, DecisionCorrected):
            return None
        return {
            "event": stored.id,
            "at": moment(stored.at),
            "verdict": event.verdict,
            "person": self._person(event.subject) if event.subject else None,
            "by": self._operator(event.by) if event.by else None,
            "noted": stored.sealed_for is not None,
        }

    def _words(self, stored: StoredEvent) -> str:
        if stored.event is None:
            why = "a newer appliance wrote it" if stored.unreadable else "its details were dropped"
            return f"{stored.type.replace('_', ' ')} ({why})"
        return plain(sentence(stored.event, self._names))

    def _exact(self, stored: StoredEvent) -> str:
        """The event with its figures and ids, as `appliance events` prints it."""
        if stored.event is None:
            return stored.type
        # Who did it is told beside the sentence, by name where that may be shown.
        return describe(stored.event.model_copy(update={"by": None}), self._called)

    def _called(self, subject: str) -> str | None:
        """A name for a sentence; None: there is none any more."""
        who = self._person(subject)
        return SOMEBODY if who is None else who["name"]


def _name(call: Call) -> Callable[[str], str | None]:
    """A name alone, where it may be told."""
    return lambda each: (call(each) or {}).get("name")


_VERDICTS: Final = {
    "subject_identified": Verdict.IDENTIFIED,
    "stranger_seen": Verdict.STRANGER,
    "person_undecided": Verdict.UNDECIDED,
}


def _is_wrong(last: StoredEvent, events: Sequence[StoredEvent]) -> bool:
    """Whether the newest correction says something else than the last decision did."""
    corrections = [each.event for each in events if isinstance(each.event, DecisionCorrected)]
    said = None if last.event is None else verdict_of(last.event)
    verdict, subject = said or (_VERDICTS[last.type], None)
    held = [(each.verdict, each.subject) for each in corrections]
    return bool(held) and held[-1] != (verdict.value, subject)
