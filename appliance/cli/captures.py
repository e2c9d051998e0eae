"""`appliance captures …`: sealed pictures of strangers. The box lists and copies; admins fetch and open."""

import json
import sys
from pathlib import Path

import click

from appliance.camera.jpeg import encode_jpeg
from appliance.cli.captures_account import account
from appliance.cli.captures_pull import pull, sheet
from appliance.cli.captures_sync import sync
from appliance.cli.context import Context
from appliance.cli.files import make_folder, write_file
from appliance.clock import SystemClock
from appliance.errors import IdentityError, InputError, StoreError
from appliance.evidence import Spool, SpoolEntry, load_identities, make_identity, open_capture, save_opened
from appliance.evidence.capture import MAX_SEALED_BYTES


@click.group()
def captures() -> None:
    """Sealed captures of strangers: list, copy, fetch over SSH, open.

    \b
    Examples:
      appliance captures list
      appliance captures copy --to /media/usb
      appliance captures account                                      prepare fetching over SSH
      appliance captures pull door.example.org --into captures        on the admin's machine
      appliance captures open 0190….age --identity ~/.ssh/id_ed25519 --out opened/
    Any age program opens them, too:
      age -d -i ~/.ssh/id_ed25519 0190….age | tar x
    """


@captures.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_(context: Context, *, as_json: bool) -> None:
    """List what is in the spool. The box cannot look inside."""
    entries = _entries(context)
    if as_json:
        rows = [
            {"capture": entry.id, "sealed_at": entry.sealed_at.isoformat(), "size_bytes": entry.size_bytes}
            for entry in entries
        ]
        click.echo(json.dumps(rows, indent=1))
        return
    if not entries:
        click.echo("no captures are stored")
    for entry in entries:
        click.echo(f"{entry.id}  {entry.sealed_at:%Y-%m-%d %H:%M:%S}  {entry.size_bytes // 1024:>6} KiB")


@captures.command("copy")
@click.argument("capture", nargs=-1)
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to copy to.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def copy(context: Context, *, capture: tuple[str, ...], target: Path, as_json: bool) -> None:
    """Copy sealed captures (all, or those named) to a folder; they stay sealed."""
    wanted = capture or tuple(entry.id for entry in _entries(context))
    spool = _spool(context)
    make_folder(target)
    rows = []
    for name in wanted:
        sealed, file = spool.read(name), target / f"{name}.age"
        write_file(file, sealed)
        rows.append({"capture": name, "file": str(file), "size_bytes": len(sealed)})
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    click.echo(f"{len(wanted)} capture(s) copied to {target}")


@captures.command("open")
@click.argument("capture")
@click.option(
    "--identity",
    "identities",
    multiple=True,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An age identity file or an SSH private key; may be repeated.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write to. [default: the capture's id]",
)
@click.pass_obj
def open_(context: Context, *, capture: str, identities: tuple[Path, ...], out: Path | None) -> None:
    """Open CAPTURE (a file, or an id in the spool) with a private key. Do this on the admin's machine."""
    path = Path(capture)
    if path.is_file():
        if path.stat().st_size > MAX_SEALED_BYTES:
            raise InputError(f"{path} is larger than any capture")
        sealed, name = path.read_bytes(), path.stem
    else:
        sealed, name = _spool(context).read(capture), capture
    found = [identity for each in identities for identity in load_identities(each, _ask)]
    opened = open_capture(sealed, found)
    target = out if out is not None else Path(name)
    save_opened(opened, target)
    click.echo(f"opened {', '.join(sorted(opened))} into {target}")


@captures.command("new-identity")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The new file for the private key.",
)
def new_identity(*, out: Path) -> None:
    """Make a key pair for opening captures. Do this on the admin's machine, not on the box.

    Who has an SSH key (ed25519 or rsa) needs none: its public half is a recipient as it is.
    """
    recipient = make_identity(out)
    click.echo(f"private key: {out} (keep it, and a copy; without it captures stay shut)")
    click.echo(f'settings:    [evidence] recipients = ["{recipient}"]')


captures.add_command(sync)
captures.add_command(account)
captures.add_command(pull)
captures.add_command(sheet)


def _ask(name: str) -> str:
    """Ask for the passphrase of a key on the terminal."""
    if not sys.stdin.isatty():
        raise IdentityError("the key needs a passphrase, and there is no terminal to ask on")
    return str(click.prompt(f"passphrase of {name}", hide_input=True, err=True))


def _spool(context: Context) -> Spool:
    """The spool, for looking only: neither keys nor database are needed for sealed files."""
    return Spool(context.layout.spool, context.settings.evidence, SystemClock(), encode_jpeg)


def _entries(context: Context) -> tuple[SpoolEntry, ...]:
    """What is in the spool; the loop makes its folder, so before the first run there is none.

    Raises:
        StoreError: There is no state directory.
    """
    if not context.layout.state.exists():
        raise StoreError(
            f"there is no state directory {context.layout.state}",
            hint="start the appliance once (appliance run), or name the right directory with --state",
        )
    return _spool(context).list() if context.layout.spool.exists() else ()
