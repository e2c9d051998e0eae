"""`appliance deeplens deploy` and `port`: a function for the appliance, and what was changed to run it."""

import io
import os
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appliance.cli.context import Context
from appliance.cli.deeplens_asking import STOP_S, asked, asked_reply
from appliance.cli.deeplens_models import models as models_group
from appliance.cli.deeplens_options import has_variables, may_reach, own_variables
from appliance.cli.deeplens_trying import RUNTIMES, name_for
from appliance.wire.messages import AskPorting, DeployFunction, FunctionTaken, Porting

if TYPE_CHECKING:
    from appliance.deeplens.package import Package
    from appliance.deeplens.porting.report import FileReport

_DEPLOY_S = 120.0
_MOST_LINES = 12
_MODEL = re.compile(r"(?P<name>[^=]+)=(?P<files>[^,].*?)(?:@(?P<size>[0-9]+[xX][0-9]+))?")
_OPTIONS = {
    "subscriptions": "--subscribe",
    "publishes": "--publish",
    "network": "--allow-network",
    "memory_mb": "--memory",
    "variables": "--env",
}
"""What says a part of a function's description, where that is called otherwise."""


@click.command("deploy")
@click.argument("function", type=click.Path(exists=True, path_type=Path))
@click.option("--name", help="What it is to be called. [default: as its file or folder is]")
@click.option("--runtime", type=click.Choice(RUNTIMES), help="[default: as its sources look]")
@click.option("--handler", default="", help="Module and function. [default: as its files are called]")
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME=FILE[,FILE][@WxH]",
    help="A model that is installed first, with the size of its pictures where its files do not say it.",
)
@may_reach
@has_variables
@click.option(
    "--subscribe", "subscriptions", multiple=True, metavar="TOPIC", help="Messages that it is handed."
)
@click.option(
    "--publish",
    "publishes",
    multiple=True,
    metavar="TOPIC",
    help="A topic besides its own that leaves the box.",
)
@click.option("--memory", "memory_mb", type=click.IntRange(128, 65536), help="Memory it may use, MiB.")
@click.option("--camera", default="", help="Whose frames it gets. [default: the first]")
@click.option("--accept-uncontained", is_flag=True, help="Run it even where this system contains nothing.")
@click.pass_obj
def deploy(
    context: Context,
    /,
    *,
    function: Path,
    name: str | None,
    runtime: str | None,
    models: tuple[str, ...],
    **given: Any,
) -> None:
    """Deploy FUNCTION (a folder, a zip, or a .py file) to the running appliance and start it.

    One of the same name is replaced, and goes on until the new one is ready. Functions for Python 2.7 are
    ported; "port" shows what was changed.

    \b
    Examples:
      appliance deeplens deploy my-project/
      appliance deeplens deploy lambda.zip --name dogs --camera yard
      appliance deeplens deploy lambda_function.py --name birds --model bird=bird.onnx
      appliance deeplens deploy fish.zip --model fish=fish-symbol.json,fish-0000.params@224x224
      appliance deeplens deploy uploads.zip --allow-network 192.168.1.20:9000 --env BUCKET=faces
    """
    from appliance.deeplens.package_reading import read_path

    message = _message(name or name_for(function), runtime, given)
    package = read_path(function, message.handler)
    _install(models)
    taken = asked(context, message, FunctionTaken, blob=_zipped(package), timeout_s=_DEPLOY_S)
    how = "deployed in place of another" if taken.replaced else "deployed"
    click.echo(f"{taken.name}: {how}; {taken.runtime}, {taken.handler}")
    if taken.changed:
        click.echo(f"ported: {', '.join(taken.changed)}")
    for path, why in taken.failed.items():
        click.echo(f"not ported: {path}: {why}", err=True)


@click.command("port")
@click.argument("function")
@click.option("--diff", is_flag=True, help="Every changed line, as a unified diff.")
@click.option("--runtime", type=click.Choice(RUNTIMES), help="Of a file or folder. [default: as it looks]")
@click.option("--handler", default="", help="Of a file or folder. [default: as its files are called]")
@click.option("--accept-uncontained", is_flag=True, help="Read it even where this system contains nothing.")
@click.option("--json", "as_json", is_flag=True, help="The whole report as JSON.")
@click.pass_obj
def port(
    context: Context,
    *,
    function: str,
    diff: bool,
    runtime: str | None,
    handler: str,
    accept_uncontained: bool,
    as_json: bool,
) -> None:
    """Show what is changed of a function to run it under today's Python.

    FUNCTION is a folder, a zip or a .py file, of which nothing is kept; or else the name of a deployed one.

    \b
    Examples:
      appliance deeplens port dogs
      appliance deeplens port dogs --diff | less
      appliance deeplens port ./lambda.zip --diff
    """
    from appliance.cli.deeplens_port import ported_here
    from appliance.deeplens.function_log import harmless
    from appliance.deeplens.porting.report import from_json, to_json

    name = function
    if os.sep in function or Path(function).exists():
        path = Path(function)
        if not path.exists():
            raise click.UsageError(f"there is no file or folder {function}")
        report = ported_here(context, path, runtime, handler, accept_uncontained=accept_uncontained)
        name = path.name
    else:
        asked_for = AskPorting(name=function)
        report = from_json(asked_reply(context, asked_for, Porting, timeout_s=STOP_S).blob)
    if as_json:
        click.echo(to_json(report))
        return
    if diff:
        for line in report.diff.splitlines():
            click.echo(harmless(line))
        return
    click.echo(f"{name}: taken for {report.runtime} ({'; '.join(harmless(each) for each in report.reasons)})")
    for file in report.files:
        _print_file(file)


def _message(name: str, runtime: str | None, given: dict[str, Any]) -> DeployFunction:
    """What is asked, judged before anything is read or installed.

    Raises:
        UsageError: An option says what cannot be: which, and what is wrong with it.
    """
    from pydantic import ValidationError

    from appliance.deeplens.project import Project, runtime_of
    from appliance.deeplens.project_fault import fault_of

    told = {"name": name, "runtime": runtime_of(runtime) if runtime else None}
    given = {**given, "variables": own_variables(given["variables"])}
    parts = {each: given[each] for each in ("subscriptions", "publishes", "network", "variables", "camera")}
    parts |= {"handler": given["handler"]} if given["handler"] else {}
    try:
        # As it will stand there; what is found out there only is put in its place for the time being.
        Project.model_validate({"name": name, **parts, "thing": "x", "deployed_at": datetime.now(UTC)})
        return DeployFunction.model_validate({**told, "file": "function.zip", **given})
    except ValidationError as error:
        where, words = fault_of(error)
        part, *number = where.split(",", 1)
        option = _OPTIONS.get(part, f"--{part}")
        raise click.UsageError(f"{option}{''.join(f',{each}' for each in number)}: {words}") from None


def _install(wanted: tuple[str, ...]) -> None:
    """Install models as `appliance deeplens models install NAME FILE…` does.

    Raises:
        UsageError: One is not written as NAME=FILE.
        ModelError: One cannot be installed.
    """
    command = models_group.commands["install"]
    for each in wanted:
        said = _MODEL.fullmatch(each)
        if said is None:
            raise click.UsageError(f"--model {each}: write NAME=FILE, NAME=FILE,FILE or NAME=FILE@WxH")
        files, size = said["files"], said["size"]
        if size and Path(f"{files}@{size}").exists():  # a file that happens to be called so
            files, size = f"{files}@{size}", None
        paths = tuple(Path(file) for file in files.split(",") if file)
        click.get_current_context().invoke(command, name=said["name"], files=paths, size=size)


def _print_file(file: "FileReport") -> None:
    from appliance.deeplens.function_log import harmless

    if file.outcome in {"ported", "failed"}:
        why = f": {harmless(file.fault)}" if file.fault else ""
        click.echo(f"{harmless(file.path)}: {file.outcome}{why}")
        for change in file.changes:
            shown = ", ".join(str(each) for each in change.lines[:_MOST_LINES])
            more = len(change.lines) - _MOST_LINES
            click.echo(f"  {harmless(change.measure)}: line {shown}{f' and {more} more' if more > 0 else ''}")
    for note in file.notes:
        click.echo(f"  note: {harmless(note)}")


def _zipped(package: "Package") -> bytes:
    """The files in one piece, for the way to the process that hosts."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in package.files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return content.getvalue()
