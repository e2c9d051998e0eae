"""`appliance enroll …`: people from the command line. Consent is asked for here, too.

The group, and who is enrolled; each other command has its module.
"""

import json

import click

from appliance.cli.context import Context
from enroll.adding import add
from enroll.asking import as_json_option, person_argument
from enroll.changes import alias, initials, pause, rename, resume, strictness
from enroll.consent import PURPOSES, TEXT, TEXT_VERSION
from enroll.describing import consent_json, person_json, reference_json
from enroll.ending import remove, remove_reference, withdraw
from enroll.importing import import_
from enroll.merging import merge
from enroll.reporting import report
from enroll.serving import serve
from enroll.telling import label


@click.group()
def enroll() -> None:
    """Enrol people: with their consent, from pictures, on this box only.

    \b
    Examples:
      appliance enroll add "Ann Example" ann1.jpg ann2.jpg --consent "signed form 2026-01-05"
      appliance enroll add "Ann Example" ann3.jpg --to 0190a5 --consent "the same form"
      appliance enroll import people/ --consent "signed forms in binder 3"
      appliance enroll report
      appliance enroll withdraw "Ann Example"
    """


for each in (
    *(add, import_, merge, report),
    *(alias, initials, pause, rename, resume, strictness),
    *(remove, remove_reference, withdraw),
    serve,
):
    enroll.add_command(each)


@enroll.command("list")
@as_json_option
@click.pass_obj
def list_(context: Context, *, as_json: bool) -> None:
    """List who is enrolled."""
    with context.services() as services:
        people = [person_json(subject) for subject in services.store.subjects()]
    if as_json:
        click.echo(json.dumps(people, indent=1))
        return
    if not people:
        click.echo('nobody is enrolled; begin with: appliance enroll add "Name" photo.jpg --consent "…"')
    for person in people:
        strict = f"  {person['strictness']:g} times stricter" if person["strictness"] > 1 else ""
        name = person["name"] if person["name"] is not None else "(name damaged)"
        click.echo(
            f"{person['id']}  {person['state']:<7} {person['references']:>3} reference(s)  {name}{strict}"
        )


@enroll.command("show")
@person_argument
@as_json_option
@click.pass_obj
def show(context: Context, person: str, *, as_json: bool) -> None:
    """Show PERSON (id, beginning of an id, or exact name): consents and references."""
    with context.services() as services:
        subject = services.store.subject(person)
        found = person_json(subject)
        found["consents"] = [consent_json(each) for each in services.store.consents(subject.id)]
        found["reference_list"] = [reference_json(each) for each in services.store.references(subject.id)]
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    click.echo(f"{label(subject)}  ({found['id']}, {found['state']}, initials {found['initials']})")
    if subject.alias is not None:
        click.echo(f"  alias {subject.alias}: what the office screen calls them")
    if subject.strictness > 1:
        click.echo(f"  strictness {subject.strictness:g}: taken for somebody so many times more rarely")
    for consent in found["consents"]:
        ended = f", withdrawn {consent['withdrawn_at']}" if consent["withdrawn_at"] else ""
        click.echo(
            f"  consent {consent['id']} to {', '.join(consent['purposes'])}: {consent['given_by']} "
            f"({consent['given_at']}{ended})"
        )
    for reference in found["reference_list"]:
        click.echo(
            f"  reference {reference['id']}  quality {reference['quality']:.0f}  {reference['created_at']}"
        )


@enroll.command("text")
@as_json_option
def text(*, as_json: bool) -> None:
    """Print the text that people agree to, and its version."""
    if as_json:
        click.echo(json.dumps({"text": TEXT, "version": TEXT_VERSION, "purposes": PURPOSES}, indent=1))
        return
    click.echo(f"{TEXT}\nversion {TEXT_VERSION}")
