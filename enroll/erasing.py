"""Ending an enrolment, or a part of it, and saying what remains.

What is promised to people in `enroll.consent.TEXT` is kept here: a consent to being recognised that is
withdrawn takes the templates and the key with it. Asks nobody; the command line and the desk do.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from appliance.errors import EnrolmentError, UnknownSubjectError, VaultError
from appliance.store import IDENTIFY, KeptConsent, Store, Subject
from appliance.values import ReferenceId

_SHORTEST = 4
"""Characters of an id that name something, at least."""

STILL_THERE = (
    "another process was reading: what was destroyed is still in the database's write-ahead log, "
    "until the next erasure or until the appliance is restarted"
)

REMAINS = (
    "The log keeps that somebody came and went, by a number that no longer means anybody.",
    "What was personal about them in the log stays there, and can be opened by nobody any more.",
    "The door knows them no more within a second.",
    "Backups made before keep what they hold for as long as you keep them, for whoever has the box's key.",
    "Free space on the disk may hold traces until it is written over; disk encryption protects them.",
)
"""What a removal leaves behind, and for how long."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was deleted of somebody.

    Attributes:
        subject: As they were before.
        consents: Consents that ended.
        references: References deleted.
        key_destroyed: Whether the person is gone: key, name and all.
        emptied: Whether nothing of it is left in the database's write-ahead log either.
    """

    subject: Subject
    consents: int
    references: int
    key_destroyed: bool
    emptied: bool

    def as_json(self) -> dict[str, Any]:
        """With stable names."""
        return {
            "subject": self.subject.id,
            "references_deleted": self.references,
            "key_destroyed": self.key_destroyed,
            "write_ahead_log_emptied": self.emptied,
        }


def consents_to_end(store: Store, subject: Subject, consent: str | None) -> list[KeptConsent]:
    """The consents in force that are meant: one by its id, or all.

    Raises:
        EnrolmentError: That one is none of theirs, or was withdrawn already.
    """
    given = [each for each in store.consents(subject.id) if each.withdrawn_at is None]
    if consent is None:
        return given
    given = [each for each in given if each.id == consent]
    if not given:
        raise EnrolmentError(
            "that is no consent of theirs that could be withdrawn", command="see: appliance enroll show"
        )
    return given


def withdraw_consents(store: Store, subject: Subject, consent: str | None) -> Erasure:
    """End one consent, or all; with the last one to being recognised the person is removed.

    Raises:
        EnrolmentError: There is no such consent.
        UnknownSubjectError: They were removed meanwhile.
    """
    given = consents_to_end(store, subject, consent)
    emptied = store.withdraw_consent(subject.id, consent)
    return _after(store, subject, len(given), emptied=emptied)


def withdraw_purposes(store: Store, subject: Subject, purposes: Collection[str]) -> Erasure:
    """End what they agreed to for these purposes; consents go on for the others.

    Raises:
        UnknownSubjectError: They were removed meanwhile.
    """
    covered = [
        each
        for each in store.consents(subject.id)
        if each.withdrawn_at is None and set(each.purposes) & set(purposes)
    ]
    emptied = store.withdraw_purposes(subject.id, purposes)
    return _after(store, subject, len(covered), emptied=emptied)


def _after(store: Store, subject: Subject, ended: int, *, emptied: bool) -> Erasure:
    gone = IDENTIFY not in store.subject(subject.id).purposes
    if gone:
        # The text that was agreed to says so: the key is destroyed, and the templates with it.
        emptied = store.remove_subject(subject.id)
    return Erasure(subject, ended, subject.references if gone else 0, key_destroyed=gone, emptied=emptied)


def person_meant(store: Store, key: str) -> Subject:
    """Who is to be removed: by id, by name, or by the beginning of an id; by id though nothing opens.

    Raises:
        UnknownSubjectError: Nobody, or several.
        VaultError: Nothing of anybody opens, and that is no id.
    """
    try:
        return store.subject(key)
    except VaultError as error:
        try:
            return store.subject_unopened(key)
        except UnknownSubjectError:
            raise error from None


def remove_person(store: Store, subject: Subject) -> Erasure:
    """Remove somebody for good.

    Raises:
        UnknownSubjectError: They were removed meanwhile.
    """
    emptied = store.remove_subject(subject.id)
    return Erasure(subject, 0, subject.references, key_destroyed=True, emptied=emptied)


def reference_meant(store: Store, key: str) -> tuple[Subject, ReferenceId]:
    """Whose reference is meant, and its whole id.

    Raises:
        UnknownSubjectError: None, or several.
    """
    found = [
        (subject, reference.id)
        for subject in store.subjects()
        for reference in store.references(subject.id)
        if reference.id == key or (len(key) >= _SHORTEST and reference.id.startswith(key))
    ]
    if len(found) != 1:
        wrong = "several references have ids that begin so" if found else "there is no such reference"
        raise UnknownSubjectError(wrong, command="see: appliance enroll show")
    return found[0]


def remove_reference(store: Store, subject: Subject, reference: str) -> dict[str, Any]:
    """Delete a reference of theirs; what became of it, with stable names.

    Raises:
        UnknownSubjectError: It was removed meanwhile.
    """
    emptied = store.remove_reference(reference)
    return {
        "subject": subject.id,
        "reference": reference,
        "references": subject.references - 1,
        "write_ahead_log_emptied": emptied,
    }


def told(words: str, *, emptied: bool) -> str:
    """The words, and whether what was destroyed is destroyed everywhere."""
    return words if emptied else f"{words}\n{STILL_THERE}"
