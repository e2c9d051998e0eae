"""Why a logged decision came out as it did, for commands, pages and programs alike.

Finds the event and the names; what is said of it is `appliance.decision`'s.
"""

from collections.abc import Callable
from typing import Any

from appliance.decision import explained as explain_facts
from appliance.decision import reasons, verdict_of
from appliance.dispatch.wording import person
from appliance.errors import ApplianceError, UnknownEventError
from appliance.events import PersonUndecided, StrangerSeen, SubjectIdentified
from appliance.store import Store, StoredEvent

Names = Callable[[str], str | None]
"""The name to show for a subject's id, or None for none."""

_LONGEST_NUMBER = 8
"""A number has fewer digits than the beginning of an id that is all digits."""


def event_row(stored: StoredEvent) -> dict[str, Any]:
    """An event with its place in the log; `body` is None when it was dropped or cannot be read."""
    return {
        "position": stored.position,
        "id": stored.id,
        "type": stored.type,
        "at": stored.at.isoformat(),
        "device": stored.device,
        "hash": stored.hash,
        "body": stored.event.model_dump(mode="json") if stored.event is not None else None,
    }


def decided(stored: StoredEvent) -> SubjectIdentified | StrangerSeen | PersonUndecided:
    """The decision that an event is.

    Raises:
        UnknownEventError: The event is no decision, or its body was dropped.
    """
    if not isinstance(stored.event, SubjectIdentified | StrangerSeen | PersonUndecided):
        raise UnknownEventError(
            f"event {stored.position} ({stored.type}) is not a decision about a person",
            hint="explainable are: subject_identified, stranger_seen, person_undecided",
        )
    return stored.event


def explained(stored: StoredEvent, names: Names | None = None) -> dict[str, Any]:
    """A decision with its reasons, in numbers and in words; without `names`, people are ids there, too.

    Raises:
        UnknownEventError: The event is no decision, or its body was dropped.
    """
    event = decided(stored)
    said = verdict_of(event)
    if said is None:  # cannot be: `decided` lets nothing else through
        raise UnknownEventError(f"event {stored.position} is not a decision")
    verdict, subject = said
    document: dict[str, Any] = {"event": event_row(stored), "subject": subject}
    document.update(explain_facts(event.facts, verdict, event.grade))
    document["reasons"] = reasons(
        event.facts, verdict, event.grade, lambda who: person(who, names) if names else who
    )
    return document


def find_event(store: Store, key: str) -> StoredEvent:
    """An event by number (42 or #42) or by the beginning of its id.

    Raises:
        UnknownEventError: There is none, or there are several.
    """
    number = key.removeprefix("#")
    if number.isdecimal() and len(number) < _LONGEST_NUMBER:
        found = store.events(after=int(number) - 1, limit=1)
        if not found or found[0].position != int(number):
            raise UnknownEventError(f"there is no event {number}", command="see: appliance events list")
        return found[0]
    return store.event(key)


def subject_names(store: Store) -> Names:
    """Subject → name, from one look at the store."""
    found = {str(subject.id): subject.name for subject in store.subjects(removed=True)}

    def name(subject: str) -> str | None:
        if subject not in found:
            try:
                found[subject] = store.subject(subject).name
            except ApplianceError:
                found[subject] = None
        return found[subject]

    return name
