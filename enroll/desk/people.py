"""The desk's operations about people who are enrolled: seeing them, changing them, letting them go.

What each does to the store is shared with the commands of `appliance enroll`. Nobody is enrolled here;
that is `enroll.desk.enrolling`.
"""

from typing import Any

from pydantic import Field

from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.errors import EnrolmentError, FormError, UnknownSubjectError
from appliance.permissions import Permission
from appliance.store import IDENTIFY, Store, Subject
from appliance.store.people import MAX_STRICTNESS
from enroll import erasing
from enroll.changes import strictness_words
from enroll.consent import PURPOSES, TEXT, TEXT_VERSION
from enroll.desk.cards import card, cards, profile, safety, safety_in_short
from enroll.desk.filled import (
    Agreement,
    PersonId,
    checked_alias,
    checked_field_name,
    checked_initials,
    opens_for_them,
)
from enroll.desk.knowing import Knowledge
from enroll.telling import Names, label
from enroll.uniting import merged_json, proposal

MOST_CARDS = 1000
"""In one answer; a message between processes is bounded."""


class Page(Arguments):
    """Which people: so many, behind this one."""

    after: PersonId | None = None
    limit: int = Field(default=MOST_CARDS, ge=1, le=MOST_CARDS)


class Person(Arguments):
    """Who."""

    person: PersonId


class Named(Person):
    """Who, and their new name."""

    name: str
    initials: str | None = None


class Initialled(Person):
    """Who, and their new initials."""

    initials: str


class Aliased(Person):
    """Who, and what the office screen calls them; None: by initials again."""

    alias: str | None = None


class Stricter(Person):
    """Who, and how many times rarer than usual a stranger may be taken for them."""

    factor: float = Field(ge=1, le=MAX_STRICTNESS)


class Two(Arguments):
    """Who stays, and who becomes part of them."""

    keep: PersonId
    other: PersonId


class PersonReference(Person):
    """Whose reference, and which."""

    reference: PersonId


class Consented(Agreement):
    """Who agreed, to what."""

    person: PersonId


class Withdrawn(Person):
    """Whose consent ends: one by its id, what it covers by purpose, or, with neither, all of it."""

    consent: PersonId | None = None
    purposes: tuple[str, ...] = ()


class Wanted(Arguments):
    """For which share of strangers that may pass; None: that in the settings."""

    fpir: float | None = Field(default=None, ge=0.00001, le=0.1)


class People:
    """Everybody enrolled, as operators see and change them.

    Args:
        store: Opened, with a key.
        knowledge: Of the same store.
    """

    def __init__(self, store: Store, knowledge: Knowledge) -> None:
        self._store = store
        self._knowledge = knowledge

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        see, change = Permission.PEOPLE, Permission.ENROL
        return [
            Operation("people.list", Page, see, self.list),
            Operation("people.show", Person, see, self.show),
            Operation("people.safety", Wanted, see, self.safety),
            Operation("people.consent_text", Nothing, see, self.consent_text),
            Operation("people.rename", Named, change, self.rename),
            Operation("people.initials", Initialled, change, self.initials),
            Operation("people.alias", Aliased, change, self.alias),
            Operation("people.pause", Person, change, self.pause),
            Operation("people.resume", Person, change, self.resume),
            Operation("people.strictness", Stricter, change, self.strictness),
            Operation("people.merge_proposal", Two, change, self.merge_proposal),
            Operation("people.merge", Two, change, self.merge),
            Operation("people.give_consent", Consented, change, self.give_consent),
            Operation("people.withdraw_consent", Withdrawn, change, self.withdraw_consent),
            Operation("people.remove_reference", PersonReference, change, self.remove_reference),
            Operation("people.remove", Person, change, self.remove),
        ]

    # ------------------------------------------------------------ seeing

    def list(self, asked: Asked[Page]) -> Answer:
        """Cards, in order of enrolment, and how many there are in all."""
        everybody = self._store.subjects()
        after, limit = asked.arguments.after, asked.arguments.limit
        begin = next((place for place, each in enumerate(everybody, 1) if each.id == after), 0)
        page = everybody[begin : begin + limit]
        more = begin + len(page) < len(everybody)
        return Answer(
            {
                "people": cards(self._store, page),
                "total": len(everybody),
                "next": page[-1].id if more and page else None,
            }
        )

    def show(self, asked: Asked[Person]) -> Answer:
        """One person's profile."""
        subject = person(self._store, asked.arguments.person)
        forms = asked.who.may(Permission.ENROL)
        return Answer(profile(self._store, subject, self._knowledge.safety(), forms=forms))

    def safety(self, asked: Asked[Wanted]) -> Answer:
        """What the gallery risks."""
        report = self._knowledge.safety(fpir=asked.arguments.fpir)
        return Answer(safety(report, Names.of(self._store)))

    def consent_text(self, asked: Asked[Nothing]) -> Answer:  # noqa: ARG002 - an operation is told what was asked
        """The text that people agree to, its version, and what they may agree to."""
        return Answer({"text": TEXT, "version": TEXT_VERSION, "purposes": PURPOSES, "needed": [IDENTIFY]})

    # ------------------------------------------------------------ changing

    def rename(self, asked: Asked[Named]) -> Answer:
        """Another name; initials are made from it where none are given."""
        subject = person(self._store, asked.arguments.person)
        name, initials = asked.arguments.name, asked.arguments.initials
        return self._changed(
            self._store.rename(subject.id, checked_field_name(name), checked_initials(initials))
        )

    def initials(self, asked: Asked[Initialled]) -> Answer:
        """Other initials."""
        subject = person(self._store, asked.arguments.person)
        given = checked_initials(asked.arguments.initials)
        if given is None:
            raise FormError("initials: none were given", fields={"initials": "give one to four letters"})
        return self._changed(self._store.set_initials(subject.id, given))

    def alias(self, asked: Asked[Aliased]) -> Answer:
        """Another alias, or none."""
        subject = person(self._store, asked.arguments.person)
        return self._changed(self._store.set_alias(subject.id, checked_alias(asked.arguments.alias)))

    def pause(self, asked: Asked[Person]) -> Answer:
        """Recognise them no more, until resumed."""
        subject = person(self._store, asked.arguments.person)
        self._store.pause(subject.id)
        return self._changed(self._store.subject(subject.id), with_safety=True)

    def resume(self, asked: Asked[Person]) -> Answer:
        """Recognise them again."""
        subject = person(self._store, asked.arguments.person)
        opens_for_them(asked.who, subject)
        self._store.resume(subject.id)
        return self._changed(self._store.subject(subject.id), with_safety=True)

    def strictness(self, asked: Asked[Stricter]) -> Answer:
        """Make it rarer that a stranger is taken for them."""
        subject = person(self._store, asked.arguments.person)
        if asked.arguments.factor < subject.strictness:
            opens_for_them(asked.who, subject)
        changed = self._store.set_strictness(subject.id, asked.arguments.factor)
        words = strictness_words(label(changed), changed.strictness)
        return self._changed(changed, with_safety=True, words=words)

    def merge_proposal(self, asked: Asked[Two]) -> Answer:
        """What a merge would do, before it is done."""
        keep, other = (person(self._store, each) for each in (asked.arguments.keep, asked.arguments.other))
        would = proposal(self._store, self._knowledge.faces(), keep, other)
        return Answer(
            {
                "keep": card(self._store, keep),
                "other": card(self._store, other),
                "look_alike": would.alike,
                "score": None if would.measured is None else round(would.measured[0], 4),
                "threshold": None if would.measured is None else round(would.measured[1], 4),
                "purposes": list(would.agreed),
                "references": keep.references + other.references,
                "strictness": max(keep.strictness, other.strictness),
            }
        )

    def merge(self, asked: Asked[Two]) -> Answer:
        """Two enrolments of one person become one."""
        keep, other = (person(self._store, each) for each in (asked.arguments.keep, asked.arguments.other))
        opens_for_them(asked.who, keep, other)
        would = proposal(self._store, self._knowledge.faces(), keep, other)
        merged = self._store.merge(keep.id, other.id)
        return self._changed(merged.subject, with_safety=True, **merged_json(merged, would))

    def give_consent(self, asked: Asked[Consented]) -> Answer:
        """Record that they agreed to more, or to a newer text."""
        subject = person(self._store, asked.arguments.person)
        opens_for_them(asked.who, asked.arguments)
        self._store.give_consent(subject.id, asked.arguments.consent(first=False))
        return self._changed(self._store.subject(subject.id))

    # ------------------------------------------------------------ ending

    def withdraw_consent(self, asked: Asked[Withdrawn]) -> Answer:
        """End one consent, some purposes, or all; with the last to being recognised, the enrolment ends."""
        subject = person(self._store, asked.arguments.person)
        consent, purposes = asked.arguments.consent, asked.arguments.purposes
        if consent is not None and purposes:
            raise FormError(
                "one consent or some purposes, not both", fields={"purposes": "not beside a consent"}
            )
        if purposes and not set(purposes) & set(subject.purposes):
            raise EnrolmentError("they have not agreed to that, or took it back already")
        erased = (
            erasing.withdraw_purposes(self._store, subject, purposes)
            if purposes
            else erasing.withdraw_consents(self._store, subject, consent)
        )
        return self._ended(erased)

    def remove(self, asked: Asked[Person]) -> Answer:
        """Remove somebody for good; the answer says what remains, and for how long."""
        return self._ended(erasing.remove_person(self._store, person(self._store, asked.arguments.person)))

    def remove_reference(self, asked: Asked[PersonReference]) -> Answer:
        """Delete one of their references."""
        subject = person(self._store, asked.arguments.person)
        wanted = asked.arguments.reference
        if wanted not in {each.id for each in self._store.references(subject.id)}:
            raise UnknownSubjectError("they have no such reference")
        done = erasing.remove_reference(self._store, subject, wanted)
        return self._changed(self._store.subject(subject.id), with_safety=True, **done)

    def _ended(self, erased: erasing.Erasure) -> Answer:
        remains = list(erasing.REMAINS) if erased.key_destroyed else []
        if not erased.emptied:
            remains.append(erasing.STILL_THERE)
        said = {**erased.as_json(), "consents_withdrawn": erased.consents, "remains": remains}
        if erased.key_destroyed:
            return Answer({**said, "person": None, "safety": self._safety()})
        return self._changed(self._store.subject(erased.subject.id), **said)

    def _changed(self, subject: Subject, /, *, with_safety: bool = False, **said: Any) -> Answer:
        found = {**said, "person": card(self._store, subject)}
        return Answer({**found, "safety": self._safety()} if with_safety else found)

    def _safety(self) -> dict[str, Any]:
        return safety_in_short(self._knowledge.safety(), Names.of(self._store))


def person(store: Store, key: str) -> Subject:
    """Somebody enrolled, by the whole id: a page never finds people by a guess.

    Raises:
        UnknownSubjectError: Nobody.
    """
    for subject in store.subjects():
        if subject.id == key:
            return subject
    raise UnknownSubjectError("nobody of that id is enrolled", hint="they may have been removed meanwhile")
