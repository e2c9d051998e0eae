"""`appliance rules …`: what is done when something happens, kept, switched, and tried on the past."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from appliance.app.dry_running import dry_run_of
from appliance.app.rule_targets import Targets, targets
from appliance.cli.called import nearest
from appliance.cli.context import Context
from appliance.cli.parameters import Moment
from appliance.errors import FormError, InputError, UnknownRuleError
from appliance.rules import DryRun, Rule, Told, parse_rule
from appliance.rules.wording import REASONS, sentence
from appliance.services import Services
from appliance.store import KeptRule

_LEAST_ID = 4
_LIST = "appliance rules list"


@click.group()
def rules() -> None:
    """What is done when something happens: songs, lines on screens, webhooks, locks.

    \b
    Examples:
      appliance rules list
      appliance rules dry-run Greet --since 7d
      appliance rules dry-run new-rule.json --since 30d
      appliance rules add new-rule.json
      appliance rules off Greet

    A rule in a file is JSON, as `appliance rules show` prints it.
    """


@rules.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def list_(context: Context, *, as_json: bool) -> None:
    """List the rules in their order."""
    with context.services() as services:
        there, kept = targets(context.settings, services.store), services.store.rules()
    for each in kept:
        click.echo(json.dumps(_described(each, there)) if as_json else _line(each, there))
    if not kept and not as_json:
        click.echo("there are no rules; make one on the page Rules, or with appliance rules add FILE")


@rules.command("show")
@click.argument("rule")
@click.pass_obj
def show(context: Context, *, rule: str) -> None:
    """Print what RULE says as JSON; RULE is its name, or the end or the beginning of its id."""
    with context.services() as services:
        kept = _found(services, rule)
    click.echo(json.dumps(json.loads(kept.body), indent=1, ensure_ascii=False))


@rules.command("add")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--off", is_flag=True, help="Keep it switched off.")
@click.pass_obj
def add(context: Context, *, file: Path, off: bool) -> None:
    """Keep the rule that FILE says, behind the others."""
    rule = _read(file)
    with context.services() as services:
        there = targets(context.settings, services.store)
        there.check(rule)
        kept = services.store.add_rule(rule.body(), enabled=not off)
    click.echo(_line(kept, there))


@rules.command("on")
@click.argument("rule")
@click.pass_obj
def on(context: Context, *, rule: str) -> None:
    """Switch RULE on."""
    _switch(context, rule, enabled=True)


@rules.command("off")
@click.argument("rule")
@click.pass_obj
def off(context: Context, *, rule: str) -> None:
    """Switch RULE off: it does nothing, and stays."""
    _switch(context, rule, enabled=False)


@rules.command("remove")
@click.argument("rule")
@click.pass_obj
def remove(context: Context, *, rule: str) -> None:
    """Let RULE go; what it asked for already is still done."""
    with context.services() as services:
        kept = _found(services, rule)
        services.store.remove_rule(kept.id)
    click.echo(f"removed {kept.id}")


@rules.command("dry-run")
@click.argument("rule")
@click.option("--since", type=Moment(), default="7d", show_default=True, help="From when on: a day, 36h, 7d.")
@click.option("--near", is_flag=True, help="List what it passed over, and why, one by one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def dry_run(context: Context, *, rule: str, since: datetime, near: bool, as_json: bool) -> None:
    """Say what RULE would have done about the events of the past; nothing is done.

    RULE is a file, or a kept rule's name or id. Groups are taken as they are now, and a rule that is switched
    off is judged as if it were on. The code that judges is the one that judges live.
    """
    with context.services() as services:
        there = targets(context.settings, services.store)
        asked = _read(Path(rule)) if Path(rule).is_file() else parse_rule(_found(services, rule).body)
        found = dry_run_of(services.store, asked, since)
    if as_json:
        click.echo(json.dumps(_told(asked, found, since, there)))
        return
    click.echo(f"{sentence(asked, there.called)}:")
    _list(found.firings, there)
    begins = f"{since.astimezone():%Y-%m-%d %H:%M}"
    click.echo(f"would have fired {_times(found.fired)} on {found.events} event(s) since {begins}")
    for reason, many in found.missed.most_common():
        click.echo(f"  passed over {_times(many)}: {REASONS[reason]}")
    if near:
        _list(found.near, there)


def _list(told: Sequence[Told], there: Targets) -> None:
    for each in told:
        who = there.people.get(each.what.subject) or each.what.subject if each.what.subject else None
        about = who or each.what.label or each.what.door or each.what.camera or each.what.type
        at = each.at.astimezone()
        click.echo(f"  {at:%a %Y-%m-%d %H:%M:%S}  {about}: {REASONS[each.reason]}")


def _told(rule: Rule, found: DryRun, since: datetime, there: Targets) -> dict[str, Any]:
    def one(each: Told) -> dict[str, Any]:
        return {
            "event": each.event,
            "at": each.at.isoformat(),
            "subject": each.what.subject,
            "door": each.what.door,
            "camera": each.what.camera,
            "label": each.what.label,
            "reason": each.reason.value,
        }

    return {
        "words": sentence(rule, there.called),
        "since": since.isoformat(),
        "events": found.events,
        "fired": found.fired,
        "missed": {reason.value: many for reason, many in found.missed.items()},
        "firings": [one(each) for each in found.firings],
        "near": [one(each) for each in found.near],
    }


def _times(many: int) -> str:
    return "once" if many == 1 else f"{many} times"


def _switch(context: Context, rule: str, *, enabled: bool) -> None:
    with context.services() as services:
        there = targets(context.settings, services.store)
        kept = services.store.change_rule(_found(services, rule).id, enabled=enabled)
    click.echo(_line(kept, there))


def _found(services: Services, key: str) -> KeptRule:
    """A kept rule by its name or a part of its id.

    Raises:
        UnknownRuleError: None, or several.
    """
    kept = services.store.rules()
    fitting = [each for each in kept if key in {each.id, _name(each)}]
    if not fitting and len(key) >= _LEAST_ID:
        fitting = [each for each in kept if each.id.startswith(key) or each.id.endswith(key)]
    if len(fitting) != 1:
        if fitting:
            raise UnknownRuleError("several rules are called that", hint="give more of its id", command=_LIST)
        near = nearest(key, map(_name, kept), "give its name, or a part of its id")
        raise UnknownRuleError("no rule is called that", hint=near, command=_LIST)
    return fitting[0]


def _name(kept: KeptRule) -> str | None:
    try:
        return parse_rule(kept.body).name
    except FormError:
        return None


def _read(file: Path) -> Rule:
    """The rule in a file.

    Raises:
        FormError: It is none.
        InputError: The file cannot be read.
    """
    try:
        return parse_rule(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error


def _described(kept: KeptRule, there: Targets) -> dict[str, Any]:
    try:
        rule: Rule | None = parse_rule(kept.body)
    except FormError:
        rule = None
    return {
        "id": kept.id,
        "enabled": kept.enabled,
        "version": kept.version,
        "name": None if rule is None else rule.name,
        "words": None if rule is None else sentence(rule, there.called),
        "body": None if rule is None else rule.model_dump(mode="json"),
    }


def _line(kept: KeptRule, there: Targets) -> str:
    described = _described(kept, there)
    state = "on " if kept.enabled else "off"
    if described["words"] is None:
        return f"{kept.id}  {state}  it cannot be read by this program, and does nothing"
    return f"{kept.id}  {state}  {described['name']}: {described['words']}"
