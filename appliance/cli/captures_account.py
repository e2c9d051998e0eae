"""`appliance captures account`: an account from which sealed captures can be fetched, and nothing else."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import click

from appliance.cli.context import Context
from appliance.errors import InputError, StoreError

_LONGEST_S = 60
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where programs are looked for: root's own places, not the caller's."""


@click.command("account")
@click.option("--print", "printing", is_flag=True, help="Print what would be done, for review. [default]")
@click.option("--apply", "applying", is_flag=True, help="Do it, as root.")
@click.option(
    "--kind",
    type=click.Choice(["sftp", "rsync"]),
    default="sftp",
    show_default=True,
    help="sftp: confined by OpenSSH, no shell. rsync: by rrsync -ro, with a shell behind it.",
)
@click.option("--name", default="captures", show_default=True, help="Name of the account and its group.")
@click.option(
    "--view",
    type=click.Path(path_type=Path),
    default=Path("/srv/captures"),
    show_default=True,
    help="What the account sees as /: a folder of root's.",
)
@click.pass_obj
def account(context: Context, *, printing: bool, applying: bool, kind: str, name: str, view: Path) -> None:
    """Prepare an account on this box from which admins fetch sealed captures over SSH.

    It can read them and nothing else: no shell, no forwarding, nothing to write, nothing outside. Who may
    sign in: the SSH keys among the recipients in the settings. Do it again when those change.

    \b
    Examples:
      appliance captures account                  print it, for review
      appliance captures account --apply          do it, as root
      appliance captures account --kind rsync     the same for rsync, also printed
    Then, on the admin's machine:
      appliance captures pull door.example.org --into captures
    """
    from appliance.evidence.account import AccountKind, plan_account, printed
    from appliance.evidence.account_setup import carry_out

    if printing and applying:
        raise click.UsageError("--print and --apply exclude each other")
    plan = plan_account(
        context.settings.evidence.recipients,
        context.layout.spool,
        name=name,
        kind=cast(AccountKind, kind),
        chroot=view,
    )
    if not applying:
        click.echo(printed(plan), nl=False)
        return
    if os.geteuid() != 0:
        raise InputError(
            "only root can make an account", hint="run this with sudo; without --apply it prints"
        )
    if not context.layout.spool.is_dir():
        raise StoreError(
            f"there is no spool {context.layout.spool}",
            hint="start the appliance once (appliance run), or name the right directory with --state",
        )
    for line in carry_out(plan, _run):
        click.echo(line)
    click.echo(f"{plan.keys} SSH key(s) may sign in; age keys, which cannot: {len(plan.left_out)}")


def _run(command: Sequence[str]) -> str:
    """Run a program of the system's.

    Raises:
        InputError: It is not there, or failed.
    """
    program = shutil.which(command[0], path=_PATH)
    if program is None:
        raise InputError(
            f"the program {command[0]} is not installed",
            hint="without --apply, this prints what to do by hand",
        )
    try:
        ran = subprocess.run(
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_LONGEST_S,
            env={"PATH": _PATH, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"{command[0]} could not be run to its end") from error
    if ran.returncode:
        said = " ".join(ran.stderr.split())[:300] or f"exit code {ran.returncode}"
        raise InputError(
            f"{command[0]} failed: {said}", hint="without --apply, this prints what to do by hand"
        )
    return ran.stdout
