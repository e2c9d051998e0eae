"""`appliance doctor`: is everything well? In plain words, with what to do next."""

import json
from dataclasses import asdict

import click

from appliance.cli.context import Context

_SIGNS = {"ok": ("✓", "green"), "note": ("•", "yellow"), "problem": ("✗", "red")}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def doctor(ctx: click.Context, *, as_json: bool) -> None:
    """Look at settings, models, disk, keys, log, people, cameras, doors, clock and processes. Mends nothing.

    \b
    Examples:
      appliance doctor
      appliance doctor --json
    Ends with 1 if there is a problem.
    """
    from appliance.app.examining import examine

    context: Context = ctx.obj
    sick = False
    found = []
    for finding in examine(context.settings, context.layout):
        sick = sick or finding.health == "problem"
        found.append(finding)
        if not as_json:
            sign, colour = _SIGNS[finding.health]
            click.echo(f"{click.style(sign, fg=colour)} {finding.subject}: {finding.words}")
            if finding.advice:
                click.echo(f"    {finding.advice}")
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found], indent=1))
    if sick:
        ctx.exit(1)
