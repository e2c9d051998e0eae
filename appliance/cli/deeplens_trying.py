"""`appliance deeplens run` and `try`: functions in the foreground, without deploying them."""

import json
import re
import signal
import sys
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appliance.cli.context import Context
from appliance.cli.deeplens_options import has_variables, may_reach, own_variables
from appliance.cli.parameters import Finite
from appliance.errors import ApplianceError
from appliance.settings import CameraSettings

if TYPE_CHECKING:
    from appliance.deeplens.containment import Containment
    from appliance.deeplens.messages import FunctionMessage

RUNTIMES = ("python2.7", "python3.7", "python3.8", "python3.9", "python3.10", "python3.11", "python3.12")
_SHOWN = 400


@click.command("run")
@click.argument("function", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--source",
    default=None,
    help="scene:door, /dev/videoN, rtsp://…, a video file, a folder of pictures; a recording begins again. "
    "[default: a camera of the running appliance]",
)
@click.option("--camera", default="", help="Which camera of the running appliance. [default: the first]")
@click.option("--runtime", type=click.Choice(RUNTIMES), help="[default: as its sources look]")
@click.option("--handler", default="", help="Module and function. [default: as its files are called]")
@click.option("--memory", "memory_mb", type=click.IntRange(128, 65536), help="Memory it may use, MiB.")
@click.option("--frames", type=click.IntRange(1), help="End when it has taken so many frames.")
@click.option("--seconds", type=Finite(0.1, 86_400), help="End after so many seconds.")
@click.option("--once", is_flag=True, help="End when a recording ends.")
@click.option("--event", "events", multiple=True, help="A message it is handed once it waits for messages.")
@may_reach
@has_variables
@click.option("--accept-uncontained", is_flag=True, help="Run it even where this system contains nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; the last is the summary.")
@click.pass_obj
def run(
    context: Context,
    /,
    *,
    function: Path,
    source: str | None,
    frames: int | None,
    seconds: float | None,
    once: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Run FUNCTION (a folder, a zip, or a .py file) in the foreground until Ctrl-C.

    It runs as it would if it were deployed: contained, ported to today's Python, with the same models. What
    it publishes is printed, a message a line; what it prints goes to standard error.

    \b
    Examples:
      appliance deeplens run my-project/ --source scene:door
      appliance deeplens run lambda.zip --source dog.mp4 --frames 100
      appliance deeplens run lambda_function.py --camera entrance --json
    """
    from appliance.app.function_trial import Bounds

    stop = _stopping()

    def said(message: "FunctionMessage") -> None:
        if as_json:
            told = {"sequence": message.sequence, "at": message.at.isoformat(), "topic": message.topic}
            click.echo(json.dumps({**told, "payload": message.text}))
        else:
            click.echo(f"{one_line(message.topic)}  {one_line(message.text)}")

    given["variables"] = own_variables(given["variables"])
    summary = _tried(
        context,
        function,
        source,
        Bounds(frames=frames, seconds=seconds),
        stop,
        said=said,
        once=once,
        echo=True,
        **given,
    )
    if as_json:
        click.echo(json.dumps({"summary": summary}))
    else:
        _print_summary(summary)
    if summary["fault"]:
        sys.exit(1)


@click.command("try")
@click.argument("functions", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--source", default="scene:door", show_default=True, help="Where frames come from.")
@click.option("--frames", type=click.IntRange(1), default=6, show_default=True, help="Frames each takes.")
@click.option(
    "--seconds", type=Finite(1, 3600), default=60, show_default=True, help="At most for each, seconds."
)
@click.option("--runtime", type=click.Choice(RUNTIMES), help="[default: as the sources look]")
@click.option("--memory", "memory_mb", type=click.IntRange(128, 65536), help="Memory each may use, MiB.")
@has_variables
@click.option("--accept-uncontained", is_flag=True, help="Run them even where this system contains nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, the last with the totals.")
@click.pass_obj
def try_(
    context: Context,
    /,
    *,
    functions: Sequence[Path],
    source: str,
    frames: int,
    seconds: float,
    as_json: bool,
    **given: Any,
) -> None:
    """Run FUNCTIONS (folders, zips, .py files) one after the other and say which of them run.

    A function runs if it took frames, none of its threads died, it published no error, it has its models, and
    its project stream shows pictures, if it has one. Whether it sees what it should, this does not say. One
    that waits for messages is handed none here: see run --event. It has no network; what it uploads to S3 is
    kept while it is tried, and counted.

    \b
    Examples:
      appliance deeplens try my-project/
      appliance deeplens try projects/* --frames 6 --json
      appliance deeplens try a.zip b.zip --source dog.mp4 --env BUCKET=faces
    """
    from appliance.app.function_trial import Bounds

    stop = _stopping()
    given["variables"] = own_variables(given["variables"])
    verdicts: Counter[str] = Counter()
    for each in functions:
        if stop.is_set():
            break
        try:
            bounds = Bounds(frames=frames, seconds=seconds)
            summary = _tried(context, each, source, bounds, stop, once=False, echo=False, **given)
        except ApplianceError as error:
            summary = {"name": each.name, "verdict": "does not", "why": error.message}
        except Exception as error:  # noqa: BLE001 - whatever it is, the others are tried
            summary = {"name": each.name, "verdict": "does not", "why": f"{type(error).__name__}: {error}"}
        summary = {"path": str(each), **summary}
        verdicts[summary["verdict"]] += 1
        click.echo(json.dumps(summary) if as_json else _row(summary))
    totals = {"tried": verdicts.total(), "run": verdicts["runs"], "wait": verdicts["waits"]}
    waits = f", {totals['wait']} wait for messages" if totals["wait"] else ""
    click.echo(
        json.dumps({"totals": totals}) if as_json else f"{totals['run']} of {totals['tried']} run{waits}"
    )
    if verdicts["does not"]:
        sys.exit(1)


def _tried(
    context: Context,
    path: Path,
    source: str | None,
    bounds: Any,
    stop: threading.Event,
    *,
    once: bool,
    echo: bool,
    said: Any = lambda _message: None,
    camera: str = "",
    runtime: str | None = None,
    handler: str = "",
    memory_mb: int | None = None,
    events: Sequence[str] = (),
    network: Sequence[str] = (),
    variables: Mapping[str, str],
    accept_uncontained: bool = False,
) -> dict[str, Any]:
    """What came of running one function.

    Raises:
        ApplianceError: It could not be begun.
    """
    from appliance.app.function_frames import first_camera, loop_frames, own_frames
    from appliance.app.function_trial import follow, told, trial
    from appliance.app.hosted_models import open_model_store
    from appliance.deeplens.deploying import Wanted
    from appliance.deeplens.package_reading import read_path
    from appliance.deeplens.project import runtime_of
    from appliance.models.folder import ModelFolder
    from appliance.wire import Client

    package = read_path(path, handler)
    wanted = Wanted(
        name=name_for(path),
        runtime=runtime_of(runtime) if runtime else None,
        handler=handler,
        memory_mb=memory_mb,
        camera=camera,
        network=network,
        variables=variables,
        accept_uncontained=accept_uncontained,
    )
    settings = context.settings
    store = open_model_store(context.layout.state, ModelFolder(settings.models.directory))
    given: dict[str, Any] = {"shown": store.shown, "said": said}
    if source is None:
        if not events:  # nothing runs that has frames: told before anything is begun
            first_camera(Client(context.layout.socket("loop")))
        make = loop_frames(context.layout)
        with trial(package, wanted, _containment(), make, settings.deeplens, **given) as running:
            return told(running, follow(running, bounds, stop, events=events, echo=_echo if echo else _quiet))
    from appliance.camera import open_source
    from appliance.clock import SystemClock

    own = CameraSettings.model_validate(
        {"id": "camera", "source": source, "fps": settings.deeplens.fps, "ring_s": 0}
    )
    open_source(own, SystemClock())  # named wrongly, it is told before anything is begun
    with (
        own_frames(own, repeat=not once) as frames,
        trial(package, wanted, _containment(), frames.source, settings.deeplens, **given) as running,
    ):
        seconds = follow(
            running, bounds, stop, over=frames.over, events=events, echo=_echo if echo else _quiet
        )
        if frames.fault is not None:
            raise frames.fault
        return told(running, seconds)


def name_for(path: Path) -> str:
    """What a function is called that is handed in as this file or folder."""
    stem = path.resolve().stem if path.is_file() else path.resolve().name
    kept = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")[:64]
    return kept or "function"


def _containment() -> "Containment":
    from appliance.deeplens.containment import containment

    return containment()


def _stopping() -> threading.Event:
    """Set by Ctrl-C and SIGTERM: what was begun is ended in order."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _echo(line: str) -> None:
    click.echo(line, err=True)


def _quiet(_line: str) -> None:
    """Say nothing."""


def one_line(text: str) -> str:
    """A topic or a payload on one line, without what a terminal would act on."""
    from appliance.deeplens.function_log import harmless

    shown = harmless(text[:_SHOWN])
    return shown if len(text) <= _SHOWN else f"{shown} … ({len(text):,} characters)"


def _row(summary: dict[str, Any]) -> str:
    """One function in a line, and why it does not run in another."""
    stream = summary.get("project_stream", {}).get("pictures", 0)
    counts = (
        f"{summary.get('frames', 0)} frames, {sum(summary.get('inferences', {}).values())} inferences, "
        f"{summary.get('messages', 0)} messages, {stream} pictures"
    )
    head = f"{summary['verdict']:<8} {summary['path']}  {counts}"
    missing = "".join(f"\n         no model {name}" for name in summary.get("missing_models", {}))
    return f"{head}\n         {one_line(summary['why'])}{missing}" if summary["why"] else head + missing


def _print_summary(summary: dict[str, Any]) -> None:
    seconds = max(summary["seconds"], 0.1)
    inferred = sum(summary["inferences"].values())
    click.echo(
        f"{summary['frames']} frames ({summary['frames'] / seconds:.1f} a second), {inferred} inferences, "
        f"{summary['messages']} messages in {summary['seconds']:g} s; {summary['verdict']}",
        err=True,
    )
    if summary["why"]:
        click.echo(f"why: {one_line(summary['why'])}", err=True)
    for name, reason in summary["missing_models"].items():
        click.echo(f"no model {name}: {one_line(reason)}", err=True)
