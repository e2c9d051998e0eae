"""`appliance process …`: one process alone, for the supervisor and for systemd units."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import click

from appliance.cli.context import Context, parse_part
from appliance.errors import ApplianceError
from appliance.priority import give_way, leave_a_processor
from appliance.supervisor import die_with_parent, leave_last_words

_GIVES_WAY = 5
"""Less important than the door by so much."""
_DRAIN_S = 5.0
"""How long a loop that ends by itself waits for its last actions to be performed."""


@click.group()
def process() -> None:
    """One process of the appliance alone; appliance run starts them all.

    \b
    Examples:
      appliance process loop
      appliance process dispatch
      appliance process models
    """


@process.command("loop")
@click.option("--once", is_flag=True, help="End when the recordings end.")
@click.option(
    "--patient", is_flag=True, help="Stay when no camera can work: one may be set up in the browser."
)
@click.pass_obj
def loop(context: Context, *, once: bool, patient: bool) -> None:
    """All cameras: from frames to logged decisions."""
    from appliance.app.loop import LoopProcess

    with as_process(context, "loop") as stop, context.services() as services:
        LoopProcess(context.settings, services, once=once, patient=patient).run(stop)
        deadline = time.monotonic() + _DRAIN_S
        while once and services.store.next_due() is not None and time.monotonic() < deadline:
            time.sleep(0.05)


@process.command("dispatch")
@click.pass_obj
def dispatch(context: Context) -> None:
    """From the outbox to actions."""
    from appliance.app.dispatching import run_dispatch

    with as_process(context, "dispatch") as stop, context.services() as services:
        run_dispatch(context.settings, services, stop, context.settings_files)


@process.command("models")
@click.option(
    "--socket", type=click.Path(path_type=Path), help="Answer here instead of in the state directory."
)
@click.option("--part", metavar="JSON", help="The settings this process needs, instead of the settings file.")
@click.pass_obj
def models(context: Context, *, socket: Path | None, part: str | None) -> None:
    """Decode and embed pictures from outside, under memory limits, without any key."""
    from appliance.app.embedding import run_models

    if part is not None:
        context.use(parse_part(part))
    with as_process(context, "models") as stop:
        run_models(context.settings, socket or context.layout.socket("models"), stop)


@process.command("functions")
@click.pass_obj
def functions(context: Context) -> None:
    """Host the deployed functions; wait where there are none."""
    from appliance.app.hosting_process import run_functions
    from appliance.deeplens.view import NICE

    # It scales their frames and reads their streams: behind the loop, as they are, and where they are.
    leave_a_processor()
    give_way(NICE)
    with as_process(context, "functions") as stop:
        run_functions(context.settings, context.layout, context.services, stop)


@process.command("video")
@click.pass_obj
def video(context: Context) -> None:
    """Record video; wait until somebody wants some."""
    from appliance.app.video_process import run_video

    give_way(_GIVES_WAY)
    with as_process(context, "video") as stop, context.services() as services:
        run_video(context.settings, services, stop)


@process.command("search")
@click.pass_obj
def search(context: Context) -> None:
    """Search the catalogue for what is alike to a picture or before a camera."""
    from appliance.app.search_process import run_search

    give_way(_GIVES_WAY)
    with as_process(context, "search") as stop, context.services() as services:
        run_search(context.settings, services, stop)


@contextlib.contextmanager
def as_process(context: Context, name: str) -> Iterator[threading.Event]:
    """What every process does: end with its supervisor, log under its name, stop on SIGTERM."""
    die_with_parent()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        context.log_as(name)
        yield stop
    except ApplianceError as error:
        leave_last_words(error)
        raise
