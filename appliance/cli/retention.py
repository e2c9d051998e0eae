"""`appliance retention …`: what goes with time: what would go now and why, and letting it go."""

import json
from collections import Counter

import click

from appliance.app.retention import Going, Retention
from appliance.camera.jpeg import encode_jpeg
from appliance.cli.context import Context
from appliance.evidence import Spool
from appliance.services import Services

_WHY = {
    "expired": "its time is over",
    "age": "their time is over",
    "cap": "the spool is full",
    "room": "the disk is nearly full",
    "size": "the database is larger than it may be",
    "action": "stays: an action of theirs is not done yet",
    "capture": "stays: a capture they log is still in the spool",
}


@click.group()
def retention() -> None:
    """What goes with time: captures, events, counts. The running appliance sees to it by itself.

    Photos that people are enrolled from are never kept. How long the rest is kept stands in the settings
    under [evidence] and [retention].

    \b
    Examples:
      appliance retention plan
      appliance retention run
    """


@retention.command("plan")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def plan(context: Context, *, as_json: bool) -> None:
    """List what would go now, and why. Changes nothing.

    Events go 256 at a time, from the oldest on; a signed checkpoint vouches for what is gone.
    """
    with context.services() as services:
        found = Retention(context.settings.retention, services, _spool(context, services)).plan(
            services.clock.wall()
        )
        size = services.store.database_bytes()
    if as_json:
        click.echo(json.dumps({"database_bytes": size, "goes": [_row(each) for each in found]}, indent=1))
        return
    if not found:
        click.echo("nothing is due to go")
    for each in found:
        bytes_ = f"{each.size_bytes // 1024:>8} KiB" if each.size_bytes is not None else f"{each.many:>8}    "
        newest = f"{each.newest_at:%Y-%m-%d %H:%M}" if each.newest_at is not None else " " * 16
        click.echo(f"{each.of:<9} {each.what:<36} {bytes_}  {newest}  {_WHY[each.held or each.reason]}")
    click.echo("photos    none are kept")


@retention.command("run")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def run(context: Context, *, as_json: bool) -> None:
    """Let go what `plan` lists. The clock is taken at its word: look at the plan first."""
    with context.services() as services:
        went = Retention(context.settings.retention, services, _spool(context, services)).run(
            services.clock.wall()
        )
    if as_json:
        click.echo(json.dumps([_row(each) for each in went], indent=1))
        return
    many: Counter[str] = Counter()
    for each in went:
        many[each.of] += each.many
    click.echo(", ".join(f"{number} {name}" for name, number in many.items()) or "nothing was due to go")


def _row(each: Going) -> dict[str, object]:
    return {
        "class": each.of,
        "what": each.what,
        "count": each.many,
        "size_bytes": each.size_bytes,
        "newest_at": None if each.newest_at is None else each.newest_at.isoformat(),
        "reason": each.reason,
        "held": each.held,
    }


def _spool(context: Context, services: Services) -> Spool:
    return Spool(services.layout.spool, context.settings.evidence, services.clock, encode_jpeg)
