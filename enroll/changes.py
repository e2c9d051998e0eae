"""`appliance enroll …`: what changes or ends an enrolment. Needs no picture and no network.

What is promised to people in `enroll.consent.TEXT` is kept here: a consent that is withdrawn takes
the templates and the key with it.
"""

import json
from typing import Any

import click

from appliance.cli.context import Context
from appliance.errors import EnrolmentError, UnknownSubjectError
from appliance.store import IDENTIFY, Store, Subject

_SHORTEST = 4
"""Characters of an id that name something, at least."""

_person = click.argument("person")
_yes = click.option("--yes", is_flag=True, help="Do not ask.")
_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.command("rename")
@_person
@click.argument("name")
@click.option("--initials", help="At most four letters for small screens; made from the name by default.")
@_json
@click.pass_obj
def rename(context: Context, person: str, name: str, *, initials: str | None, as_json: bool) -> None:
    """Give PERSON (id, beginning of an id, or exact name) the name NAME."""
    with context.services() as services:
        subject = services.store.subject(person)
        renamed = services.store.rename(subject.id, name, initials)
    said = {"subject": renamed.id, "name": renamed.name, "initials": renamed.initials}
    _say(said, f"{renamed.id} is now {renamed.name} ({renamed.initials})", as_json=as_json)


@click.command("pause")
@_person
@_json
@click.pass_obj
def pause(context: Context, person: str, *, as_json: bool) -> None:
    """Stop recognising PERSON; they stay enrolled, until: appliance enroll resume."""
    with context.services() as services:
        subject = services.store.subject(person)
        services.store.pause(subject.id)
    words = f"{subject.name} is paused: within a second the running loop knows them no more"
    _say({"subject": subject.id, "state": "paused"}, words, as_json=as_json)


@click.command("resume")
@_person
@_json
@click.pass_obj
def resume(context: Context, person: str, *, as_json: bool) -> None:
    """Recognise PERSON again, who was paused."""
    with context.services() as services:
        subject = services.store.subject(person)
        services.store.resume(subject.id)
    _say({"subject": subject.id, "state": "active"}, f"{subject.name} is active again", as_json=as_json)


@click.command("withdraw")
@_person
@click.option("--consent", metavar="ID", help="End this consent only; its id is in: appliance enroll show.")
@_yes
@_json
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
            click.confirm(f"Withdraw {len(given)} consent(s) of {subject.name}?", abort=True, err=True)
        store.withdraw_consent(subject.id, consent)
        gone = IDENTIFY not in store.subject(subject.id).purposes
        if gone:
            # The text that was agreed to says so: the key is destroyed, and the templates with it.
            store.remove_subject(subject.id)
    deleted = subject.references if gone else 0
    said = {
        "subject": subject.id,
        "consents_withdrawn": len(given),
        "references_deleted": deleted,
        "key_destroyed": gone,
    }
    what = (
        f"deleted: {deleted} reference(s), the name, and the key that all of it was sealed under"
        if gone
        else "nothing is deleted; what the other consents cover goes on"
    )
    _say(said, f"{len(given)} consent(s) withdrawn; {what}", as_json=as_json)


@click.command("remove")
@_person
@_yes
@_json
@click.pass_obj
def remove(context: Context, person: str, *, yes: bool, as_json: bool) -> None:
    """Remove PERSON: their key is destroyed, and with it every template and name."""
    with context.services() as services:
        subject = services.store.subject(person)
        if not yes:
            click.confirm(f"Remove {subject.name} for good?", abort=True, err=True)
        services.store.remove_subject(subject.id)
    said = {"subject": subject.id, "references_deleted": subject.references, "key_destroyed": True}
    words = "removed; the log keeps what happened, by a number that no longer means anybody"
    _say(said, words, as_json=as_json)


@click.command("remove-reference")
@click.argument("reference")
@_yes
@_json
@click.pass_obj
def remove_reference(context: Context, reference: str, *, yes: bool, as_json: bool) -> None:
    """Delete REFERENCE (id, or its beginning, from: appliance enroll show) and its templates."""
    with context.services() as services:
        subject, found = _reference(services.store, reference)
        if not yes:
            click.confirm(f"Delete a reference of {subject.name}?", abort=True, err=True)
        services.store.remove_reference(found)
    left = subject.references - 1
    words = f"deleted; {subject.name} has {left} reference(s) left"
    if not left:
        words += " and is not recognised until there is another"
    _say({"subject": subject.id, "reference": found, "references": left}, words, as_json=as_json)


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


def _say(said: dict[str, Any], words: str, *, as_json: bool) -> None:
    click.echo(json.dumps(said, indent=1) if as_json else words)
