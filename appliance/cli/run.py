"""`appliance run`: the real thing."""

import os
import sys
from functools import partial

import click

from appliance.cli.context import TERMINAL_VARIABLE, WHEN_VARIABLE, Context
from appliance.services import CAMERA_VARIABLE
from appliance.settings import When


@click.command()
@click.option(
    "--camera",
    metavar="SOURCE",
    help="Instead of the configured cameras: /dev/video0, rtsp://…, clip.mp4, folder/, scene:door.",
)
@click.option(
    "--when", type=click.Choice([each.value for each in When]), help="When faces are read, with --camera."
)
@click.option("--once", is_flag=True, help="End when the recording ends instead of playing it again.")
@click.pass_obj
def run(context: Context, *, camera: str | None, when: str | None, once: bool) -> None:
    """Run the appliance: all its processes, restarted when one dies.

    \b
    Examples:
      appliance run
      appliance run --camera /dev/video0
      appliance run --camera clip.mp4 --when always --once
    An address with a password is better kept in the settings file, or in the environment
    variable APPLIANCE_CAMERA: other users of the machine can read command lines.
    """
    from appliance.app.certifying import certify
    from appliance.app.checking import checked
    from appliance.app.reach import announce, answers
    from appliance.app.running import serves_pages, supervise

    if camera is not None:
        # The children learn it the same way, without it standing in their command lines.
        os.environ[CAMERA_VARIABLE] = camera
        os.environ[TERMINAL_VARIABLE] = "names" if sys.stdout.isatty() else "ids"
    if when is not None:
        os.environ[WHEN_VARIABLE] = when
    settings = checked(context.settings, context.settings_files)
    context.log_as("supervisor")
    with context.services(create=True) as services:

        def begun() -> None:
            if serves_pages(settings):
                certify(settings.web, services.layout, services.clock)
                # Pages without the desk behind them say nothing but "one moment".
                ready = partial(answers, services.layout, "desk")
                announce(settings.web, services, click.echo, terminal=sys.stdout.isatty(), ready=ready)

        supervise(settings, services, context.renewed_command, once=once, begun=begun)
