"""The commands that end an enrolment, or a part of it.

What is promised to people in `enroll.consent.TEXT` is kept here: a consent that is withdrawn takes
the templates and the key with it.
"""

import click

from appliance.cli.context import Context
from appliance.errors import EnrolmentError, UnknownSubjectError
from appliance.store import IDENTIFY, Store, Subject
from enroll.asking import as_json_option, person_argument, yes_option
from enroll.reporting import after
from enroll.telling import label, say_with

_SHORTEST = 4
"""Characters of an id that name something, at least."""

_STILL_THERE = (
    "another process was reading: what was destroyed is still in the database's write-ahead log, "
    "until the next erasure or until the appliance is restarted"
)


@click.command("withdraw")
@person_argument
@click.option("--consent", metavar="ID", help="End this consent only; its id is in: appliance enroll show.")
@yes_option
@as_json_option
@click.pass_obj
def withdraw(context: Context, person: str, *, consent: str | None, yes: bool, as_json: bool) -> None:
    """End PERSON's consent, and with it the enrolment: templates, name and key are destroyed.

    With --consent only that one ends. Unless it was the last one to being recognised, the person
    stays enrolled for what the others cover.
    """
    with context.services() as services:
        store = services.store
        subject = store.subject(person)
        given = [each for each in store.consents(subject.id) if each.withdrawn_at is None]
        if consent is not None:
            given = [each for each in given if each.id == consent]
            if not given:
                raise EnrolmentError(
                    "that is no consent of theirs that could be withdrawn", hint="see: appliance enroll show"
                )
        if not yes:
            click.confirm(f"Withdraw {len(given)} consent(s) of {label(subject)}?", abort=True, err=True)
        emptied = store.withdraw_consent(subject.id, consent)
        gone = IDENTIFY not in store.subject(subject.id).purposes
        if gone:
            # The text that was agreed to says so: the key is destroyed, and the templates with it.
            emptied = store.remove_subject(subject.id)
        safety = after(context, store)
    deleted = subject.references if gone else 0
    said = {
        "subject": subject.id,
        "consents_withdrawn": len(given),
        "references_deleted": deleted,
        "key_destroyed": gone,
        "write_ahead_log_emptied": emptied,
    }
    what = (
        f"deleted: {deleted} reference(s), the name, and the key that all of it was sealed under"
        if gone
        else "nothing is deleted; what the other consents cover goes on"
    )
    words = told(f"{len(given)} consent(s) withdrawn; {what}", emptied=emptied)
    say_with(safety, said, words, as_json=as_json)


@click.command("remove")
@person_argument
@yes_option
@as_json_option
@click.pass_obj
def remove(context: Context, person: str, *, yes: bool, as_json: bool) -> None:
    """Remove PERSON: their key is destroyed, and with it every template and name."""
    with context.services() as services:
        subject = services.store.subject(person)
        if not yes:
            click.confirm(f"Remove {label(subject)} for good?", abort=True, err=True)
        emptied = services.store.remove_subject(subject.id)
        safety = after(context, services.store)
    said = {
        "subject": subject.id,
        "references_deleted": subject.references,
        "key_destroyed": True,
        "write_ahead_log_emptied": emptied,
    }
    words = "removed; the log keeps what happened, by a number that no longer means anybody"
    say_with(safety, said, told(words, emptied=emptied), as_json=as_json)


@click.command("remove-reference")
@click.argument("reference")
@yes_option
@as_json_option
@click.pass_obj
def remove_reference(context: Context, reference: str, *, yes: bool, as_json: bool) -> None:
    """Delete REFERENCE (id, or its beginning, from: appliance enroll show) and its templates."""
    with context.services() as services:
        subject, found = _reference(services.store, reference)
        if not yes:
            click.confirm(f"Delete a reference of {label(subject)}?", abort=True, err=True)
        emptied = services.store.remove_reference(found)
        safety = after(context, services.store)
    left = subject.references - 1
    words = f"deleted; {label(subject)} has {left} reference(s) left"
    if not left:
        words += " and is not recognised until there is another"
    said = {
        "subject": subject.id,
        "reference": found,
        "references": left,
        "write_ahead_log_emptied": emptied,
    }
    say_with(safety, said, told(words, emptied=emptied), as_json=as_json)


def told(words: str, *, emptied: bool) -> str:
    """The words, and whether what was destroyed is destroyed everywhere."""
    return words if emptied else f"{words}\n{_STILL_THERE}"


def _reference(store: Store, key: str) -> tuple[Subject, str]:
    """Whose reference is meant, and its whole id.

    Raises:
        UnknownSubjectError: None, or several.
    """
    found = [
        (subject, str(reference.id))
        for subject in store.subjects()
        for reference in store.references(subject.id)
        if reference.id == key or (len(key) >= _SHORTEST and reference.id.startswith(key))
    ]
    if len(found) != 1:
        wrong = "several references have ids that begin so" if found else "there is no such reference"
        raise UnknownSubjectError(wrong, hint="see: appliance enroll show")
    return found[0]
