"""`appliance enroll serve`: the desk process, for the supervisor and for systemd units.

It may do what this package may, enrol people, which is why it is a command of it.
"""

import os

import click

from appliance.cli.context import Context
from appliance.cli.process import as_process

_NICENESS = 5
"""Whoever clicks waits a little longer, so that whoever comes in does not."""


@click.command("serve", hidden=True)
@click.pass_obj
def serve(context: Context) -> None:
    """Carry out what the pages ask for; appliance run starts it."""
    os.nice(_NICENESS)
    from appliance.app.certifying import certify
    from appliance.app.desk.applying import Source
    from enroll.desk.process import run_desk

    with as_process(context, "desk") as stop, context.services() as services:
        certify(context.settings.web, services.layout, services.clock)
        source = Source(context.settings_files, context.renewed)
        run_desk(context.settings, services, stop, source)
