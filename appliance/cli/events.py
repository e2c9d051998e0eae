"""`appliance events …`: what happened, why, and whether the log is still what was written."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import click

from appliance.app.explaining import Names, event_row, explained, find_event, subject_names
from appliance.cli.context import Context
from appliance.cli.files import new_file
from appliance.cli.rows import event_json
from appliance.dispatch.wording import line, plain
from appliance.errors import InputError
from appliance.events import event_types
from appliance.store import ChainReport, Erased, SignedHead, StoredEvent
from appliance.store.exported import MAX_LINE_BYTES, parse_heads, verify_export
from appliance.vault import verify_signature

_FOLLOW_S = 0.3
_MAX_HEAD_BYTES = 64 * 1024
_MAX_HEADS_BYTES = 64 * 1024 * 1024
"""An hourly head makes some four megabytes in a year."""
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_KEY = re.compile(rb"[0-9a-f]{64}")


@click.group()
def events() -> None:
    """The event log: list, follow, show, explain, verify, export.

    \b
    Examples:
      appliance events list --type stranger_seen --limit 20
      appliance events follow
      appliance events explain 42
      appliance events head > head-2026-01-05.json
      appliance events verify --against head-2026-01-05.json
      appliance events export --out box.log
      appliance events verify --log box.log --heads heads.jsonl --key box.pub
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
@click.option("--against", type=_FILE, help="A head exported earlier.")
@click.option("--heads", type=_FILE, help="Heads exported one after the other, a line each.")
@click.option("--log", type=_FILE, help="An exported log, instead of this box's own; needs --key.")
@click.option("--key", type=_FILE, help="The box's public key, as it printed it. [default: this box's]")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def verify(
    context: Context,
    *,
    against: Path | None,
    heads: Path | None,
    log: Path | None,
    key: Path | None,
    as_json: bool,
) -> None:
    """Check the chain of hashes, and that nothing before an exported head was re-written.

    Root on the box can re-sign what was never exported: heads leave it through every sink, and when asked
    for. With --log nothing but the files is needed, on any machine; what was cut, edited, re-ordered, or told
    in two ways since the first head is found.

    \b
    Examples:
      appliance events verify
      appliance events verify --against head-2026-01-05.json
      appliance events verify --log box.log --heads heads.jsonl --key box.pub
    """
    exported = None if against is None else SignedHead.parse(_read(against, _MAX_HEAD_BYTES))
    known, damaged = parse_heads(_read(heads, _MAX_HEADS_BYTES)) if heads is not None else ([], 0)
    trusted = None if key is None else _public_key(key)
    if log is not None:
        if trusted is None:
            raise InputError(
                "an exported log is checked with the box's public key", hint="name it: --key FILE"
            )
        with log.open("rb") as file:
            report = verify_export(
                _lines(file),
                heads=[*([exported] if exported else []), *known],
                key=trusted,
                verify=verify_signature,
            )
    else:
        with context.services() as services:
            report = services.store.verify(against=exported, heads=known, trusted_key=trusted)
    if as_json:
        told = {"ok": True, **asdict(report), "damaged_head_lines": damaged}
        click.echo(json.dumps(told, indent=1))
        return
    _tell(report, asked=exported is not None or bool(known), damaged=damaged)


def _tell(report: ChainReport, *, asked: bool, damaged: int) -> None:
    signed = f", signed up to {report.signed_up_to}" if report.signed_up_to else ""
    click.echo(f"the log holds: events {report.first} to {report.last}{signed}")
    if report.pruned_by:
        gone = report.first - 1
        click.echo(f"events 1 to {gone} were dropped by retention: event {report.pruned_by} says so")
    if report.kept_head is not None:
        click.echo(f"and it agrees with the head kept beside the database at event {report.kept_head}")
    if report.checked_against is not None:
        click.echo(f"and it agrees with the head exported at event {report.checked_against}")
    if report.heads:
        click.echo(f"and it agrees with {report.heads} head(s) exported before")
    if report.heads_before:
        click.echo(f"{report.heads_before} head(s) are of events that retention dropped since")
    if damaged:
        click.echo(f"{damaged} line(s) of the heads are damaged, and vouch for nothing")
    if not asked:
        click.echo("compare with a head kept elsewhere to show that nothing was re-written: --against FILE")


@events.command("export")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The new file.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def export(context: Context, *, out: Path, as_json: bool) -> None:
    """Write the whole log to a file, to be verified elsewhere. No name is in it, and nothing sealed.

    \b
    Examples:
      appliance events export --out box.log
    """
    with context.services() as services, new_file(out) as file:
        lines = 0
        for line in services.store.exported():
            file.write(line.encode() + b"\n")
            lines += 1
    if as_json:
        click.echo(json.dumps({"file": str(out), "lines": lines}, indent=1))
        return
    click.echo(f"{lines} lines written to {out}")


@events.command("head")
@click.option("--json", "as_json", is_flag=True, help="As JSON, which it is anyway.")
@click.pass_obj
def head(context: Context, *, as_json: bool) -> None:
    """Print the signed head of the log as JSON, to be kept somewhere else."""
    del as_json
    with context.services() as services:
        click.echo(services.store.head().model_dump_json())


def _read(path: Path, most: int) -> bytes:
    """A file of heads.

    Raises:
        InputError: It is larger than any, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > most:
        raise InputError(f"{path} is not an exported head: it is larger than {most} bytes")
    return content


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines of a file from elsewhere.

    Raises:
        InputError: One is longer than any.
    """
    while line := file.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            raise InputError("this is not an exported log: a line is longer than any of one")
        yield line


def _public_key(path: Path) -> str:
    """The public key in a file, as the box printed it.

    Raises:
        InputError: It is none.
    """
    text = _read(path, _MAX_HEAD_BYTES).strip().lower()
    if not _KEY.fullmatch(text):
        raise InputError(f"{path} holds no public key of a box", hint="it is 64 hex digits on a line")
    return text.decode()


def _line(stored: StoredEvent, names: Names) -> str:
    if stored.event is None:
        why = "of another version, not readable" if stored.unreadable else "body dropped"
        return f"#{stored.position:<5} {stored.at.astimezone():%H:%M:%S}  {stored.type} ({why})"
    return f"#{stored.position:<5} {line(stored.event, stored.at, names)}"
