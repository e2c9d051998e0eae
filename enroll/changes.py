"""The commands that change an enrolment without a picture: name, initials, alias, paused, strictness."""

from unicodedata import normalize

import click

from appliance.cli.context import Context
from appliance.errors import EnrolmentError
from enroll.asking import as_json_option, person_argument
from enroll.keeping import namesakes
from enroll.reporting import after
from enroll.telling import label, say, say_with


@click.command("rename")
@person_argument
@click.argument("name")
@click.option("--initials", help="At most four letters for small screens; made from the name by default.")
@click.option("--namesake", is_flag=True, help="Though somebody else who is enrolled has that name.")
@as_json_option
@click.pass_obj
def rename(
    context: Context, person: str, name: str, *, initials: str | None, namesake: bool, as_json: bool
) -> None:
    """Give PERSON (id, beginning of an id, or exact name) the name NAME.

    \b
    Examples:
      appliance enroll rename "Ann Exmaple" "Ann Example"
      appliance enroll rename 019b8e07 "Ann Example" --initials AE --namesake
    """
    with context.services() as services:
        subject = services.store.subject(person)
        wanted = normalize("NFC", name).strip()
        others = [each.id for each in namesakes(services.store, wanted) if each.id != subject.id]
        if others and not namesake:
            raise EnrolmentError(
                "somebody of that name is enrolled already",
                hint="two people of one name are told apart by their ids alone",
                command=f"if it is meant: --namesake; if they are one person: enroll merge {subject.id} "
                f"{others[0]}",
            )
        renamed = services.store.rename(subject.id, name, initials)
    said = {"subject": renamed.id, "name": renamed.name, "initials": renamed.initials}
    say(said, f"{renamed.id} is now {renamed.name} ({renamed.initials})", as_json=as_json)


@click.command("initials")
@person_argument
@click.argument("initials")
@as_json_option
@click.pass_obj
def initials(context: Context, person: str, initials: str, *, as_json: bool) -> None:
    """Give PERSON the INITIALS, at most four letters for small screens, and leave the name.

    \b
    Examples:
      appliance enroll initials "Ann Example" AX
    """
    with context.services() as services:
        subject = services.store.subject(person)
        changed = services.store.set_initials(subject.id, initials)
    said = {"subject": changed.id, "name": changed.name, "initials": changed.initials}
    say(said, f"{label(changed)} has the initials {changed.initials}", as_json=as_json)


@click.command("alias")
@person_argument
@click.argument("alias", required=False)
@as_json_option
@click.pass_obj
def alias(context: Context, person: str, alias: str | None, *, as_json: bool) -> None:
    """Let the office screen call PERSON by ALIAS, at most 24 letters; without one, by initials again.

    \b
    Examples:
      appliance enroll alias "Ann Example" "Captain"
      appliance enroll alias "Ann Example"
    """
    with context.services() as services:
        subject = services.store.subject(person)
        changed = services.store.set_alias(subject.id, alias)
    said = {"subject": changed.id, "name": changed.name, "alias": changed.alias}
    has = "no alias" if changed.alias is None else f"the alias {changed.alias}"
    say(said, f"{label(changed)} has {has}", as_json=as_json)


@click.command("pause")
@person_argument
@as_json_option
@click.pass_obj
def pause(context: Context, person: str, *, as_json: bool) -> None:
    """Stop recognising PERSON; they stay enrolled, until: appliance enroll resume.

    Says how safe the gallery is without them; it may be smaller, and its threshold lower.
    """
    with context.services() as services:
        subject = services.store.subject(person)
        services.store.pause(subject.id)
        safety = after(context, services.store)
    words = f"{label(subject)} is paused: within a second the running loop knows them no more"
    say_with(safety, {"subject": subject.id, "state": "paused"}, words, as_json=as_json)


@click.command("resume")
@person_argument
@as_json_option
@click.pass_obj
def resume(context: Context, person: str, *, as_json: bool) -> None:
    """Recognise PERSON again, who was paused."""
    with context.services() as services:
        subject = services.store.subject(person)
        services.store.resume(subject.id)
        safety = after(context, services.store)
    words = f"{label(subject)} is active again"
    say_with(safety, {"subject": subject.id, "state": "active"}, words, as_json=as_json)


@click.command("strictness")
@person_argument
@click.argument("factor", type=float)
@as_json_option
@click.pass_obj
def strictness(context: Context, person: str, factor: float, *, as_json: bool) -> None:
    """Make it FACTOR times rarer than usual that a stranger is taken for PERSON; 1 is as usual.

    For whoever may do more than others, e.g. unlock the door, or is taken for somebody too easily. Between 1
    and 1,000. Their own threshold rises, so that they are missed more often; more pictures of them help.

    \b
    Examples:
      appliance enroll strictness "Ann Example" 10
      appliance enroll strictness "Ann Example" 1
    """
    with context.services() as services:
        subject = services.store.subject(person)
        changed = services.store.set_strictness(subject.id, factor)
        safety = after(context, services.store)
    said = {"subject": changed.id, "strictness": changed.strictness}
    say_with(safety, said, strictness_words(label(changed), changed.strictness), as_json=as_json)


def strictness_words(whom: str, factor: float) -> str:
    """What a strictness means for somebody."""
    if factor == 1:
        return f"{whom} has the ordinary threshold"
    return f"a stranger is taken for {whom} {factor:g} times more rarely than usual"
