"""`appliance locks …`: what opens each lock, what keeps it shut, and who has a PIN. None of it opens one."""

import json
import sys

import click

from appliance.app.desk.locks import check_pin
from appliance.app.desk.passwords import Passwords
from appliance.app.lock_needs import asking, keeps_shut
from appliance.app.unlocking import PURPOSE, camera_of
from appliance.cli.context import Context
from appliance.errors import FormError, InputError
from appliance.events import UnlockDecided
from appliance.phrases import UNLOCKING
from appliance.settings import LockSettings
from appliance.settings.locks import POLICIES

_NEWEST = 20


@click.group()
def locks() -> None:
    """Locks, and what opens them. No command opens one.

    \b
    Examples:
      appliance locks list
      appliance locks check front
      appliance locks pin Ann
    """


@locks.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def list_(context: Context, *, as_json: bool) -> None:
    """List the locks of the settings: the door, the camera before it, what opens it."""
    settings = context.settings
    for each in settings.locks:
        row = {
            "id": each.id,
            "door": each.door,
            "camera": camera_of(settings, each),
            "policy": each.policy,
            "driver": each.driver,
            "hours": list(each.hours),
            "strictness": each.strictness,
            "margin": each.margin,
            "decision_s": each.decision_s,
        }
        if as_json:
            click.echo(json.dumps(row))
        else:
            click.echo(f"{each.id}: door {each.door}, camera {row['camera'] or '(none)'}, {each.policy}")
    if not settings.locks and not as_json:
        click.echo("the settings have no lock")


@locks.command("check")
@click.argument("lock", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def check(context: Context, lock: str | None, *, as_json: bool) -> None:
    """Say what opens LOCK (or each), what keeps it shut, and what was decided lately and why.

    Nothing is told to the lock.
    """
    settings = context.settings
    wanted = [each for each in settings.locks if lock in (None, each.id)]
    if not wanted:
        there = ", ".join(each.id for each in settings.locks) or "none"
        raise InputError("there is no such lock in the settings", hint=f"there are: {there}")
    with context.services() as services:
        for each in wanted:
            missing = list(keeps_shut(settings, services.store, each))
            rules = [name for name, _ in asking(services.store, each.id)]
            found = services.store.events(
                types=("unlock_granted", "unlock_refused"), limit=200, newest_first=True
            )
            events = [one.event for one in found if isinstance(one.event, UnlockDecided)]
            reasons = [one.reason for one in events if one.lock == each.id][:_NEWEST]
            if as_json:
                row = {
                    "id": each.id,
                    "policy": each.policy,
                    "missing": missing,
                    "rules": rules,
                    "lately": reasons,
                }
                click.echo(json.dumps(row))
            else:
                _show(each, missing, rules, reasons)


def _show(lock: LockSettings, missing: list[str], rules: list[str], reasons: list[str]) -> None:
    click.echo(f"{lock.id}: {lock.policy}")
    click.echo(f"  {POLICIES[lock.policy]}")
    for each in rules:
        click.echo(f"  asked for by the rule: {each}")
    for each in missing:
        click.echo(f"  keeps it shut: {each}")
    if not missing:
        click.echo("  nothing keeps it shut")
    for reason in dict.fromkeys(reasons):
        click.echo(f"  lately {reasons.count(reason)} x {reason}: {UNLOCKING.get(reason, '')}")


@locks.command("pin")
@click.argument("person", required=False)
@click.option("--remove", is_flag=True, help="Let PERSON have none any more.")
@click.pass_obj
def pin(context: Context, person: str | None, *, remove: bool) -> None:
    """Give PERSON a PIN, or say who has one.

    The PIN is asked for and not shown; where standard input is no terminal, its first line is taken. It is
    kept as a hash, sealed, and cannot be told again.

    \b
    Examples:
      appliance locks pin
      appliance locks pin Ann
      appliance locks pin Ann --remove
    """
    with context.services() as services:
        store = services.store
        if person is None:
            kept = {each.subject: each for each in store.pins()}
            for one in store.subjects():
                if one.id in kept:
                    agreed = "" if PURPOSE in one.purposes else "  (did not agree to unlocking)"
                    since = f"{kept[one.id].changed_at:%Y-%m-%d}"
                    click.echo(f"{one.id}  since {since}  {one.name or '(name damaged)'}{agreed}")
            if not kept:
                click.echo("nobody has a PIN")
            return
        subject = store.subject(person)
        if remove:
            click.echo("removed" if store.remove_pin(subject.id) else "there was none")
            return
        typed = _typed()
        try:
            check_pin(typed)
        except FormError as error:
            raise InputError(error.message, hint="four to ten digits that others do not try first") from None
        store.set_pin(subject.id, Passwords().hash(typed))
        click.echo("set; it is shown nowhere")
        if PURPOSE not in subject.purposes:
            click.echo(
                "they did not agree to a door being unlocked for them: none opens until then", err=True
            )


def _typed() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    asked: str = click.prompt("PIN", hide_input=True, confirmation_prompt=True, err=True)
    return asked.strip()
