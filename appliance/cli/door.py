"""`appliance door`: find out how to watch a door, watch it, and draw what is watched.

The group only: `door_calibrate` and `door_watch` hold the commands, `door_choice` what they share.
"""

import click

from appliance.cli.door_calibrate import calibrate
from appliance.cli.door_watch import show, watch


@click.group()
def door() -> None:
    """Set up the door: propose what to watch, try it, draw it.

    \b
    Examples:
      appliance door calibrate --clip opened.mp4 --out seen.png
      appliance door watch --clip day.mp4
      appliance door show --out frame.png
    """


door.add_command(calibrate)
door.add_command(watch)
door.add_command(show)
