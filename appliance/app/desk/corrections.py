"""Operations that set a decision right: what somebody who knows says, beside what the box said.

A correction is an event. It changes no decision, enrols nobody and moves no threshold; it is shown, and
counted, so that everybody sees how often the box was wrong.
"""

from collections import Counter
from datetime import timedelta
from typing import Any, Final, Literal

from pydantic import Field

from appliance.app.desk.log import OneEvent
from appliance.app.desk.naming import People
from appliance.app.desk.operations import Answer, Arguments, Asked, Operation
from appliance.app.explaining import decided
from appliance.decision import DECIDED, verdict_of
from appliance.errors import FormError, UnknownSubjectError
from appliance.events import DecisionCorrected, Personal
from appliance.permissions import Permission
from appliance.services import Services
from appliance.store import Erased, NewEvent, Store, StoredEvent
from appliance.store.timeline import CORRECTED, Entry
from appliance.values import Verdict

NOTE_CHARS: Final = 500
_ID: Final = 64
_COUNTED_EVERY_S: Final = 60.0
"""Counting walks through a month; a page of the log is asked for whenever somebody comes by."""
_TYPES: Final = {
    "identified": "subject_identified",
    "stranger": "stranger_seen",
    "undecided": "person_undecided",
}


class Correct(Arguments):
    """What it really was.

    Attributes:
        event: Id of a decision of the encounter.
        verdict: Somebody enrolled, a stranger, or nobody can say.
        person: Who, by id, if enrolled.
        note: Why, or how one knows; kept sealed under that person's key, so only with a person.
    """

    event: str = Field(max_length=_ID)
    verdict: Literal["identified", "stranger", "unknown"]
    person: str | None = Field(default=None, max_length=_ID)
    note: str = Field(default="", max_length=NOTE_CHARS)


class Lately(Arguments):
    """Attributes: days: how far back."""

    days: int = Field(default=30, ge=1, le=3650)


class Corrections:
    """Takes corrections, and counts them.

    Args:
        services: The store and the clock.
    """

    def __init__(self, services: Services) -> None:
        self._store: Store = services.store
        self._clock = services.clock
        self._counted: dict[int, tuple[tuple[int, float], dict[str, Any]]] = {}

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("log.correct", Correct, Permission.ENROL, self.correct),
            Operation("log.note", OneEvent, Permission.ENROL, self.note),
            Operation("log.accuracy", Lately, Permission.LOG, self.accuracy),
        ]

    def correct(self, asked: Asked[Correct]) -> Answer:
        """Say what a decision should have been; what it was stays beside it.

        Raises:
            StoreError: There is no such event, or it is no decision.
            UnknownSubjectError: Nobody enrolled has that id.
            FormError: It says nothing new, or what cannot be kept.
        """
        given = asked.arguments
        last, before = self._decision_of(given.event)
        person = self._person(given)
        note = given.note.strip()
        if note and person is None:
            words = "a note is sealed with the person it is about; about a stranger none is kept"
            raise FormError(words, fields={"note": words})
        verdict, named = verdict_of(decided(last)) or (Verdict.UNDECIDED, None)
        held = (before.verdict, before.subject) if before is not None else (verdict.value, named)
        if held == (given.verdict, person):
            words = "that is what it says already"
            raise FormError(words, fields={"verdict": words})
        decision = decided(last)
        event = DecisionCorrected(
            encounter=decision.encounter,
            corrects=last.id,
            was=verdict,
            was_subject=named,
            verdict=given.verdict,
            subject=person,
            camera=decision.camera,
            door=decision.door,
            visit=decision.visit,
        )
        personal = Personal(subject=person, payload={"note": note}) if note and person is not None else None
        stored = self._store.append_all([NewEvent(event, personal)])[0]
        return Answer(
            {
                "event": stored.id,
                "position": stored.position,
                "person": People(self._store, asked.who).of(person) if person is not None else None,
            }
        )

    def note(self, asked: Asked[OneEvent]) -> Answer:
        """What was noted with a correction; null when nothing was, or it went with its person.

        Raises:
            StoreError: There is no such event, or it is no correction.
        """
        stored = self._store.event(asked.arguments.event)
        if not isinstance(stored.event, DecisionCorrected):
            words = "this event is no correction"
            raise FormError(words, fields={"event": words})
        personal = self._store.personal(stored)
        kept = None if personal is None or isinstance(personal, Erased) else personal.payload.get("note")
        return Answer({"note": kept})

    def accuracy(self, asked: Asked[Lately]) -> Answer:
        """How many came by lately, and how many decisions somebody set right.

        Of each encounter the newest correction counts, and only if it says something else than the last
        decision. What nobody noticed is not in it. Who came by within the last minute may not be, either.
        """
        days = asked.arguments.days
        newest = self._store.events(types=(CORRECTED,), limit=1, newest_first=True)
        state = (newest[0].position if newest else 0, self._clock.monotonic() // _COUNTED_EVERY_S)
        kept = self._counted.get(days)
        if kept is None or kept[0] != state:
            kept = self._counted[days] = (state, self._count(days))
        return Answer(kept[1])

    def _count(self, days: int) -> dict[str, Any]:
        counts = self._store.counted(DECIDED, since=self._clock.wall() - timedelta(days=days))
        by_verdict = {name: counts.by_type.get(kind, 0) for name, kind in _TYPES.items()}
        wrong: Counter[str] = Counter()
        for stored in counts.corrections:
            mistake = _mistake(stored.event) if isinstance(stored.event, DecisionCorrected) else None
            wrong.update([mistake] if mistake is not None else [])
        return {
            "days": days,
            "encounters": sum(by_verdict.values()),
            **by_verdict,
            "wrong": sum(wrong.values()),
            "wrong_person": wrong["wrong_person"],
            "greeted_stranger": wrong["greeted_stranger"],
            "missed": wrong["missed"],
            "left_open": wrong["left_open"],
        }

    def _decision_of(self, key: str) -> tuple[StoredEvent, DecisionCorrected | None]:
        """The last decision of the encounter that an event belongs to, and its newest correction.

        Raises:
            StoreError: There is no such event, or it is no decision.
        """
        stored = self._store.event(key)
        decided(stored)
        whole = self._store.whole(stored.position) if stored.device == self._store.device else None
        events = (whole or Entry(stored.position, None, (stored,))).events
        last = [each for each in events if each.type in DECIDED and each.event is not None][-1]
        corrections = [each.event for each in events if isinstance(each.event, DecisionCorrected)]
        return last, corrections[-1] if corrections else None

    def _person(self, given: Correct) -> str | None:
        """Who it was, by their whole id.

        Raises:
            FormError: Nobody, where somebody is said; or the other way round.
            UnknownSubjectError: Nobody enrolled has that id.
        """
        if given.verdict != "identified":
            if given.person:
                words = "choose either a person or one of the others"
                raise FormError(words, fields={"person": words})
            return None
        if not given.person:
            words = "choose who it was"
            raise FormError(words, fields={"person": words})
        found = next((each for each in self._store.subjects() if each.id == given.person), None)
        if found is None:
            raise UnknownSubjectError("nobody enrolled has that id", hint="see the list of people")
        return str(found.id)


def _mistake(event: DecisionCorrected) -> str | None:
    """What kind of mistake a correction tells of; None: none, the decision stands or nobody can say."""
    if event.verdict == "unknown":
        return "left_open" if event.was is Verdict.IDENTIFIED else None
    if event.verdict == "identified":
        if event.was is Verdict.IDENTIFIED:
            return "wrong_person" if event.subject != event.was_subject else None
        return "missed"
    if event.was is Verdict.IDENTIFIED:
        return "greeted_stranger"
    return None
