"""`appliance iot …`: the box made known to AWS IoT Core, for what it sees to be indexed there."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance.cli.context import Context

if TYPE_CHECKING:
    from appliance.sinks.iot_provisioning import Step

_STATE = {"there": "is there", "make": "to be made", "change": "to be changed"}
_DONE = {"make": "made", "change": "changed"}


@click.group()
def iot() -> None:
    """AWS IoT Core: this box as a thing of its own, with a certificate and the rights it needs.

    \b
    Examples:
      appliance iot provision
      appliance iot provision --apply
    """


@iot.command("provision")
@click.option("--thing", help="Name of the thing. [default: office-door- and the beginning of the box's id]")
@click.option("--region", help="Region of AWS; otherwise what its own tools are set to.")
@click.option("--profile", help="Which profile of the credentials.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where certificate and private key go. [default: iot in the state directory]",
)
@click.option(
    "--topic", default="appliance/infer", show_default=True, help="Topic of what is seen, without $."
)
@click.option("--apply", is_flag=True, help="Do it. Without this only what would be done is listed.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def provision(
    context: Context,
    *,
    thing: str | None,
    region: str | None,
    profile: str | None,
    folder: Path | None,
    topic: str,
    apply: bool,
    as_json: bool,
) -> None:
    """Make thing, certificate and policy; list what that would be, unless --apply is given.

    The credentials are those of AWS's own tools, and only this command uses them. The private key is made
    here, written with mode 0600 and never sent or shown. What is there already is kept: run it again after
    whatever went wrong.
    """
    from appliance.app.iot import provisioning

    with context.services() as services:
        work = provisioning(
            context.settings.mqtt,
            services,
            thing=thing,
            folder=folder,
            topic=topic,
            region=region,
            profile=profile,
        )
        done = work.apply() if apply else None
        steps = done if done is not None else work.plan()
        endpoint = work.endpoint()
    toml = work.settings(endpoint)
    if as_json:
        rows = [{"what": each.what, "name": each.name, "state": each.state} for each in steps]
        click.echo(
            json.dumps({"applied": apply, "steps": rows, "policy": work.policy(), "settings": toml}, indent=1)
        )
        return
    for each in steps:
        click.echo(_line(each, done=apply))
    if not apply:
        click.echo("\nThe policy:")
        click.echo(json.dumps(work.policy(), indent=1))
        click.echo("\nNothing was changed. To do it: appliance iot provision --apply")
    elif not steps:
        click.echo("everything is there already")
    click.echo("\nFor the settings file:\n")
    click.echo(toml)


def _line(step: "Step", *, done: bool) -> str:
    told = _DONE[step.state] if done else _STATE[step.state]
    return f"{step.what:<21} {step.name:<48} {told}"
