"""`appliance deeplens …`: functions written for AWS DeepLens, hosted as they are."""

import click

from appliance.cli.context import Context
from appliance.cli.deeplens_asking import STOP_S, asked
from appliance.cli.deeplens_deploying import deploy, port
from appliance.cli.deeplens_models import models
from appliance.cli.deeplens_trying import run, try_
from appliance.cli.deeplens_watching import logs, messages
from appliance.wire.messages import (
    Done,
    FunctionsListed,
    FunctionStatus,
    ListFunctions,
    RemoveFunction,
    StartFunction,
    StopFunction,
)

_SHOWN = 160


@click.group()
def deeplens() -> None:
    """Functions written for AWS DeepLens, hosted as they are.

    \b
    Examples:
      appliance deeplens run my-project/ --source scene:door
      appliance deeplens deploy lambda.zip --name dogs
      appliance deeplens list
      appliance deeplens messages dogs -f
      appliance deeplens try projects/* --frames 6 --json

    A function is a folder, a zip as Lambda takes them, or one .py file. It is contained: it sees its own
    folder, a camera's frames and the models, and has no network unless hosts are granted to it.
    """


@deeplens.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def list_(context: Context, *, as_json: bool) -> None:
    """List the deployed functions, how they are, and what they publish."""
    listed = asked(context, ListFunctions(), FunctionsListed)
    for each in listed.functions:
        click.echo(each.model_dump_json() if as_json else _row(each))
    if not as_json:
        if not listed.functions:
            click.echo("no function is deployed; try one with: appliance deeplens run FOLDER")
        click.echo(listed.statement, err=True)


@deeplens.command("start")
@click.argument("name")
@click.pass_obj
def start(context: Context, *, name: str) -> None:
    """Start a function that was stopped, now and whenever the appliance runs."""
    asked(context, StartFunction(name=name), Done)
    click.echo(f"{name}: started")


@deeplens.command("stop")
@click.argument("name")
@click.pass_obj
def stop(context: Context, *, name: str) -> None:
    """Stop a function; it stays deployed."""
    asked(context, StopFunction(name=name), Done, timeout_s=STOP_S)
    click.echo(f"{name}: stopped")


@deeplens.command("remove")
@click.argument("name")
@click.pass_obj
def remove(context: Context, *, name: str) -> None:
    """Stop a function and delete it, its log included."""
    asked(context, RemoveFunction(name=name), Done, timeout_s=STOP_S)
    click.echo(f"{name}: removed")


for each in (deploy, logs, messages, models, port, run, try_):
    deeplens.add_command(each)


def _row(status: FunctionStatus) -> str:
    """One function in a line, and in more what is wrong with it."""
    inferred = sum(status.inferences.values())
    counts = f"{status.frames} frames, {inferred} inferences, {status.messages} messages"
    waits = ", waits for messages" if status.waits else ""
    lines = [f"{status.name:<24} {status.phase:<9} {counts}{waits}"]
    if status.last_message:
        lines.append(f"  last: {status.last_message[:_SHOWN]}")
    if status.trouble:
        lines.append(f"  no frames: {status.trouble}")
    if status.stream_trouble:
        lines.append(f"  no stream: {status.stream_trouble}")
    if status.fault:
        lines.append(f"  fault: {status.fault}")
    lines += [f"  no model {name}: {why}" for name, why in status.missing.items()]
    lines += [f"  a thread died: {each}" for each in status.died[-1:]]
    return "\n".join(lines)
