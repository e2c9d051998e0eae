"""The command line: `appliance …`. Parses, calls, prints; decides nothing itself.

Results go to standard output, diagnostics to standard error. With `--json`, names and units are
stable. Errors end with `appliance: error: …`, a line `appliance: hint: …` for each remedy, and
the exit code of their family (see `appliance.errors`). Commands of other packages come by
the entry-point group `appliance.commands`.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import NoReturn

import click

from appliance import logs
from appliance.cli.context import Context
from appliance.errors import ApplianceError

_SHORT = 100
"""Characters of a remedy and what to type for it that fit a line."""


class _Commands(click.Group):
    """Commands found when asked for, so that `appliance check` does not load the networks' runtime."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, sorted."""
        del ctx
        return sorted({*_OWN, *(entry.name for entry in entry_points(group="appliance.commands"))})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        if cmd_name in _OWN:
            command: click.Command = getattr(import_module(f"appliance.cli.{cmd_name}"), cmd_name)
            return command
        for entry in entry_points(group="appliance.commands", name=cmd_name):
            found: click.Command = entry.load()
            return found
        return super().get_command(ctx, cmd_name)


_OWN = (
    "bench",
    "calibrate",
    "captures",
    "check",
    "clips",
    "deeplens",
    "demo",
    "doctor",
    "door",
    "evaluate",
    "events",
    "kvs",
    "index",
    "iot",
    "locks",
    "models",
    "mqtt",
    "objects",
    "operators",
    "outbox",
    "process",
    "replay",
    "retention",
    "rules",
    "run",
    "search",
    "songs",
    "vault",
    "view",
    "webhooks",
    "whatif",
)
"""Commands of this package, each in the module of its name."""


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--settings",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="APPLIANCE_SETTINGS",
    help="The settings file. Otherwise appliance.toml in the state directory, or /etc/appliance.toml.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="APPLIANCE_STATE",
    help="The state directory: database, keys, sealed captures. [default: data/var/state]",
)
@click.option("--part", metavar="JSON", hidden=True, help="A part of the settings, instead of any file.")
@click.version_option(package_name="office-door-appliance")
@click.pass_context
def appliance(ctx: click.Context, settings: Path | None, state: Path | None, part: str | None) -> None:
    """Sees the office door open, recognises who comes in, seals strangers for the admins.

    \b
    Begin with:
      appliance demo                            a rendered office door, no camera needed
      appliance enroll add "Ann" ann.jpg --consent "signed 2026-01-05"
      appliance run --camera /dev/video0        the real thing
      appliance events follow                   what happens, as it happens
    """
    # Warnings on standard error, for standard output may be JSON. Processes set up their own, see `log_as`.
    logs.configure("command", level="warning")
    ctx.obj = Context(settings, state, part)


def _remedies(error: ApplianceError) -> list[str]:
    """What to do about an error, a line each: what is short with what to type, what is long by itself."""
    first, _, others = error.advice.partition("\n")
    apart = [error.hint, *error.command.splitlines()]
    told = apart if len(first) > _SHORT else [first, *others.splitlines()]
    return [each for each in told if each]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command line and exit with its code.

    Args:
        arguments: What follows `appliance`; the process's own by default.
    """
    try:
        code = appliance.main(arguments, prog_name="appliance", standalone_mode=False)
    except ApplianceError as error:
        for line in error.message.splitlines():
            click.echo(f"appliance: error: {line}", err=True)
        for remedy in _remedies(error):
            click.echo(f"appliance: hint: {remedy}", err=True)
        sys.exit(error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        click.echo(f"appliance: error: {' '.join(error.format_message().split())}", err=True)
        if isinstance(error, click.UsageError) and error.ctx is not None:
            click.echo(f"appliance: hint: see: {error.ctx.command_path} --help", err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("appliance: stopped", err=True)
        sys.exit(130)
    # `ctx.exit(1)` comes back as a number; what else a command returns is no exit code.
    sys.exit(code if isinstance(code, int) else 0)
