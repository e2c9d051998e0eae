"""`appliance events …`: what happened, why, and whether the log is still what was written."""

import json
import time
from pathlib import Path

import click

from appliance.app.explaining import Names, event_row, explained, find_event, subject_names
from appliance.cli.context import Context
from appliance.cli.rows import event_json
from appliance.dispatch.wording import line, plain
from appliance.errors import InputError
from appliance.events import event_types
from appliance.store import Erased, SignedHead, StoredEvent

_FOLLOW_S = 0.3
_MAX_HEAD_BYTES = 64 * 1024


@click.group()
def events() -> None:
    """The event log: list, follow, show, explain, verify.

    \b
    Examples:
      appliance events list --type stranger_seen --limit 20
      appliance events follow
      appliance events explain 42
      appliance events head > head-2026-01-05.json
      appliance events verify --against head-2026-01-05.json
    """


@events.command("list")
@click.option(
    "--type",
    "types",
    multiple=True,
    type=click.Choice(event_types()),
    metavar="TYPE",
    help="Only this type; may be repeated.",
)
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="The newest so many."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def list_(context: Context, *, types: tuple[str, ...], limit: int, as_json: bool) -> None:
    """List the newest events, oldest first."""
    with context.services() as services:
        names = subject_names(services.store)
        for stored in reversed(services.store.events(types=types, limit=limit, newest_first=True)):
            click.echo(event_json(stored) if as_json else _line(stored, names))


@events.command("follow")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def follow(context: Context, *, as_json: bool) -> None:
    """Print events as they happen, until interrupted."""
    with context.services() as services:
        names = subject_names(services.store)
        newest = services.store.events(limit=1, newest_first=True)
        after = newest[0].position if newest else 0
        while True:
            for stored in services.store.events(after=after, limit=500):
                click.echo(event_json(stored) if as_json else _line(stored, names))
                after = stored.position
            time.sleep(_FOLLOW_S)


@events.command("show")
@click.argument("event")
@click.option("--json", "as_json", is_flag=True, help="As JSON, which it is anyway.")
@click.pass_obj
def show(context: Context, *, event: str, as_json: bool) -> None:
    """Print everything about EVENT (its number, or the beginning of its id) as JSON."""
    del as_json
    with context.services() as services:
        stored = find_event(services.store, event)
        document = event_row(stored)
        document["previous"], document["boot"] = stored.previous, stored.boot
        personal = services.store.personal(stored)
        if isinstance(personal, Erased):
            document["personal"] = "erased"
        elif personal is not None:
            document["personal"] = dict(personal.payload)
    click.echo(json.dumps(document, indent=1))


@events.command("explain")
@click.argument("event")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def explain(context: Context, *, event: str, as_json: bool) -> None:
    """Say why EVENT was decided as it was, and what would have had to be different.

    The rule that decided; the nearest and the second person; thresholds; every frame that was used.
    Scores are similarities: higher is more alike. With --json, people are ids.
    """
    with context.services() as services:
        stored = find_event(services.store, event)
        if as_json:
            click.echo(json.dumps(explained(stored), indent=1))
            return
        names = subject_names(services.store)
        document = explained(stored, names)
        click.echo(_line(stored, names))
        for text in document["reasons"]:
            click.echo(f"  {plain(text)}")


@events.command("verify")
@click.option(
    "--against", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A head exported earlier."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def verify(context: Context, *, against: Path | None, as_json: bool) -> None:
    """Check the chain of hashes, and with --against that nothing before an exported head was re-written.

    Root on the box can re-sign what was never exported: export heads (appliance events head).
    """
    exported = None
    if against is not None:
        if against.stat().st_size > _MAX_HEAD_BYTES:
            raise InputError(f"{against} is not an exported head: it is larger than {_MAX_HEAD_BYTES} bytes")
        exported = SignedHead.parse(against.read_bytes())
    with context.services() as services:
        report = services.store.verify(against=exported)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "ok": True,
                    "device": report.device,
                    "first": report.first,
                    "last": report.last,
                    "head": report.head,
                    "signed_up_to": report.signed_up_to,
                    "checked_against": report.checked_against,
                    "kept_head": report.kept_head,
                },
                indent=1,
            )
        )
        return
    signed = f", signed up to {report.signed_up_to}" if report.signed_up_to else ""
    click.echo(f"the log holds: events {report.first} to {report.last}{signed}")
    if report.kept_head is not None:
        click.echo(f"and it agrees with the head kept beside the database at event {report.kept_head}")
    if report.checked_against is not None:
        click.echo(f"and it agrees with the head exported at event {report.checked_against}")
    elif exported is None:
        click.echo("compare with a head kept elsewhere to show that nothing was re-written: --against FILE")


@events.command("head")
@click.option("--json", "as_json", is_flag=True, help="As JSON, which it is anyway.")
@click.pass_obj
def head(context: Context, *, as_json: bool) -> None:
    """Print the signed head of the log as JSON, to be kept somewhere else."""
    del as_json
    with context.services() as services:
        click.echo(services.store.head().model_dump_json())


def _line(stored: StoredEvent, names: Names) -> str:
    if stored.event is None:
        why = "of another version, not readable" if stored.unreadable else "body dropped"
        return f"#{stored.position:<5} {stored.at.astimezone():%H:%M:%S}  {stored.type} ({why})"
    return f"#{stored.position:<5} {line(stored.event, stored.at, names)}"
