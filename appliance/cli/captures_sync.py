"""`appliance captures sync …`: copies of sealed captures in a bucket. They are sealed here, and stay so."""

import json
import threading
from typing import Any

import click

from appliance.app.copies import check_bucket, sync_state, values_of
from appliance.app.syncing import run_once
from appliance.cli.context import Context
from appliance.errors import SettingsError
from appliance.settings import S3Settings
from appliance.sinks.naming import target_of
from appliance.sinks.policy import policy as policy_of

_KIB = 1024
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


_REFUSED = {
    "not_sealed": "is not sealed",
    "mismatch": "something else has its name in the bucket",
    "changed": "changed while it was sent",
}
"""Why one is refused, by reason."""


@click.group()
def sync() -> None:
    """Copies of sealed captures in a bucket of any S3 service.

    The running appliance makes them by itself once captures.s3.bucket is set.

    \b
    Examples:
      appliance captures sync policy > policy.json
      appliance captures sync check
      appliance captures sync status
    """


@sync.command("status")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def status(context: Context, *, as_json: bool) -> None:
    """How many captures are copied, how far it lags behind, and what is in the way."""
    settings = _settings(context)
    with context.services() as services:
        state = sync_state(settings, services)
        refused = services.store.refused_copies(target_of(settings))
        row = {
            **values_of(state, services.clock.wall()),
            "refused_captures": [{"capture": each.capture, "reason": each.reason} for each in refused],
        }
    if as_json:
        click.echo(json.dumps(row, indent=1))
        return
    for line in _lines(row):
        click.echo(line)


@sync.command("run")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for each that was copied.")
@click.pass_obj
def run(context: Context, *, as_json: bool) -> None:
    """Copy once what is due, and look again at what was refused. The running appliance needs no such help."""
    settings = _settings(context)
    copied = 0
    with context.services() as services:
        for capture in run_once(settings, services, threading.Event()):
            copied += 1
            click.echo(json.dumps({"capture": capture}) if as_json else f"copied {capture}")
        left = sync_state(settings, services).backlog
    if not as_json:
        click.echo(f"{copied} copied, {len(left.due)} left, {left.refused} refused")


@sync.command("check")
@click.pass_obj
def check(context: Context) -> None:
    """Put a small file into the bucket, look at it, and say what is wrong if anything is.

    It holds one line of text and stays there; the rights that are needed do not include deleting.
    """
    settings = _settings(context)
    with context.services() as services:
        key = check_bucket(settings, services)
    click.echo(f"the bucket takes what it is sent, and shows it: {key}")


@sync.command("policy")
@click.pass_obj
def policy(context: Context) -> None:
    """Print the rights that copying needs, as an IAM policy for this box and its bucket."""
    settings = _settings(context)
    with context.services() as services:
        click.echo(json.dumps(policy_of(settings, services.device), indent=2))


def _lines(row: dict[str, Any]) -> list[str]:
    lines = [f"{row['verified']} of {row['captures']} captures in the spool are copied and verified"]
    if row["due"]:
        size = f"{row['due_bytes'] / _KIB:.0f} KiB"
        lines.append(f"{row['due']} to be copied, {size}; the oldest was sealed {_ago(row['lag_s'])} ago")
    if row["waiting"]:
        lines.append(f"{row['waiting']} too fresh to be copied")
    if row["refused"]:
        lines.append(f"{row['refused']} refused; appliance captures sync run looks at them again")
        lines += [
            f"    {_REFUSED.get(each['reason'], each['reason'])}: {each['capture']}"
            for each in row["refused_captures"]
        ]
    if row["last_verified"]:
        lines.append(f"the newest copy was verified at {row['last_verified']}")
    if row["message"]:
        lines += [f"in the way, {row['failures']} time(s) in a row: {row['message']}", f"    {row['hint']}"]
    if not row["running"]:
        lines.append("nothing copies now: the appliance does not run")
    return lines


def _ago(seconds: float) -> str:
    if seconds < _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} minutes"
    return f"{seconds / _HOUR_S:.0f} hours" if seconds < _DAY_S else f"{seconds / _DAY_S:.0f} days"


def _settings(context: Context) -> S3Settings:
    """The bucket's.

    Raises:
        SettingsError: There is none.
    """
    settings = context.settings.captures.s3
    if not settings.bucket:
        raise SettingsError(
            "no bucket is set, so nothing is copied",
            hint='add to the settings: [captures.s3] bucket = "name"',
        )
    return settings
