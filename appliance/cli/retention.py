"""`appliance retention …`: what goes with time: what would go now and why, and letting it go."""

import json
from collections import Counter

import click

from appliance.app.clips_due import clips_due
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

_WHY_CLIPS = {
    "age": "its time is over",
    "size": "clips are larger together than they may be",
    "room": "the disk is nearly full",
}


@click.group()
def retention() -> None:
    """What goes with time: captures, events, counts, clips. The running appliance sees to it by itself.

    Photos that people are enrolled from are never kept. How long the rest is kept stands in the settings
    under [evidence], [retention] and [video].

    \b
    captures  by age (evidence.expire_days), size (max_mib) and free space (make_room_mib); where they are
              copied to a bucket, those that were make room first, but age and size wait for no copy
    events    by age (retention.events_days) and size (events_max_mib), by 256 at a time; not by free space,
              for a database keeps what they leave for new ones, and the disk would gain nothing
    counts    by age (retention.counters_days); there is one a day of each person, a few dozen bytes
    moments   by age (index.keep_days) and number (max_moments), by the hour; not planned or run from here
    clips     by age (video.retention_days), size (video.max_mib) and free space (video.min_free_mib), none
              for space that would not be enough; planned, not run from here: the process that records lets
              them go within a minute, by age once the clock has been right for an hour

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
        now = services.clock.wall()
        found = _retention(context, services).plan(now)
        clips = clips_due(context.settings.video, services.layout, services.vault, now)
        size = services.store.database_bytes()
    if as_json:
        rows = {"goes": [_row(each) for each in found], "clips": [_row(each) for each in clips]}
        click.echo(json.dumps({"database_bytes": size, **rows}, indent=1))
        return
    if not found and not clips:
        click.echo("nothing is due to go")
    for each in (*found, *clips):
        bytes_ = f"{each.size_bytes // 1024:>8} KiB" if each.size_bytes is not None else f"{each.many:>8}    "
        newest = f"{each.newest_at:%Y-%m-%d %H:%M}" if each.newest_at is not None else " " * 16
        click.echo(f"{each.of:<9} {each.what:<36} {bytes_}  {newest}  {_why(each)}")
    if alone := sum(each.copied is False for each in found):
        click.echo(f"{alone} of these captures have no verified copy in the bucket: they would be gone")
    if clips:
        click.echo("clips     the process that records lets them go, and not `retention run`")
    click.echo("moments   go by the hour ([index] in the settings); they are not planned here")
    click.echo("photos    none are kept")


@retention.command("run")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def run(context: Context, *, as_json: bool) -> None:
    """Let go what `plan` lists. The clock is taken at its word: look at the plan first."""
    with context.services() as services:
        went = _retention(context, services).run(services.clock.wall())
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
        "copied": each.copied,
    }


def _why(each: Going) -> str:
    if each.of == "clips":
        return _WHY_CLIPS[each.reason]
    return _WHY[each.held or each.reason] + (", and it is copied nowhere" if each.copied is False else "")


def _retention(context: Context, services: Services) -> Retention:
    settings = context.settings
    return Retention(settings.retention, services, _spool(context, services), settings.captures.s3)


def _spool(context: Context, services: Services) -> Spool:
    return Spool(services.layout.spool, context.settings.evidence, services.clock, encode_jpeg)
