"""`appliance deeplens models …`: the models that hosted functions use."""

import json
from pathlib import Path
from typing import Any

import click

from appliance.cli.context import Context
from appliance.errors import InputError, ModelError

_MOST_LABEL_BYTES = 1 << 20
_MOST_LABELS = 10_000


@click.group()
def models() -> None:
    """The models that functions ask for: list, show, install, remove.

    AWS's own names (mxnet_deploy_ssd_FP16_FUSED.xml, featurizer-v1, …) are built in. Others are installed
    from their files, or one of the appliance's networks stands in for them.

    \b
    Examples:
      appliance deeplens models list
      appliance deeplens models install fish fish-symbol.json fish-0000.params --input 224x224
      appliance deeplens models install pedestrians model.xml model.bin --kind ssd --input 300x300
      appliance deeplens models install deploy_model_algo_1 --like voc --labels 2
      appliance deeplens models install yolov3 yolov3.cfg yolov3.weights coco.names --like coco
      appliance deeplens models remove fish
    """


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_(context: Context, *, as_json: bool) -> None:
    """List the models, and what is the matter with those that cannot be used."""
    found = _store(context).models()
    if as_json:
        click.echo(json.dumps([_row(each) for each in found], indent=1))
        return
    for each in found:
        about = each.descriptor
        labels = _counted(about) or (f"labels from {about.first_label}" if about.kind != "raw" else "layers")
        origin = "built in" if each.built_in else "installed"
        fault = f"  cannot be used: {each.fault}" if each.fault else ""
        click.echo(f"{about.name:<36} {about.kind:<14} {labels:<22} {origin}{fault}")


@models.command("show")
@click.argument("name")
@click.pass_obj
def show(context: Context, name: str) -> None:
    """Show what is known of the model NAME, as JSON, and how its files were converted."""
    store = _store(context)
    found = store.model(name)
    shown = {**_row(found), "files": sorted(found.files)}
    click.echo(json.dumps({**shown, "descriptor": found.descriptor.model_dump(mode="json")}, indent=1))
    report = store.report(found.descriptor.name)
    if report:
        click.echo(report, err=True, nl=False)


@models.command("install")
@click.argument("name")
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--like",
    metavar="NETWORK",
    help="Let a network of the appliance stand in: voc, coco, face, classifier, cats-and-dogs, featurizer.",
)
@click.option("--kind", type=click.Choice(["ssd", "classification", "raw"]), help="What parseResult reads.")
@click.option("--input", "size", metavar="WxH", help="Size of the pictures it takes.")
@click.option(
    "--labels", metavar="FILE|A,B|N", help="Its labels: a file with one a line, a list, or how many."
)
@click.option("--first-label", type=click.IntRange(0, _MOST_LABELS), help="Number of the first label.")
@click.option("--colour", type=click.Choice(["bgr", "rgb", "gray"]), help="Channels it was trained with.")
@click.option("--layout", type=click.Choice(["nchw", "nhwc"]), help="Order of its axes (OpenVINO IR).")
@click.option("--mean", metavar="N[,N,N]", help="What is subtracted from pixels, 0 to 255.")
@click.option("--scale", metavar="N[,N,N]", help="What the difference is multiplied with.")
@click.option(
    "--output", "outputs", multiple=True, metavar="LAYER[:N]", help="A layer functions read by name."
)
@click.option("--epoch", type=click.IntRange(0, 9999), help="Which of several MXNet parameter files.")
@click.pass_obj
def install(
    context: Context, /, *, name: str, files: tuple[Path, ...], like: str | None, **said: Any
) -> None:
    """Install the model NAME from FILES, or a stand-in for it.

    FILES are an ONNX file, an OpenVINO IR (.xml and .bin), MXNet's -symbol.json and .params, a Caffe or a
    TensorFlow SSD, or a folder with them. Functions find it by NAME in every spelling of either optimizer.
    Files that are no network, such as names of classes, lie beside it under their own names; with --like
    all FILES do, for functions that open them by themselves (a Darknet network, a cascade).
    """
    from appliance.app.artefact_installing import Wishes, files_beside, install_artefact

    if not files and not like:
        raise InputError("give the model's files or --like", hint="see: appliance deeplens models -h")
    store = _store(context)
    labels = None if said["labels"] is None else _labels(said["labels"])
    outputs = tuple(_output(each) for each in said["outputs"])
    if like:
        _refuse(said, "kind", "colour", "layout", "mean", "scale", "epoch")
        if said["size"]:
            click.echo("a stand-in takes pictures of any size: --input changes nothing", err=True)
        beside = files_beside(files)
        first = said["first_label"]
        found = store.stand_in(like, name, labels=labels, first_label=first, outputs=outputs, beside=beside)
    else:
        width, height = _size(said["size"])
        wishes = Wishes(
            kind=said["kind"],
            width=width,
            height=height,
            colour=said["colour"] and said["colour"].upper(),
            layout=said["layout"] and said["layout"].upper(),
            mean=_numbers("--mean", said["mean"]),
            scale=_numbers("--scale", said["scale"]),
            labels=labels,
            first_label=said["first_label"],
            outputs=outputs,
            epoch=said["epoch"],
        )
        found = install_artefact(store, name, files, wishes)
    about = found.descriptor
    click.echo(", ".join(filter(None, (f"{about.name} is installed: {about.kind}", _counted(about)))))
    for line in store.report(about.name).splitlines():
        if line.startswith("note: "):
            click.echo(line, err=True)
    if found.fault:
        click.echo(f"it cannot be used yet: {found.fault}", err=True)


@models.command("remove")
@click.argument("name")
@click.pass_obj
def remove(context: Context, name: str) -> None:
    """Remove the installed model NAME."""
    click.echo(f"{_store(context).remove(name).name} is removed")


def _store(context: Context) -> Any:
    from appliance.app.hosted_models import open_model_store
    from appliance.models.folder import ModelFolder

    return open_model_store(context.layout.state, ModelFolder(context.settings.models.directory))


def _row(model: Any) -> dict[str, Any]:
    about = model.descriptor
    return {
        "name": about.name,
        "spellings": list(about.spellings),
        "kind": about.kind,
        "labels": len(about.labels),
        "first_label": about.first_label,
        "input": {"width": about.input.width, "height": about.input.height, "any": about.input.adapts},
        "built_in": model.built_in,
        "fault": model.fault,
    }


def _counted(about: Any) -> str:
    """How many labels, and from where they count; empty where they are not named."""
    many = len(about.labels)
    return f"{many} label{'s' * (many > 1)} from {about.first_label}" if many else ""


def _refuse(said: dict[str, Any], *names: str) -> None:
    given = [f"--{each}" for each in names if said[each] is not None]
    if given:
        raise InputError(f"{', '.join(given)} cannot be said of a stand-in, which is a network of ours")


def _size(text: str | None) -> tuple[int, int]:
    if text is None:
        return 0, 0
    width, _, height = text.lower().partition("x")
    if not (width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise InputError(f"--input {text[:32]!r} is no size", hint="width x height, for instance 300x300")
    return int(width), int(height)


def _numbers(option: str, text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(each) for each in text.split(","))
    except ValueError as error:
        raise InputError(f"{option} {text[:32]!r} is no number, and no three with commas between") from error


def _labels(text: str) -> tuple[str, ...]:
    """Names of labels, one at least: how many, from a file, or a list."""
    found = _said_labels(text)
    if not any(found):
        raise InputError("--labels names none", hint="a file with one a line, a list, or how many")
    return found


def _said_labels(text: str) -> tuple[str, ...]:
    if text.isascii() and text.isdigit():
        if not 0 < int(text) <= _MOST_LABELS:
            raise InputError(f"--labels {text[:16]}: from 1 to {_MOST_LABELS}")
        return tuple(f"label {number}" for number in range(int(text)))
    path = Path(text)
    try:
        if not path.is_file():
            return tuple(each.strip() for each in text.split(","))
        with path.open("rb") as file:
            lines = file.read(_MOST_LABEL_BYTES).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} cannot be read as a list of labels") from error
    return tuple(each.strip() for each in lines if each.strip())


def _output(text: str) -> Any:
    from appliance.deeplens.descriptor import OutputLayer

    layer, colon, size = text.rpartition(":")
    try:
        return OutputLayer(layer=layer, size=int(size)) if colon else OutputLayer(layer=text)
    except ValueError as error:
        raise ModelError(
            f"--output {text[:64]!r} is no layer", hint="its name, or its name:how many numbers"
        ) from error
