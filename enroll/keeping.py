"""From accepted pictures to references in the store: whose they are, and that all or none are kept.

Judges nothing, and asks nobody. The command line and the desk both end an enrolment here.
"""

from collections.abc import Sequence

from appliance.errors import EnrolmentError
from appliance.store import Consent, NewReference, Store, Subject
from appliance.values import SubjectId
from enroll.photos import Verdict


def keep(  # noqa: PLR0917 - one enrolment in whole
    store: Store,
    subject: Subject | None,
    name: str,
    initials: str | None,
    consent: Consent | None,
    verdicts: Sequence[Verdict],
    *,
    alias: str | None = None,
) -> SubjectId:
    """Store what was accepted, with the consent, in one transaction; whose it is.

    Args:
        store: Opened, with a key.
        subject: Who is given more references; None: somebody new.
        name: Of somebody new.
        initials: Likewise; None: made from the name.
        consent: Theirs; None: what somebody enrolled agreed to before covers it.
        verdicts: Those accepted are kept.
        alias: What the office screen calls somebody new; None: nothing of its own.

    Raises:
        EnrolmentError: Initials or an alias that cannot be; somebody new without a consent.
        UnknownSubjectError: `subject` was removed meanwhile.
    """
    references = [
        NewReference(verdict.templates, verdict.quality, {"origin": verdict.origin, "sha256": verdict.sha256})
        for verdict in verdicts
        if verdict.accepted
    ]
    if subject is None:
        if consent is None:
            raise EnrolmentError("nobody is enrolled before they have agreed")
        made = store.add_subject(name, initials, consent=consent, references=references, alias=alias)
        return made.id
    store.add_references(subject.id, references, consent=consent)
    return subject.id


def meant(store: Store, name: str, *, to: str | None, namesake: bool) -> Subject | None:
    """Whose the photos are: somebody enrolled, or None for somebody new.

    A name alone never names somebody enrolled: two people may have one, and a face that is
    added to the wrong person lets the one pass for the other.

    Args:
        store: Who is enrolled.
        name: As given, in NFC.
        to: Id, or the beginning of one, of whoever is enrolled already.
        namesake: It is known that somebody of that name is enrolled; this is another.

    Raises:
        EnrolmentError: Somebody of that name is enrolled and neither is said, or `to` has another name.
        UnknownSubjectError: Nobody is `to`.
    """
    if to is not None:
        subject = store.subject(to)
        if subject.name != name:
            raise EnrolmentError(
                "whoever has the id given with --to has another name", command="see: appliance enroll list"
            )
        return subject
    same = [subject.id for subject in namesakes(store, name)]
    if same and not namesake:
        raise EnrolmentError(
            "somebody of that name is enrolled already",
            hint=f"for more pictures of them: --to {' or --to '.join(same[:5])}; "
            "for somebody else of the same name: --namesake",
        )
    return None


def namesakes(store: Store, name: str) -> list[Subject]:
    """Everybody enrolled by exactly that name."""
    return [subject for subject in store.subjects() if subject.name == name]


def known_photos(store: Store) -> dict[str, SubjectId]:
    """sha256 of every picture that a reference came from → whose."""
    return {
        str(reference.details["sha256"]): reference.subject
        for reference in store.references()
        if reference.details and "sha256" in reference.details
    }
