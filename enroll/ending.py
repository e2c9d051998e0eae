"""The commands that end an enrolment, or a part of it; what they do is in `enroll.erasing`."""

import click

from appliance.cli.context import Context
from appliance.errors import VaultError
from enroll import erasing
from enroll.asking import as_json_option, person_argument, yes_option
from enroll.erasing import told
from enroll.reporting import after
from enroll.telling import label, say, say_with


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
        given = erasing.consents_to_end(store, subject, consent)
        if not yes:
            click.confirm(f"Withdraw {len(given)} consent(s) of {label(subject)}?", abort=True, err=True)
        erased = erasing.withdraw_consents(store, subject, consent)
        safety = after(context, store)
    said = {"subject": subject.id, "consents_withdrawn": erased.consents, **erased.as_json()}
    what = (
        f"deleted: {erased.references} reference(s), the name, and the key that all of it was sealed under"
        if erased.key_destroyed
        else "nothing is deleted; what the other consents cover goes on"
    )
    words = told(f"{erased.consents} consent(s) withdrawn; {what}", emptied=erased.emptied)
    say_with(safety, said, words, as_json=as_json)


@click.command("remove")
@person_argument
@yes_option
@as_json_option
@click.pass_obj
def remove(context: Context, person: str, *, yes: bool, as_json: bool) -> None:
    """Remove PERSON: their key is destroyed, and with it every template and name.

    By id that works though nothing of theirs, or of anybody, opens any more.
    """
    with context.services() as services:
        subject = erasing.person_meant(services.store, person)
        if not yes:
            click.confirm(f"Remove {label(subject)} for good?", abort=True, err=True)
        erased = erasing.remove_person(services.store, subject)
        words = "removed; the log keeps what happened, by a number that no longer means anybody"
        words = told(words, emptied=erased.emptied)
        try:
            safety = after(context, services.store)
        except VaultError:  # of those who are left nothing opens, either
            say(erased.as_json(), words, as_json=as_json)
            return
    say_with(safety, erased.as_json(), words, as_json=as_json)


@click.command("remove-reference")
@click.argument("reference")
@yes_option
@as_json_option
@click.pass_obj
def remove_reference(context: Context, reference: str, *, yes: bool, as_json: bool) -> None:
    """Delete REFERENCE (id, or its beginning, from: appliance enroll show) and its templates."""
    with context.services() as services:
        subject, found = erasing.reference_meant(services.store, reference)
        if not yes:
            click.confirm(f"Delete a reference of {label(subject)}?", abort=True, err=True)
        said = erasing.remove_reference(services.store, subject, found)
        safety = after(context, services.store)
    left = said["references"]
    words = f"deleted; {label(subject)} has {left} reference(s) left"
    if not left:
        words += " and is not recognised until there is another"
    say_with(safety, said, told(words, emptied=said["write_ahead_log_emptied"]), as_json=as_json)
